"""What POST /predict does with the bytes of a request: read, predict, log, answer."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

from pydantic_core import ValidationError, to_json

from handrail.config.settings import Settings
from handrail.serving.inference import Inference, LiveModel
from handrail.serving.prediction_log import PredictionLog, log_rows, prediction_folder, told_by_row
from handrail.serving.request_body import RequestBody
from handrail.serving.telemetry import Telemetry

log = logging.getLogger(__name__)
UTF_8 = ("utf-8", "utf8")
Answer = tuple[int, bytes]  # status, and the body as JSON


class Predicting:
    """Answers requests for predictions; every prediction is logged before it is answered.

    body: what a request has to be
    """

    def __init__(self, settings: Settings, model: LiveModel, telemetry: Telemetry) -> None:
        self.body = RequestBody(settings)
        self._project, self._model, self._telemetry = settings.project, model, telemetry
        self._log = PredictionLog(prediction_folder(settings))

    def close(self) -> None:
        """Close the prediction log."""
        self._log.close()

    def answer(self, content: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Answer:
        """Return status and body of the answer to a request with this body and these headers."""
        wrong = _unreadable({name: value for name, value in headers if name in READ_BY})
        if wrong:
            self._telemetry.refused("media type")
            return 415, refusal(*wrong)
        begun = perf_counter()
        try:
            asked = self.body.read(content)
        except ValidationError as error:
            self._telemetry.refused("contract")
            return 422, _explained(error)
        answer = self._model.answer(asked)
        told = told_by_row(answer)
        rows = log_rows(asked, answer, told)
        try:
            self._log.append(rows)
        except OSError as error:
            log.error("prediction log: %s", error)
            self._telemetry.refused("log")
            return 503, refusal("prediction log", "not writable; nothing is predicted unlogged")
        said = self._reply(asked, answer, told)
        self._telemetry.answered(answer.source, len(rows), perf_counter() - begun)
        return 200, said

    def _reply(
        self, asked: Sequence[Mapping[str, Any]], answer: Inference, told: Sequence[Mapping[str, Any]]
    ) -> bytes:
        named = (self._project.key,) if self._project.has_key else ()
        predictions = [
            {**{key: record[key] for key in named}, "prediction": round(value, 6), **each}
            for record, value, each in zip(asked, answer.prediction.tolist(), told, strict=True)
        ]
        return to_json({"version": answer.version, "source": answer.source, "predictions": predictions})


READ_BY = (b"content-type", b"content-encoding")  # the headers by which a body is read


def _unreadable(headers: Mapping[bytes, bytes]) -> tuple[str, str] | None:
    """Return the header that says that the body is no JSON in UTF-8, and the rule; None where it may be."""
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        return "Content-Encoding", "has to be left out: bodies are read as they are"
    kind, *parameters = headers.get(b"content-type", b"application/json").decode("latin-1").lower().split(";")
    if kind.strip() != "application/json" and not kind.strip().endswith("+json"):
        return "Content-Type", "has to be application/json"
    for name, _, value in (each.partition("=") for each in parameters):
        if name.strip() == "charset" and value.strip().strip('"') not in UTF_8:
            return "Content-Type", "JSON is in UTF-8, and in no other charset"
    return None


def refusal(field: str, rule: str) -> bytes:
    """Return the body of the answer to a request that is not served."""
    return to_json({"errors": [{"field": field, "rule": rule}]})


def _explained(error: ValidationError) -> bytes:
    """Name every field that breaks the contract, and the rule; never repeat the input."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return to_json(
        {
            "errors": [
                {"field": ".".join(map(str, each["loc"])) or "body", "rule": each["msg"]} for each in found
            ]
        }
    )
