"""What is watched of what is live: each check looks at a window of predictions and tells its readings.

`CHECKS` of a project's monitor/checks.py lists those that are run, these and the project's own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import inf, isnan, nan
from typing import Literal, Protocol

from handrail.compute.duckdb import Connection, identifier, literal, row
from handrail.config.sections import Live as Limits
from handrail.config.settings import Settings
from handrail.monitoring.champion_challenger import canary_gain
from handrail.monitoring.drift import drifts, not_asked_for
from handrail.monitoring.outcomes import count_rejected, in_window, live_predictions
from handrail.monitoring.usual import daily_counts, traffic, windows_before
from handrail.number_format import figure
from handrail.registry.drift_reference import PREDICTION, shares
from handrail.registry.live import Live
from handrail.registry.versions import Version
from handrail.serving.activity import Activity

SUDDEN = 10  # times live.drift_limit, from which on the drift of a feature is no season any more
MOST = 0.5  # of the values of an amount that has few, from which on others are new
BEYOND = 0.1  # of the range of an amount, by which a value is beyond it
State = Literal["ok", "warning", "alert", "unknown"]


@dataclass(frozen=True)
class Reading:
    """A figure, the range in which it is expected (both ends in it), and what follows; NaN is not known."""

    name: str
    value: float
    low: float
    high: float
    state: State

    @property
    def shown(self) -> str:
        """The value as people read it: whole days without decimals, a dash where it is not known."""
        counted = self.value >= 2 or self.name.endswith(" in days")
        return f"{self.value:.0f}" if counted and self.value % 1 == 0 else figure(self.value)


@dataclass(frozen=True)
class Measured:
    """The version that is measured, for each acts on its predictions in a way of its own.

    source: its own predictions as a FROM item · count: how many · outcomes: of how many the outcome is known
    """

    version: Version
    source: str
    count: int
    outcomes: int


@dataclass(frozen=True)
class Answered:
    """Predictions from `start` on and before `end`: the FROM item `source`, as in a Look, of `count` rows.

    measured: the version with most of them, or the live one as soon as it has enough
    """

    start: date
    end: date
    source: str
    count: int
    measured: Measured


@dataclass(frozen=True)
class Look:
    """A window of predictions, as a check is given it.

    settings: those of the project · version: the live one · live: what is live, and what is tried beside it
    start, end: the first day, and the first after the last; by default, of what has an outcome by now, where
        outcomes come late · as_of: the first day after the one as of which it is looked
    connection: the engine
    source: a FROM item with a row for each key: its latest prediction (`predicted_at`, `version`, `source`,
        `prediction`, `baseline`), what was asked, and the target, NULL until it is known
    count: how many rows that are · outcomes: how many targets are known
    measured: the version whose predictions the metrics are of: the live one as soon as it has
        `live.minimum_outcomes`, until then the one that answered most of the window
    latest: the latest predictions, whose outcomes need not be due; the same as above where a window is given
    metrics: every metric of the predictions of `measured` whose outcome is known, NaN where there is none
    newest: whether it is a look at the latest predictions, and not back
    activity: what the service did in the days of `latest`; by default, in as many days up to today
    age_days: how old the live version is; in a look back, the measured one when the window was over
    """

    settings: Settings
    version: Version
    live: Live
    start: date
    end: date
    connection: Connection
    source: str
    count: int
    outcomes: int
    measured: Measured
    metrics: Mapping[str, float]
    as_of: date
    latest: Answered
    age_days: int
    activity: Activity
    newest: bool

    @property
    def limits(self) -> Limits:
        """The section `live` of project.yaml."""
        return self.settings.section(Limits)

    def value(self, expression: str) -> float:
        """Return what an aggregate in SQL is over `source`, as `avg(prediction)`; NaN where it is NULL."""
        found = row(self.connection, f"SELECT {expression} AS value FROM {self.source}")["value"]
        return nan if found is None else float(found)

    def reading(
        self, name: str, value: float, low: float = -inf, high: float = inf, otherwise: State = "alert"
    ) -> Reading:
        """Return a figure beside its range: ok from `low` to `high`, else `otherwise`; NaN is unknown."""
        inside: State = "ok" if low <= value <= high else otherwise
        return Reading(name, float(value), float(low), float(high), "unknown" if isnan(value) else inside)


class Check(Protocol):
    """A function of a look; its name is told where it fails, and the other checks are still run."""

    def __call__(self, look: Look, /) -> Iterable[Reading]:
        """Return or yield the readings, in the order in which they are shown.

        An `alert` is told, kept in reports/alerts.jsonl, and is exit status 3. By its name a fault is known
        again at the next look, and it is sent out: put no figure into it, and nobody's data.
        """
        ...


def metrics_in_range(look: Look) -> Iterator[Reading]:
    """Compare the metrics of `live.expected`; with fewer than `live.minimum_outcomes` they are unknown."""
    outcomes = look.measured.outcomes
    known = {"outcomes": float(outcomes), **look.metrics}
    enough = outcomes >= look.limits.minimum_outcomes
    for name, (low, high) in look.limits.expected.items():
        yield look.reading(name, known[name] if enough else nan, low, high)


def outcomes_in_time(look: Look) -> Iterator[Reading]:
    """Tell the share of outcomes that should be known by now, `outcome.known_after_days`, and are not.

    With fewer than `live.minimum_outcomes` that are due it is unknown. Of rows without a time the days count
    from the prediction; where none are said, nothing is ever due.
    """
    project, days = look.settings.project, look.settings.outcome.known_after_days
    time, target = identifier(project.window), identifier(project.target)
    due = f"{time} < TIMESTAMP '{look.as_of - timedelta(days=days)}'" if project.time or days else "FALSE"
    count = look.value(f"count_if({due})")
    share = look.value(f"count_if({due} AND {target} IS NULL)") / count if count else nan
    share = share if count >= look.limits.minimum_outcomes else nan
    yield look.reading("outcomes overdue", share, low=0.0, high=look.limits.maximum_overdue_share)


def canary_holds(look: Look) -> Iterator[Reading]:
    """Tell how much better the canary, if there is one, has predicted than the live version would have.

    It is an alert, and the canary is withdrawn, if it is worse by more than `accuracy.tolerance`, and not by
    chance; with too few outcomes, nothing is known.
    """
    if look.live.canary is None:
        return
    name, tolerance = canary_reading(look.settings), look.settings.accuracy.tolerance
    gain = canary_gain(look.connection, look.settings, look.version, look.live.canary, look.source)
    if gain is None:
        yield look.reading(name, nan, low=-tolerance)
        return
    worse = gain["value"] < -tolerance and gain["high"] < 0
    yield Reading(name, gain["value"], -tolerance, inf, "alert" if worse else "ok")


def canary_reading(settings: Settings) -> str:
    """Return the name of the reading that decides on a canary."""
    return f"{settings.accuracy.metric} gained by the canary"


def contract_kept(look: Look) -> Iterator[Reading]:
    """Tell the share of rows that broke the contract, of those sent for scoring or asked for, and predicted.

    A request that the service refused for that counts as one row, on the day on which it was sent.
    """
    latest, refused = look.latest, look.activity.refused["contract"]
    broken = count_rejected(look.connection, look.settings, latest.start, latest.end) + refused
    share, most = broken / (latest.count + broken), look.limits.maximum_violation_share
    yield _at_most(most, "rows that break the contract", share)


def service_answers(look: Look) -> Iterator[Reading]:
    """Tell the share of requests that the service failed to answer, and how long the slowest hundredth took.

    With fewer than `live.minimum_outcomes` requests both are unknown; where nothing was asked over HTTP,
    nothing is told.
    """
    activity, limits = look.activity, look.limits
    if not activity.requests:
        return
    enough = activity.requests >= limits.minimum_outcomes
    failed, slowest = (activity.failed_share, activity.slowest(0.01)) if enough else (nan, nan)
    yield look.reading("requests that failed", failed, 0.0, limits.maximum_error_share)
    yield look.reading("slowest hundredth in seconds", slowest, 0.0, limits.maximum_seconds)


def young_enough(look: Look) -> Iterator[Reading]:
    """Tell the age of the newest row that the model may have learnt from, on the day of the look.

    Of a look back it is the age on its last day; where chance has parted the rows, that of the training.
    """
    yield _at_most(look.limits.maximum_age_days, "age of the model in days", float(look.age_days))


def no_drift(look: Look) -> Iterator[Reading]:
    """Tell how far the prediction and each feature have moved from what is usual, the furthest first.

    It is that of the latest predictions, whether or not their outcomes are due. Of a feature it is the least
    of how far it has moved from the training period, from the test period, from the window before, and from
    the same days of the year before, as far as there are such: what one of them explains is the season.
    Drift of the prediction is an alert; that of a feature a warning, and beyond SUDDEN times the limit an
    alert: so far moves a column in another unit, or with other names. Of too few predictions it is unknown:
    one of them alone is far from any distribution. Rows predicted by a version that did not have a feature
    yet tell nothing of it, and each version's predictions are held against those of its own test period. A
    feature that moves by itself, `drift=False` in contract.py, is not looked at.
    """
    limit, latest, least = look.limits.drift_limit, look.latest, look.limits.minimum_outcomes
    bins, measured = look.version.watched, latest.measured
    if latest.count < least:
        for item in bins:
            yield look.reading(f"drift of {item.column}", nan, low=0.0, high=limit)
        return
    expected = {name: item["shares"] for name, item in look.version.info["reference"].items()}
    found = drifts(look.connection, latest.source, bins, expected)
    for name, value in _usual_drifts(look).items():
        found[name] = min(found[name], value)
    if PREDICTION in found and (measured.version.name, measured.count) != (look.version.name, latest.count):
        own = [item for item in measured.version.bins if item.column == PREDICTION]
        expected[PREDICTION] = measured.version.info["reference"][PREDICTION]["shares"]
        enough = measured.count >= least
        found |= drifts(look.connection, measured.source, own, expected) if enough else {PREDICTION: nan}
    for each in not_asked_for(look.connection, look.settings, latest.source, look.version):
        asked = f"version NOT IN ({', '.join(map(literal, each.versions))})"
        rows = f"(SELECT * FROM {latest.source} WHERE {asked})"
        known = latest.count - each.rows >= least
        again = drifts(look.connection, rows, [b for b in bins if b.column == each.feature], expected)
        if each.feature in found:
            found |= again if known else {each.feature: nan}
    for name, value in sorted(found.items(), key=lambda item: inf if isnan(item[1]) else -item[1]):
        otherwise: State = "alert" if name == PREDICTION or value > SUDDEN * limit else "warning"
        yield look.reading(f"drift of {name}", value, low=0.0, high=limit, otherwise=otherwise)


def _usual_drifts(look: Look) -> dict[str, float]:
    """Return the least drift of each feature from the test period, the window before, and the year before."""
    reference, source = look.version.info["reference"], look.latest.source
    bins = [item for item in look.version.watched if item.column != PREDICTION]
    usual = [{each.column: reference[each.column].get("recent") for each in bins}]
    usual += [shares(look.connection, name, bins) for name in windows_before(look)]
    found: dict[str, float] = {}
    for expected in usual:
        known = [item for item in bins if expected[item.column]]
        for name, value in drifts(look.connection, source, known, expected).items() if known else ():
            found[name] = min(found.get(name, inf), value)
    return found


def values_known(look: Look) -> Iterator[Reading]:
    """Tell of the latest predictions how many more values are missing than usual, and how many are new.

    Of missing values it is the feature of which most are: by how much its share is above that of the training
    and of the test period. New is a name that was not among those learnt from, of an amount with few values
    another one, and of others what is beyond all that the version knows by more than a tenth of their range.
    With fewer predictions than `live.minimum_outcomes` both are unknown.
    """
    latest, most = look.latest, look.limits.maximum_new_share
    bins = [item for item in look.version.watched if item.column != PREDICTION]
    if latest.count < look.limits.minimum_outcomes:
        for name in ("missing values", "new values"):
            yield look.reading(name, nan, low=0.0, high=most)
        return
    counted = ", ".join(f"count_if({identifier(item.column)} IS NULL) AS n{n}" for n, item in enumerate(bins))
    found = row(look.connection, f"SELECT {counted or '0'} FROM {latest.source}")
    empty = {item.column: found[f"n{number}"] / latest.count for number, item in enumerate(bins)}
    reference, now = look.version.info["reference"], shares(look.connection, latest.source, bins)
    usual = {
        name: max(each[-1] for each in (reference[name]["shares"], reference[name].get("recent")) if each)
        for name in empty
    }
    missing = {name: max(0.0, share - usual[name]) for name, share in empty.items()}
    new = {item.column: now[item.column][-1] - empty[item.column] for item in bins if item.names}
    new |= _beyond(look)
    for kind, by_column in (("missing values", missing), ("new values", new)):
        worst = max(by_column, key=lambda name: by_column[name], default=None)
        value = max(0.0, by_column[worst]) if worst else 0.0
        yield look.reading(f"{kind} of {worst}" if value > most else kind, value, low=0.0, high=most)


def _beyond(look: Look) -> dict[str, float]:
    """Return the share of the values of each amount that lie beyond the known range.

    Where an amount has few values, and most are none of them, it is the share of those: so a column changes
    whose unit does, and not one that reaches a little further in another season.
    """
    reference, watched = look.version.info["reference"], {item.column for item in look.version.watched}
    counted = {}
    for name, item in reference.items():
        column = identifier(name)
        if name not in watched or "range" not in item:
            continue
        low, high = item["range"]
        more = BEYOND * (high - low)
        counted[name, False] = f"{column} < {low - more!r} OR {column} > {high + more!r}"
        if "values" in item:
            # As 32 bits: an amount that went through a file or a request may have lost its last digits.
            known = ", ".join(f"CAST({value!r} AS FLOAT)" for value in item["values"])
            counted[name, True] = f"CAST({column} AS FLOAT) NOT IN ({known})"
    if not counted:
        return {}
    columns = ", ".join(
        f"count(*) FILTER (WHERE {other}) AS n{number}" for number, other in enumerate(counted.values())
    )
    found = row(look.connection, f"SELECT {columns} FROM {look.latest.source}")
    beyond: dict[str, float] = {}
    for number, (name, of_few) in enumerate(counted):
        share = found[f"n{number}"] / look.latest.count
        if not of_few or share > MOST:
            beyond[name] = max(share, beyond.get(name, 0.0))
    return beyond


def traffic_as_usual(look: Look) -> Iterator[Reading]:
    """Tell what share of the usual was predicted in the last week of the window, and its days without any.

    Usual is the median of the same days of the week in the weeks before; where fewer than two are known, or
    rows don't come every day, nothing is told.
    """
    counts = daily_counts(look)
    found = traffic(counts[:-1] if look.newest else counts)  # the last day may not be over
    if found is None:
        return
    share, silent = found
    yield look.reading("traffic of the last week", share, low=look.limits.minimum_traffic_share)
    yield look.reading("days without predictions", silent, low=0, high=0)


def outcomes_vary(look: Look) -> Iterator[Reading]:
    """Raise an alert where all outcomes that are known are the same: they do not come as they should."""
    target, outcomes = identifier(look.settings.project.target), look.measured.outcomes
    if outcomes < look.limits.minimum_outcomes:
        return
    query = f"SELECT count(DISTINCT {target}) AS n FROM {look.measured.source}"
    yield look.reading("different outcomes", row(look.connection, query)["n"], low=2)


def keys_once(look: Look) -> Iterator[Reading]:
    """Tell what share of the answers is for a key that the version had answered already, in the window."""
    project, latest = look.settings.project, look.latest
    if not project.has_key or latest.count < look.limits.minimum_outcomes:
        return
    inside = in_window(project, latest.start, latest.end)
    query = (
        f"SELECT count(*) AS n, count(DISTINCT {identifier(project.key)}) AS keys "
        f"FROM ({live_predictions(look.settings)}) WHERE {inside} AND version = {literal(look.version.name)}"
    )
    found = row(look.connection, query)
    share = (found["n"] - found["keys"]) / found["n"] if found["n"] else 0.0
    yield look.reading("answers for a key once more", share, low=0.0, high=look.limits.maximum_repeated_share)


def _at_most(limit: float, name: str, value: float, otherwise: State = "alert") -> Reading:
    return Reading(name, value, 0.0, limit, "ok" if value <= limit else otherwise)
