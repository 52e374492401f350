"""What POST /predict does with the bytes of a request: read, predict, log, answer."""

import logging
from asyncio import Future, get_running_loop, shield, wait_for
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from time import perf_counter
from typing import Any

from pydantic_core import ErrorDetails, ValidationError, to_json

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.serving.alike import join_alike
from handrail.serving.columns import ByColumn
from handrail.serving.inference import Inference, LiveModel
from handrail.serving.loaded_rows import UnknownKeysError
from handrail.serving.prediction_log import (
    PredictionLog,
    Records,
    is_full,
    log_rows,
    prediction_folder,
    told_by_row,
)
from handrail.serving.request_body import (
    LARGE,
    Asked,
    Keys,
    RequestBody,
    broken_rules,
    has_too_many,
    records_in,
)
from handrail.serving.telemetry import REFUSED, Refused, Telemetry

log = logging.getLogger(__name__)
JSON = "application/json"
UTF_8 = ("utf-8", "utf8")
UPON_EACH_OTHER = 6e-5  # seconds from one answer to the next request: that was here already
CROWDED = 0.05  # seconds for which it is expected that others come at the same moment
TOGETHER = 64  # requests that are answered in one pass, so that the first does not wait long
THREADS = 2  # one reads or answers while the model is at work for the other
SLOW_SECONDS = 0.005  # of a model that answers one record in a thread: others would wait meanwhile
MAKE_ROOM = "make room on it, and predictions are answered again by themselves"
Headers = Mapping[bytes, bytes]  # by name, in small letters
Answer = tuple[int, bytes]  # status, and the body as JSON


class _Turn:
    """The right to answer a request, which the first of two who ask for it has."""

    def __init__(self) -> None:
        self._lock = Lock()

    def taken(self) -> bool:
        """Take it, and return whether it was free."""
        return self._lock.acquire(blocking=False)


class Predicting:
    """Answers requests for predictions; every prediction is logged before it is answered.

    body: what a request has to be
    """

    def __init__(self, settings: Settings, model: LiveModel, telemetry: Telemetry) -> None:
        self.body = RequestBody(settings)
        self._model, self._telemetry = model, telemetry
        self._named = (settings.project.key,) if settings.project.has_key else ()
        self._log = PredictionLog(prediction_folder(settings))
        self._budget = settings.section(Serving).budget_seconds
        self._ended = self._crowded_until = 0.0
        self._waiting: list[tuple[Records, str, float, Future[Answer]]] = []
        self._threads = ThreadPoolExecutor(THREADS, "model")
        self._spare = ThreadPoolExecutor(1, "baseline")

    def close(self) -> None:
        """Close the prediction log, when what is under way is answered."""
        self._threads.shutdown()
        self._spare.shutdown()
        self._log.close()

    def cannot(self) -> str:
        """Return why nothing could be predicted now; empty where it could."""
        try:
            self._log.try_out()
        except OSError as error:
            said = f"the disk is full; {MAKE_ROOM}" if is_full(error) else error.strerror or error
            return f"prediction log: {said}"
        return ""

    async def answer(self, content: bytes, headers: Headers, request_id: str) -> Answer:
        """Return status and body of the answer to a request with this body and these headers.

        Of requests that come one upon the other, those that are here at the same moment are answered in one
        pass: a model takes little longer for many records than for one. A large body, keys of rows, or any
        request of a slow model is answered in a thread, as others would wait meanwhile. There, the model has
        `serving.budget_seconds`; then the baseline answers.
        """
        wrong = _unreadable(headers)
        if wrong:
            return self.refuse("media type", *wrong)
        if len(content) > LARGE or self._model.seconds > SLOW_SECONDS:
            return await self._answer_beside(content, request_id)
        begun, asked = perf_counter(), self._read(content)
        if isinstance(asked, tuple):
            return asked
        if isinstance(asked, Keys):
            return await self._answer_beside(content, request_id)
        if begun - self._ended < UPON_EACH_OTHER:
            self._crowded_until = begun + CROWDED
        elif begun > self._crowded_until:
            said = self._answer_read(asked, request_id, begun, self._model.answer(asked))
            self._ended = perf_counter()
            return said
        return await self._answer_in_turn(asked, request_id, begun)

    async def _answer_in_turn(self, asked: Asked, request_id: str, begun: float) -> Answer:
        """Answer together with those that are here when it is their turn."""
        turn = get_running_loop().create_future()
        self._waiting.append((asked, request_id, begun, turn))
        if len(self._waiting) == 1:
            get_running_loop().call_soon(self._answer_waiting)
        try:
            return await turn
        except OSError as error:
            return self._unlogged(error)

    def _answer_waiting(self) -> None:
        """Answer the requests that are here, at most TOGETHER of them in one pass."""
        waiting, self._waiting = self._waiting, []
        for first in range(0, len(waiting), TOGETHER):
            some = waiting[first : first + TOGETHER]
            try:
                said = self._say(
                    [(asked, request_id, begun) for asked, request_id, begun, _ in some],
                    self._model.answer_together([asked for asked, *_ in some]),
                )
            except Exception as error:  # each of them tells it, under its own name
                for *_, turn in some:
                    if not turn.done():  # nobody waits for it any more
                        turn.set_exception(error)
            else:
                for each, (*_, turn) in zip(said, some, strict=True):
                    if not turn.done():
                        turn.set_result(each)
        if len(waiting) > 1:
            self._crowded_until = perf_counter() + CROWDED

    async def _answer_beside(self, content: bytes, request_id: str) -> Answer:
        """Answer in a thread; after the time that a model has, by the baseline in another."""
        turn, loop, given = _Turn(), get_running_loop(), (content, request_id)
        run = copy_context().run
        work = loop.run_in_executor(self._threads, run, self._answer, *given, self._model.answer, turn)
        try:
            return await wait_for(shield(work), self._budget)
        except TimeoutError:
            if not turn.taken():
                return await work
        work.add_done_callback(lambda done: done.exception())
        run, late = copy_context().run, self._model.by_baseline
        return await loop.run_in_executor(self._spare, run, self._answer, *given, late, None)

    def refuse(self, reason: Refused, field: str, rule: str) -> Answer:
        """Count a refusal, and return its answer."""
        self._telemetry.refused(reason)
        return REFUSED[reason], refusal(field, rule)

    def _answer(
        self, content: bytes, request_id: str, predict: Callable[[Records], Inference], turn: _Turn | None
    ) -> Answer:
        """Read, predict, log and answer; where the turn was taken meanwhile, nothing is logged or said."""
        begun, asked = perf_counter(), self._read(content)
        if isinstance(asked, Keys):
            asked = self._rows_of(asked)
        if isinstance(asked, tuple):
            return asked
        answer = predict(asked)
        if turn and not turn.taken():
            return 0, b""
        return self._answer_read(asked, request_id, begun, answer)

    def _answer_read(self, asked: Asked, request_id: str, begun: float, answer: Inference) -> Answer:
        """Log and say what was predicted for a request that has been read."""
        try:
            if isinstance(asked, ByColumn):
                return self._say_columns(asked, request_id, begun, answer)
            return self._say([(asked, request_id, begun)], [answer])[0]
        except OSError as error:
            return self._unlogged(error)

    def _read(self, content: bytes) -> Asked | Keys | Answer:
        """Return what a body asks for, or the answer that refuses it."""
        try:
            return self.body.read(content)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
            reason: Refused = "too many" if has_too_many(errors) else "contract"
            self._telemetry.refused_records(reason, records_in(content))
            if reason == "contract":
                self._telemetry.broke(broken_rules(errors))
            return REFUSED[reason], _explained(errors)

    def _rows_of(self, keys: Keys) -> Asked | Answer:
        """Return the records of keys, or the answer that refuses them."""
        try:
            return self.body.rows_of(keys)
        except UnknownKeysError as error:
            return self.refuse("rows", error.field, error.rule)
        except ProjectError as error:
            log.error("rows by their keys: %s", error)
            return self.refuse("table", "keys", "the loaded rows can't be read now; send records")

    def _say(
        self, requests: Sequence[tuple[Records, str, float]], answers: Sequence[Inference]
    ) -> list[Answer]:
        """Log what was predicted for requests (records, name, beginning), all or nothing, and say it.

        Raises OSError where it can't be logged.
        """
        told = [told_by_row(answer) for answer in answers]
        self._log.append(
            [
                row
                for (asked, request_id, _), answer, each in zip(requests, answers, told, strict=True)
                for row in log_rows(asked, answer, each, request_id)
            ]
        )
        said = []
        for (asked, _, begun), answer, each in zip(requests, answers, told, strict=True):
            said.append((200, self._reply(asked, answer, each)))
            self._telemetry.predicted(answer.source, answer.reason, len(each), perf_counter() - begun)
        return said

    def _say_columns(self, asked: ByColumn, request_id: str, begun: float, answer: Inference) -> Answer:
        """Do what `_say` does, for one request that was read by columns."""
        self._log.append_columns(asked, answer, request_id)
        columns = {key: asked.columns[key] for key in self._named}
        columns["prediction"] = [round(value, 6) for value in answer.prediction.tolist()]
        columns |= {name: values.tolist() for name, values in answer.told.items()}
        predictions = join_alike({}, columns, after=b",")[:-1]
        said = to_json(_by(answer))[:-1] + b',"predictions":[' + predictions + b"]}"
        self._telemetry.predicted(answer.source, answer.reason, len(asked), perf_counter() - begun)
        return 200, said

    def _unlogged(self, error: OSError) -> Answer:
        if is_full(error):
            log.error("prediction log: the disk of %s is full; %s", error.filename, MAKE_ROOM)
            return self.refuse("log", "prediction log", "the disk is full; nothing is predicted unlogged")
        log.error("prediction log: %s", error)
        return self.refuse("log", "prediction log", "not writable; nothing is predicted unlogged")

    def _reply(
        self, asked: Sequence[Mapping[str, Any]], answer: Inference, told: Sequence[Mapping[str, Any]]
    ) -> bytes:
        predictions = [
            {**{key: record[key] for key in self._named}, "prediction": round(value, 6), **each}
            for record, value, each in zip(asked, answer.prediction.tolist(), told, strict=True)
        ]
        return to_json({**_by(answer), "predictions": predictions})


def _by(answer: Inference) -> dict[str, Any]:
    """Return who has answered, and why where the baseline has."""
    why = {"reason": answer.reason} if answer.reason else {}
    return {"version": answer.version, "source": answer.source, **why}


def _unreadable(headers: Headers) -> tuple[str, str] | None:
    """Return the header that says that the body is no JSON in UTF-8, and the rule; None where it may be."""
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        return "Content-Encoding", "has to be left out: bodies are read as they are"
    given = headers.get(b"content-type", b"application/json")
    if given == b"application/json":
        return None
    kind, *parameters = given.decode("latin-1").lower().split(";")
    if kind.strip() != "application/json" and not kind.strip().endswith("+json"):
        return "Content-Type", "has to be application/json"
    for name, _, value in (each.partition("=") for each in parameters):
        if name.strip() == "charset" and value.strip().strip('"') not in UTF_8:
            return "Content-Type", "JSON is in UTF-8, and in no other charset"
    return None


def refusal(field: str, rule: str) -> bytes:
    """Return the body of the answer to a request that is not served."""
    return to_json({"errors": [{"field": field, "rule": rule}]})


def _explained(errors: Sequence[ErrorDetails]) -> bytes:
    """Name every field that breaks the contract, and the rule; never repeat the input."""
    return to_json(
        {
            "errors": [
                {"field": ".".join(map(str, each["loc"])) or "body", "rule": each["msg"]} for each in errors
            ]
        }
    )
