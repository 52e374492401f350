"""What asking people must hold in any project that does."""

from handrail.compute.duckdb import connect
from handrail.labelling.answers import any_received
from handrail.labelling.items import all_items
from handrail.labelling.outcome import find_outcome
from handrail.labelling.task import is_asked, read_task
from handrail.testing.runs import SmallRun


def question_and_answers_can_be_read(run: SmallRun) -> None:
    """What people are asked shows nothing that only time tells, and every file that came back can be read."""
    settings, _ = run.settings, run.etl
    if not is_asked(settings):
        return
    task, facts = read_task(settings)
    with connect(settings) as connection:
        items = all_items(connection, settings, task, facts)
    few = task.items.table in settings.data.sampled  # then answers are for items that are not in the run
    if any_received(settings) and not few:
        find_outcome(settings, task, items)


CHECKS = (question_and_answers_can_be_read,)
