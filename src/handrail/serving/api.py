"""The HTTP service: predictions for one or many records, health, readiness, version and metrics."""

from asyncio import create_task, sleep, to_thread
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any

from fastapi import FastAPI, Request, Response, Security
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import APIKeyHeader
from starlette.exceptions import HTTPException

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.serving import request_id
from handrail.serving.activity import EVERY_SECONDS, ActivityLog, activity_folder
from handrail.serving.api_key import BEHIND, HEADER, ApiKeyMiddleware, admits
from handrail.serving.description import Description
from handrail.serving.inference import LiveModel
from handrail.serving.predicting import JSON, Predicting
from handrail.serving.shared_log import Sharing
from handrail.serving.short_way import Answer, Service
from handrail.serving.telemetry import PREDICT, Telemetry

TOO_LARGE = "body", "has more bytes than serving.maximum_body_bytes of project.yaml"
LOOK_SECONDS = 0.5  # how soon a promotion is noticed


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
    telemetry = Telemetry(settings.project.request.model_fields)
    model = LiveModel(settings, LOOK_SECONDS, telemetry.changed)
    predicting = Predicting(settings, model, telemetry)

    activity = ActivityLog(activity_folder(settings), telemetry)
    sharing = Sharing(settings)

    async def watching() -> None:
        """Look for a switch also while nobody asks for anything; keep what was done."""
        written = monotonic()
        while True:
            await sleep(max(LOOK_SECONDS, 0.05))
            model.follow()
            if monotonic() - written >= EVERY_SECONDS:
                activity.write()
                written = monotonic()

    @asynccontextmanager
    async def while_served(_: FastAPI) -> AsyncGenerator[None]:
        watch = create_task(watching())
        sharing.begin()
        yield
        watch.cancel()
        predicting.close()
        activity.write()
        await to_thread(sharing.end)

    app = Service(
        title=settings.name,
        description=settings.description,
        version=model.version.name,
        lifespan=while_served,
        max_body_size=serving.maximum_body_bytes,
    )
    given = key if serving.require_api_key and key else ""
    if given:
        behind = [PREDICT, *(path for name in serving.key_also_for for path in BEHIND[name])]
        app.add_middleware(ApiKeyMiddleware, key=given, behind=behind, predicting=predicting)
    guarded = (PREDICT, *serving.key_also_for) if given else ()
    description = Description(settings, predicting.body, guarded)
    _add_predict(app, predicting, description)
    _add_status(app, model, predicting, telemetry, description, sharing)
    app.describe(*description.models)
    short = _guarded(predicting, given.encode())
    too_large = partial(predicting.refuse, "size", *TOO_LARGE)
    app.go_short(short, serving.maximum_body_bytes, too_large, telemetry)
    return app


def _guarded(predicting: Predicting, key: bytes) -> Answer:
    """Return what answers by the short way: behind the key, as ApiKeyMiddleware guards the ordinary one."""
    if not key:
        return predicting.answer

    async def guarded(content: bytes, headers: Mapping[bytes, bytes], name: str) -> tuple[int, bytes]:
        if admits(headers, key):
            return await predicting.answer(content, headers, name)
        return predicting.refuse("key", HEADER, "missing or wrong")

    return guarded


def _add_predict(app: Service, predicting: Predicting, description: Description) -> None:
    guard = Security(APIKeyHeader(name=HEADER, auto_error=False))  # is described; ApiKeyMiddleware checks
    body = {"requestBody": {"required": True, "content": {JSON: {"schema": description.request}}}}

    async def answer(request: Request) -> Response:
        try:
            content = await request.body()
        except HTTPException as error:  # longer than it may be, and its length was not said
            if error.status_code != 413:
                raise
            status, said = predicting.refuse("size", *TOO_LARGE)
        else:
            headers = dict(request.scope["headers"])
            status, said = await predicting.answer(content, headers, request_id.NOW.get())
        return Response(said, status, media_type=JSON)

    # A plain route answers, as nothing that FastAPI could look for is asked; the other is what is described.
    app.add_route(PREDICT, answer, methods=["POST"], include_in_schema=False)

    @app.post(
        PREDICT,
        dependencies=[guard] if PREDICT in description.behind else [],
        response_model=None,
        openapi_extra=body,
        responses=description.predict,
    )
    async def predict(request: Request) -> Response:
        """Predict for one or many records; every prediction is logged before it is answered."""
        return await answer(request)


def _add_status(
    app: FastAPI,
    model: LiveModel,
    predicting: Predicting,
    telemetry: Telemetry,
    description: Description,
    sharing: Sharing,
) -> None:
    guard = Security(APIKeyHeader(name=HEADER, auto_error=False))

    def guards(name: str) -> dict[str, Any]:
        """Return what says that a path is behind the key, where it is."""
        if name not in description.behind:
            return {}
        return {"dependencies": [guard], "responses": {401: description.refused}}

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Tell that the process runs."""
        return {"status": "ok"}

    @app.get("/ready", responses=description.ready)
    def ready() -> JSONResponse:
        """Tell who answers predictions; with 503, why none would be."""
        facts = {"status": "ready", "source": model.follow().mode}
        facts |= {"model_stale": model.stale} if model.stale else {}
        facts |= {"predictions_unsent": "kept on this machine; the log says why"} if sharing.unsent else {}
        cannot = predicting.cannot()
        if cannot:
            return JSONResponse(facts | {"status": "not ready", "reason": cannot}, 503)
        return JSONResponse(facts)

    @app.get("/version", **guards("version"))
    async def version() -> dict[str, Any]:
        """Tell which version answers, in staging or live, and how its predictions are acted on."""
        live = model.follow().version
        decision = live.decision_of(model.mode)
        facts: dict[str, Any] = {"version": live.name, "stage": model.stage}
        if model.canary:
            facts["canary"] = {"version": model.canary.name, "share": model.canary.share}
        return facts | {"decision": decision, "split": live.info["split"]}

    @app.get("/metrics", response_class=PlainTextResponse, **guards("metrics"))
    async def metrics() -> Response:
        """Give Prometheus its figures."""
        model.follow()
        return Response(telemetry.text(), media_type="text/plain; version=0.0.4")
