"""Which dates would do for a split: said where those of project.yaml do not fit the rows."""

from datetime import date, timedelta

from handrail.compute.duckdb import Connection, identifier, row
from handrail.config.sections import Split

SHARES = (0.6, 0.7, 0.9)  # of the time from the first row to the last: where each period ends
MONTHS_FROM_DAYS = 300  # so long, and the periods begin with a month


def split_advice(connection: Connection, column: str, table: str, split: Split) -> str | None:
    """Return a sentence with dates that would do, where `split` lies beside the rows of `table`.

    column: the time of the rows.

    None where every period has rows, or where there are too few days for any split.
    """
    time = identifier(column)
    counted = ", ".join(
        f"count(*) FILTER (WHERE {time} >= TIMESTAMP '{start}' AND {time} < TIMESTAMP '{end}') AS {name}"
        for name, start, end in (
            ("training", date.min, split.validation_from),
            ("validation", split.validation_from, split.test_from),
            ("test", split.test_from, split.live_from),
        )
    )
    ends = f"CAST(min({time}) AS DATE) AS first, CAST(max({time}) AS DATE) AS last"
    found = row(connection, f"SELECT {ends}, {counted} FROM {table}")
    if found["first"] is None or all(found[name] for name in ("training", "validation", "test")):
        return None
    spread = fitting(found["first"], found["last"])
    between = f"the rows are from {found['first']} to {found['last']}"
    if spread is None:
        return f"{between}: too few days for three periods"
    dates = ", ".join(f"{name}: {day}" for name, day in spread.model_dump().items())
    return f"{between}; a split that would do, in project.yaml: {dates}"


def fitting(first: date, last: date) -> Split | None:
    """Return a split of the days from `first` to `last`, None where they are too few to be told apart."""
    days = (last - first).days + 1
    found = [first + timedelta(days=round(days * share)) for share in SHARES]
    if days >= MONTHS_FROM_DAYS:
        found = [day.replace(day=1) for day in found]
    if len({first, *found}) < len(SHARES) + 1:
        return None
    return Split(validation_from=found[0], test_from=found[1], live_from=found[2])
