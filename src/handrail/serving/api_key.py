"""Lets only those predict who have the key."""

import hmac

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from handrail.serving.telemetry import Telemetry

HEADER = "X-API-Key"


class ApiKeyMiddleware:
    """Refuses a prediction without the right key before anything of the request is read."""

    def __init__(self, app: ASGIApp, key: str, telemetry: Telemetry) -> None:
        self._app, self._key, self._telemetry = app, key.encode(), telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] != "http" or scope["path"] != "/predict" or self._admits(scope):
            await self._app(scope, receive, send)
            return
        self._telemetry.refused("key")
        await refusal(401, HEADER, "missing or wrong")(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
        return hmac.compare_digest(given, self._key)


def refusal(status: int, field: str, rule: str) -> JSONResponse:
    """Return the answer to a request that is not served."""
    return JSONResponse({"errors": [{"field": field, "rule": rule}]}, status_code=status)
