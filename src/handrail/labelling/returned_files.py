"""Reads the files of answers as they come back: of the team, Mechanical Turk and Clickworker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from handrail.errors import ProjectError
from handrail.labelling.spreadsheet import read_sheet
from handrail.labelling.task import Channel, Task

# Mechanical Turk writes the time of Seattle: Wed Dec 19 08:29:40 PST 2018.
ZONES = {"PST": -8, "PDT": -7, "UTC": 0, "GMT": 0}


@dataclass(frozen=True)
class Row:
    """One answer as it stands in a file, not judged yet.

    `number` is its place in a form of the team, as `3 of 133`; `state` what a platform says of it.
    """

    place: str
    task: str
    item: str | None
    annotator: str
    answer: str
    when: str
    number: str = ""
    state: str = ""


@dataclass(frozen=True)
class Returned:
    """A file that came back, and by which channel."""

    name: str
    channel: Channel
    rows: tuple[Row, ...]


def read_returned(path: Path, name: str, task: Task) -> Returned:
    """Return what is in a file; raises ProjectError where it is empty, cut off, or no known form."""
    header, lines = read_sheet(path, name)
    if not lines:
        raise ProjectError(f"{name}: no answers in it; save the file again as it came, or take it away")
    columns = _columns(header, task)
    if columns is None:
        raise ProjectError(
            f"{name}, line 1: none of the three forms: the columns are {', '.join(header)}; save it as it "
            "came, or say Clickworker's columns in labelling.yaml under clickworker_columns"
        )
    channel, names = columns
    rows = []
    for line, cells in lines:
        rows.append(_row(f"{name}, line {line}", dict(zip(header, cells, strict=True)), names))
    return Returned(name, channel, tuple(rows))


def moment(text: str) -> str | None:
    """Return a date or time as ISO 8601, in UTC where a zone is given; None where it is neither."""
    words = text.split()
    try:
        if len(words) == 6 and words[4] in ZONES:
            local = datetime.strptime(" ".join((*words[:4], words[5])), "%a %b %d %H:%M:%S %Y")
            zone = timezone(timedelta(hours=ZONES[words[4]]))
            return local.replace(tzinfo=zone).astimezone(UTC).isoformat()
        return (date if len(text) == 10 else datetime).fromisoformat(text).isoformat()
    except ValueError:
        return None


def _columns(header: Sequence[str], task: Task) -> tuple[Channel, Mapping[str, str]] | None:
    """Return which form a header is, and what its columns are called there."""
    mturk = {
        "task": "Input.task",
        "item": "Input.item",
        "annotator": "WorkerId",
        "answer": "Answer.category.label",
        "state": "AssignmentStatus",
        "when": "SubmitTime",
    }
    team = {name: name for name in ("number", "task", "item", "annotator", "answer")}
    known: list[tuple[Channel, Mapping[str, str]]] = [
        ("mturk", mturk),
        ("team", team | {"when": "answered_on"}),
        ("clickworker", task.clickworker_columns.model_dump()),
    ]
    return next(((channel, names) for channel, names in known if {*names.values()} <= {*header}), None)


def _row(place: str, record: Mapping[str, str], names: Mapping[str, str]) -> Row:
    """Return a row under the names that all forms share."""
    value = {field: record[column] for field, column in names.items()}
    return Row(
        place=place,
        task=value["task"],
        item=value.get("item"),
        annotator=value["annotator"],
        answer=value["answer"],
        when=value["when"],
        number=value.get("number", ""),
        state=value.get("state", ""),
    )
