"""Tells people: a line in the alert log, and a message to the webhook if there is one."""

import json
import logging
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.request import Request, urlopen

from handrail.config.settings import Settings
from handrail.monitoring.monitoring_run import MonitoringRun

log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10


def raise_alerts(settings: Settings, seen: MonitoringRun, *, relived: bool = False) -> list[str]:
    """Log the alerts of `seen` and send them; return one line each, and one if the webhook failed.

    `relived`: the past was only lived again, which is logged too: nobody was alarmed by it.
    """
    if not seen.alerts:
        return []
    lines = seen.alert_lines
    entry: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": seen.version,
        "alerts": lines,
    }
    entry |= {"relived": True} if relived else {}
    path = settings.workspace / "reports" / "alerts.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(entry) + "\n")
    url = settings.secret("webhook_url")
    if url:
        problem = _send(url, {"project": settings.name, "text": "\n".join(lines), **entry})
        name = f"{settings.project.env_prefix}WEBHOOK_URL"
        lines += [f"{name}: {problem}; the alert stands in reports/alerts.jsonl"] if problem else []
    return lines


def _send(url: str, message: dict[str, object]) -> str:
    """Post `message` as JSON; return what went wrong, or nothing."""
    body = json.dumps(message).encode()
    request = Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310 (http checked)
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return ""
    except (OSError, HTTPException, ValueError) as error:
        return f"not delivered ({' '.join(str(error).split())})"
