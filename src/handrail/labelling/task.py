"""What people are asked: how it is written down in `labelling.yaml`, and every mistake in it."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from handrail.config.settings import Settings
from handrail.config.validation_errors import Place
from handrail.config.yaml_file import Mistake, YamlFile, read_yaml_file
from handrail.errors import ProjectError
from handrail.labelling import FOLDER
from handrail.project import Project
from handrail.stages.documents import UNANSWERED

FILE = f"{FOLDER}/labelling.yaml"
# The columns of a form; what is shown stands between them, so it can't be called the same.
FORM = ("annotator", "number", "task", "item", "answer", "answered_on")
Channel = Literal["team", "mturk", "clickworker"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^\w[\w .-]*$", max_length=40)]
Price = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class Asked(BaseModel):
    """A part of the file: unknown names are mistakes. A description is also a remedy."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(Asked):
    """One possible answer."""

    name: Text = Field(description="write a short name, as wide-body")
    means: Text = Field(description="say when it is the right answer")


class Source(Asked):
    """What is labelled: every value of a column of a raw table, or some of them, always the same ones."""

    table: Text = Field(description="write the name of a raw table of etl/extract.py")
    column: Text = Field(description="write the column of that table whose values are labelled")
    show: tuple[Text, ...] = Field((), description="write a list of columns that help to answer, or []")
    number: int | None = Field(None, strict=True, ge=2, description="write how many, or null for all")
    seed: int = Field(strict=True, ge=0, description="write any number; the same one chooses the same items")


class Prices(Asked):
    """What one answer costs, fees included, by the way it is asked for."""

    team: Price = Field(description="write what one answer costs, as 0.40")
    mturk: Price = Field(description="write what one answer costs with all fees, as 0.06")
    clickworker: Price = Field(description="write what one answer costs with all fees, as 0.12")


class ClickworkerColumns(Asked):
    """How the columns of Clickworker's results are called: it differs from order to order."""

    task: Text = Field("customer_ref", description="write the column that holds the number of the task")
    annotator: Text = Field("user_id", description="write the column that says who answered")
    answer: Text = Field("answer", description="write the column that holds the answer")
    state: Text = Field("state", description="write the column that says whether the task is finished")
    when: Text = Field("created_at", description="write the column that holds the time")


class Task(Asked):
    """The question, who answers it on what, and how far they have to agree."""

    question: Text = Field(description="write the question as the annotators read it")
    instructions: Text = Field(description="say how to answer, and what to do in doubt")
    choices: tuple[Choice, ...] = Field(min_length=2, description="write a list of two or more `- name:`")
    items: Source = Field(description="say which raw table and column hold what is labelled")
    annotators_per_item: int = Field(
        strict=True, ge=2, le=20, description="write how many people answer for each item, 2 or more"
    )
    team: tuple[Name, ...] = Field((), description="write a list of names: letters and digits, as Ada")
    repeated_items: int = Field(
        0, strict=True, ge=0, description="write how many items each of the team is asked twice, as 6"
    )
    minimum_agreement: float = Field(
        strict=True, gt=0, le=1, description="write the alpha that is needed, 0.8 for labels to rely on"
    )
    adjudicator: Name | None = Field(None, description="write who decides what is disputed, or null")
    currency: Text = Field(description="write the currency of the prices, as USD")
    price_per_answer: Prices = Field(description="write a price for each of team, mturk, clickworker")
    clickworker_columns: ClickworkerColumns = ClickworkerColumns()
    worth: Text | None = Field(None, description="write a SELECT over raw tables and `labels`, or null")

    @field_validator("choices")
    @classmethod
    def told_apart(cls, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        """Refuse choices that only capital letters tell apart."""
        _refuse_twice([choice.name for choice in choices])
        return choices

    @field_validator("team")
    @classmethod
    def one_each(cls, team: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse a name that stands twice."""
        _refuse_twice(team)
        return team

    def choice(self, text: str) -> str | None:
        """Return the choice that a text names, whatever its capital letters; None if there is none."""
        return {choice.name.casefold(): choice.name for choice in self.choices}.get(text.strip().casefold())


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
    found = [
        (facts.line(place), problem) for place, problem in (*_people(task), *_columns(task, settings.project))
    ]
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


def _columns(task: Task, project: Project) -> Iterator[tuple[Place, str]]:
    """Yield place and text of each mistake about the raw table and its columns."""
    table, shown = task.items.table, task.items.show
    if table not in project.raw_tables:
        known = ", ".join(project.raw_tables)
        yield ("items", "table"), f"items.table: {table} is no raw table; take one of {known}"
        return
    columns = project.raw_tables[table].columns
    known = ", ".join(columns)
    if task.items.column not in columns:
        problem = f"items.column: {table} has no column {task.items.column}; take one of {known}"
        yield ("items", "column"), problem
    for number, name in enumerate(shown):
        place = ("items", "show", number)
        if name not in columns:
            yield place, f"items.show: {table} has no column {name}; take some of {known}"
        elif name in FORM:
            yield place, f"items.show: the forms have a column {name}; call it otherwise in etl/extract.py"
        elif name in shown[:number]:
            yield place, f"items.show: {name} stands twice; take one out"


def _refuse_twice(names: list[str] | tuple[str, ...]) -> None:
    folded = [name.casefold() for name in names]
    again = sorted({name for name in names if folded.count(name.casefold()) > 1})
    if again:
        raise ValueError(f"{', '.join(again)}: the same name twice")
