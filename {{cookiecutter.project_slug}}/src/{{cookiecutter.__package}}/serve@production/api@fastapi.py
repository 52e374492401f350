"""The HTTP service: what every service answers, and the project's own routes and middleware."""

from fastapi import FastAPI
from handrail import serving
from handrail.config import Settings


def create_app(settings: Settings) -> FastAPI:
    """Return the service for what is live: POST /predict, GET /health, /ready, /version and /metrics.

    What is added to `app` is the project's own: a route by `@app.get("/...")`, a sign-in for everything,
    /predict included, by `app.add_middleware(...)`.
    """
    app = serving.create_app(settings)
    return app
