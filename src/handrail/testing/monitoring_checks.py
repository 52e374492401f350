"""What monitoring must hold in any project: it sees what was answered, and every check says something."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from handrail.compute.duckdb import connect, identifier, literal
from handrail.config.sections import Live, Split
from handrail.config.settings import Settings
from handrail.monitoring.checks import Check, Look, Reading
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.registry.canary import start_canary
from handrail.registry.learnt_keys import LEARNT, keys_learnt
from handrail.registry.live import make_live
from handrail.registry.versions import SUMS, save_version
from handrail.serving.inference import LiveModel
from handrail.serving.prediction_log import answer_and_log
from handrail.testing.requirement import require
from handrail.testing.runs import SmallRun, requested, with_given
from handrail.training.known_outcomes import DAY, known_on, today_of

ROWS = 300
ANY = (-1e12, 1e12)


def monitoring_sees_what_was_answered(run: SmallRun) -> None:
    """Every prediction that was answered is looked at, once, with its outcome where that is known."""
    there, asked = run.live_copy(), _rows_with_outcome(run)
    make_live(there, _older(run, there, asked))
    _answer(there, asked)
    seen = run_monitoring(there, *_window(run, asked))
    require(
        seen.rows == len(asked), f"monitor: {len(asked)} records were answered, {seen.rows} are looked at"
    )
    require(
        seen.outcomes == len(asked), f"monitor: {len(asked)} outcomes are known, {seen.outcomes} are found"
    )


def every_check_gives_a_reading(run: SmallRun) -> None:
    """Each check of monitor/checks.py fails on nothing, and each of your own tells at least one reading."""
    there, asked, given = run.live_copy(), _rows_with_outcome(run), Counter[str]()
    make_live(there, _older(run, there, asked))
    start_canary(there, _older(run, there, asked, twin=b""), 0.5)
    _answer(there, asked)
    counted = [_counted(check, given) for check in run.project.checks]
    seen = run_monitoring(with_given(_watched(there), checks=counted), *_window(run, asked))
    require(not seen.problems, "; ".join(seen.problems))
    own = [check for check in run.project.checks if not check.__module__.startswith("handrail.")]
    silent = [name for check in own if not given[name := _name(check)]]
    require(not silent, f"monitor/checks.py: {', '.join(silent)}: no reading")


CHECKS = (monitoring_sees_what_was_answered, every_check_gives_a_reading)


def _rows_with_outcome(run: SmallRun) -> list[dict[str, Any]]:
    """Return the latest rows whose outcome is known: what a client sends, and the key."""
    with connect(run.settings) as connection:
        known = known_on(connection, run.settings, run.table, today_of(run.settings) + DAY)
    known += f" AND {run.project.told_apart}"
    return run.rows(dict.fromkeys([*run.project.request.model_fields, run.project.key]), ROWS, where=known)


def _answer(there: Settings, asked: list[dict[str, Any]]) -> None:
    """Answer one by one, and log as the service does."""
    answer_and_log(there, LiveModel(there), (requested(there.project, [record]) for record in asked))


def _window(run: SmallRun, asked: list[dict[str, Any]]) -> tuple[date, date]:
    time, today = run.project.time, datetime.now(UTC).date()
    days = [record[time].date() for record in asked] if time else [today]
    return min(days), max(days) + timedelta(days=1)


def _older(run: SmallRun, there: Settings, asked: list[dict[str, Any]], **files: bytes) -> str:
    """Keep a version that answers as the trained one, as if it had learnt from rows before `asked` alone.

    The latest rows with an outcome may be those that it was tested on: such predictions are not looked at.
    """
    kept = {path.name: path.read_bytes() for path in run.version.path.iterdir() if path.name != SUMS}
    if isinstance(there.parted, Split):
        made = run.project.made or ""
        first = min(record[made].date() for record in asked)
        split = there.parted.ending(first).model_dump(mode="json")
        kept["model.json"] = json.dumps(dict(run.version.info) | {"split": split}).encode()
    else:
        key = run.project.key
        known = ", ".join(literal(str(record[key])) for record in asked)
        with connect(there) as connection:
            others = f"CAST({identifier(key)} AS VARCHAR) NOT IN ({known})"
            table = f"(SELECT * FROM {run.table} WHERE {others})"
            kept[LEARNT] = keys_learnt(connection, run.project, table)
    return save_version(there, kept | files, "older")


def _watched(there: Settings) -> Settings:
    """Return the settings in which the few outcomes are enough, and some metric has a range."""
    live = there.section(Live)
    expected = live.expected or {there.accuracy.metric: ANY}
    return there.model_copy(
        update={"live": live.model_copy(update={"minimum_outcomes": 1, "expected": expected})}
    )


def _name(check: Check) -> str:
    return getattr(check, "__name__", type(check).__name__)


def _counted(check: Check, given: Counter[str]) -> Check:
    """Return the check, which counts its readings under its name."""

    def counting(look: Look) -> Iterator[Reading]:
        for reading in check(look):
            given[_name(check)] += 1
            yield reading

    counting.__name__ = _name(check)
    return counting
