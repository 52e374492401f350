"""How the service describes itself: what each path takes, and what it answers with each status."""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.contract.schema import Record
from handrail.serving.predicting import JSON
from handrail.serving.request_body import RequestBody
from handrail.serving.telemetry import PREDICT

OF_SQL = {"BOOLEAN": bool, "DOUBLE": float}
ABOUT = {
    401: "The key is missing or wrong.",
    404: "No row is loaded that has one of the keys.",
    413: "The body is too long.",
    415: "The body is no JSON in UTF-8.",
    422: "The body breaks the contract: every field that does, with its rule.",
    503: "Predictions can't be logged, so none is made.",
}


class Refusal(BaseModel):
    """A field that breaks a rule, or another part of a request that does."""

    field: str
    rule: str


class Refusals(BaseModel):
    """Why a request was refused."""

    errors: list[Refusal]


class Readiness(BaseModel):
    """Whether predictions would be answered, and by whom."""

    status: Literal["ready", "not ready"]
    source: Literal["model", "fallback"]
    model_stale: str | None = Field(
        None, description="Why what is live on the disk can't be loaded, or what is loaded is damaged there"
    )
    predictions_unsent: str | None = Field(
        None, description="Predictions are logged, and not sent to others yet"
    )
    reason: str | None = Field(None, description="Why no prediction would be answered")


class Description:
    """The parts of the OpenAPI document that FastAPI can't read from the code.

    models: what is named in it · request: the schema of a body of POST /predict · behind: what is behind the
    key · predict, ready: answers by status · refused: the answer without the key
    """

    def __init__(self, settings: Settings, body: RequestBody, behind: Collection[str]) -> None:
        most = settings.section(Serving).maximum_records
        records: Any = (list[body.record], Field(min_length=1, max_length=most))  # ty: ignore[invalid-type-form]
        asked = [create_model("PredictRequest", __base__=Record, records=records)]
        project = settings.project
        if project.has_key:
            field = body.record.model_fields[project.key]
            annotation: Any = field.annotation
            keys: Any = (list[Annotated[annotation, field]], Field(min_length=1, max_length=most))
            asked.append(create_model("PredictByKeys", __base__=Record, keys=keys))
        answered = _answer_model(settings)
        self.models: list[type[BaseModel]] = [*asked, answered, Refusals]
        self.behind = behind
        self.request = _any_of(asked)
        self.refused = _refusals(401)
        may_be = dict.fromkeys(ABOUT, True) | {401: PREDICT in behind, 404: project.has_key}
        self.predict: dict[int | str, dict[str, Any]] = {
            200: {
                "description": "A prediction for each record, in their order.",
                "content": {JSON: {"schema": _ref(answered)}},
            },
            **{status: _refusals(status) for status in ABOUT if may_be[status]},
        }
        self.ready: dict[int | str, dict[str, Any]] = {
            200: {"model": Readiness, "description": "Predictions are answered."},
            503: {"model": Readiness, "description": "Predictions would be refused, for the reason given."},
        }


def _answer_model(settings: Settings) -> type[BaseModel]:
    """Return the model of an answer: who predicted, and for each record what and what follows from it."""
    project = settings.project
    fields: dict[str, Any] = {}
    if project.has_key:
        field = project.request.model_fields[project.key]
        fields[project.key] = (field.annotation, field)
    chance = project.task.predicts == "chance"
    about = "The chance of yes, 0 to 1" if chance else "The amount, in the unit of the target"
    fields["prediction"] = (float, Field(description=about))
    for name, kind in project.task.told.items():
        told = OF_SQL[kind]
        fields[name] = (told, ...) if told is bool else (told | None, None)
    prediction = create_model("Prediction", **fields)
    return create_model(
        "Predictions",
        version=(str, Field(description="The version of the model that was asked")),
        source=(Literal["model", "fallback"], Field(description="Whether it or its baseline has answered")),
        reason=(
            Literal["switched", "failed", "late"] | None,
            Field(None, description="Why the baseline has answered, where it has"),
        ),
        predictions=(list[prediction], ...),  # ty: ignore[invalid-type-form]
    )


def _refusals(status: int) -> dict[str, Any]:
    return {"description": ABOUT[status], "content": {JSON: {"schema": _ref(Refusals)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _any_of(models: Collection[type[BaseModel]]) -> dict[str, Any]:
    found = [_ref(model) for model in models]
    return found[0] if len(found) == 1 else {"oneOf": found}
