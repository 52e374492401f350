"""What is sent out: a form for each of the team, files for Mechanical Turk, files for Clickworker."""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files

from handrail.labelling.items import Item, drawn, task_name
from handrail.labelling.spreadsheet import sheet
from handrail.labelling.task import FORM, Channel, Task

BOM = "\ufeff"  # without it, spreadsheets take UTF-8 for something else


def cost(task: Task, items: Sequence[Item], channel: Channel) -> tuple[int, float]:
    """Return how many answers a channel is asked for, and what they cost in the task's currency."""
    if channel == "team":
        answers = sum(map(len, assignments(task, items).values())) if task.team else 0
    else:
        answers = len(items) * task.annotators_per_item
    return answers, answers * getattr(task.price_per_answer, channel)


def forms(task: Task, items: Sequence[Item], channel: Channel) -> dict[str, str]:
    """Return the files to send out by a channel, by their names."""
    return {"team": _team, "mturk": _mturk, "clickworker": _clickworker}[channel](task, items)


def briefing(task: Task) -> str:
    """Return question, instructions and choices as plain text."""
    choices = "\n".join(f"- {choice.name}: {choice.means}" for choice in task.choices)
    return f"{task.question}\n\n{task.instructions.strip()}\n\nAnswer with one of these:\n\n{choices}\n"


def assignments(task: Task, items: Sequence[Item]) -> dict[str, list[Item]]:
    """Return the tasks of each of the team, in an order of their own, some items in it a second time.

    A second time is a task with a name of its own: it shows whether somebody agrees with themselves.
    """
    found: dict[str, list[Item]] = {name: [] for name in task.team}
    for n, item in enumerate(items):
        for place in range(task.annotators_per_item):
            found[task.team[(n + place) % len(task.team)]].append(item)
    for name, own in found.items():
        again = [
            replace(item, task=task_name(task, item.value, again=True)) for item in own[: task.repeated_items]
        ]
        found[name] = sorted([*own, *again], key=lambda item: drawn(str(task.items.seed), name, item.task))
    return found


def _team(task: Task, items: Sequence[Item]) -> dict[str, str]:
    header = (*FORM[:4], *task.items.show, *FORM[4:])
    found = {"how-to-answer.txt": briefing(task)}
    for name, own in assignments(task, items).items():
        rows = [
            (name, f"{n} of {len(own)}", item.task, item.value, *item.shown, "", "")
            for n, item in enumerate(own, start=1)
        ]
        found[f"{name}.csv"] = BOM + sheet(header, rows)
    return found


def _mturk(task: Task, items: Sequence[Item]) -> dict[str, str]:
    """Return the input file of a batch, and the layout whose ${placeholders} are its columns."""
    from jinja2 import Environment

    page = files("handrail.labelling").joinpath("hit.html").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(page)
    layout = template.render(
        task=task,
        categories=json.dumps([choice.name for choice in task.choices]),
        item="${item}",
        shown=[(name, f"${{{name}}}") for name in task.items.show],
    )
    return {"input.csv": _tasks(task, items, "task"), "layout.html": layout + "\n"}


def _clickworker(task: Task, items: Sequence[Item]) -> dict[str, str]:
    tasks = _tasks(task, items, task.clickworker_columns.task)
    return {"tasks.csv": tasks, "briefing.txt": briefing(task)}


def _tasks(task: Task, items: Sequence[Item], number: str) -> str:
    rows = [(item.task, item.value, *item.shown) for item in items]
    return sheet((number, "item", *task.items.show), rows)
