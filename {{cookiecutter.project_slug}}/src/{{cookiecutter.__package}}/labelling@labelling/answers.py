"""Judges what came back, and keeps it as one tidy table of answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import ProjectError
from ..settings import Settings
from .items import Item, assignments, numbers
from .returned import Returned, Row, moment, read_returned
from .task import FOLDER, Task

RECEIVED = f"{FOLDER}/received"
SHOWN = 10  # mistakes of one file that are told
COUNTED = {"mturk": ("Submitted", "Approved"), "clickworker": ("finished",)}
REMEDY = {"mturk": "delete the line, and have it done again", "clickworker": "wait until it is finished"}


@dataclass(frozen=True)
class Answer:
    """What one person answered on one item, by which channel and when; `again`: asked a second time."""

    item: str
    annotator: str
    answer: str
    source: str
    answered_at: str
    again: bool


@dataclass(frozen=True)
class Received:
    """All answers, and how many tasks of each file were left unanswered."""

    answers: tuple[Answer, ...]
    unanswered: Mapping[str, int]


def any_received(settings: Settings) -> bool:
    """Return whether something has come back."""
    return any((settings.root / RECEIVED).glob("[!.]*"))


def read_answers(settings: Settings, task: Task, items: Sequence[Item]) -> Received:
    """Return the answers in all files of `received/`; the same files give the same answers.

    Raises ProjectError naming file, line, rule and remedy of every mistake: nothing is taken from any file.
    """
    files, problems = [], []
    for path in sorted((settings.root / RECEIVED).glob("[!.]*")):
        name = f"{RECEIVED}/{path.name}"
        try:
            files.append(read_returned(path, name, task))
        except ProjectError as error:
            problems.extend(error.problems)
    first, known = {item.task: item for item in items}, numbers(task, items)
    forms = assignments(task, items) if task.team else {}
    asked = {name: {item.task for item in own} for name, own in forms.items()}
    places: dict[tuple[str, str], str] = {}
    for file in files:
        of_channel = known if file.channel == "team" else first
        found = [*_mistakes(file, task, of_channel, asked, places)]
        problems += found[:SHOWN]
        if len(found) > SHOWN:
            problems.append(f"{file.name}: {len(found) - SHOWN} more mistakes like these")
    if problems:
        raise ProjectError(problems)
    answers = [
        _answer(file, row, task, known[row.task], row.task not in first)
        for file in files
        for row in file.rows
        if row.answer
    ]
    unanswered = {file.name: sum(not row.answer for row in file.rows) for file in files}
    return Received(tuple(answers), {name: count for name, count in unanswered.items() if count})


def _mistakes(
    file: Returned,
    task: Task,
    known: Mapping[str, Item],
    asked: Mapping[str, set[str]],
    places: dict[tuple[str, str], str],
) -> Iterator[str]:
    """Yield what is wrong in a file; `places` remembers where each answer was read."""
    for row in file.rows:
        who = (row.annotator, row.task)
        if who in places:
            yield f"{row.place}: {row.annotator} answers {row.task} twice, see {places[who]}; delete one"
        places[who] = row.place
        wrong = [*_wrong_task(file, row, known, asked), *_wrong_answer(file, row, task)]
        yield from (f"{row.place}: {text}" for text in wrong)
    if file.channel == "team":
        for name in sorted({row.annotator for row in file.rows} & asked.keys()):
            missing = asked[name] - {row.task for row in file.rows if row.annotator == name}
            if missing:
                told = f"{len(missing)} of the {len(asked[name])} tasks of {name} are not in it"
                yield f"{file.name}: {told}, {min(missing)} for one; is the file cut off?"


def _wrong_task(
    file: Returned, row: Row, known: Mapping[str, Item], asked: Mapping[str, set[str]]
) -> Iterator[str]:
    if not row.annotator:
        yield "nobody answers; write the annotator's name"
    elif file.channel == "team" and row.annotator not in asked:
        yield f"{row.annotator} is not of the team; labelling.yaml names {', '.join(asked)}"
    if row.task not in known:
        yield f"task {row.task or '(empty)'} was never asked; take the number from the form as it was sent"
    elif row.item is not None and row.item != known[row.task].value:
        told = f"{row.task} asks about {known[row.task].value}, the line says {row.item}"
        yield f"{told}; was a column sorted by itself, or the question changed since? send a new form"
    elif file.channel == "team" and row.task not in asked.get(row.annotator, {row.task}):
        yield f"{row.task} was not asked of {row.annotator}; take the form that was sent"


def _wrong_answer(file: Returned, row: Row, task: Task) -> Iterator[str]:
    wanted = COUNTED.get(file.channel, (row.state,))
    if row.state not in wanted:
        yield f"the assignment is {row.state or '(empty)'}, not {' or '.join(wanted)}; {REMEDY[file.channel]}"
    if row.answer and not task.choice(row.answer):
        names = [choice.name for choice in task.choices]
        near = get_close_matches(row.answer, names, 1)
        yield f"{row.answer} is no choice; write {near[0] if near else 'one of ' + ', '.join(names)}"
    if row.when and moment(row.when) is None:
        yield f"{row.when} is no time; write it as 2026-03-31"


def _answer(file: Returned, row: Row, task: Task, item: Item, again: bool) -> Answer:
    """Return a row that was found to be right."""
    return Answer(
        item=item.value,
        annotator=row.annotator,
        answer=task.choice(row.answer) or "",
        source=file.channel,
        answered_at=moment(row.when) or "",
        again=again,
    )
