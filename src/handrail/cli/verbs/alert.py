"""The verb `alert`."""

import sys
from typing import TYPE_CHECKING

import click

from handrail.cli.parameters import not_with
from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
@click.option("--test", is_flag=True, is_eager=True, help="send a test by every channel; it is no fault")
@click.option(
    "--close",
    metavar="NAME",
    callback=not_with("--test"),
    help="end a fault by hand: of a figure that is watched no more, or that is mended and still in the "
    "window; it is told again only when it was over meanwhile",
)
def alert(settings: "Settings", test: bool, close: str | None) -> int:
    """Show which faults are open and since when, and deliver what was not delivered yet.

    Exit status 1: something was not delivered.
    """
    from handrail.console import say
    from handrail.monitoring.alerts import close_fault

    if test:
        return _test(settings)
    for line in close_fault(settings, close) if close else ():
        say(line)
    return _show(settings)


def _test(settings: "Settings") -> int:
    """Send a test message by every channel, and say of each whether it was delivered."""
    from handrail.console import say
    from handrail.errors import ProjectError
    from handrail.monitoring.alerts import test_message
    from handrail.monitoring.channels import attempt, channels

    there, prefix = channels(settings), settings.project.env_prefix
    if not there:
        raise ProjectError(
            f"nobody is told: set {prefix}WEBHOOK_URL to the address of a webhook, or {prefix}SMTP_URL to a "
            "mail server, as smtp://user:password@host:587, where `monitor` runs"
        )
    status = 0
    for channel in there:
        tried = attempt(channel, test_message(settings))
        if tried.delivered and not tried.said:
            say(f"{channel.variable}: delivered")
            continue
        status = 1
        how = f"delivered, but {tried.said}" if tried.delivered else f"not delivered ({tried.said})"
        print(f"error: {channel.variable}: {how}", file=sys.stderr)
    return status


def _show(settings: "Settings") -> int:
    """Show what is open and what waits, and deliver that."""
    from handrail.console import say, table
    from handrail.moments import moment
    from handrail.monitoring.open_alerts import read_open_alerts
    from handrail.monitoring.outbox import deliver

    state = read_open_alerts(settings)
    if state.faults:
        rows = [(f.wrong.name, moment(f.since), moment(f.told), f.wrong.text) for f in state.faults]
        table(("open", "since", "last told", "as last seen"), rows, texts=("as last seen",))
    else:
        say("no fault is open")
    problems = deliver(settings)
    for line in problems:
        print(f"error: {line}", file=sys.stderr)
    waiting, count = read_open_alerts(settings).outbox, len(state.outbox)
    if count:
        say(f"delivered: {count - len(waiting)} of {count} messages")
    return 1 if problems else 0
