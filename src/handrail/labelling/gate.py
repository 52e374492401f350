"""What labelling adds to the gate of research."""

from typing import Any

from handrail.config.settings import Settings
from handrail.labelling.answers import RECEIVED, any_received
from handrail.labelling.store import read_found
from handrail.labelling.task import FILE, Task, is_asked, read_task
from handrail.project import Project
from handrail.stages.gates import Finding, State, command, done, still_open


def labels_agreed(settings: Settings) -> Finding:
    """Find a label for every item, of annotators who agree; failed where they don't."""
    if not (settings.root / FILE).is_file():
        return done("nothing is labelled")
    if not is_asked(settings):
        return still_open(f"{FILE} asks nothing yet", f"fill in {FILE}, or delete it if nobody is asked")
    task, _ = read_task(settings)
    if not any_received(settings):
        return still_open(f"no answers in {RECEIVED}/", f"{command(settings, 'labels')} --export team")
    found = read_found(settings)
    if found is None:
        return still_open("there are answers that were not read yet", command(settings, "labels"))
    return _judged(task, found, command(settings, "labels"))


def _judged(task: Task, found: dict[str, Any], verb: str) -> Finding:
    measured = f"alpha {found['agreement']}, minimum {task.minimum_agreement:g}"
    covered = f"{found['labelled']} of {found['items']} items have a label"
    if found["refused"]:
        return Finding(State.FAILED, found["refused"], f"{verb} says which items")
    if found["labelled"] < found["items"]:
        return still_open(f"{covered}; {measured}", f"{verb} says what is missing")
    return done(f"{measured}; {covered}", by=(task.adjudicator or "") if found["decided"] else "")


CHECKS = {"labels agreed": labels_agreed}
BY_PEOPLE = ("labels agreed",)


def yours(project: Project) -> dict[str, str]:
    """Return the files to change for data of one's own, with what to do there."""
    return {FILE: "what people are asked, and about which column; or delete the folder"}
