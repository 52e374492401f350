"""How far live columns have moved from what the model learnt from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf, log

from handrail.compute.duckdb import Connection, literal, rows
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.drift_reference import Bins, learn_amount_bins, shares, shares_of_each
from handrail.registry.versions import Version, load_version

EMPTY_BIN = 1e-4
SUDDEN = 10  # times live.drift_limit, from which on the drift of a feature is no season any more


def population_stability(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Return how far `actual` has moved from `expected`, in nats (0 = not at all).

    Both: shares per bin, summing to 1, same bins. Empty bins count as 1e-4.
    Raises ValueError if the numbers of bins differ. Siddiqi, Credit Risk Scorecards (2006).
    """
    pairs = [(max(e, EMPTY_BIN), max(a, EMPTY_BIN)) for e, a in zip(expected, actual, strict=True)]
    return sum((a - e) * log(a / e) for e, a in pairs)


def drifts(
    connection: Connection, source: str, bins: list[Bins], expected: dict[str, Sequence[float]]
) -> dict[str, float]:
    """Return the population stability index of each column of `source`, in one scan."""
    actual = shares(connection, source, bins)
    return {name: population_stability(expected[name], actual[name]) for name in actual}


@dataclass(frozen=True)
class Usual:
    """Rows that others are held against: the bins of their columns, and the shares of the rows in them."""

    bins: Sequence[Bins]
    expected: Mapping[str, Sequence[float]]

    def only(self, columns: Collection[str]) -> "Usual":
        """Return the same of some columns."""
        return Usual([item for item in self.bins if item.column in columns], self.expected)


def as_learnt(version: Version) -> list[Usual]:
    """Return what is usual of each watched column by what a version keeps: of its training, of its test."""
    reference = version.info["reference"]
    learnt = Usual(version.watched, {name: each["shares"] for name, each in reference.items()})
    bins, expected = [], {}
    for item in version.watched:
        kept = reference[item.column]
        own = kept.get("tested")  # not of names, nor in a version that was trained before it was kept
        if own or kept.get("recent"):
            bins.append(replace(item, edges=tuple(own["edges"])) if own else item)
            expected[item.column] = own["shares"] if own else kept["recent"]
    return [learnt, Usual(bins, expected)]


def as_in(connection: Connection, source: str, bins: Sequence[Bins]) -> Usual:
    """Return what is usual in the rows of a FROM item, an amount in bins of its own there.

    In the bins of the training, a summer lies in the open one at the end, whatever is added to it.
    """
    amounts = [item.column for item in bins if not item.names]
    own = [item for item in bins if item.names] + learn_amount_bins(connection, source, amounts)
    return Usual(own, shares(connection, source, own))


def least_drifts(connection: Connection, source: str, usual: Iterable[Usual]) -> dict[str, float]:
    """Return the least population stability index of each column of a FROM item from what is usual.

    What a column has in none of `usual` is left out. All are counted in one scan.
    """
    pairs = [(item, each.expected[item.column]) for each in usual for item in each.bins]
    actual = shares_of_each(connection, source, [item for item, _ in pairs]) if pairs else []
    found: dict[str, float] = {}
    for (item, expected), values in zip(pairs, actual, strict=True):
        moved = population_stability(expected, values)
        found[item.column] = min(found.get(item.column, inf), moved)
    return found


@dataclass(frozen=True)
class NotAskedFor:
    """A feature that earlier versions did not have, and in how many rows of the window they predicted."""

    feature: str
    versions: tuple[str, ...]
    rows: int

    def asked(self, source: str) -> str:
        """Return the FROM item of the rows of `source` for which the feature was asked."""
        return f"(SELECT * FROM {source} WHERE version NOT IN ({', '.join(map(literal, self.versions))}))"

    def told(self, count: int) -> str:
        """Say of how many rows, of `count` in the window, the feature tells something."""
        return (
            f"drift of {self.feature} goes by {count - self.rows:,} of {count:,} rows: the others were "
            f"predicted by {', '.join(self.versions)}, which did not have it yet"
        )


def not_asked_for(
    connection: Connection, settings: Settings, source: str, version: Version
) -> list[NotAskedFor]:
    """Return the features of `version` that other versions, which predicted rows of `source`, did not have.

    Their values in those rows are not missing, nobody asked for them. A version that is kept no more is
    taken to have had every feature.
    """
    count = f"SELECT version, count(*) AS n FROM {source} WHERE version <> {literal(version.name)} GROUP BY 1"
    features, lacking = set(version.encoding.features), {}
    for item in rows(connection, f"{count} ORDER BY 1"):
        with suppress(ProjectError):
            for name in features - set(load_version(settings, item["version"]).encoding.features):
                lacking.setdefault(name, {})[item["version"]] = item["n"]
    return [NotAskedFor(name, tuple(found), sum(found.values())) for name, found in sorted(lacking.items())]
