"""The items that people are asked about: chosen from a raw table, always the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from handrail.compute.duckdb import Connection, identifier, parquet, rows
from handrail.config.settings import Settings
from handrail.config.validation_errors import Place
from handrail.config.yaml_file import YamlFile
from handrail.errors import ProjectError
from handrail.etl.load import raw_path
from handrail.labelling.leakage import forbidden_columns
from handrail.labelling.task import Task
from handrail.project import Project


@dataclass(frozen=True)
class Item:
    """One item: the name of its task, the value that is labelled, what is shown beside it."""

    task: str
    value: str
    shown: tuple[str, ...]


def all_items(connection: Connection, settings: Settings, task: Task, facts: YamlFile) -> list[Item]:
    """Return every item that may be asked about, in the order that the seed draws them in.

    Raises ProjectError where a column must not be shown.
    """
    refuse_leaks(connection, settings.project, task, facts)
    source, column = raw_table(settings, task.items.table), identifier(task.items.column)
    texts = [f"CAST({identifier(name)} AS VARCHAR)" for name in task.items.show]
    shown = [f"coalesce(string_agg(DISTINCT {text}, ', ' ORDER BY {text}), '')" for text in texts]
    columns = ", ".join([f"CAST({column} AS VARCHAR)", *shown])
    query = f"SELECT {columns} FROM {source} WHERE {column} IS NOT NULL GROUP BY 1"
    found = [tuple(each.values()) for each in rows(connection, query)]
    found.sort(key=lambda each: drawn(str(task.items.seed), each[0]))
    return [Item(task_name(task, value), value, tuple(beside)) for value, *beside in found]


def wanted(task: Task, items: Sequence[Item]) -> Sequence[Item]:
    """Return the items that are asked about; raises ProjectError where there are fewer."""
    number = task.items.number
    if len(items) < (number or 1):
        raise ProjectError(f"{task.items.table}: {len(items)} different values of {task.items.column} only")
    return items[:number]


def task_name(task: Task, value: str, again: bool = False) -> str:
    """Return the name of the task about a value, another one where it is asked again.

    It follows from the question, the choices and the value alone: answers to another question, or to other
    choices, are not taken for answers to this one. A letter first keeps spreadsheets from making it a number.
    """
    choices = (choice.name for choice in task.choices)
    return f"T{drawn(task.question, *choices, value, 'again' if again else '')[:12]}"


def raw_table(settings: Settings, name: str) -> str:
    """Return the FROM item of a raw table; raises ProjectError where it was not brought in yet."""
    path = raw_path(settings, name)
    if not path.is_file():
        raise ProjectError(f"{path}: no such file yet; run `etl` first")
    return parquet(path)


def refuse_leaks(connection: Connection, project: Project, task: Task, facts: YamlFile) -> None:
    """Raise ProjectError where a column tells what annotators must not know."""
    secret = forbidden_columns(connection, project)
    places: list[tuple[Place, str]] = [(("items", "column"), task.items.column)]
    places += [(("items", "show", number), name) for number, name in enumerate(task.items.show)]
    mistakes = [
        (facts.line(place), f"items.{place[1]}: {name} must not be shown: {secret[name]}; take it out")
        for place, name in places
        if name in secret
    ]
    if mistakes:
        raise ProjectError(facts.sentences(mistakes))


def drawn(*names: str) -> str:
    """Return where a draw puts something: the same for the same names, and else anywhere."""
    return sha256("\n".join(names).encode()).hexdigest()
