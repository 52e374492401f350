"""Reads the checklists: Markdown tables whose items are ticked with evidence, owner and date."""

import datetime
import re
from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from handrail.config.settings import Settings
from handrail.config.validation_errors import reason
from handrail.errors import ProjectError
from handrail.stages.documents import read_text
from handrail.stages.gates import Finding, done, still_open

COLUMNS = ("done", "item", "action", "evidence", "owner", "date")
CELL_END = re.compile(r"(?<!\\)\|")
RULE = re.compile(r":?-+:?")
Names = Sequence[str | tuple[str, ...]]  # of the items that a list needs; a tuple: one of them


class Item(BaseModel):
    """One row: what is to be done, what shows that it is, and who has seen to it, when."""

    model_config = ConfigDict(frozen=True)

    done: bool
    item: str = Field(min_length=1)
    action: str = Field(min_length=1)
    evidence: str
    owner: str
    date: datetime.date | None

    @field_validator("done", mode="before")
    @classmethod
    def ticked(cls, text: str) -> bool:
        """Read the tick."""
        if text.lower() not in ("[x]", "[ ]"):
            raise ValueError("write [x] or [ ]")
        return text.lower() == "[x]"

    @field_validator("date", mode="before")
    @classmethod
    def written_out(cls, text: str) -> datetime.date | None:
        """Read the date, which may be empty but not in the future."""
        try:
            day = datetime.date.fromisoformat(text) if text else None
        except ValueError:
            raise ValueError("write it as year-month-day, like 2026-03-31") from None
        if day and day > datetime.date.today():
            raise ValueError("is in the future; write the day on which it was done")
        return day

    @model_validator(mode="after")
    def signed(self) -> Self:
        """Refuse a tick that nobody stands behind."""
        missing = [name for name in ("evidence", "owner", "date") if not getattr(self, name)]
        if self.done and missing:
            raise ValueError(
                f"{self.item}: ticked without {' and '.join(missing)}; add it or take the tick away"
            )
        return self


def read_checklist(settings: Settings, name: str) -> list[Item]:
    """Return the items of all checklists in Markdown file `name`, none where there is no file.

    Raises ProjectError naming every bad line.
    """
    text = read_text(settings, name)
    found, problems, inside = [], [], False
    for number, line in enumerate(text.splitlines(), start=1):
        cells = _cells(line)
        if not cells or tuple(cell.lower() for cell in cells) == COLUMNS:
            inside = bool(cells)
        elif inside and not all(RULE.fullmatch(cell) for cell in cells):
            item, wrong = _item(cells)
            found += [item] if item else []
            problems += [f"{name}, line {number}: {problem}" for problem in wrong]
    if text and not found and not problems:
        problems = [f"{name}: no checklist in it; write a table with the columns {', '.join(COLUMNS)}"]
    if problems:
        raise ProjectError(problems)
    return found


def missing_items(settings: Settings, name: str, needed: Names) -> list[str]:
    """Return a sentence where items that the project came with are gone: a list cut short shows nothing."""
    present = {item.item.casefold() for item in read_checklist(settings, name)}
    each = [(item,) if isinstance(item, str) else item for item in needed]
    gone = [item[0] for item in each if present.isdisjoint(other.casefold() for other in item)]
    if not present or not gone:
        return []
    return [
        f"{name}: not in the list any more: {', '.join(gone)}; put it back, and tick what does not apply "
        "with the reason as its evidence"
    ]


def signed(settings: Settings, name: str, needed: Names = ()) -> Finding:
    """Find every item of a checklist ticked; raises ProjectError where one of `needed` is not in it."""
    items = read_checklist(settings, name)
    if not items:
        return still_open(f"no {name}", f"write it: a table with the columns {', '.join(COLUMNS)}")
    gone = missing_items(settings, name, needed)
    if gone:
        raise ProjectError(gone)
    left = [item for item in items if not item.done]
    if left:
        count = f"{len(items) - len(left)} of {len(items)} ticked in {name}"
        return still_open(count, f"{left[0].item}: {left[0].action}")
    last = max(items, key=lambda item: item.date or datetime.date.min)
    owners = ", ".join(dict.fromkeys(item.owner for item in items))
    return done(f"all {len(items)} ticked in {name}, last on {last.date}", by=owners)


def _cells(line: str) -> list[str]:
    """Return the cells of a table's row, or none where the line is something else."""
    text = line.strip()
    if not (text.startswith("|") and text.endswith("|") and len(text) > 1):
        return []
    return [cell.strip().replace("\\|", "|") for cell in CELL_END.split(text[1:-1])]


def _item(cells: list[str]) -> tuple[Item | None, list[str]]:
    if len(cells) != len(COLUMNS):
        return None, [f"{len(cells)} cells, not {len(COLUMNS)}; a | inside a cell is written \\|"]
    fields: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    try:
        return Item(**fields), []
    except ValidationError as error:
        return None, [_problem(item) for item in error.errors()]


def _problem(error: Any) -> str:
    field = "".join(f"{part}: " for part in error["loc"])
    given = f" (given: {error['input']})" if error["loc"] and error["input"] else ""
    return f"{field}{reason(error)}{given}"
