"""The service, with a short way to /predict past the stack that FastAPI builds, while nothing is in it.

FastAPI's stack costs more than a prediction does. It is there for what a team adds: a middleware, an
exception handler, a dependency. As long as nothing was added, nobody is passed over by going past it;
otherwise the ordinary route answers, with the same bytes.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

PATH = "/predict"
Headers = Iterable[tuple[bytes, bytes]]
Answer = Callable[[bytes, Headers], Awaitable[tuple[int, bytes]]]


class Service(FastAPI):
    """FastAPI, with a way of its own to POST /predict; see `go_short`."""

    _answer: Answer | None = None
    _as_made: tuple[object, ...] = ()
    _largest = 0
    _described: Mapping[str, Any] = {}

    def go_short(self, answer: Answer, largest: int) -> None:
        """Have `answer` give status and body by the bytes and headers of a request, while nothing is added.

        largest: the longest body in bytes; one whose length is not said, or is more, goes the ordinary way
        """
        self._answer, self._largest = answer, largest
        self._as_made = self._stack()

    def describe(self, model: type[BaseModel]) -> None:
        """Have the description of the service name a model, with all that it is made of."""
        own = model.model_json_schema(ref_template="#/components/schemas/{model}")
        self._described = {**own.pop("$defs", {}), model.__name__: own}

    def openapi(self) -> dict[str, Any]:
        """Return the description of the service, as OpenAPI has it."""
        found = super().openapi()
        found.setdefault("components", {}).setdefault("schemas", {}).update(self._described)
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if (
            scope["type"] != "http"
            or scope["path"] != PATH
            or scope["method"] != "POST"
            or self._answer is None
            or not 0 < _length(scope["headers"]) <= self._largest
            or self._stack() != self._as_made
        ):
            await super().__call__(scope, receive, send)
            return
        content = await _body(receive)
        if content is None:  # the client has gone
            return
        status, said = await self._answer(content, scope["headers"])
        headers = [(b"content-length", b"%d" % len(said)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    def _stack(self) -> tuple[object, ...]:
        """Return what stands before /predict: what is equal to what was there at first, adds nothing."""
        first = next((place for place, route in enumerate(self.router.routes) if _path(route) == PATH), None)
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


def _length(headers: Headers) -> int:
    """Return the length of a body as its header says; 0 where it doesn't."""
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


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
