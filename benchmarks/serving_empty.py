"""What answers nothing: an endpoint of FastAPI, and a handler without a framework."""

from fastapi import FastAPI

endpoint = FastAPI()


@endpoint.get("/")
async def empty():
    """Answer."""
    return {}


async def handler(scope, receive, send):
    """Answer as little, at once."""
    if scope["type"] == "http":
        headers = [(b"content-length", b"2"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})
