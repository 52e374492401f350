"""What the model learnt from, as shares per bin: the yardstick for drift.

Amounts have ten bins of about equal share, names one bin each; a last bin holds what is missing or was
never seen.
"""

from dataclasses import dataclass
from typing import Any

from ..engine import Connection, literal, row
from ..schema import Column

PREDICTION = "prediction"


@dataclass(frozen=True)
class Bins:
    """The bins of one column: upper edges of an amount (the last bin is open) or names."""

    column: str
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def conditions(self) -> list[str]:
        """Return one SQL condition per bin; no row is in two of them, the rest is the last bin."""
        if self.names:
            return [f"{self.column} = {literal(name)}" for name in self.names]
        steps = [f"{self.column} <= {edge!r}" for edge in self.edges]
        lower = ["TRUE", *(f"{self.column} > {edge!r}" for edge in self.edges)]
        return [
            f"{low} AND {step}"
            for low, step in zip(lower, [*steps, f"{self.column} IS NOT NULL"], strict=True)
        ]


def learn_bins(connection: Connection, source: str, columns: tuple[Column, ...]) -> list[Bins]:
    """Return bins for `columns` from the rows of `source`."""
    return [_learn(connection, source, column) for column in columns]


def learn_amount_bins(connection: Connection, source: str, name: str) -> Bins:
    """Return ten bins of about equal share for an amount; fewer where values repeat."""
    tenths = [n / 10 for n in range(1, 10)]
    found = row(connection, f"SELECT quantile_disc({name}, {tenths}) AS edges FROM {source}")
    return Bins(name, edges=tuple(sorted({float(edge) for edge in found["edges"] or []})))


def shares(connection: Connection, source: str, bins: list[Bins]) -> dict[str, list[float]]:
    """Return the share of rows per bin and column, in one scan of `source`; all zero without rows."""
    counts = [
        f"CAST(sum(CASE WHEN {condition} THEN 1 ELSE 0 END) AS BIGINT) AS b{number}_{position}"
        for number, item in enumerate(bins)
        for position, condition in enumerate(item.conditions())
    ]
    found = row(connection, f"SELECT count(*) AS n, {', '.join(counts)} FROM {source}")
    return {
        item.column: _shares_of(found, number, len(item.conditions())) for number, item in enumerate(bins)
    }


def _learn(connection: Connection, source: str, column: Column) -> Bins:
    if not column.categorical:
        return learn_amount_bins(connection, source, column.name)
    query = f"SELECT DISTINCT {column.name} FROM {source} WHERE {column.name} IS NOT NULL ORDER BY 1"
    return Bins(column.name, names=tuple(name for (name,) in connection.execute(query).fetchall()))


def _shares_of(found: dict[str, Any], number: int, size: int) -> list[float]:
    total = found["n"]
    if total == 0:
        return [0.0] * (size + 1)
    counted = [found[f"b{number}_{position}"] for position in range(size)]
    return [round(count / total, 6) for count in [*counted, total - sum(counted)]]
