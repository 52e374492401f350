"""Takes the answers from what came back, and keeps none where a line is wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.labelling import FOLDER
from handrail.labelling.answer_validation import mistakes
from handrail.labelling.items import Item, task_name
from handrail.labelling.returned_files import Returned, Row, moment, read_returned
from handrail.labelling.task import Task

RECEIVED = f"{FOLDER}/received"
MOST_NAMED = 10  # mistakes of one file


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
        try:
            files.append(read_returned(path, f"{RECEIVED}/{path.name}", task))
        except ProjectError as error:
            problems.extend(error.problems)
    once = {item.task: item for item in items}
    again = {task_name(task, item.value, again=True): item for item in items}
    found = mistakes(files, task, once, once | again)
    for name, number in Counter(name for name, _ in found).items():
        problems += [mistake for file, mistake in found if file == name][:MOST_NAMED]
        problems += [f"{name}: {number - MOST_NAMED} more mistakes like these"] if number > MOST_NAMED else []
    if problems:
        raise ProjectError(problems)
    answers = [
        _answer(file, row, task, (once | again)[row.task], row.task in again)
        for file in files
        for row in file.rows
        if row.answer
    ]
    unanswered = {file.name: sum(not row.answer for row in file.rows) for file in files}
    return Received(tuple(answers), {name: count for name, count in unanswered.items() if count})


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
