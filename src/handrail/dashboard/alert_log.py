"""The alerts that were raised, as `reports/alerts.jsonl` has them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from handrail.config.settings import Settings
from handrail.monitoring.open_alerts import read_open_alerts


@dataclass(frozen=True)
class Alert:
    """An alert: when, of which version, in words.

    relived: the past was only lived again · back: somebody looked back at a window of the past
    """

    at: datetime
    version: str
    text: str
    relived: bool
    back: bool = False


@dataclass(frozen=True)
class Alerts:
    """All of them, the newest first; notes: what is broken.

    open: what is wrong now, in words, as it was told; None where nobody has looked yet
    """

    alerts: tuple[Alert, ...]
    notes: tuple[str, ...] = ()
    open: tuple[str, ...] | None = None

    @property
    def told(self) -> str:
        """What is open, in a sentence."""
        if self.open is None:
            return "nobody has looked yet"
        return f"open: {'; '.join(self.open) or 'none'}"

    @property
    def table(self) -> list[dict[str, object]]:
        """All of them, a row each."""
        return [
            {
                "at (UTC)": f"{each.at.astimezone(UTC):%Y-%m-%d %H:%M}",
                "version": each.version,
                "alert": each.text,
                "": "lived again" if each.relived else "a look back" if each.back else "",
            }
            for each in self.alerts
        ]


def raised(settings: Settings) -> Alerts:
    """Return the alerts that were raised so far; there may be none."""
    path = settings.workspace / "reports" / "alerts.jsonl"
    found: list[Alert] = []
    broken: list[int] = []
    for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else (), start=1):
        try:
            said = json.loads(line)
            at, past = moment(said["at"]), (said.get("relived") is True, said.get("back") is True)
            version = str(said["version"] or "")
            found += [Alert(at, version, str(text), *past) for text in said["alerts"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            broken.append(number)
    name = settings.shown(path)
    notes = tuple(f"{name}, line {number} can't be read, and is left out" for number in broken)
    return Alerts(tuple(reversed(found)), notes)


def moment(text: str) -> datetime:
    """Return a moment as it was written; one that says no zone is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def open_now(settings: Settings) -> tuple[str, ...]:
    """Return each fault that is open, in words, and since when."""
    return tuple(
        f"{fault.wrong.text} (since {fault.since:%Y-%m-%d})" for fault in read_open_alerts(settings).faults
    )
