"""How far live columns have moved from what the model learnt from."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf, log

from handrail.compute.duckdb import Connection, literal, rows
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.drift_reference import Bins, shares
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


def least_drifts(
    actual: Mapping[str, Sequence[float]], usual: Iterable[Mapping[str, Sequence[float] | None]]
) -> dict[str, float]:
    """Return the least population stability index of each column of `actual` from what is usual.

    Both: shares per bin. What a column has in none of `usual` is left out.
    """
    found: dict[str, float] = {}
    for expected in usual:
        for name in actual:
            known = expected.get(name)
            if known:
                found[name] = min(found.get(name, inf), population_stability(known, actual[name]))
    return found


@dataclass(frozen=True)
class NotAskedFor:
    """A feature that earlier versions did not have, and in how many rows of the window they predicted."""

    feature: str
    versions: tuple[str, ...]
    rows: int

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
