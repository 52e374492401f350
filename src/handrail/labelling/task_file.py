"""Reads `labelling.yaml`, and tells every mistake in it with line, rule and remedy."""

from collections.abc import Iterator

from pydantic import ValidationError

from handrail.config.settings import Settings
from handrail.config.validation_errors import Place
from handrail.config.yaml_file import Mistake, YamlFile, read_yaml_file
from handrail.errors import ProjectError
from handrail.etl.extract import RAW_TABLES
from handrail.labelling.task import FILE, Task
from handrail.stages.start_over import UNANSWERED

# The columns of a form; what is shown stands between them, so it can't be called the same.
FORM = ("annotator", "number", "task", "item", "answer", "answered_on")


def read_task(settings: Settings) -> tuple[Task, YamlFile]:
    """Return what is asked, and where the file says it; raises ProjectError naming every mistake's line."""
    if not (settings.root / FILE).is_file():
        raise ProjectError(f"{FILE}: no such file; nothing is labelled without it")
    facts = read_yaml_file(settings.root / FILE, FILE)
    if _blank(facts):
        raise ProjectError(f"{FILE}, line {facts.line(('question',))}: question: nothing is asked; write it")
    try:
        task = Task.model_validate(facts.values)
    except ValidationError as error:
        raise ProjectError(facts.refusal(error.errors(), Task.model_json_schema())) from None
    found = [(facts.line(place), told) for place, told in (*_people(task), *_columns(task))]
    mistakes: list[Mistake] = [*facts.mistakes, *found]
    if mistakes:
        raise ProjectError(facts.sentences(mistakes))
    return task, facts


def is_asked(settings: Settings) -> bool:
    """Return whether there is a question: the file is there, and no blank form any more."""
    return (settings.root / FILE).is_file() and not _blank(read_yaml_file(settings.root / FILE, FILE))


def _blank(facts: YamlFile) -> bool:
    return facts.values.get("question") == UNANSWERED


def _people(task: Task) -> Iterator[tuple[Place, str]]:
    """Yield place and text of each mistake about people."""
    if task.team and len(task.team) < task.annotators_per_item:
        wanted = f"annotators_per_item asks for {task.annotators_per_item}"
        yield ("team",), f"team: {len(task.team)} people, but {wanted}; add people or ask fewer"
    if task.adjudicator and task.adjudicator.casefold() in [name.casefold() for name in task.team]:
        yield ("adjudicator",), f"adjudicator: {task.adjudicator} is an annotator too; take somebody else"


def _columns(task: Task) -> Iterator[tuple[Place, str]]:
    """Yield place and text of each mistake about the raw table and its columns."""
    table, shown = task.items.table, task.items.show
    if table not in RAW_TABLES:
        known = ", ".join(RAW_TABLES)
        yield ("items", "table"), f"items.table: {table} is no raw table; take one of {known}"
        return
    known = ", ".join(RAW_TABLES[table].columns)
    if task.items.column not in RAW_TABLES[table].columns:
        told = f"items.column: {table} has no column {task.items.column}; take one of {known}"
        yield ("items", "column"), told
    for number, name in enumerate(shown):
        place = ("items", "show", number)
        if name not in RAW_TABLES[table].columns:
            yield place, f"items.show: {table} has no column {name}; take some of {known}"
        elif name in FORM:
            yield place, f"items.show: the forms have a column {name}; call it otherwise in etl/extract.py"
        elif name in shown[:number]:
            yield place, f"items.show: {name} stands twice; take one out"
