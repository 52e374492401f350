"""Delivers what is to be told: each message is kept until every channel has taken it.

A message is kept before it is first tried and removed after it was taken: a process that is killed in between
may send it once more and never loses it. Its `id` is the same then, so that a receiver can drop the second.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.monitoring.channels import Channel, attempt, channels
from handrail.monitoring.faults import this_moment
from handrail.monitoring.open_alerts import (
    OpenAlerts,
    Waiting,
    alone,
    change_open_alerts,
    open_alerts_path,
    read_open_alerts,
)

KEPT_DAYS = 30  # after which a message that could not be delivered is dropped
KEPT_MESSAGES = 100  # the newest of which are kept for each channel


def deliver(settings: Settings) -> list[str]:
    """Send what waits, in its order, and return a line for each channel that did not take all of it.

    A channel that fails is tried again at the next delivery, and not before. One process delivers at a time.
    """
    ready = channels(settings)
    refused = [f"{each.variable}: {each.refusal()}" for each in ready if each.refusal()]
    if not read_open_alerts(settings).outbox:
        return refused
    path = open_alerts_path(settings)
    with alone(path.with_name(".delivery.lock"), "the outbox"):
        said = _drop(settings, this_moment())
        for channel in ready:
            said += _deliver_to(settings, channel)
    return said


def delivered_or_kept(settings: Settings) -> list[str]:
    """Do the same where something else has to go on: what hinders it is a line, too."""
    try:
        return deliver(settings)
    except ProjectError as error:
        return [f"{problem}; what waits is kept" for problem in error.problems]


def _deliver_to(settings: Settings, channel: Channel) -> list[str]:
    """Send what waits for a channel, up to the first message that it does not take."""
    refused, waiting = channel.refusal(), waiting_for(read_open_alerts(settings), channel.name)
    if refused and not waiting:
        return [f"{channel.variable}: {refused}"]
    said = []
    for number, each in enumerate(waiting):
        tried = attempt(channel, each.message)
        if not tried.delivered:
            left = len(waiting) - number
            kept = "1 message waits" if left == 1 else f"{left} messages wait"
            return [
                *said,
                f"{channel.variable}: not delivered ({tried.said}); {kept} for the next `alert` or `monitor`",
            ]
        said += [f"{channel.variable}: delivered, but {tried.said}"] if tried.said else []
        _settle(settings, each.id, channel.name)
    return said


def waiting_for(state: OpenAlerts, name: str) -> list[Waiting]:
    """Return the messages that a channel has not taken yet, the oldest first."""
    return [each for each in state.outbox if name in each.to]


def _settle(settings: Settings, message: str, name: str) -> None:
    """Note that a channel has taken a message; one that all have taken is gone."""

    def change(state: OpenAlerts) -> OpenAlerts:
        return state.model_copy(update={"outbox": _without(state.outbox, [message], name)})

    change_open_alerts(settings, change)


def _without(outbox: Sequence[Waiting], messages: Sequence[str], name: str) -> tuple[Waiting, ...]:
    """Return the outbox when `messages` no longer wait for a channel."""
    left = [
        each.model_copy(update={"to": tuple(to for to in each.to if to != name)})
        if each.id in messages
        else each
        for each in outbox
    ]
    return tuple(each for each in left if each.to)


def _drop(settings: Settings, now: datetime) -> list[str]:
    """Drop what is too old or too much to be kept, and say what that was."""
    said = []

    def change(state: OpenAlerts) -> OpenAlerts:
        said.clear()
        for name in sorted({to for each in state.outbox for to in each.to}):
            waiting = waiting_for(state, name)
            old = [each for each in waiting if now - each.at > timedelta(days=KEPT_DAYS)]
            gone = old + [each for each in waiting if each not in old][:-KEPT_MESSAGES]
            if gone:
                days = f"of {gone[0].at:%Y-%m-%d}" + f" to {gone[-1].at:%Y-%m-%d}" * (len(gone) > 1)
                count = "1 message" if len(gone) == 1 else f"{len(gone)} messages"
                said.append(f"{name}: {count} {days} could not be delivered and will not be any more")
                left = _without(state.outbox, [each.id for each in gone], name)
                state = state.model_copy(update={"outbox": left})
        return state

    change_open_alerts(settings, change)
    return [f"{each}; reports/alerts.jsonl has what was told" for each in said]
