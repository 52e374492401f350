"""The log of tuning: a line when a trial begins and one when it ends, so that a kill loses only that trial.

It is `models/tuning.jsonl` of the workspace. A study is what belongs together: the trials on the same rows,
with the same features, space and estimator. Processes that tune at once add to the same study.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.versions import model_folder

Values = Mapping[str, float]


@dataclass(frozen=True)
class Trial:
    """Hyperparameters that were tried; without a score they were begun, and never measured to the end.

    score: in the metric that decides · baseline: of the simple technique, on the same rows
    """

    values: Values
    score: float | None = None
    baseline: float | None = None
    seconds: float = 0.0


@dataclass
class Log:
    """What is known so far: of which study, its trials in their order, and what is not yet in the rounds.

    study: name and fingerprint of everything that a score depends on; empty before the first trial. A trial
    that never ended counts for as much time as the slowest before it: nobody knows better.
    """

    study: Mapping[str, str] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    unbooked_trials: int = 0
    unbooked_seconds: float = 0.0

    @property
    def measured(self) -> list[Trial]:
        """The trials that came to their end."""
        return [trial for trial in self.trials if trial.score is not None]

    @property
    def slowest_seconds(self) -> float:
        """The time of the slowest trial; 0 where none has ended."""
        return max((trial.seconds for trial in self.trials), default=0.0)


def log_path(settings: Settings) -> Path:
    """Return the file of the log."""
    return model_folder(settings) / "tuning.jsonl"


def read_log(settings: Settings) -> Log:
    """Return the last study of the log; raises ProjectError where a line cannot be read."""
    path, log, running = log_path(settings), Log(), {}
    # What follows the last line break was never finished.
    whole = path.read_bytes().decode(errors="replace").rpartition("\n")[0] if path.is_file() else ""
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            _learn(log, running, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ProjectError(
                f"{path}, line {number}: not readable ({error!r:.80}); delete the file and tune again"
            ) from None
    return log


def add_event(settings: Settings, event: str, **facts: Any) -> None:
    """Append a line, in one write; what a kill left unfinished before it is cut off."""
    path = log_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    line = json.dumps({"event": event, "at": at, "process": os.getpid(), **facts}) + "\n"
    with path.open("ab+", buffering=0) as log:
        log.seek(0)
        log.truncate(log.read().rfind(b"\n") + 1)
        log.write(line.encode())


def _learn(log: Log, running: dict[int, tuple[int, float]], event: Mapping[str, Any]) -> None:
    """Add one line to what is known; `running` has place and counted time of each process's open trial."""
    kind, process = event["event"], event["process"]
    if kind == "study":
        log.study, log.trials = event["study"], []
        running.clear()
    elif kind == "begun":
        running[process] = (len(log.trials), log.slowest_seconds)
        log.unbooked_trials += 1
        log.unbooked_seconds += log.slowest_seconds
        log.trials.append(Trial(event["values"]))
    elif kind == "ended" and process in running:
        place, counted = running.pop(process)
        log.trials[place] = Trial(
            log.trials[place].values, event["score"], event["baseline"], event["seconds"]
        )
        log.unbooked_seconds += event["seconds"] - counted
    elif kind == "booked":
        log.unbooked_trials, log.unbooked_seconds = 0, 0.0
        running.update({each: (place, 0.0) for each, (place, _) in running.items()})
