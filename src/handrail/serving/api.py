"""The HTTP service: predictions for one or many records, health, version and metrics."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from pydantic import Field, create_model

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.contract.schema import Record
from handrail.errors import ProjectError
from handrail.project import Project
from handrail.serving.api_key import HEADER, ApiKeyMiddleware, refusal
from handrail.serving.horizon import bounded_request
from handrail.serving.inference import Inference, LiveModel
from handrail.serving.prediction_log import PredictionLog, log_rows, prediction_folder, told_by_row
from handrail.serving.telemetry import Telemetry

log = logging.getLogger(__name__)
UNREADABLE = {"type": "unreadable", "loc": ("body",), "msg": "JSON nested too deep, or a number too long"}


def create_app(settings: Settings) -> FastAPI:
    """Return the service for what is live in `settings.workspace`: POST /predict, and four that tell of it.

    What is added to it afterwards stands before it: a middleware guards /predict too, and is asked before the
    key is. Raises ProjectError without a live model, or without an API key where one is required.
    """
    serving, key = settings.section(Serving), settings.secret("api_key")
    if serving.require_api_key and not key:
        raise ProjectError(
            f"{settings.project.env_prefix}API_KEY: not set; give the service a key of 16 characters or "
            "more, or set serving.require_api_key: false in project.yaml"
        )
    model, telemetry = LiveModel(settings), Telemetry()
    predictions = PredictionLog(prediction_folder(settings))

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncGenerator[None]:
        yield
        predictions.close()

    app = FastAPI(
        title=settings.name,
        description=settings.description,
        version=model.version.name,
        lifespan=closing,
        max_body_size=serving.maximum_body_bytes,
    )
    if serving.require_api_key:
        app.add_middleware(ApiKeyMiddleware, key=key or "", telemetry=telemetry)
    app.add_exception_handler(RequestValidationError, _explain(telemetry))
    app.add_exception_handler(400, _explain(telemetry))  # JSON nested too deep, or of numbers too long
    _add_predict(app, settings, model, telemetry, predictions)
    _add_status(app, model, telemetry)
    return app


def _add_predict(
    app: FastAPI, settings: Settings, model: LiveModel, telemetry: Telemetry, predictions: PredictionLog
) -> None:
    body_model = create_model(
        "PredictRequest",
        __base__=Record,
        records=(
            list[bounded_request(settings)],  # ty: ignore[invalid-type-form]
            Field(min_length=1, max_length=settings.section(Serving).maximum_records),
        ),
    )
    guard = Security(APIKeyHeader(name=HEADER, auto_error=False))  # is described; ApiKeyMiddleware checks

    @app.post("/predict", dependencies=[guard], response_model=None)
    async def predict(body: body_model) -> Response:  # ty: ignore[invalid-type-form]
        """Predict for one or many records; every prediction is logged before it is answered."""
        with telemetry.seconds.time():
            asked = [dict(record) for record in body.records]
            answer = model.answer(asked)
            rows = log_rows(asked, answer)
            try:
                predictions.append(rows)
            except OSError as error:
                log.error("prediction log: %s", error)
                telemetry.refused("log")
                return refusal(503, "prediction log", "not writable; nothing is predicted unlogged")
        telemetry.answered(answer.source, len(rows))
        return JSONResponse(_reply(settings.project, asked, answer))


def _add_status(app: FastAPI, model: LiveModel, telemetry: Telemetry) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        """Tell that the process runs."""
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> dict[str, str]:
        """Tell who answers predictions."""
        return {"status": "ready", "source": model.follow().mode}

    @app.get("/version")
    async def version() -> dict[str, Any]:
        """Tell which version answers, in staging or live, and how its predictions are acted on."""
        live = model.follow().version
        facts: dict[str, Any] = {"version": live.name, "stage": model.stage}
        if model.canary:
            facts["canary"] = {"version": model.canary.name, "share": model.canary.share}
        return facts | {"decision": live.decision, "split": live.info["split"]}

    @app.get("/metrics")
    async def metrics() -> Response:
        """Give Prometheus its figures."""
        text = telemetry.text(model.follow().version.name, model.mode)
        return Response(text, media_type="text/plain; version=0.0.4")


def _reply(project: Project, asked: list[dict[str, Any]], answer: Inference) -> dict[str, Any]:
    named = (project.key,) if project.has_key else ()
    predictions = [
        {**{key: record[key] for key in named}, "prediction": round(float(value), 6), **told}
        for record, value, told in zip(asked, answer.prediction, told_by_row(answer), strict=True)
    ]
    return {"version": answer.version, "source": answer.source, "predictions": predictions}


def _explain(telemetry: Telemetry) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def explain(_: Request, error: Exception) -> Response:
        """Name every field that breaks the contract, and the rule; never repeat the input."""
        telemetry.refused("contract")
        found = error.errors() if isinstance(error, RequestValidationError) else [UNREADABLE]
        return JSONResponse({"errors": [_problem(item) for item in found]}, status_code=422)

    return explain


def _problem(item: Mapping[str, Any]) -> dict[str, str]:
    path = [str(part) for part in item["loc"] if part != "body"]
    if item["type"] == "json_invalid":
        return {"field": "body", "rule": f"{item['msg']} at character {path[-1]}: {item['ctx']['error']}"}
    return {"field": ".".join(path) or "body", "rule": item["msg"]}
