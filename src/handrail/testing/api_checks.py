"""What the HTTP service of any project must hold, whatever routes and middleware it has of its own."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi.testclient import TestClient

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.serving.api_key import HEADER
from handrail.serving.inference import LiveModel
from handrail.serving.prediction_log import prediction_folder
from handrail.testing.made_up_records import broken_records, made_up_records
from handrail.testing.requirement import require
from handrail.testing.runs import SmallRun, requested

ASKED = 20
KEY = "only-for-the-tests-of-it"
REACHED = ("/health", "/ready", "/version", "/metrics")


def service_answers_records(run: SmallRun) -> None:
    """Made-up records get the live version's predictions, in their order, and each is logged before."""
    there, key = run.live_copy(), run.project.key
    records = requested(run.project, made_up_records(run.project.contract, ASKED, seed=12))
    expected = LiveModel(there).answer(records).prediction.tolist()
    with _client(run, there) as client:
        reply = _ask(client, records)
    require(reply.status_code == 200, f"serve/api.py: {reply.status_code} for good records: {reply.text}")
    answered = reply.json()["predictions"]
    require(
        not run.project.has_key
        or [item[key] for item in answered] == [_as_sent(record)[key] for record in records],
        f"serve/api.py: the answers are not for the {key} asked, in their order",
    )
    for item, value in zip(answered, expected, strict=True):
        require(
            abs(item["prediction"] - value) <= 1e-6 * max(1.0, abs(value)),
            f"serve/api.py: {item}, not {value}",
        )
    require(
        _logged(there) == len(records), f"serve/api.py: {_logged(there)} of {len(records)} answers are logged"
    )


def service_refuses_bad_records(run: SmallRun) -> None:
    """A record that breaks a rule is refused with 422 and the field, and nothing is logged."""
    there, asked = run.live_copy(), run.project.request.model_fields
    with _client(run, there) as client:
        for broken in broken_records(run.project.contract):
            if broken.column not in asked:
                continue
            reply = _ask(client, requested(run.project, [broken.record]))
            rule = f"serve/api.py: {broken.column}: a value that is {broken.rule}"
            require(reply.status_code == 422, f"{rule} is answered with {reply.status_code}")
            fields = {str(item["field"]).rpartition(".")[2] for item in reply.json()["errors"]}
            require(fields == {broken.column}, f"{rule} is refused for {', '.join(sorted(fields))}")
    require(_logged(there) == 0, "serve/api.py: a prediction for a refused record is logged")


def service_asks_for_the_key(run: SmallRun) -> None:
    """Without the right key nothing is predicted, where project.yaml asks for one."""
    there = run.live_copy()
    records = requested(run.project, made_up_records(run.project.contract, 1))
    for name, headers in (("no key", {}), ("another key", {HEADER: KEY[::-1]})):
        with _client(run, there, headers) as client:
            status = _ask(client, records).status_code
        require(status in (401, 403), f"serve/api.py: /predict answers {status} to a request with {name}")
    require(_logged(there) == 0, "serve/api.py: something is predicted for who has no key")


def service_tells_of_itself(run: SmallRun) -> None:
    """The service says that it runs, who answers, which version is live, and its figures."""
    with _client(run, run.live_copy()) as client:
        for path in REACHED:
            reply = client.get(path)
            require(reply.status_code == 200, f"serve/api.py: {path} answers {reply.status_code}")
        said = client.get("/version").json()
    require(
        said["version"] == run.version.name, f"serve/api.py: /version says {said}, live is {run.version.name}"
    )


CHECKS = (
    service_answers_records,
    service_refuses_bad_records,
    service_asks_for_the_key,
    service_tells_of_itself,
)


@contextmanager
def _client(
    run: SmallRun, there: Settings, headers: Mapping[str, str] | None = None
) -> Generator[TestClient]:
    """Give a client of the project's own service, which asks for KEY; `headers` are sent in its place."""
    wide = Serving(require_api_key=True)  # a project may take fewer records, or none of the usual size
    settings = there.model_copy(update={"api_key": KEY, "serving": wide})
    sent = {HEADER: KEY, **run.headers} if headers is None else dict(headers)
    with TestClient(run.project.create_app(settings), headers=sent, raise_server_exceptions=False) as client:
        yield client


def _ask(client: TestClient, records: Sequence[Mapping[str, Any]]) -> Any:
    """Send records as a client does; NaN and infinity are sent as Python writes them."""
    body = json.dumps({"records": [_as_sent(record) for record in records]})
    return client.post("/predict", content=body, headers={"Content-Type": "application/json"})


def _as_sent(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in record.items()
    }


def _logged(there: Settings) -> int:
    files = prediction_folder(there).glob("*.jsonl")
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
