"""The audit log: a line for everything that was moved or deleted. Nothing deletes it."""

import getpass
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handrail.config.settings import Settings

Write = Callable[..., None]


def audit_log_path(settings: Settings) -> Path:
    """Return the audit log."""
    return settings.workspace / "data" / "lifecycle.jsonl"


@contextmanager
def audit_log(settings: Settings) -> Generator[Write]:
    """Give a function that writes one line; where the log can't be opened, nothing is to be done."""
    path = audit_log_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:

        def write(action: str, **facts: Any) -> None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            lines.write(json.dumps({"at": now, "by": _user(), "action": action, **facts}) + "\n")
            lines.flush()

        yield write


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return "unknown"
