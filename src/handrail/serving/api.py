"""The HTTP service: predictions for one or many records, health, version and metrics."""

from asyncio import get_running_loop
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response, Security
from fastapi.security import APIKeyHeader
from pydantic import Field, create_model

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.contract.schema import Record
from handrail.errors import ProjectError
from handrail.serving.api_key import HEADER, ApiKeyMiddleware, admits
from handrail.serving.inference import LiveModel
from handrail.serving.predicting import Predicting, refusal
from handrail.serving.short_way import Answer, Headers, Service
from handrail.serving.telemetry import Telemetry

JSON = "application/json"
LOOK_SECONDS = 0.5  # how soon a promotion is noticed
LARGE = 20_000  # bytes of a body that is read in a thread, about 50 records


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
    model, telemetry = LiveModel(settings, LOOK_SECONDS), Telemetry()
    predicting = Predicting(settings, model, telemetry)

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncGenerator[None]:
        yield
        predicting.close()

    app = Service(
        title=settings.name,
        description=settings.description,
        version=model.version.name,
        lifespan=closing,
        max_body_size=serving.maximum_body_bytes,
    )
    if serving.require_api_key:
        app.add_middleware(ApiKeyMiddleware, key=key or "", telemetry=telemetry)
    answer = _answering(predicting)
    _add_predict(app, settings, predicting, answer)
    _add_status(app, model, telemetry)
    given = b"" if not serving.require_api_key else (key or "").encode()
    app.go_short(_guarded(answer, given, telemetry), serving.maximum_body_bytes)
    return app


def _answering(predicting: Predicting) -> Answer:
    """Return what answers a request: in a thread where the body is large, as others would wait meanwhile."""
    thread = ThreadPoolExecutor(1, "large-bodies")

    async def answer(content: bytes, headers: Headers) -> tuple[int, bytes]:
        if len(content) <= LARGE:
            return predicting.answer(content, headers)
        return await get_running_loop().run_in_executor(thread, predicting.answer, content, headers)

    return answer


def _guarded(answer: Answer, key: bytes, telemetry: Telemetry) -> Answer:
    """Return the same behind the key, as ApiKeyMiddleware guards the ordinary way."""
    if not key:
        return answer

    async def guarded(content: bytes, headers: Headers) -> tuple[int, bytes]:
        if admits(headers, key):
            return await answer(content, headers)
        telemetry.refused("key")
        return 401, refusal(HEADER, "missing or wrong")

    return guarded


def _add_predict(app: Service, settings: Settings, predicting: Predicting, answer: Answer) -> None:
    body_model = create_model(
        "PredictRequest",
        __base__=Record,
        records=(
            list[predicting.body.record],  # ty: ignore[invalid-type-form]
            Field(min_length=1, max_length=settings.section(Serving).maximum_records),
        ),
    )
    guard = Security(APIKeyHeader(name=HEADER, auto_error=False))  # is described; ApiKeyMiddleware checks
    schema = {"$ref": f"#/components/schemas/{body_model.__name__}"}
    described = {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}
    app.describe(body_model)

    @app.post("/predict", dependencies=[guard], response_model=None, openapi_extra=described)
    async def predict(request: Request) -> Response:
        """Predict for one or many records; every prediction is logged before it is answered."""
        status, content = await answer(await request.body(), request.scope["headers"])
        return Response(content, status, media_type=JSON)


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
