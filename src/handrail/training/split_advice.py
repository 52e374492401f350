"""Which dates would do for a split: where those of project.yaml don't fit the rows, or are moved to a day."""

from datetime import date, timedelta

from handrail.compute.duckdb import Connection, connect, identifier, row
from handrail.config.sections import Split
from handrail.config.settings import Settings
from handrail.etl.load import require_table
from handrail.training.known_outcomes import comes_late, newest_known, today_of
from handrail.training.splits import Period, known, periods

# Where each period ends, as shares of the time.
SHARES = ((0.6, 0.7, 0.9), (0.5, 0.7, 0.9), (0.4, 0.6, 0.9), (0.3, 0.6, 0.9))
MONTHS_FROM_DAYS = 300  # so long, and the periods begin with a month
MONTH = timedelta(days=31)


def split_advice(connection: Connection, settings: Settings, table: str, split: Split) -> str | None:
    """Return a sentence with dates that would do, where `split` does not fit the rows of `table`.

    None where every period has two different outcomes that were known by its end.
    """
    if has_outcomes(connection, settings, table, split):
        return None
    time = identifier(settings.project.time or "")
    ends = f"CAST(min({time}) AS DATE) AS first, CAST(max({time}) AS DATE) AS last"
    found = row(connection, f"SELECT {ends} FROM {table}")
    if found["first"] is None:
        return None
    between = f"the rows are from {found['first']} to {found['last']}"
    newest = newest_known(settings, today_of(settings))
    last = min(found["last"], newest or found["last"])
    tried = [spread for shares in SHARES if (spread := fitting(found["first"], last, shares))]
    tried.sort(key=lambda spread: not _roomy(spread, settings))
    for spread in tried:
        if has_outcomes(connection, settings, table, spread):
            dates = ", ".join(f"{name}: {day}" for name, day in spread.model_dump().items())
            return f"{between}; a split that would do, in project.yaml: {dates}"
    days = settings.outcome.known_after_days
    late = f", each with outcomes that are known after {days} days" if days else ""
    return f"{between}: too few days for three periods{late}"


def _roomy(split: Split, settings: Settings) -> bool:
    """Return whether each period is twice as long as outcomes take: of shorter ones, little is known."""
    need = timedelta(days=2 * settings.outcome.known_after_days)
    return min(split.test_from - split.validation_from, split.live_from - split.test_from) >= need


def fitting(first: date, last: date, shares: tuple[float, float, float] = SHARES[0]) -> Split | None:
    """Return a split of the days from `first` to `last`, None where they are too few to be told apart."""
    days = (last - first).days + 1
    found = [first + timedelta(days=round(days * share)) for share in shares]
    if days >= MONTHS_FROM_DAYS:
        found = [day.replace(day=1) for day in found]
    if len({first, *found}) < len(found) + 1:
        return None
    return Split(validation_from=found[0], test_from=found[1], live_from=found[2])


def has_outcomes(connection: Connection, settings: Settings, table: str, split: Split) -> bool:
    """Return whether each period of `split` has two different outcomes that were known when it was over."""
    return all(_outcomes(connection, settings, table, split, each) > 1 for each in periods(split))


def split_until(settings: Settings, until: date) -> Split:
    """Return the split of project.yaml moved so that the test period ends at `until`, its lengths kept.

    Where outcomes come late, a month of 28 days may leave a period without any: then it begins as many months
    earlier as it takes to have some.
    """
    moved = settings.dates.ending(until)
    if not comes_late(settings):
        return moved
    with connect(settings) as connection:
        table = require_table(settings, settings.project.table_name)

        def begun(period: Period) -> date:
            """Return from when on the period has outcomes, or its own first day where that helps nothing."""
            asked = first = period.start or date.min
            while (asked - first).days <= settings.outcome.known_after_days + MONTH.days:
                tried = Split.model_construct(validation_from=first, test_from=first, live_from=until)
                if _outcomes(connection, settings, table, tried, Period(period.name, first, period.end)) > 1:
                    return first
                first = (first - MONTH).replace(day=1) if first.day == 1 else first - MONTH
            return asked

        test_from = begun(periods(moved)[2])
        earlier = moved.validation_from - (moved.test_from - test_from)
        if test_from != moved.test_from and moved.validation_from.day == 1:
            earlier = earlier.replace(day=1)
        validation_from = begun(Period("validation", earlier, test_from))
    return Split(validation_from=validation_from, test_from=test_from, live_from=until)


def _outcomes(connection: Connection, settings: Settings, table: str, split: Split, one: Period) -> int:
    """Return how many different outcomes a period has, as far as they were known when it was over."""
    chosen = known(connection, settings, table, split, one)
    target = identifier(settings.project.target)
    return row(connection, f"SELECT count(DISTINCT {target}) AS n FROM {table} WHERE {chosen}")["n"]
