"""What is watched of what is live: each check looks at a window of predictions and tells its readings.

`CHECKS` of a project's monitor/checks.py lists those that are run, these and the project's own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from math import inf, isfinite, isinf, isnan, nan
from typing import Literal, Protocol

from handrail.compute.duckdb import Connection, identifier, literal, row
from handrail.config.sections import Live as Limits
from handrail.config.settings import Settings
from handrail.etl.load import loaded_table
from handrail.moments import moment
from handrail.monitoring.champion_challenger import canary_gain
from handrail.monitoring.drift import (
    SUDDEN,
    NotAskedFor,
    as_in,
    as_learnt,
    drifts,
    least_drifts,
    not_asked_for,
)
from handrail.monitoring.outcomes import count_rejected, in_window, live_predictions, sample_by_key
from handrail.monitoring.predicted_days import count_predicted
from handrail.monitoring.usual import (
    MOST_COMPARED,
    daily_counts,
    jumps,
    silence,
    too_short,
    traffic,
    usual_share,
    windows_before,
)
from handrail.monitoring.values import missing_shares, shares_beyond, usual_missing
from handrail.number_format import figure
from handrail.registry.drift_reference import PREDICTION, Bins, shares
from handrail.registry.live import Live
from handrail.registry.versions import Version
from handrail.serving.activity import Activity

__all__ = [
    "canary_holds",
    "contract_kept",
    "keys_once",
    "metrics_in_range",
    "no_drift",
    "outcomes_in_time",
    "outcomes_vary",
    "service_answers",
    "traffic_as_usual",
    "values_known",
    "young_enough",
]

JUMP = 4.0  # deviations of a day that a week lies from the days before, as no season does
BY_CHANCE = 0.001  # the chance from which on outcomes that are all the same may be so by chance
State = Literal["ok", "warning", "alert", "unknown"]


@dataclass(frozen=True)
class Reading:
    """A figure, the range in which it is expected (both ends in it), and what follows; NaN is not known.

    why: why it is not known, in a few words; of what is known, what has to be said of it, such as of how few
    rows it is · alert_above: of what warns at first, above which value it is an alert
    """

    name: str
    value: float
    low: float
    high: float
    state: State
    why: str = ""
    alert_above: float | None = None

    @property
    def shown(self) -> str:
        """The value as people read it: whole days without decimals, a dash where it is not known.

        What is outside of its range by less than can be seen has more decimals.
        """
        told = told_value(self.name, self.value)
        hidden = self.state in ("warning", "alert") and self.low <= float(told) <= self.high
        return f"{self.value:.6g}" if hidden else told

    @property
    def expected(self) -> str:
        """The range as people read it; empty where it has no end."""
        return told_range(self.low, self.high)

    @property
    def told(self) -> str:
        """The figure and the range in which it is expected, as people are told them."""
        alert = "" if self.alert_above is None else f", an alert above {self.alert_above:g}"
        why = f" ({self.why})" if self.why and self.state != "unknown" else ""
        return f"{self.name} is {self.shown}, expected {self.expected}{alert}{why}"

    @property
    def plain(self) -> dict[str, float | None]:
        """`value`, `low` and `high` as plain data: what is not known, or has no end, is None."""
        found = {"value": self.value, "low": self.low, "high": self.high}
        return {name: value if isfinite(value) else None for name, value in found.items()}


def told_value(name: str, value: float) -> str:
    """Return the value of a reading as people read it: what is counted, as days, without decimals."""
    counted = value >= 2 or "days " in f"{name} "
    return f"{value:.0f}" if counted and value % 1 == 0 else figure(value)


def told_range(low: float, high: float) -> str:
    """Return a range as people read it, as `at least 0.6`; empty where neither end is finite."""
    if isinf(low) and isinf(high):
        return ""
    if isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if isinf(low) else f"{low:g} to {high:g}"


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
    age_days: how old the live version is on the day `aged_on`; in a look back, the measured one when the
        window was over
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
    aged_on: date
    activity: Activity
    newest: bool

    @cached_property
    def not_asked_for(self) -> list[NotAskedFor]:
        """The features that versions which made some of the latest predictions did not have."""
        return not_asked_for(self.connection, self.settings, self.latest.source, self.version)

    @property
    def limits(self) -> Limits:
        """The section `live` of project.yaml."""
        return self.settings.section(Limits)

    def value(self, expression: str) -> float:
        """Return what an aggregate in SQL is over `source`, as `avg(prediction)`; NaN where it is NULL."""
        found = row(self.connection, f"SELECT {expression} AS value FROM {self.source}")["value"]
        return nan if found is None else float(found)

    def reading(
        self,
        name: str,
        value: float,
        low: float = -inf,
        high: float = inf,
        otherwise: State = "alert",
        why: str = "there is nothing to compute it from",
    ) -> Reading:
        """Return a figure beside its range: ok from `low` to `high`, else `otherwise`; NaN is unknown.

        why: what a reader is told where it is
        """
        ends = float(low), float(high)
        if isnan(value):
            return Reading(name, nan, *ends, "unknown", why)
        return Reading(name, float(value), *ends, "ok" if low <= value <= high else otherwise)

    def too_few(self, count: int, of: str) -> str:
        """Say that so many are fewer than `live.minimum_outcomes`; empty where they are not.

        of: what is counted, with its verb in the plural, as `outcomes are known`
        """
        least = self.limits.minimum_outcomes
        return "" if count >= least else f"{count:,} {of}, live.minimum_outcomes is {least:,}"


class Check(Protocol):
    """A function of a look; its name is told where it fails, and the other checks are still run."""

    def __call__(self, look: Look, /) -> Iterable[Reading]:
        """Return or yield the readings, in the order in which they are shown.

        An `alert` is told, kept in reports/alerts.jsonl, and is exit status 3. By its name a fault is known
        again at the next look, and it is sent out: put no figure into it, and nobody's data.
        """
        ...


def metrics_in_range(look: Look) -> Iterator[Reading]:
    """Compare the metrics of `live.expected`.

    With fewer than `live.minimum_outcomes`, or of fewer days than a week where rows come on most days, they
    are unknown. Where others have answered, too, it is said on how many outcomes they rest.
    """
    measured, target = look.measured, identifier(look.settings.project.target)
    outcomes = measured.outcomes
    known = {"outcomes": float(outcomes), **look.metrics}
    few = look.too_few(outcomes, "outcomes are known") or too_short(
        look, f"(SELECT * FROM {measured.source} WHERE {target} IS NOT NULL)", "outcomes are known"
    )
    part = f"of {outcomes:,} of {look.outcomes:,} outcomes, those of {measured.version.name}"
    said = part if outcomes < look.outcomes else ""
    for name, (low, high) in look.limits.expected.items():
        value = nan if few and name != "outcomes" else known[name]
        why = few or "the outcomes that are known do not give it"
        reading = look.reading(name, value, low, high, why=why)
        yield reading if reading.state == "unknown" else replace(reading, why=said)


def outcomes_in_time(look: Look) -> Iterator[Reading]:
    """Tell the share of outcomes that should be known by now, `outcome.known_after_days`, and are not.

    With fewer than `live.minimum_outcomes` that are due, or before anything is loaded where the data is
    processed, it is unknown. Of rows without a time the days count from the prediction; where none are said,
    nothing is ever due.
    """
    project, days = look.settings.project, look.settings.outcome.known_after_days
    time, target = identifier(project.window), identifier(project.target)
    due = f"{time} < TIMESTAMP '{look.as_of - timedelta(days=days)}'" if project.time or days else "FALSE"
    count = look.value(f"count_if({due})")
    few = look.too_few(int(count), "outcomes are due")
    if loaded_table(look.connection, look.settings) is None:
        few = "no table is loaded where the data is processed; run `etl`"
    share = nan if few else look.value(f"count_if({due} AND {target} IS NULL)") / count
    yield look.reading("outcomes overdue", share, low=0.0, high=look.limits.maximum_overdue_share, why=few)


def canary_holds(look: Look) -> Iterator[Reading]:
    """Tell how much better the canary, if there is one, has predicted than the live version would have.

    It is an alert, and the canary is withdrawn, if it is worse by more than `accuracy.tolerance`, and not by
    chance; with too few outcomes, or of too few days or subjects, nothing is known.
    """
    if look.live.canary is None:
        return
    name, tolerance = canary_reading(look.settings), look.settings.accuracy.tolerance
    gain = canary_gain(look.connection, look.settings, look.version, look.live.canary, look.source)
    if isinstance(gain, str):
        yield look.reading(name, nan, low=-tolerance, why=gain)
        return
    worse = gain["value"] < -tolerance and gain["high"] < 0
    said = f"with 95% certainty from {figure(gain['low'])} to {figure(gain['high'])}"
    yield Reading(name, gain["value"], -tolerance, inf, "alert" if worse else "ok", said)


def canary_reading(settings: Settings) -> str:
    """Return the name of the reading that decides on a canary."""
    return f"{settings.accuracy.metric} gained by the canary"


def contract_kept(look: Look) -> Iterator[Reading]:
    """Tell the share of rows that broke the contract, of those sent for scoring or asked for, and predicted.

    Of a request that the service refused for that, all records count, on the day on which it was sent; an
    alert names the rule of the contract that was broken most often.
    """
    latest, refused = look.latest, look.activity.records["contract"]
    broken = count_rejected(look.connection, look.settings, latest.start, latest.end) + refused
    share, most = broken / (latest.count + broken), look.limits.maximum_violation_share
    reading = _at_most(most, "rows that break the contract", share)
    most_often = look.activity.broken[:1] if reading.state == "alert" else ()
    said = [f"of requests, most often by {each.rule} since {moment(each.first)}" for each in most_often]
    yield replace(reading, why="".join(said))


def service_answers(look: Look) -> Iterator[Reading]:
    """Tell the share of requests that the service failed to answer, and how long the slowest hundredth took.

    With fewer than `live.minimum_outcomes` requests both are unknown; where nothing was asked over HTTP,
    nothing is told.
    """
    activity, limits = look.activity, look.limits
    if not activity.requests:
        return
    few = look.too_few(activity.requests, "requests came")
    failed, slowest = (nan, nan) if few else (activity.failed_share, activity.slowest(0.01))
    yield look.reading("requests that failed", failed, 0.0, limits.maximum_error_share, why=few)
    yield look.reading("slowest hundredth in seconds", slowest, 0.0, limits.maximum_seconds, why=few)


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
    Drift of the prediction is an alert; that of a feature a warning, and an alert beyond SUDDEN times the
    limit, or where the last week lies further than JUMP deviations of a day from the days before: so far
    moves a column in another unit, or with other names. Of too few predictions it is unknown:
    one of them alone is far from any distribution, and two days are far from a week. Rows predicted by a
    version that did not have a feature yet tell nothing of it, and each version's predictions are held
    against those of its own test period. A feature that moves by itself, `drift=False` in contract.py, is
    not looked at.
    """
    limit, latest, measured = look.limits.drift_limit, look.latest, look.latest.measured
    bins = look.version.watched
    few = look.too_few(latest.count, "predictions are in the window") or too_short(look)
    if few:
        for item in bins:
            yield look.reading(f"drift of {item.column}", nan, low=0.0, high=limit, why=few)
        return
    features = look.version.watched_features
    usual = [
        *as_learnt(look.version),
        *(as_in(look.connection, name, features) for name in windows_before(look)),
    ]
    found, unknown = least_drifts(look.connection, latest.source, usual), {}
    if PREDICTION in found and (measured.version.name, measured.count) != (look.version.name, latest.count):
        own = [item for item in measured.version.bins if item.column == PREDICTION]
        expected = {PREDICTION: measured.version.info["reference"][PREDICTION]["shares"]}
        found |= drifts(look.connection, measured.source, own, expected)
        unknown[PREDICTION] = look.too_few(measured.count, f"predictions are of {measured.version.name}")
    for each in look.not_asked_for:
        if any(item.column == each.feature for item in features):
            rows = each.asked(latest.source)
            found |= least_drifts(look.connection, rows, [known.only({each.feature}) for known in usual])
            unknown[each.feature] = look.too_few(latest.count - each.rows, "predictions have it")
    found |= {name: nan for name, why in unknown.items() if why}
    amounts = {item.column for item in features if not item.names}
    moved = jumps(look, [name for name, value in found.items() if name in amounts and value > limit])
    for name, value in sorted(found.items(), key=lambda item: inf if isnan(item[1]) else -item[1]):
        sudden = None if name == PREDICTION else SUDDEN * limit
        jump = moved.get(name, 0.0)
        otherwise: State = "warning" if sudden and value <= sudden and jump <= JUMP else "alert"
        why = unknown.get(name, "")
        reading = look.reading(f"drift of {name}", value, low=0.0, high=limit, otherwise=otherwise, why=why)
        if jump > JUMP:
            why = f"its last week lies {figure(jump)} deviations of a day from the days before"
        yield replace(reading, alert_above=sudden, why=why)


def values_known(look: Look) -> Iterator[Reading]:
    """Tell of each feature how many more of its latest values are missing than usual, and how many are new.

    Missing: by how much their share is above that of the training and of the test period. New: a name that
    was not among those learnt from, of an amount with few values another one, and of others what is beyond
    all that the version knows by more than a tenth of their range. With fewer predictions than
    `live.minimum_outcomes` both are unknown. Rows predicted by a version that did not have a feature yet tell
    nothing of it.
    """
    latest, most = look.latest, look.limits.maximum_new_share
    few = look.too_few(latest.count, "predictions are in the window")
    if few:
        for name in ("missing values", "new values"):
            yield look.reading(name, nan, low=0.0, high=most, why=few)
        return
    bins = {item.column: item for item in look.version.watched_features}
    later = {each.feature: each for each in look.not_asked_for if each.feature in bins}
    missing, new = _missing_and_new(look, latest.source, [bins[name] for name in bins if name not in later])
    unknown = {}
    for name, each in later.items():
        unknown[name] = look.too_few(latest.count - each.rows, "predictions have it")
        none = ({name: nan}, {name: nan})
        found = none if unknown[name] else _missing_and_new(look, each.asked(latest.source), [bins[name]])
        missing, new = missing | found[0], new | found[1]
    for kind, by_column in (("missing values", missing), ("new values", new)):
        for name, value in sorted(by_column.items(), key=lambda item: inf if isnan(item[1]) else -item[1]):
            why = unknown.get(name, "")
            yield look.reading(f"{kind} of {name}", value, low=0.0, high=most, why=why)


def _missing_and_new(
    look: Look, source: str, bins: Sequence[Bins]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return of each column how many more of its values than usual are missing, and how many are new."""
    reference = look.version.info["reference"]
    empty = missing_shares(look.connection, source, bins)
    missing = {name: max(0.0, share - usual_missing(reference[name])) for name, share in empty.items()}
    names = [item for item in bins if item.names]
    there = shares(look.connection, source, names) if names else {}
    new = {name: max(0.0, values[-1] - empty[name]) for name, values in there.items()}
    return missing, new | shares_beyond(look.connection, source, bins, reference)


def traffic_as_usual(look: Look) -> Iterator[Reading]:
    """Tell what share of the usual was predicted in the last week of the window, and its days without any.

    Usual is the median of the same days of the week in the weeks before; where fewer than two are known, or
    rows don't come every day, both are unknown. A look at the newest predictions tells, too, for how many
    days none was made: at most a day more than in the 90 days before, and unknown where they say too little.
    """
    found = traffic(daily_counts(look))
    share, without, why = (nan, nan, found) if isinstance(found, str) else (*found, "")
    yield look.reading("traffic of the last week", share, low=look.limits.minimum_traffic_share, why=why)
    yield look.reading("days of the last week without predictions", without, low=0, high=0, why=why)
    if look.newest:
        since, most, why = silence(look)
        yield look.reading("days since the last prediction", since, low=0, high=most, why=why)


def outcomes_vary(look: Look) -> Iterator[Reading]:
    """Tell how many different outcomes are known: an alert where they are all the same, and not by chance.

    By chance they may be where nearly all that were known before the window are the same, too.
    """
    few, target = look.too_few(look.measured.outcomes, "outcomes are known"), look.settings.project.target
    query = f"SELECT count(DISTINCT {identifier(target)}) AS n FROM {look.measured.source}"
    count = nan if few else row(look.connection, query)["n"]
    reading = look.reading("different outcomes", count, low=2, why=few)
    if reading.state == "alert" and usual_share(look) ** look.measured.outcomes > BY_CHANCE:
        reading = replace(reading, state="ok")
    yield reading


def keys_once(look: Look) -> Iterator[Reading]:
    """Tell what share of the answers is for a key that the version had answered already, in the window."""
    project, latest = look.settings.project, look.latest
    if not project.has_key:
        return
    few, most = (
        look.too_few(latest.count, "predictions are in the window"),
        look.limits.maximum_repeated_share,
    )
    if few:
        yield look.reading("answers for a key once more", nan, low=0.0, high=most, why=few)
        return
    count = count_predicted(look.connection, look.settings, latest.start, latest.end)
    inside = (
        f"{in_window(project, latest.start, latest.end)} AND {sample_by_key(project, count, MOST_COMPARED)}"
    )
    query = (
        f"SELECT count(*) AS n, count(DISTINCT {identifier(project.key)}) AS keys "
        f"FROM ({live_predictions(look.settings)}) WHERE {inside} AND version = {literal(look.version.name)}"
    )
    found = row(look.connection, query)
    share = (found["n"] - found["keys"]) / found["n"] if found["n"] else 0.0
    yield look.reading("answers for a key once more", share, low=0.0, high=most)


def _at_most(limit: float, name: str, value: float, otherwise: State = "alert") -> Reading:
    return Reading(name, value, 0.0, limit, "ok" if value <= limit else otherwise)
