"""The verb `labels`."""

from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.compute.duckdb import Connection
    from handrail.config.settings import Settings
    from handrail.labelling.items import Item
    from handrail.labelling.task import Channel, Task


@verb()
@click.option(
    "--export",
    "channel",
    type=click.Choice(("team", "mturk", "clickworker")),
    help="say what it costs and write the files to send out, into data/labels/; without it, read what is "
    "in 2-research/labelling/received/",
)
def labels(settings: "Settings", channel: "Channel | None") -> None:
    """Ask people about the data: send out forms, judge what comes back, join the labels."""
    from handrail.compute.duckdb import connect
    from handrail.console import say
    from handrail.labelling.answers import RECEIVED, any_received
    from handrail.labelling.items import all_items, wanted
    from handrail.labelling.task import FILE, is_asked, read_task

    if not is_asked(settings):
        say(f"nobody is asked anything yet; {FILE} says what, once it is filled in")
        return
    if not channel and not any_received(settings):
        say(f"no answers yet in {RECEIVED}/; --export writes the forms, and says what they cost")
        return
    task, facts = read_task(settings)
    with connect(settings) as connection:
        items = all_items(connection, settings, task, facts)
        if channel:
            _export(settings, task, wanted(task, items), channel)
        else:
            _settle(settings, task, items)
            _join(connection, settings, task)


def _export(settings: "Settings", task: "Task", items: "Sequence[Item]", channel: "Channel") -> None:
    """Say what it costs, and write the files of a channel."""
    from handrail.console import say
    from handrail.files import write_whole
    from handrail.labelling.answers import RECEIVED
    from handrail.labelling.forms import cost, forms
    from handrail.labelling.store import folder
    from handrail.labelling.task import FILE

    if channel == "team" and not task.team:
        raise ProjectError(f"{FILE}: team: nobody is named; write who answers")
    answers, price = cost(task, items, channel)
    each = f"{getattr(task.price_per_answer, channel):,.2f} {task.currency}"
    say(f"{len(items):,} items, {answers:,} answers for {each} each: {price:,.2f} {task.currency}")
    for name, text in forms(task, items, channel).items():
        path = folder(settings) / channel / name
        write_whole(path, text)
        say(f"wrote {path.relative_to(settings.workspace).as_posix()}")
    say(f"nothing was sent; send it, and put what comes back into {RECEIVED}/, as it came")


def _settle(settings: "Settings", task: "Task", items: "Sequence[Item]") -> None:
    """Show how far people agree and what is disputed; refuse labels that too few agree on."""
    from handrail.console import say, table
    from handrail.labelling import summary as telling
    from handrail.labelling.adjudication import ask_adjudicator
    from handrail.labelling.outcome import find_outcome, keep_outcome

    found = find_outcome(settings, task, items)
    ask_adjudicator(settings, found.disputed)
    refused = keep_outcome(settings, task, found)
    answers = found.received.answers
    table(telling.ANNOTATORS, telling.annotator_rows(answers))
    say("")
    disputed = telling.disputed_rows(answers)
    if disputed:
        table(telling.DISPUTED, disputed)
        say("")
    for line in telling.agreement_lines(task, found):
        say(line)
    if refused:
        raise ProjectError(refused)
    for line in telling.label_lines(task, found):
        say(line)


def _join(connection: "Connection", settings: "Settings", task: "Task") -> None:
    """Join the labels to the raw table, and show what they are worth."""
    from handrail.console import say, table
    from handrail.labelling.store import join_labels, worth
    from handrail.labelling.summary import cells

    path, count, labelled = join_labels(connection, settings, task)
    name = path.relative_to(settings.workspace).as_posix()
    say(f"joined: {labelled:,} of {count:,} rows of {task.items.table} have a label, in {name}")
    rows = worth(connection, settings, task)
    if rows:
        say("")
        table(tuple(rows[0]), [cells(row) for row in rows])
