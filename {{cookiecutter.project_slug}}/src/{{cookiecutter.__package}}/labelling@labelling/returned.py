"""Reads the files of answers as they come back: of the team, Mechanical Turk and Clickworker."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from ..errors import ProjectError
from .task import Channel, Task

SEPARATORS = ",;\t"
# Mechanical Turk writes the time of Seattle: Wed Dec 19 08:29:40 PST 2018.
ZONES = {"PST": -8, "PDT": -7, "UTC": 0, "GMT": 0}


@dataclass(frozen=True)
class Row:
    """One answer as it stands in a file, not judged yet; `state` is what the platform says of it."""

    place: str
    task: str
    item: str | None
    annotator: str
    answer: str
    state: str
    when: str


@dataclass(frozen=True)
class Returned:
    """A file that came back, and by which channel; `of` is whose form it is, of the team only."""

    name: str
    channel: Channel
    rows: tuple[Row, ...]


def read_returned(path: Path, name: str, task: Task) -> Returned:
    """Return what is in a file; raises ProjectError where it is empty, cut off, or no known form."""
    header, lines = _table(path, name)
    columns = _columns(header, task)
    if columns is None:
        raise ProjectError(
            f"{name}, line 1: none of the three forms: the columns are {', '.join(header)}; save it as it "
            "came, or say Clickworker's columns in labelling.yaml under clickworker_columns"
        )
    channel, names = columns
    rows = []
    for line, cells in lines:
        record = dict(zip(header, (cell.strip().removeprefix("'") for cell in cells), strict=True))
        rows.append(_row(f"{name}, line {line}", record, names))
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


def _table(path: Path, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the other rows, each with the line that it ends on."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{name}: not UTF-8 at byte {error.start}; save it as CSV UTF-8") from None
    if "\0" in text:
        raise ProjectError(f"{name}: not a text file; save it as CSV UTF-8")
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count), strict=True
    )
    try:
        found = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        cut = f"{name}, line {reader.line_num}: not whole ({error}); is the file cut off?"
        raise ProjectError(cut) from None
    if len(found) < 2:
        raise ProjectError(f"{name}: no answers in it; save the file again as it came, or take it away")
    header = [cell.strip() for cell in found[0][1]]
    short = [line for line, cells in found[1:] if len(cells) != len(header)]
    if short:
        told = f"another number of cells than the {len(header)} columns; is the file cut off?"
        raise ProjectError(f"{name}, line {short[0]}: {told}")
    if len({*header}) < len(header):
        raise ProjectError(f"{name}, line 1: a column stands twice; save it again as it came")
    return header, found[1:]


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
    team = {name: name for name in ("task", "item", "annotator", "answer")} | {"when": "answered_on"}
    known: list[tuple[Channel, Mapping[str, str]]] = [
        ("mturk", mturk),
        ("team", team),
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
        state=value.get("state", ""),
        when=value["when"],
    )
