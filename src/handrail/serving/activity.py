"""What the service did, every few seconds, on the disk: monitoring looks back at it, long after.

A line for each stretch of time in which something was asked: answers to POST /predict by status, refusals by
why, the records in them, which rules of the contract were broken, and how long the answers took. No line
tells of anybody's data. A service that is killed loses what it did since its last line.
"""

import json
import logging
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from handrail.config.settings import Settings

if TYPE_CHECKING:
    from handrail.serving.telemetry import Telemetry

log = logging.getLogger(__name__)
EVERY_SECONDS = 5.0
TELL_SECONDS = 60.0  # between two lines of the log about broken rules
TOLD = 10  # rules in such a line
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)  # the ends of the bins of the time to answer
KINDS = ("answers", "refused", "records", "seconds", "broken")  # of what a line counts
FOLDER, SUFFIX = "service", ".ndjson"


def activity_folder(settings: Settings) -> Path:
    """Return the folder of what services did."""
    return settings.workspace / "data" / FOLDER


def shared_activity_folder(settings: Settings) -> Path:
    """Return the folder of this machine's copies of what services of others did, where they share a log."""
    return settings.workspace / "data" / "shared" / "service"


class ActivityLog:
    """Writes what a service did since the last line; what can't be written is told with the next."""

    def __init__(self, folder: Path, telemetry: "Telemetry") -> None:
        self._folder, self._telemetry, self._name = folder, telemetry, secrets.token_hex(4)
        self._since, self._before = _now(), telemetry.counts()
        self._told_at, self._told = -TELL_SECONDS, self._before["broken"]

    def write(self) -> None:
        """Write a line, if anything was asked; log which rules were broken, at most once in a minute."""
        now, counts = _now(), self._telemetry.counts()
        self._tell(counts["broken"])
        new = {name: dict(counts[name] - self._before[name]) for name in counts}
        if not any(new.values()):
            return
        line = {"from": self._since.isoformat(), "to": now.isoformat()} | new
        path = self._folder / f"{now:%Y-%m-%d}-{self._name}{SUFFIX}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            log.warning("what the service did is not kept: %s", error)
            return
        self._since, self._before = now, counts

    def _tell(self, broken: Counter[str]) -> None:
        """Log which rules were broken since that was told the last time, and in how many records."""
        new = broken - self._told
        if new and monotonic() - self._told_at >= TELL_SECONDS:
            self._told_at, self._told = monotonic(), broken
            rules = [f"{rule} ({count:,})" for rule, count in new.most_common(TOLD)]
            rules += ["and others"] if len(new) > TOLD else []
            said = "records that break the contract were refused, by field and rule: %s"
            log.warning(said, ", ".join(rules), extra={"counted": new.total(), "facts": {"broken": {**new}}})


@dataclass(frozen=True)
class BrokenRule:
    """A rule of the contract that records of refused requests broke, as `distance: less_than_equal`.

    records: how many · first, last: when that was first and last counted, in UTC, to a few seconds
    """

    rule: str
    records: int
    first: datetime
    last: datetime


class Activity:
    """What services did in some days: answers by status, refusals by why, and how long the answers took.

    records: how many the refused requests held, by why, where that is counted
    broken: the rules of the contract that were broken, in most records first
    """

    def __init__(
        self,
        answers: Counter[str],
        refused: Counter[str],
        records: Counter[str],
        seconds: Counter[str],
        broken: Sequence[BrokenRule] = (),
    ) -> None:
        self.answers, self.refused, self.records, self._seconds = answers, refused, records, seconds
        self.broken = tuple(broken)

    @property
    def requests(self) -> int:
        """How many requests for predictions were answered, in whatever way."""
        return self.answers.total()

    @property
    def failed_share(self) -> float:
        """The share of them that was answered with a 5xx: by a failure of the service."""
        failed = sum(count for status, count in self.answers.items() if status.startswith("5"))
        return failed / self.requests if self.requests else 0.0

    def slowest(self, share: float) -> float:
        """Return the seconds within which all but `share` of the predictions were answered, at most."""
        total, done = self._seconds.total(), 0
        for end in SECONDS:
            done += self._seconds[str(end)]
            if done >= (1 - share) * total:
                return end
        return float("inf")


def read_activity(settings: Settings, start: date, end: date) -> Activity:
    """Return what all services of the workspace did from `start` on and before `end`, by whole lines."""
    kinds: dict[str, Counter[str]] = {name: Counter() for name in KINDS}
    moments: dict[str, tuple[str, str]] = {}
    folders = (activity_folder(settings), shared_activity_folder(settings))
    for path in sorted(path for folder in folders for path in folder.glob(f"*{SUFFIX}")):
        if not str(start) <= path.name[:10] <= str(end + timedelta(days=1)):
            continue
        for text in path.read_text(encoding="utf-8").splitlines():
            line = _parsed(text)
            if line and str(start) <= line["from"] < str(end):
                line.setdefault("records", line.get("refused", {}))  # before they were counted
                for name, found in kinds.items():
                    found.update(line.get(name, {}))
                for rule in line.get("broken", ()):
                    first, last = moments.get(rule, (line["from"], ""))
                    moments[rule] = min(first, line["from"]), max(last, line.get("to", line["from"]))
    broken = [
        BrokenRule(rule, count, *map(datetime.fromisoformat, moments[rule]))
        for rule, count in kinds.pop("broken").most_common()
    ]
    return Activity(**kinds, broken=broken)


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        line = from_json(text)
        return line if isinstance(line.get("from"), str) else None
    except (ValueError, AttributeError):
        return None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
