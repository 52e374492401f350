"""The items that people are asked about: chosen from a raw table, always the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ..engine import Connection, parquet, rows
from ..errors import ProjectError
from ..etl.extract import RAW_TABLES
from ..facts import Facts
from ..mistakes import Place
from ..settings import Settings
from .leak import forbidden_columns
from .task import Task

RESERVED = ("annotator", "task", "item", "answer", "answered_on")


@dataclass(frozen=True)
class Item:
    """One item: the number of its task, the value that is labelled, what is shown beside it."""

    task: str
    value: str
    shown: tuple[str, ...]


def choose_items(connection: Connection, settings: Settings, task: Task, facts: Facts) -> list[Item]:
    """Return the items in the order of their numbers; the seed decides which, and in which order.

    Raises ProjectError where the table or a column is unknown or must not be shown.
    """
    refuse_columns(connection, task, facts)
    source = raw_table(settings, task.items.table)
    shown = ", ".join(
        f"coalesce(string_agg(DISTINCT CAST({name} AS VARCHAR), ', ' ORDER BY CAST({name} AS VARCHAR)), '') "
        f"AS {name}"
        for name in task.items.show
    )
    found = rows(
        connection,
        f"SELECT CAST({task.items.column} AS VARCHAR) AS item{', ' if shown else ''}{shown} FROM {source} "
        f"WHERE {task.items.column} IS NOT NULL GROUP BY 1",
    )
    found.sort(key=lambda each: drawn(task.items.seed, each["item"]))
    chosen = found[: task.items.number]
    if len(chosen) < (task.items.number or 1):
        raise ProjectError(f"{task.items.table}: {len(found)} different values of {task.items.column} only")
    return [
        Item(numbered(n), each["item"], tuple(each[name] for name in task.items.show))
        for n, each in enumerate(chosen, start=1)
    ]


def raw_table(settings: Settings, name: str) -> str:
    """Return the FROM item of a raw table; raises ProjectError where it was not brought in yet."""
    path = settings.workspace / "data" / "raw" / f"{name}.parquet"
    if not path.is_file():
        raise ProjectError(f"{path}: no such file yet; run `etl` first")
    return parquet(path)


def refuse_columns(connection: Connection, task: Task, facts: Facts) -> None:
    """Raise ProjectError where the table or a column is unknown, or tells what annotators must not know."""
    if task.items.table not in RAW_TABLES:
        known = ", ".join(RAW_TABLES)
        told = f"items.table: {task.items.table} is no raw table; take one of {known}"
        raise ProjectError(facts.sentences([(facts.line(("items", "table")), told)]))
    known, secret = RAW_TABLES[task.items.table].columns, forbidden_columns(connection)
    places: list[tuple[Place, str]] = [(("items", "column"), task.items.column)]
    places += [(("items", "show", number), name) for number, name in enumerate(task.items.show)]
    mistakes = []
    for place, name in places:
        field = ".".join(str(part) for part in place[:2])
        if name not in known:
            told = f"{field}: {task.items.table} has no column {name}; take some of {', '.join(known)}"
            mistakes.append((facts.line(place), told))
        elif name in RESERVED and place[1] == "show":
            told = f"{field}: {name} is a column of the forms themselves; call it otherwise in etl/extract.py"
            mistakes.append((facts.line(place), told))
        elif name in secret:
            told = f"{field}: {name} must not be shown: {secret[name]}; take it out"
            mistakes.append((facts.line(place), told))
    if mistakes:
        raise ProjectError(facts.sentences(mistakes))


def assignments(task: Task, items: Sequence[Item]) -> dict[str, list[Item]]:
    """Return the tasks of each of the team, in an order of their own, some items in it a second time.

    A second time is a task with a number of its own: it shows whether somebody agrees with themselves.
    """
    found: dict[str, list[Item]] = {name: [] for name in task.team}
    for n, item in enumerate(items):
        for place in range(task.annotators_per_item):
            found[task.team[(n + place) % len(task.team)]].append(item)
    for name, own in found.items():
        again = [replace(item, task=again_number(item, items)) for item in own[: task.repeated_items]]
        found[name] = sorted([*own, *again], key=lambda item: drawn(task.items.seed, name, item.task))
    return found


def numbers(task: Task, items: Sequence[Item]) -> dict[str, Item]:
    """Return the item of each number that a task may have, those asked a second time too."""
    again = {again_number(item, items): item for item in items} if task.repeated_items else {}
    return {item.task: item for item in items} | again


def again_number(item: Item, items: Sequence[Item]) -> str:
    """Return the number that a task has when its item is asked a second time."""
    return numbered(len(items) + int(item.task[1:]))


def numbered(number: int) -> str:
    """Return the number of a task as it stands in forms; a letter keeps spreadsheets from changing it."""
    return f"T{number:04}"


def drawn(seed: int, *names: str) -> str:
    """Return where a draw with this seed puts something."""
    return sha256("\n".join((str(seed), *names)).encode()).hexdigest()
