"""The page of every setting of `project.yaml`, made of the models that read it."""

import re
from collections.abc import Iterable, Iterator
from inspect import getdoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from handrail.config import Settings
from handrail.config.sections import AmountWords, CaseWords
from handrail.config.settings import SECRETS, SECTIONS

HEAD = """# Every setting

What may stand in `project.yaml`, section by section, as the engine reads it. A variable of the environment
wins over the file: the project's name in capitals, then the setting, with two underscores between a section
and what is in it, such as `LATE_FLIGHTS_SERVING__BUDGET_SECONDS=2`. A name that is not listed here is
refused, with its line.
"""
IN_ENVIRONMENT = """
## Secrets

They stand in the environment only; in the file they are refused. A project called `late_flights` has these:

| variable | it comes with | type |
|---|---|---|
"""
COLUMNS = "| setting | type | default | what it is |\n|---|---|---|---|\n"
SIGNS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}
TOLD = re.compile(r"((?:\w+(?:, | or | and )?)+): (.+)", re.DOTALL)
# What the docstrings of the models do not tell, by model and field.
MEANINGS = {
    "Settings.root": "the folder of `project.yaml`; it is found, not set",
    "Settings.workspace": "the folder of data, models and reports; if not set, that of `project.yaml`",
    "Settings.sample": "how many rows a small run has; set by `--sample N`",
    "Settings.name": "the project's name, as people read it",
    "Settings.description": "what the project is for, in a sentence",
    "Settings.example": "whether texts and limits are still the worked example's; `start-over` ends it",
    "Decision.question": "what is decided with the prediction",
    "Decision.sponsor": "who pays, and wants it",
    "Decision.kpis": "the figures by which the sponsor sees whether it pays; a plain text has no goal",
    "Kpi.at_least": "the goal, where more is better",
    "Kpi.at_most": "the goal, where less is better; one of the two at most",
    "Decision.go": "whether the project may go on; `go` and `no-go` need a name and a day",
    "Decision.decided_by": "who has decided",
    "Decision.decided_on": "the day on which it was decided, as 2026-03-31",
    "Accuracy.metric": "the figure that decides, by its name in `model/metrics.py`",
    "Accuracy.minimum": "what it must reach; of an error, what it may be at most. null: not agreed yet",
    "Accuracy.baseline_by": "the feature by which the simple technique, the baseline, predicts",
    "Accuracy.baseline_takes": "the past mean of the outcome for each value of it, or the value itself",
    "Accuracy.tolerance": "how much worse than the live version a new one may be",
    "ErrorCosts.currency": "of the costs below, such as USD",
    "ErrorCosts.too_low": "what a unit too low costs; of yes or no, a case that was missed",
    "ErrorCosts.too_high": "what a unit too high costs; of yes or no, a false alarm",
    "ErrorCosts.tolerable": "of amounts: a smaller error is nobody's trouble",
    "Data.maximum_rejected_share": "of the rows, that may break the contract; with more, `etl` is refused",
    "Compute.master": "of Spark: `local[*]` is this machine, `spark://host:7077` a cluster",
    "Split.by": "parts the rows by their time; the other kinds are below",
    "Split.validation_from": "the model learns from what is before; what follows decides how it is acted on",
    "Split.test_from": "from here on it is tested",
    "Split.live_from": "from here on it is live: nothing of it was learnt from or tested on",
    "Shares.by": "whether all rows of a subject stay together, or each row is by itself",
    "Budget.currency": "of the money below, such as EUR",
    "Budget.total": "what was agreed for all stages",
    "Budget.spent": "what is spent so far, kept by hand",
    "Budget.research": "the limits of research; it stops when they are reached, or when it is good enough",
    "ResearchBudget.begins": "the first day of research, as 2026-01-19",
    "ResearchBudget.days": "the calendar days agreed; null: no limit",
    "ResearchBudget.money": "the money agreed for research; null: no limit",
    "ResearchBudget.cost_per_day": "what a calendar day of the team costs",
    "ResearchBudget.cost_per_hour": "what an hour of training costs",
    "Storage.registry": "a folder or a bucket of the versions and of what is live; `none`: no such place",
    "Storage.predictions": "the same, of what was predicted and what services did",
    "Words.users": "who acts on it",
    "CaseWords.cases": "those whose outcome is yes",
    "AmountWords.units": "what it counts; if not set, the unit of the contract, or the column",
    "CaseWords.actions": "several of them, where that is not an `s` more",
    "Serving.require_api_key": "whether `/predict` asks for the key, and the service starts with one only",
    "Serving.key_also_for": "what else asks for the key",
    "Serving.maximum_records": "of a request",
    "Serving.maximum_body_bytes": "of a request; a longer one is answered by 413",
    "Serving.budget_seconds": "after which the baseline answers in place of the model",
    "Serving.maximum_connections": "of each process; with more, the one that is idle longest is closed",
    "Serving.arrival_seconds": "in which a request has to have arrived",
    "Serving.idle_seconds": "how long an idle connection is kept: longer than a proxy keeps it",
    "Serving.logs": "how it writes what is logged: as text, or a line of JSON each",
    "Live.expected": "the range of each figure, as `roc_auc: [0.70, 0.90]`",
    "Live.drift_limit": "how far a feature or the prediction may have moved, as population stability index",
    "Live.maximum_age_days": "of the newest row that the model was made or tested with",
    "Live.maximum_violation_share": "of the rows, that may break the contract",
    "Live.maximum_overdue_share": "of the outcomes that should be known by now",
    "Live.maximum_new_share": "of a feature's values: missing beyond what is usual, or never seen",
    "Live.maximum_repeated_share": "of the answers: for a key that was answered already",
    "Live.minimum_traffic_share": "of the predictions that are usual in a week",
    "Live.maximum_error_share": "of the requests that the service fails to answer",
    "Live.maximum_seconds": "within which all but one answer in a hundred are given",
    "Live.minimum_outcomes": "with fewer, live accuracy is not known; with fewer predictions, drift is not",
    "Retraining.canary_share": "of what is asked, that the canary answers",
    "Alerts.email_from": "the address that mails come from",
    "Alerts.email_to": "the addresses of those who are on call",
    "Keep.archive_after_days": "after how many days it is moved to `data/archive/`; null: never",
    "Keep.purge_after_days": "after how many days it is deleted; null: never",
    "Retention.predictions": "what was predicted",
    "Retention.rejected": "rows that break the contract",
    "Retention.raw": "copies of the raw tables",
    "Retention.versions": "of the model; those that are live, or named by kept predictions, stay",
    "Retention.replays": "what `replay` has rebuilt",
    "Retention.service": "what the service did, every few seconds",
    "Readiness.training_rows": "how many rows the small trainings learn from",
    "Readiness.test_rows": "how many rows they are measured on",
    "Readiness.maximum_missing_share": "of a feature's values",
}
FOUND = ("root", "workspace")  # what is set in the file need not be said in it
KINDS = {
    "Split": ", by time",
    "Shares": ", by chance",
    "CaseWords": ", of yes or no",
    "AmountWords": ", of amounts",
}


def settings_page() -> str:
    """Return the page: a table for each section, and the secrets."""
    text = [HEAD, "\n## At the top\n\n", COLUMNS]
    for name, field in Settings.model_fields.items():
        if not models_in(field.annotation):
            default = None if name in FOUND else field.get_default()
            text.append(row(name, field, default, meaning_of(Settings, name)))
    for name, kinds in sections().items():
        part = next((part for part, each in SECTIONS.items() if name in each), "")
        for kind in kinds:
            text.append(f"\n## {name}{KINDS.get(kind.__name__, '')}\n\n{lead(kind, part)}\n\n{COLUMNS}")
            text += rows(name, kind)
    text.append(IN_ENVIRONMENT)
    for part, fields in SECRETS.items():
        for name, field in fields.items():
            text.append(f"| `LATE_FLIGHTS_{name.upper()}` | {part} | {limited('text', field.metadata)} |\n")
    return "".join(text)


def sections() -> dict[str, list[type[BaseModel]]]:
    """Return the models of each section of `project.yaml`, by its name; some have one for each kind."""
    found = {name: models_in(field.annotation) for name, field in Settings.model_fields.items()}
    found["words"] = [CaseWords, AmountWords]
    for each in SECTIONS.values():
        found |= {name: [kind] for name, kind in each.items()}
    return {name: kinds for name, kinds in found.items() if kinds}


def rows(place: str, kind: type[BaseModel], given: BaseModel | None = None) -> Iterator[str]:
    """Yield the row of each field of a section, and below it those of the sections in it.

    `given`: a default of the section around it, which wins over those of the section's own fields.
    """
    for name, field in kind.model_fields.items():
        default = getattr(given, name) if given else field.get_default(call_default_factory=True)
        yield row(f"{place}.{name}", field, default, meaning_of(kind, name))
        for each in models_in(field.annotation):
            yield from rows(f"{place}.{name}", each, default if isinstance(default, each) else None)


def row(path: str, field: FieldInfo, default: Any, meaning: str) -> str:
    """Return the row of a setting."""
    kind = limited(type_of(field.annotation), field.metadata)
    return f"| `{path}` | {kind} | {written(default)} | {meaning.replace('|', '/')} |\n"


def meaning_of(kind: type[BaseModel], name: str) -> str:
    """Return what a setting is, in words; raises LookupError where nobody has said it."""
    own = [f"{each.__name__}.{name}" for each in kind.__mro__]
    said = next((MEANINGS[each] for each in own if each in MEANINGS), None) or told_of(kind).get(name)
    if not said:
        raise LookupError(f"docs/site/settings.py: MEANINGS: {own[0]} is told nowhere")
    return said


def lead(kind: type[BaseModel], part: str) -> str:
    """Return what a section is, and which part of a project brings it."""
    paragraphs = re.split(r"\n\n", getdoc(kind) or "")
    said = [each.replace("\n", " ") for each in paragraphs if not pairs_in(kind, each)]
    return " ".join([*said, *([f"It comes with {part}."] if part else [])])


def told_of(kind: type[BaseModel]) -> dict[str, str]:
    """Return what the docstrings of a section and its bases tell of each field."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            for paragraph in re.split(r"\n\n", getdoc(each) or ""):
                found |= pairs_in(each, paragraph)
    return found


def pairs_in(kind: type[BaseModel], paragraph: str) -> dict[str, str]:
    """Return the fields that a paragraph tells of, as `name: what it is · other: what it is`."""
    found: dict[str, str] = {}
    for each in re.split(r" *· *|\n(?=\w+: )", paragraph.strip()):
        match = TOLD.fullmatch(each.strip())
        names = re.split(r", | or | and ", match[1]) if match else []
        if names and all(name in kind.model_fields for name in names):
            found |= {name: re.sub(r"\s+", " ", match[2]).strip() for name in names}
    return found


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that a type is made of, at any depth, without those that come by a mapping's key."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for each in get_args(annotation) for model in models_in(each)]


def type_of(annotation: Any) -> str:
    """Return a type in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return limited(type_of(inner[0]), inner[1:])
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in inner)
    if origin in (Union, UnionType):
        return " or ".join("null" if each is NoneType else type_of(each) for each in inner)
    if origin is tuple:
        several = len(inner) == 2 and inner[1] is Ellipsis
        return f"list of {type_of(inner[0])}" if several else f"[{', '.join(map(type_of, inner))}]"
    if origin is dict:
        return f"names, each with {type_of(inner[1])}"
    words = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "folder"}
    return words.get(annotation) or (
        "section" if models_in(annotation) else getattr(annotation, "__name__", "")
    )


def limited(kind: str, metadata: Iterable[Any]) -> str:
    """Return a type in words with the limits of its values."""
    limits = limits_of(metadata)
    return f"{kind} ({', '.join(limits)})" if limits else kind


def limits_of(metadata: Iterable[Any]) -> list[str]:
    """Return the limits of a value in signs."""
    found = []
    for each in metadata:
        if isinstance(each, FieldInfo):
            found += limits_of(each.metadata)
        elif type(each) in SIGNS:
            name, sign = SIGNS[type(each)]
            found.append(f"{sign} {getattr(each, name):,}")
        elif getattr(each, "min_length", None):
            found.append("not empty" if each.min_length == 1 else f"{each.min_length} characters or more")
    return found


def written(default: Any) -> str:
    """Return a default as it is written in `project.yaml`; of a section it stands in the rows below it."""
    if default is PydanticUndefined:
        return "has to be set"
    if isinstance(default, BaseModel):
        return ""
    plain = {str: default or '""', bool: str(default).lower(), tuple: "[]", dict: "{}", NoneType: "null"}
    return f"`{plain.get(type(default), default)}`"
