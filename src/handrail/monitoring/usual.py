"""What was usual before a window: in as many days before it, and in the same days of the year before.

A season moves every feature, and half of a month's rows can be missing without any of them having moved. So a
window is held against others of its kind, and not only against what was learnt from.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from math import inf, nan, sqrt
from statistics import mean, median, stdev
from typing import TYPE_CHECKING

from handrail.compute.duckdb import identifier, row, rows
from handrail.etl.load import loaded_table
from handrail.monitoring.outcomes import in_window, live_predictions, sample_by_key
from handrail.monitoring.predicted_days import count_predicted, days_made
from handrail.training.dataset import period

if TYPE_CHECKING:
    from handrail.monitoring.checks import Look

YEAR = timedelta(days=364)  # whole weeks: the same days of the week
WEEK = 7
REMEMBERED = timedelta(days=90)
FEWEST_MADE = 5  # days with predictions of the REMEMBERED, of which is known how often they are made
FEWEST_DAYS = 14  # before the last week, of which is known how many predictions are usual
LEAST_DEVIATION = 0.25
FEWEST_AFTER = 3  # days of the last week, of which is known whether it is another
MOST_COMPARED = 1_000_000  # of a window that another is held against, and of exact counts of keys
SOME = 20  # predictions that are usual on a day; where there are fewer, one without any is none to speak of


def windows_before(look: "Look") -> list[str]:
    """Return the FROM items of the window before, and of that a year before, where each has enough rows."""
    latest, least = look.latest, look.limits.minimum_outcomes
    length = latest.end - latest.start
    ends = {"window_before": latest.start, "year_before": latest.end - YEAR}
    found = []
    for name, end in ends.items():
        count = count_predicted(look.connection, look.settings, end - length, end)
        if count < least:
            continue
        inside = in_window(look.settings.project, end - length, end)
        chosen = sample_by_key(look.settings.project, count, MOST_COMPARED)
        look.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS "
            f"SELECT * FROM ({live_predictions(look.settings)}) WHERE {inside} AND {chosen}"
        )
        found.append(name)
    return found


def daily_counts(look: "Look") -> list[int]:
    """Return how many rows were predicted on each day, from the first of the window before on.

    Left out are the last of a look at the newest predictions, which may not be over, and days to come.
    """
    project, latest = look.settings.project, look.latest
    first, time = latest.start - (latest.end - latest.start), identifier(project.window)
    many = count_predicted(look.connection, look.settings, first, latest.end) > MOST_COMPARED
    key = identifier(project.key)
    counted = f"approx_count_distinct({key})" if many else f"count(DISTINCT {key})"
    found = rows(
        look.connection,
        f"SELECT CAST({time} AS DATE) AS day, {counted} AS n "
        f"FROM ({live_predictions(look.settings)}) WHERE {in_window(project, first, latest.end)} GROUP BY 1",
    )
    counted = {item["day"]: item["n"] for item in found}
    over = min(latest.end - timedelta(days=1) if look.newest else latest.end, look.as_of)
    days = max((over - first).days, 0)
    counts = [counted.get(first + timedelta(days=number), 0) for number in range(days)]
    return counts[next((place for place, count in enumerate(counts) if count), days) :]


def traffic(counts: Sequence[int]) -> tuple[float, int] | str:
    """Return what share of the usual was predicted in the last week, and on how many of its days nothing was.

    counts: of each day, in their order. The usual of a day is the median of the same days of the week before.
    Why it is not known where too few days are known, or none has enough.
    """
    earlier, last = counts[:-WEEK], counts[-WEEK:]
    if len(earlier) < FEWEST_DAYS:
        known = f"predictions are known of {len(counts)} whole days"
        return f"{known}; from {WEEK + FEWEST_DAYS} on it is known how many are usual"
    usual = [median(earlier[place % WEEK :: WEEK]) for place in range(len(earlier), len(earlier) + WEEK)]
    if not sum(usual) or sorted(usual)[1] < SOME:  # rows come once a month, say
        return f"on most days of the week, fewer than {SOME} predictions are usual"
    return sum(last) / sum(usual), sum(
        not count and each >= SOME for count, each in zip(last, usual, strict=True)
    )


def silence(look: "Look") -> tuple[float, float, str]:
    """Return for how many days nothing was predicted, how many are usual at most, and why it is not known.

    Both from one day with predictions to the next, by when they were made. Usual is a day more than the
    longest such time of the REMEMBERED. With predictions on fewer than FEWEST_MADE of them, nobody knows:
    both are NaN and without end.
    """
    today = look.as_of - timedelta(days=1)
    made = days_made(look.connection, look.settings, today - REMEMBERED, look.as_of)
    if len(made) < FEWEST_MADE:
        on = "a single day" if len(made) == 1 else f"{len(made)} days"
        why = f"of the last {REMEMBERED.days} days, predictions were made on {on if made else 'none'}; "
        return nan, inf, f"{why}from {FEWEST_MADE} on it is known how often they are"
    return (today - made[-1]).days, max((b - a).days for a, b in pairwise(made)) + 1, ""


def too_short(look: "Look", source: str | None = None, what: str = "predictions are") -> str:
    """Say that rows are of too few days to be like what was learnt; empty where they are not.

    They are of fewer than a week, while the loaded rows come on most days. `source`: the FROM item of the
    rows, by default of the latest predictions · what: what is counted, with its verb
    """
    project, latest = look.settings.project, look.latest
    table = loaded_table(look.connection, look.settings)
    if project.time is None or table is None:
        return ""
    day = f"CAST({identifier(project.time)} AS DATE)"
    query = f"SELECT date_diff('day', min({day}), max({day})) + 1 AS days FROM {source or latest.source}"
    days = row(look.connection, query)["days"]
    if days is None or days >= WEEK:
        return ""
    newest = f"(SELECT max({day}) FROM {table})"
    since = f"{day} > {newest} - INTERVAL {FEWEST_DAYS} DAY"
    query = f"SELECT count(DISTINCT {day}) AS n FROM {table} WHERE {since}"
    if row(look.connection, query)["n"] < WEEK:
        return ""
    told = "1 day" if days == 1 else f"{days} days"
    return f"the {what} of rows of {told}; from {WEEK} days on it is known"


def jumps(look: "Look", columns: Sequence[str]) -> dict[str, float]:
    """Return how far the last week of each amount lies from the days before it, in the latest predictions.

    It is the distance of the means, in standard deviations of the means of a day before: a season takes
    longer, another unit does not. Such a deviation counts as at least LEAST_DEVIATION of that of all values:
    a month without rain says little of the first that comes. A day with fewer than SOME values says nothing;
    what is known of fewer than FEWEST_DAYS days before, or of fewer than FEWEST_AFTER since, is left out.
    """
    latest, time = look.latest, identifier(look.settings.project.window)
    each = {name: f"CAST({identifier(name)} AS DOUBLE)" for name in columns}
    figures = {"mean": "avg", "n": "count", "deviation": "stddev_pop"}
    asked = [f"{of}({v}) AS {name}{n}" for n, v in enumerate(each.values()) for name, of in figures.items()]
    if not asked:
        return {}
    query = f"SELECT CAST({time} AS DATE) AS day, {', '.join(asked)} FROM {latest.source} GROUP BY 1"
    days, last, found = rows(look.connection, query), latest.end - timedelta(days=WEEK), {}
    for n, name in enumerate(columns):
        known = [(d["day"] < last, *(d[f"{of}{n}"] for of in figures)) for d in days if d[f"n{n}"] >= SOME]
        before, after = ([value for early, value, *_ in known if early is which] for which in (True, False))
        if len(before) >= FEWEST_DAYS and len(after) >= FEWEST_AFTER:
            moved = abs(mean(after) - mean(before))
            deviation = max(stdev(before), LEAST_DEVIATION * _deviation([each[1:] for each in known]))
            found[name] = moved / deviation if deviation else 0.0
    return found


def _deviation(parts: Sequence[tuple[float, int, float]]) -> float:
    """Return the standard deviation of all values, of which each part has its mean, count and deviation."""
    total = sum(count for _, count, _ in parts)
    middle = sum(value * count for value, count, _ in parts) / total
    return sqrt(sum(n * (own**2 + (value - middle) ** 2) for value, n, own in parts) / total)


def usual_share(look: "Look") -> float:
    """Return the share of the most frequent outcome of the loaded rows before the window; 1 without any."""
    project, table = look.settings.project, loaded_table(look.connection, look.settings)
    if table is None:
        return 1.0
    target = identifier(project.target)
    before = period(project.contract, None, look.start) if project.time else "TRUE"
    counted = f"SELECT count(*) AS n FROM {table} WHERE {before} AND {target} IS NOT NULL GROUP BY {target}"
    found = row(look.connection, f"SELECT max(n) / sum(n) AS share FROM ({counted})")["share"]
    return 1.0 if found is None else found
