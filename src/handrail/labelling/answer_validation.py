"""Finds what is wrong in what came back: the place, the rule, the remedy."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from handrail.labelling.items import Item
from handrail.labelling.returned_files import Returned, Row, moment
from handrail.labelling.task import Task

COUNTED = {"mturk": ("Submitted", "Approved"), "clickworker": ("finished",)}
REMEDY = {"mturk": "delete the line, and have it done again", "clickworker": "wait until it is finished"}
NUMBER = re.compile(r"([1-9]\d*) of ([1-9]\d*)")


def mistakes(
    files: Sequence[Returned], task: Task, once: Mapping[str, Item], known: Mapping[str, Item]
) -> list[tuple[str, str]]:
    """Return file and sentence of each mistake. `known` are all tasks, `once` those that crowds are asked."""
    found, places = [], dict[tuple[str, str], str]()
    for file in files:
        for row in file.rows:
            who = (row.annotator, row.task)
            if who in places:
                problem = f"{row.annotator} answers {row.task} twice, see {places[who]}; delete one"
                found.append((file.name, f"{row.place}: {problem}"))
            places.setdefault(who, row.place)
            wrong = [
                *_wrong_person(file, row, task),
                *_wrong_task(row, known if file.channel == "team" else once),
                *_wrong_answer(file, row, task),
            ]
            found += [(file.name, f"{row.place}: {problem}") for problem in wrong]
    return [*found, *_cut_off(files)]


def _wrong_person(file: Returned, row: Row, task: Task) -> Iterator[str]:
    if not row.annotator:
        yield "nobody answers; write the annotator's name"
    elif file.channel == "team" and row.annotator not in task.team:
        yield f"{row.annotator} is not of the team; labelling.yaml names {', '.join(task.team) or 'nobody'}"


def _wrong_task(row: Row, known: Mapping[str, Item]) -> Iterator[str]:
    if row.task not in known:
        yield (
            f"task {row.task or '(empty)'} was never asked; take its name from what was sent, or, where "
            "question, choices or data have changed since, send it anew"
        )
    elif row.item is not None and row.item != known[row.task].value.strip():
        problem = f"{row.task} asks about {known[row.task].value}, the line says {row.item}"
        yield f"{problem}; was a column sorted by itself? take the line as it was sent"


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
    if file.channel == "team" and not NUMBER.fullmatch(row.number):
        yield f"number {row.number or '(empty)'} is not like 3 of 133; take it from the form as it was sent"


def _cut_off(files: Sequence[Returned]) -> Iterator[tuple[str, str]]:
    """Yield the forms of the team of which lines are missing; one may come back in several files."""
    came: defaultdict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for file in files:
        for row in file.rows:
            number = NUMBER.fullmatch(row.number)
            if number:
                came[row.annotator, int(number[2])][int(number[1])] = file.name
    for (name, total), places in came.items():
        missing = [n for n in range(1, total + 1) if n not in places]
        if missing:
            file = min(places.values())
            problem = f"{len(missing)} of the {total} tasks of {name} are missing, as number {missing[0]}"
            yield file, f"{file}: {problem}; is the file cut off?"
