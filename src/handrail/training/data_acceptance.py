"""Whether a machine may learn from the data and go live with it, or a person has to look first.

The gate of a promotion measures two models on the same rows, and is right as long as these rows are. A model
that has learnt from poisoned outcomes looks better than the live one on outcomes that are poisoned alike. So
the rows that the live version was decided and tested on have to read as they did, and the newer ones have to
be of the kind that was usual: as many, with as many cases, the same names, nothing that is missing, and in
an order that the live version still tells something of. What is refused may be right all the same; then a
person, who knows why, trains and promotes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, hypot, isnan, log, nan

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.compute.duckdb import Connection, identifier, parquet, row
from handrail.config.sections import Live as Limits
from handrail.config.sections import Retraining, Shares, Split
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.etl.load import require_table
from handrail.monitoring.drift import SUDDEN, as_in, as_learnt, least_drifts, population_stability
from handrail.monitoring.values import is_beyond, usual_missing
from handrail.number_format import figure
from handrail.predictor import Predictor
from handrail.registry.drift_reference import Bins, shares
from handrail.registry.learnt_keys import LEARNT, key_hash
from handrail.registry.outcome_sketch import Changes, changes, sketch
from handrail.registry.versions import Version
from handrail.training.dataset import Dataset, read_dataset
from handrail.training.intervals import deviation, replicated
from handrail.training.known_outcomes import DAY, newest_known
from handrail.training.newest_rows import FEWEST_DAYS, Month, NewestRows, newest_rows
from handrail.training.splits import Period, periods, rows_in, rows_of, split_of

MONTHS_BEFORE = 3  # of which the least is the usual number of rows a day
FEWEST_MONTHS = 3  # whose outcomes tell what is usual
KNOWN = 0.9  # of a month's outcomes, from which on their mean says something
CHANCE = 2.0  # standard errors that slices, and an order, are allowed by chance
ODDS, DEVIATIONS = log(2.25), 0.25  # beyond all months before, at least: of shares and of amounts
EXPECTED = 20  # rows of a name, of which less than a tenth come by chance once in millions
GONE = 0.1
RESAMPLES = 100
MOST_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """What was looked at and came out, in words; `holds`: whether it is as it should be."""

    said: str
    holds: bool = True


@dataclass(frozen=True)
class Examined:
    """What an examination is given: the settings, the live version, the loaded table, the newest rows."""

    settings: Settings
    live: Version
    table: str
    newest: NewestRows

    @property
    def connection(self) -> Connection:
        """The engine."""
        return self.newest.connection

    @property
    def limits(self) -> Retraining:
        """The section `retraining` of project.yaml."""
        return self.settings.section(Retraining)

    @property
    def watch(self) -> Limits:
        """The section `live` of project.yaml."""
        return self.settings.section(Limits)


def examine(given: Examined) -> Iterator[Finding]:
    """Yield what is found of the data: first of the past, then of the newest rows."""
    return _found(
        given,
        outcomes_as_they_were,
        features_as_they_were,
        as_many_rows,
        outcomes_known,
        usual_outcomes,
        names_known,
        values_there,
        no_sudden_drift,
        still_in_order,
    )


def doubts_of_outcomes(
    connection: Connection, settings: Settings, live: Version, today: date
) -> tuple[str, ...]:
    """Return why no machine should judge the live version by the outcomes that are loaded; nothing if it may.

    Those are reasons of the outcomes themselves. That features are others is none: where the live version is
    fed with wrong values, the baseline does better in truth. That it puts the loaded rows into the order of
    their outcomes no more is one where their features are as usual.
    """
    newest = newest_known(settings, today)
    if newest is None:
        return ()
    parted, table = settings.parted, require_table(settings, settings.project.table_name)
    split = parted.ending(newest + DAY) if isinstance(parted, Split) else parted
    given = Examined(settings, live, table, newest_rows(connection, settings, table, live, split))
    found = _found(given, outcomes_as_they_were, as_many_rows, outcomes_known, usual_outcomes)
    against = tuple(each.said for each in found if not each.holds)
    if against:
        return against
    features = (features_as_they_were, names_known, values_there, no_sudden_drift)
    if not all(each.holds for each in _found(given, *features)):
        return ()
    return tuple(each.said for each in still_in_order(given) if not each.holds)


def _found(given: Examined, *looks: Callable[[Examined], Iterator[Finding]]) -> Iterator[Finding]:
    for look in looks:
        found = [*look(given)]
        against = [each for each in found if not each.holds]
        yield from against or found


def outcomes_as_they_were(given: Examined) -> Iterator[Finding]:
    """Compare the outcomes that the live version was decided and tested on with what is loaded now."""
    kept, limit = given.live.info.get("outcomes"), given.limits.maximum_changed_share
    if kept is None:
        yield Finding(
            f"{given.live.name} has kept nothing of its outcomes; whether they changed is not known"
        )
        return
    split = split_of(given.live.info["split"])
    for each in periods(split)[1:]:
        if _begins_later(given, each):
            yield Finding(f"{each.name} rows: not compared, the table begins on {given.newest.first_day}")
            continue
        then = kept[each.name]
        now = sketch(given.connection, given.settings.project, _then(given, split, each), like=then)
        found = changes(then, now)
        if found.share > limit:
            yield Finding(_changed(given, each.name, found), holds=False)
        else:
            said = f"{given.live.name}'s {each.name} rows"
            yield Finding(f"the {found.before:,} outcomes of {said}: as they were")


def features_as_they_were(given: Examined) -> Iterator[Finding]:
    """Compare the features of the live version's test rows with what they were when it was trained."""
    bins, kept = given.live.watched_features, given.live.info["reference"]
    bins = [item for item in bins if kept[item.column].get("recent")]
    split, name = split_of(given.live.info["split"]), given.live.name
    one = periods(split)[2]
    if not bins or _begins_later(given, one):
        return
    now = shares(
        given.connection, _learnt(given, split, rows_in(given.settings, given.table, split, one)), bins
    )
    limit = given.watch.drift_limit
    for item in bins:
        drift = population_stability(kept[item.column]["recent"], now[item.column])
        if drift > limit:
            yield Finding(
                f"{item.column}: of {name}'s test rows it is not what it was when it was trained: drift "
                f"{drift:.2f}, live.drift_limit is {limit:g}: another unit, other names?",
                holds=False,
            )
    yield Finding(f"the features of {name}'s test rows: as they were")


def _begins_later(given: Examined, one: Period) -> bool:
    """Return whether the table holds no more all that the live version knew of a period."""
    return bool(one.start and given.newest.first_day and given.newest.first_day > one.start)


def _then(given: Examined, split: Split | Shares, one: Period) -> str:
    """Return the FROM item of the rows of a part whose outcome the live version knew."""
    return _learnt(given, split, rows_of(given.connection, given.settings, given.table, split, one))


def _learnt(given: Examined, split: Split | Shares, source: str) -> str:
    """Return the FROM item of the rows of `source` that the live version knows, where chance parts them."""
    if isinstance(split, Split):
        return source
    learnt = parquet(given.live.path / LEARNT)
    hashed = key_hash(given.settings.project, "k")
    return f"(SELECT k.* FROM {source} AS k WHERE {hashed} IN (SELECT key_hash FROM {learnt}))"


def _changed(given: Examined, name: str, found: Changes) -> str:
    now, before = found.now, found.before
    return (
        f"{given.live.name}'s {name} rows are not what they were when it was trained: "
        + (f"{now:,} rows where {before:,} were" if now != before else f"{before:,} rows as before")
        + f", about {_about(found.moved)} of them come or gone and {_about(found.others)} with another "
        f"outcome; retraining.maximum_changed_share is {given.limits.maximum_changed_share:g}"
    )


def _about(count: float) -> str:
    """Return a number that is known to a sixth of itself, with two digits."""
    return f"{float(f'{count:.2g}'):,.0f}"


def as_many_rows(given: Examined) -> Iterator[Finding]:
    """Hold the rows a day of each new month against the least of those just before and of a year before."""
    months = [each for each in given.newest.months() if each.days >= FEWEST_DAYS]
    least, some = given.limits.minimum_rows_share, given.watch.minimum_outcomes
    before: list[Month] = []  # without those that were found too few: they are not usual
    for month in months:
        like = [*before[-MONTHS_BEFORE:], *(each for each in before if each.name == _year_before(month.name))]
        if not month.new or not like or max(each.rows for each in like) < some:
            before.append(month)
            continue
        usual = min(each.daily for each in like)
        said = f"{month.name}: {month.daily:,.0f} rows a day, {usual:,.0f} were usual"
        if month.daily < least * usual:
            said += f"; fewer than {least:.0%} of that (retraining.minimum_rows_share): are rows missing?"
            yield Finding(said, holds=False)
        else:
            before.append(month)
            yield Finding(f"{said}, {least * usual:,.0f} at least: ok")


def _year_before(month: str) -> str:
    return f"{int(month[:4]) - 1}{month[4:]}"


def outcomes_known(given: Examined) -> Iterator[Finding]:
    """Hold the share of outcomes that are due and not known against what was so before."""
    months = [each for each in given.newest.months() if each.rows >= given.watch.minimum_outcomes]
    usual = max((each.overdue / each.rows for each in months if not each.new), default=0.0)
    for month in (each for each in months if each.new):
        share = month.overdue / month.rows
        if share > usual + given.watch.maximum_overdue_share:
            yield Finding(
                f"{month.name}: of {share:.1%} of the rows the outcome is due and not known; {usual:.1%} at "
                "most were usual (live.maximum_overdue_share)",
                holds=False,
            )


def usual_outcomes(given: Examined) -> Iterator[Finding]:
    """Hold the mean outcome of each new month against those of the months before: of all, and by slice.

    It may lie beyond them by as much as they differ, and by a factor of 2.25 of the odds, or by a quarter of
    the deviation of amounts: seasons do. Of the slices, which are many, by CHANCE standard errors more.
    """
    sliced = [each.name for each in of_role(given.settings.project.contract, *Role) if each.sliced]
    for column in (None, *sliced):
        by_part: dict[str, list[Month]] = {}
        for month in given.newest.months(column):
            by_part.setdefault(month.part, []).append(month)
        for months in by_part.values():
            yield from _of_months(given, months)


def _of_months(given: Examined, months: Sequence[Month]) -> Iterator[Finding]:
    before: list[Month] = []  # without those whose outcomes were found to be none of the usual
    for month in (each for each in months if _says_something(given, each)):
        needed = FEWEST_MONTHS if given.settings.project.time else 1
        if not month.new or len(before) < needed:
            before.append(month)
            continue
        means = [each.mean or 0.0 for each in before]
        usual = f"{figure(min(means))} to {figure(max(means))}"
        name, target = f"{month.name}{f', {month.part}' if month.part else ''}", given.settings.project.target
        agreed = None if month.part else given.limits.usual_outcome
        low, high = agreed or _allowed(given, month, before)
        said = (
            f"{name}: {target} is {figure(month.mean or 0.0)} on the whole, {usual} before, {figure(low)} to "
            f"{figure(high)} may be"
        )
        chance = given.settings.project.task.predicts == "chance" and not agreed
        mean = _share(_scaled(month, chance)[0]) if chance else month.mean or 0.0  # none of 100 is not never
        if not low <= mean <= high:
            yield Finding(f"{said}: are they right? (retraining.usual_outcome)", holds=False)
            continue
        before.append(month)
        if not month.part:
            yield Finding(f"{said}: ok")


def _says_something(given: Examined, month: Month) -> bool:
    enough = month.outcomes >= given.watch.minimum_outcomes
    return enough and (month.known >= KNOWN or not given.settings.project.time)


def _allowed(given: Examined, month: Month, before: Sequence[Month]) -> tuple[float, float]:
    """Return in which range the mean outcome of a month may lie after those before."""
    chance = given.settings.project.task.predicts == "chance"
    scaled = [_scaled(each, chance) for each in before]
    (low, low_error), (high, high_error) = min(scaled), max(scaled)
    beyond = max(high - low, ODDS if chance else DEVIATIONS * max(each.deviation for each in before))
    error, allowed = _scaled(month, chance)[1], CHANCE if month.part else 0.0
    ends = (
        low - beyond - allowed * hypot(error, low_error),
        high + beyond + allowed * hypot(error, high_error),
    )
    return (_share(ends[0]), _share(ends[1])) if chance else ends


def _scaled(month: Month, chance: bool) -> tuple[float, float]:
    """Return a mean outcome and its standard error; of shares, the logarithm of their odds."""
    mean = month.mean or 0.0
    if not chance:
        return mean, month.error
    half = 0.5 / month.outcomes
    share = min(max(mean, half), 1 - half)
    return log(share / (1 - share)), month.error / (share * (1 - share))


def _share(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))


def names_known(given: Examined) -> Iterator[Finding]:
    """Tell of names that the live version has learnt from, and that occur no more: renamed, or lost."""
    bins = [item for item in given.live.watched_features if item.names]
    if not bins:
        return
    for month in _with_enough(given):
        now = shares(given.connection, month.source, bins)
        for item in bins:
            lost, usual = _lost(given.live, item, now[item.column], month.rows)
            if sum(lost.values()) > given.limits.maximum_lost_share + 2 * usual:
                yield Finding(_told_lost(given, item, lost, month), holds=False)
    yield Finding(f"names of {', '.join(item.column for item in bins)}: none of weight is lost")


def _with_enough(given: Examined) -> list[Month]:
    least = given.watch.minimum_outcomes
    return [each for each in given.newest.months() if each.new and each.rows >= least]


def _lost(live: Version, item: Bins, now: Sequence[float], rows: int) -> tuple[dict[str, float], float]:
    """Return the names that occur no more in so many `rows`, with their share of those learnt from.

    And of how much there was nothing in the test period already, which is usual.
    """
    kept = live.info["reference"][item.column]
    learnt, tested = kept["shares"][:-1], (kept.get("recent") or kept["shares"])[:-1]
    lost = {}
    for name, before, later, there in zip(item.names, learnt, tested, now[:-1], strict=True):
        least = min(before, later)
        if there < GONE * least and least * rows >= EXPECTED:
            lost[name] = before
    return lost, sum(before for before, later in zip(learnt, tested, strict=True) if not later)


def _told_lost(given: Examined, item: Bins, lost: Mapping[str, float], month: Month) -> str:
    column = identifier(item.column)
    found = given.connection.execute(
        f"SELECT {column} AS name, count(*) AS n FROM {month.source} WHERE {column} IS NOT NULL AND "
        f"({item.place()}) IS NULL GROUP BY 1 ORDER BY n DESC, name LIMIT {MOST_NAMED}"
    ).fetchall()
    named = sorted(lost, key=lambda name: -lost[name])
    shown = ", ".join(named[:MOST_NAMED])
    shown += f" and {len(named) - MOST_NAMED} others" if len(named) > MOST_NAMED else ""
    new = ", ".join(str(name) for name, _ in found)
    return (
        f"{month.name}: {item.column}: {shown}, {sum(lost.values()):.1%} of what {given.live.name} has "
        f"learnt from, occur no more; {f'new are {new}: renamed?' if new else 'are rows missing?'} "
        f"(retraining.maximum_lost_share is {given.limits.maximum_lost_share:g})"
    )


def values_there(given: Examined) -> Iterator[Finding]:
    """Tell of features of which more values are missing than the live version knows, or beyond all it knows.

    Beyond is what lies outside of the range of an amount by more than a tenth of it.
    """
    bins, reference, most = (
        given.live.watched_features,
        given.live.info["reference"],
        given.watch.maximum_new_share,
    )
    conditions = {f"missing{n}": f"{identifier(item.column)} IS NULL" for n, item in enumerate(bins)}
    conditions |= {
        f"beyond{n}": is_beyond(item.column, reference[item.column]) for n, item in enumerate(bins)
    }
    asked = [f"count(*) FILTER ({condition}) AS {name}" for name, condition in conditions.items()]
    for month in _with_enough(given) if bins else ():
        found = row(given.connection, f"SELECT {', '.join(asked)} FROM {month.source}")
        for number, item in enumerate(bins):
            usual = usual_missing(reference[item.column])
            missing, beyond = (found[f"{name}{number}"] / month.rows for name in ("missing", "beyond"))
            said = f"{month.name}: {item.column}: {{:.1%}} of the values are {{}} (live.maximum_new_share)"
            if missing > usual + most:
                yield Finding(said.format(missing, f"missing, {usual:.1%} were before"), holds=False)
            if beyond > most:
                yield Finding(said.format(beyond, f"beyond all that {given.live.name} knows"), holds=False)


def no_sudden_drift(given: Examined) -> Iterator[Finding]:
    """Tell of features that have moved as far as a column in another unit does, and not with the season.

    That is, from the training and the test rows, and from the month before and that of a year before.
    """
    bins, limit = given.live.watched_features, SUDDEN * given.watch.drift_limit
    features = {item.column for item in bins}
    kept = [each.only(features) for each in as_learnt(given.live)]
    months = [each for each in given.newest.months() if each.rows >= given.watch.minimum_outcomes]
    for place, month in enumerate(months if bins else ()):
        if not month.new:
            continue
        like = [n for n in range(place) if n == place - 1 or months[n].name == _year_before(month.name)]
        usual = [*kept, *(as_in(given.connection, months[number].source, bins) for number in like)]
        for name, drift in least_drifts(given.connection, month.source, usual).items():
            if drift > limit:
                yield Finding(
                    f"{month.name}: {name} has drifted by {drift:.2f}, as a column in another unit "
                    f"does; {limit:g} may be the season ({SUDDEN} times live.drift_limit)",
                    holds=False,
                )


def still_in_order(given: Examined) -> Iterator[Finding]:
    """Hold how well the live version puts the new rows into order against how it did in its own test.

    Outcomes that are drawn by chance, or swapped, have no order that anything could tell. It is looked at all
    of them, and at each month.
    """
    split = split_of(given.live.info["split"])
    usual, _ = order(*_predicted(given, _then(given, split, periods(split)[2])))
    rows, prediction = _predicted(given, given.newest.with_outcome)
    parts = {"the newest rows": np.ones(len(rows), bool)}
    months = np.unique(rows.months) if rows.months is not None else ()
    parts |= {name: rows.months == name for name in months} if len(months) > 1 else {}
    for name, chosen in parts.items():
        if chosen.sum() >= given.watch.minimum_outcomes:
            yield from _in_order(given, name, order(rows.rows(chosen), prediction[chosen]), usual)


def _in_order(given: Examined, name: str, found: tuple[float, float], usual: float) -> Iterator[Finding]:
    value, error = found
    if isnan(value) or isnan(usual) or usual <= 0:
        return
    said = (
        f"{name}: {given.live.name} puts them into the order of their outcomes by {figure(value)}, where it "
        f"did by {figure(usual)} in its test"
    )
    most, least = value + CHANCE * (0.0 if isnan(error) else error), given.limits.minimum_order_share * usual
    if most < least:
        said += "; are they right, or is its time over? (retraining.minimum_order_share)"
        yield Finding(said, holds=False)
    else:
        yield Finding(f"{said}, and {figure(least)} would do: ok")


def _predicted(given: Examined, source: str) -> tuple[Dataset, Floats]:
    """Return the rows of a FROM item that have an outcome, and what the live version predicts for them."""
    live = given.live
    rows = read_dataset(given.connection, source, given.settings, live.encoding, live.baseline.column)
    return rows, Predictor(live.model).predict(rows.features) if len(rows) else np.zeros(0, np.float32)


def order(rows: Dataset, prediction: Floats) -> tuple[float, float]:
    """Return how far predictions (n) put rows into the order of their outcomes, and its standard error.

    1 is wholly, 0 not at all: the normalised Gini index; of yes and no, twice the area under the ROC curve
    less 1. NaN where all outcomes are alike, or nothing can be said of chance. Frees, Meyers and Cummings,
    Summarizing insurance scores using a Gini index, Journal of the American Statistical Association (2011).
    """
    target = rows.target.astype(np.float64)
    by_prediction, by_target = _ranks(prediction), _ranks(target)

    def index(weight: Doubles) -> float:
        whole = _covariance(by_target, target, weight)
        return _covariance(by_prediction, target, weight) / whole if whole > 0 else nan

    drawn = replicated(rows.groups, index, RESAMPLES)
    return index(np.ones(len(target))), deviation(drawn, rows.groups)


def _ranks(values: Floats | Doubles) -> Doubles:
    """Return the rank of each value, the mean of those that are alike."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def _covariance(first: Doubles, second: Doubles, weight: Doubles) -> float:
    total = float(weight.sum())
    if not total:
        return nan
    means = [float((weight * each).sum()) / total for each in (first, second)]
    return float((weight * (first - means[0]) * (second - means[1])).sum()) / total
