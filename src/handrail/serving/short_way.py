"""The service, with a short way to /predict past the stack that FastAPI builds, while nothing is in it.

FastAPI's stack costs more than a prediction does. It is there for what a team adds: a middleware, an
exception handler, a dependency. As long as nothing was added, nobody is passed over by going past it;
otherwise the ordinary route answers, with the same bytes.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from handrail.serving import request_id
from handrail.serving.telemetry import PREDICT, Telemetry

log = logging.getLogger(__name__)
JSON, TEXT = b"application/json", b"text/plain; charset=utf-8"
Answer = Callable[[bytes, Mapping[bytes, bytes], str], Awaitable[tuple[int, bytes]]]


class Service(FastAPI):
    """FastAPI, with a way of its own to POST /predict (`go_short`); every request has a name and counts."""

    _answer: Answer | None = None
    _figures: Telemetry | None = None
    _as_made: tuple[object, ...] = ()
    _built: tuple[object, ...] = ()
    _largest = 0
    _too_large: Callable[[], tuple[int, bytes]] | None = None
    _described: Mapping[str, Any] = {}

    def go_short(
        self, answer: Answer, largest: int, too_large: Callable[[], tuple[int, bytes]], telemetry: Telemetry
    ) -> None:
        """Have `answer` give status and body by bytes, headers and name of a request, while nothing is added.

        largest: the longest body in bytes; one whose length is not said goes the ordinary way
        too_large: gives the answer to a longer one
        """
        self._answer, self._largest, self._figures = answer, largest, telemetry
        self._too_large = too_large
        self._as_made = self._stack()

    def describe(self, *models: type[BaseModel]) -> None:
        """Have the description of the service name models, with all that they are made of."""
        for model in models:
            own = model.model_json_schema(ref_template="#/components/schemas/{model}")
            self._described = {**self._described, **own.pop("$defs", {}), model.__name__: own}

    def openapi(self) -> dict[str, Any]:
        """Return the description of the service, as OpenAPI has it."""
        found = super().openapi()
        found.setdefault("components", {}).setdefault("schemas", {}).update(self._described)
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, under a name and with its status counted."""
        figures = self._figures
        if scope["type"] != "http" or figures is None:
            await super().__call__(scope, receive, send)
            return
        path, headers = scope["path"], dict(scope["headers"])
        name = request_id.name_request(headers.get(request_id.HEADER))
        request_id.NOW.set(name)
        named = (request_id.HEADER, name.encode())
        length = _length(headers) if path == PREDICT and scope["method"] == "POST" else 0
        if length > self._largest or (length and self._is_as_made()):
            status, kind, said = await self._go(receive, headers, name, length)
            if not status:  # the client has gone
                return
            figures.answered(path, status)
            given = [(b"content-length", b"%d" % len(said)), (b"content-type", kind), named]
            await send({"type": "http.response.start", "status": status, "headers": given})
            await send({"type": "http.response.body", "body": said})
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                figures.answered(path, message["status"])
                message = {**message, "headers": [*message.get("headers", ()), named]}
            await send(message)

        await self._ordinary(scope, receive, counted)

    @cached_property
    def _ordinary(self) -> ASGIApp:
        """FastAPI's way, which learns from a proxy on this machine who has asked."""
        inner: Any = super().__call__
        outer: Any = ProxyHeadersMiddleware(inner, trusted_hosts="127.0.0.1")
        return outer

    async def _go(
        self, receive: Receive, headers: Mapping[bytes, bytes], name: str, length: int
    ) -> tuple[int, bytes, bytes]:
        """Return status, media type and body of the answer by the short way; no status: nobody waits."""
        if length > self._largest and self._too_large:
            status, said = self._too_large()
            return status, JSON, said
        content = await _body(receive)
        if content is None or self._answer is None:
            return 0, b"", b""
        try:
            status, said = await self._answer(content, headers, name)
        except Exception:  # as the ordinary way answers whatever went wrong
            log.exception("a request for predictions failed")
            return 500, TEXT, b"Internal Server Error"
        return status, JSON, said

    def _is_as_made(self) -> bool:
        """Return whether nothing stands before /predict that was not there at first.

        With the first request the stack is built, as FastAPI does: what is added later is refused by it.
        """
        now = (self.middleware_stack, len(self.router.routes), len(self.dependency_overrides))
        if now == self._built:
            return True
        if self._stack() != self._as_made:
            return False
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        self._built = (self.middleware_stack, len(self.router.routes), len(self.dependency_overrides))
        return True

    def _stack(self) -> tuple[object, ...]:
        """Return what stands before /predict: what is equal to what was there at first, adds nothing."""
        first = next(
            (place for place, route in enumerate(self.router.routes) if _path(route) == PREDICT), None
        )
        return (
            len(self.user_middleware),
            len(self.exception_handlers),
            len(self.router.dependencies),
            len(self.dependency_overrides),
            first,
            vars(self).get("build_middleware_stack"),  # how tracing is put in
            self.root_path,
        )


def _path(route: Any) -> str | None:
    return getattr(route, "path", None)


def _length(headers: Mapping[bytes, bytes]) -> int:
    """Return the length of a body as its header says; 0 where it doesn't."""
    value = headers.get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body of a request; None where the client has gone before its end."""
    message = await receive()
    if message["type"] != "http.request":
        return None
    if not message.get("more_body"):
        return message.get("body", b"")
    parts = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
    return b"".join(parts)
