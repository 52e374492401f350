"""One look at a window of live predictions: every figure beside the range in which it is expected."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import inf, isnan, nan
from typing import Any

from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import Connection, EngineError, identifier, reason, row, rows
from handrail.config.sections import Live as Limits
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import loaded_table
from handrail.monitoring.champion_challenger import baseline_is_better
from handrail.monitoring.checks import Answered, Look, Measured, Reading, canary_reading
from handrail.monitoring.drift import not_asked_for
from handrail.monitoring.live_metrics import decision_of, live_metrics
from handrail.monitoring.outcomes import (
    answered_by,
    join_outcomes,
    newest_outcome,
    newest_rejected,
    sample_by_key,
)
from handrail.monitoring.predicted_days import count_predicted, newest_predicted
from handrail.registry.canary import end_canary
from handrail.registry.drift_reference import PREDICTION
from handrail.registry.live import Live, load_live, use_fallback
from handrail.registry.versions import Version, learnt_before, load_version
from handrail.serving.activity import read_activity
from handrail.training.data_acceptance import doubts_of_outcomes
from handrail.training.known_outcomes import DAY, due_before, today_of, told_until

WINDOW = timedelta(days=30)
MOST_ROWS = 10_000_000  # predictions of a window, beyond which a sample by key is looked at


@dataclass(frozen=True)
class MonitoringRun:
    """All readings of a window (end: first day after it), and who did better or worse than the live model.

    version: the one whose predictions the metrics are of, by default the live one; see Look.measured
    canary: the version that was tried beside it · newest: whether these are the latest predictions, and not a
    look back · aged: the days from which and to which the age of the model counts · notes: how it was
    measured, where that has to be said · problems: which checks failed, and why
    doubts: where the baseline did better, why nothing is switched for it: the outcomes are not as they were
    """

    version: str
    start: date
    end: date
    rows: int
    outcomes: int
    metrics: Mapping[str, float | None]
    readings: tuple[Reading, ...]
    baseline_better: bool
    canary_worse: bool
    canary: str | None = None
    newest: bool = False
    aged: tuple[date, date] | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def alerts(self) -> tuple[Reading, ...]:
        """The readings that somebody has to look at now."""
        return tuple(reading for reading in self.readings if reading.state == "alert")

    @property
    def unknown(self) -> dict[str, list[str]]:
        """The readings that are not known, by why."""
        found: dict[str, list[str]] = {}
        for reading in self.readings:
            if reading.state == "unknown":
                found.setdefault(reading.why, []).append(reading.name)
        return found

    def record(self) -> dict[str, Any]:
        """Return everything as plain data; a figure that is not known, or a range without end, is None."""
        readings = [asdict(reading) | reading.plain for reading in self.readings]
        for each in readings:
            if each["alert_above"] is None:
                del each["alert_above"]
        return asdict(self) | {"readings": readings, "alerts": [reading.name for reading in self.alerts]}


def run_monitoring(
    settings: Settings, start: date | None = None, end: date | None = None, today: date | None = None
) -> MonitoringRun:
    """Look at the predictions from `start` on and before `end`, with the outcomes that are known `today`.

    By default at the newest 30 days whose outcomes are due, and as of the present day; see choose_window.
    Raises ProjectError where the window has no prediction, or live.expected names no metric of the project.
    """
    version, live = load_live(settings)
    today, given = today or today_of(settings), (start, end)
    with connect_data(settings) as connection:
        window = choose_window(connection, settings, start, end, today)
        look, notes = _look(connection, settings, version, live, window, given, today)
        _refuse_unknown_metrics(look)
        better = baseline_is_better(connection, settings, look.measured.version, look.source)
        readings, problems = _checked(look)
    known = {name: None if isnan(value) else value for name, value in look.metrics.items()}
    judged, counts = canary_reading(settings), (look.count, look.outcomes)
    worse = any(each.name == judged and each.state == "alert" for each in readings)
    canary = live.canary.name if live.canary else None
    name = look.measured.version.name
    seen = MonitoringRun(name, *window, *counts, known, tuple(readings), better, worse, canary)
    aged = (look.aged_on - timedelta(days=look.age_days), look.aged_on)
    newest = given == (None, None)
    if better and newest:
        with connect_data(settings) as connection:
            seen = replace(seen, doubts=doubts_of_outcomes(connection, settings, version, today))
    return replace(seen, newest=newest, aged=aged, notes=notes, problems=tuple(problems))


def act_on(settings: Settings, seen: MonitoringRun, *, dry_run: bool = False) -> list[str]:
    """Do what follows from a look, and return it: the fallback answers, or the canary is withdrawn.

    A look back changes nothing, nor does one at a version that is not live any more, or not tried, or by
    outcomes that are in doubt; nor a `dry_run`, which returns what would be done.
    """
    window = f"from {seen.start} to {seen.end}"
    if not seen.newest:
        better = ["the baseline did better; a look back changes nothing"] if seen.baseline_better else []
        return better + (["the canary did worse; a look back changes nothing"] if seen.canary_worse else [])
    if dry_run:
        would = "nothing would be switched" if seen.doubts else "the fallback would answer"
        better = [f"the baseline did better: {would}{_doubted(seen)}"] if seen.baseline_better else []
        return better + (["the canary did worse: it would be withdrawn"] if seen.canary_worse else [])
    done = []
    if seen.doubts:
        done.append(f"the baseline did better: nothing is switched{_doubted(seen)}")
    elif seen.baseline_better:
        changed = use_fallback(settings, f"the baseline did better {window}", judged=seen.version)
        answers = "the fallback answers until the next promotion or rollback"
        other = f"{seen.version} is not live any more, and nothing is changed"
        done.append(f"the baseline did better: {answers if changed else other}")
    if seen.canary_worse:
        withdrawn = end_canary(settings, f"the canary did worse {window}", judged=seen.canary)
        answers = f"{withdrawn} is withdrawn, the live version answers everything"
        other = f"{seen.canary} answers nothing any more"
        done.append(f"the canary did worse: {answers if withdrawn else other}")
    return done


def _doubted(seen: MonitoringRun) -> str:
    """Return why nothing is switched, and what to do."""
    if not seen.doubts:
        return ""
    return (
        f", by outcomes that are in doubt: {'; '.join(seen.doubts)}. Mend their source, and run `etl`; if "
        "they are right, raise the limit that is named, and `monitor` switches"
    )


def choose_window(
    connection: Connection, settings: Settings, start: date | None, end: date | None, today: date
) -> tuple[date, date]:
    """Return the given window, or the newest 30 days of predictions whose outcomes are due `today`.

    Before the first outcome is due, these are the latest. Rows of days to come don't count, so that no single
    record moves the window. Raises ProjectError where nothing is left.
    """
    if start is None or end is None:
        after = today + DAY
        newest = newest_predicted(connection, settings, due_before(settings, after))
        newest = newest or newest_predicted(connection, settings, after)
        if newest is None:
            raise ProjectError(_no_prediction_yet(connection, settings, today))
        end = end or newest + DAY
        start = start or end - WINDOW
    return start, end


def _no_prediction_yet(connection: Connection, settings: Settings, today: date) -> str:
    learnt = count_predicted(connection, settings, learnt=True)
    later = count_predicted(connection, settings, start=date.min)
    if later:
        return (
            f"all {later:,} predictions are of rows after {today}; monitoring starts when that day has come"
        )
    if learnt:
        return (
            f"all {learnt:,} predictions are of rows that their version had learnt from or was tested on; "
            "monitoring starts with the first that is new to it"
        )
    return "no prediction yet; monitoring starts with the first"


def _look(
    connection: Connection,
    settings: Settings,
    version: Version,
    live: Live,
    window: tuple[date, date],
    given: tuple[date | None, date | None],
    today: date,
) -> tuple[Look, tuple[str, ...]]:
    """Join the window's predictions with their outcomes and measure them; say how where that matters."""
    start, end = window
    watched = (version.name, live.canary.name) if live.canary else (version.name,)
    every = count_predicted(connection, settings, start, end)
    sample = sample_by_key(settings.project, every, MOST_ROWS)
    source = join_outcomes(connection, settings, window, today=today, watched=watched, sample=sample)
    count = row(connection, f"SELECT count(*) AS n FROM {source}")["n"]
    learnt = count_predicted(connection, settings, start, end, learnt=True)
    left_out = (
        f"{learnt:,} predictions are left out: of rows that their version had learnt from or was tested on"
    )
    if count == 0:
        why = f"; {left_out}" if learnt else ""
        raise ProjectError(f"no prediction from {start} on and before {end}; choose another window{why}")
    measured = _measured(connection, settings, version, live, source)
    decision = decision_of(connection, measured.source, measured.version)
    outcomes = f"count({identifier(settings.project.target)})"
    known = row(connection, f"SELECT {outcomes} AS n FROM {source}")["n"]
    found = live_metrics(connection, settings.project, measured.source, PREDICTION, decision, as_told=True)
    notes = [f"looked at is a sample by key, {count:,} of {every:,} predictions"] if sample != "TRUE" else []
    notes += [f"the metrics are {found.note}"] if found.note else []
    notes += _others(version, live, measured, count)
    notes += [each for each in (left_out if learnt else "", version.note) if each]
    notes += _half_told(connection, settings, end, today)
    notes += [each.told(count) for each in not_asked_for(connection, settings, source, version)]
    if given == (None, None) and not known:
        notes += _newest_outcome(connection, settings, start, today)
    as_of, latest = today + DAY, Answered(start, end, source, count, measured)
    aged, aged_on = version, as_of
    if given[1]:  # a look back: as it was when the outcomes of the window were due
        as_of = min(as_of, end + timedelta(days=settings.outcome.known_after_days))
        aged, aged_on = measured.version, min(as_of, end)
    newest = _newest_sent(connection, settings, as_of) if given == (None, None) else None
    if newest and newest >= end:
        days = (newest + DAY - WINDOW, newest + DAY)
        sample = sample_by_key(settings.project, count_predicted(connection, settings, *days), MOST_ROWS)
        told = {"today": today, "watched": watched, "sample": sample}
        others = join_outcomes(connection, settings, days, name="latest", **told)
        counted = row(connection, f"SELECT count(*) AS n FROM {others}")["n"]
        latest = Answered(
            *days, others, counted, _measured(connection, settings, version, live, others, due=False)
        )
        predicted = newest_predicted(connection, settings, as_of)
        why = "outcomes come later" if predicted and predicted >= end else "rows of later days were refused"
        notes.append(f"{why}: drift, traffic and broken rows are of {days[0]} to {days[1]}, the latest")
    age = (aged_on - learnt_before(settings, aged)).days
    asked = (latest.start, latest.end)
    if given == (None, None):  # rows may lie in another time than the requests for them
        now = datetime.now(UTC).date() + DAY
        asked = (now - (latest.end - latest.start), now)
    activity = read_activity(settings, *asked)
    figures = (
        count,
        known,
        measured,
        found.metrics,
        as_of,
        latest,
        age,
        aged_on,
        activity,
        given == (None, None),
    )
    return Look(settings, version, live, start, end, connection, source, *figures), tuple(notes)


def _newest_sent(connection: Connection, settings: Settings, before: date) -> date | None:
    """Return the day of the newest row before `before` that was predicted, or sent and refused."""
    days = (newest(connection, settings, before) for newest in (newest_predicted, newest_rejected))
    return max((day for day in days if day), default=None)


def _measured(
    connection: Connection, settings: Settings, version: Version, live: Live, source: str, *, due: bool = True
) -> Measured:
    """Return whose predictions of `source` are measured: the live one's as soon as it has enough of them.

    Until then, those of the version that has most of them, which is still kept; a canary's if there are no
    others. `due`: outcomes are counted, if any is known, else predictions.
    """
    target, least = identifier(settings.project.target), settings.section(Limits).minimum_outcomes
    counted = f"SELECT version, count(*) AS n, count({target}) AS known FROM {source} GROUP BY 1"
    found = {item["version"]: item for item in rows(connection, counted)}
    by = "known" if due and any(item["known"] for item in found.values()) else "n"
    tried = live.canary.name if live.canary else None

    def rank(name: str) -> tuple[Any, ...]:
        enough = found[name][by] >= least
        return name != tried, enough, enough and name == version.name, found[name][by], name

    measured = version
    for name in sorted(found, key=rank, reverse=True):
        with suppress(ProjectError):  # it is kept no more: nobody knows how it was acted on
            measured = version if name == version.name else load_version(settings, name)
            break
    own = found.get(measured.name, {"n": 0, "known": 0})
    alone = own["n"] == sum(item["n"] for item in found.values())
    return Measured(measured, source if alone else answered_by(source, measured.name), own["n"], own["known"])


def _others(version: Version, live: Live, measured: Measured, count: int) -> list[str]:
    """Say whose predictions the metrics are of, where they are not all of the live version."""
    said = []
    if measured.version.name != version.name and measured.outcomes:
        said.append(
            f"the metrics are of {measured.version.name}, which answered then; of {version.name}, which is "
            f"{'live' if live.stage == 'live' else 'in staging'}, too few outcomes are known yet"
        )
    others = count - measured.count
    if others:
        said.append(f"{others:,} of {count:,} predictions are of other versions; the metrics leave them out")
    return said


def _half_told(connection: Connection, settings: Settings, end: date, today: date) -> list[str]:
    """Say from which day on outcomes are half told, where that is in the window."""
    table = loaded_table(connection, settings)
    day = told_until(connection, settings, table, today + DAY) if table else None
    if day is None or day >= end:
        return []
    return [
        f"outcomes of rows from {day} on are known only where they are the same, and not known else: none of "
        "them counts"
    ]


def _newest_outcome(connection: Connection, settings: Settings, start: date, today: date) -> list[str]:
    """Say where the newest outcome is that is known, where that is before the window."""
    day = newest_outcome(connection, settings, today)
    if day is None or day >= start:
        return []
    predicted = newest_predicted(connection, settings, day + DAY)
    if predicted is None:
        return [f"no outcome is loaded from {day + DAY} on, nor of any row that was predicted before"]
    return [
        f"no outcome is loaded from {day + DAY} on: `monitor --to {predicted + DAY}` looks at the days before"
    ]


def _refuse_unknown_metrics(look: Look) -> None:
    known = ("outcomes", *look.metrics)
    for name in look.settings.section(Limits).expected:
        if name not in known:
            listed = ", ".join(known)
            raise ProjectError(f"project.yaml: live.expected: {name} is unknown; known are {listed}")


def _checked(look: Look) -> tuple[list[Reading], list[str]]:
    """Return the readings of every check, and a line for each that failed: its own reading is unknown."""
    readings: list[Reading] = []
    problems = []
    for check in look.settings.project.checks:
        try:
            for reading in check(look):
                if not isinstance(reading, Reading):
                    raise ProjectError(f"gives {reading!r:.60}, which is no reading; use look.reading(...)")
                readings.append(reading)
        except Exception as error:  # whatever a check does, the others are run
            name = getattr(check, "__name__", type(check).__name__)
            readings.append(Reading(name, nan, -inf, inf, "unknown", f"it failed: {_told(error)}"))
            problems.append(f"monitor/checks.py: {name}: {_told(error)}")
    return readings, problems


def _told(error: Exception) -> str:
    if isinstance(error, ProjectError):
        return "; ".join(error.problems)
    return reason(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
