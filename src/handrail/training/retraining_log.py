"""What came of each retraining: a line of `reports/retraining.jsonl`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handrail.config.settings import Settings
from handrail.files import json_lines


def retraining_log_path(settings: Settings) -> Path:
    """Return the file of the log."""
    return settings.workspace / "reports" / "retraining.jsonl"


def log_retraining(settings: Settings, record: Mapping[str, Any]) -> None:
    """Append what came of a retraining as one line, in one write."""
    path = retraining_log_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **record}
    with path.open("ab", buffering=0) as log:
        log.write((json.dumps(line, ensure_ascii=False) + "\n").encode())


def last_retraining(settings: Settings) -> Mapping[str, Any] | None:
    """Return the last line, None without any; one that a kill has cut off says nothing."""
    return next(reversed(json_lines(retraining_log_path(settings))), None)
