"""What is kept between two looks: the faults that are open, and the messages that still have to be delivered.

Both lie in one file, `reports/open-alerts.json`, so that a fault is never noted without its message, nor told
without being noted. It is written whole or not at all, by one process at a time. No address is in it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.locks import locked
from handrail.monitoring.faults import Fault

FILE = "reports/open-alerts.json"
LOCKED_SECONDS = 30.0  # after which another command that changes it is not waited for


class Waiting(BaseModel):
    """A message, and the channels that it has not reached yet."""

    model_config = ConfigDict(frozen=True)

    id: str
    at: AwareDatetime
    to: tuple[str, ...]
    message: dict[str, Any]


class OpenAlerts(BaseModel):
    """The faults that are open, and the outbox, the oldest message first.

    closed: what was ended by hand while it was still so, and is not told again before it was over
    """

    model_config = ConfigDict(frozen=True)

    faults: tuple[Fault, ...] = ()
    closed: tuple[Fault, ...] = ()
    outbox: tuple[Waiting, ...] = ()


def open_alerts_path(settings: Settings) -> Path:
    """Return where open faults and undelivered messages are kept."""
    return settings.workspace / FILE


def read_open_alerts(settings: Settings) -> OpenAlerts:
    """Return what is open; raises ProjectError where the file was spoilt."""
    path = open_alerts_path(settings)
    try:
        return OpenAlerts.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return OpenAlerts()
    except ValidationError:
        raise ProjectError(
            f"{settings.shown(path)}: not readable; delete it, and what is still wrong is told anew"
        ) from None


def change_open_alerts(settings: Settings, change: Callable[[OpenAlerts], OpenAlerts]) -> OpenAlerts:
    """Let nobody else change what is open while `change` makes the new state of the old; return the new one.

    A file that was spoilt is set aside: it must not keep anybody from being told. Raises ProjectError where
    somebody else holds it for too long.
    """
    path = open_alerts_path(settings)
    with alone(path.with_name(".open-alerts.lock"), settings.shown(path)):
        try:
            before = read_open_alerts(settings)
        except ProjectError:
            path.replace(path.with_suffix(".spoilt"))
            before = OpenAlerts()
        after = change(before)
        if after != before:
            write_whole(path, after.model_dump_json(indent=1) + "\n")
    return after


def alone(path: Path, what: str) -> AbstractContextManager[None]:
    """Hold a lock; raises ProjectError where another process holds it for longer than LOCKED_SECONDS."""
    said = f"{what}: another command has been at it for {LOCKED_SECONDS:.0f} s; try again when it is done"
    return locked(path, LOCKED_SECONDS, lambda: said)
