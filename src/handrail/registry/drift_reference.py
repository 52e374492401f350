"""What the model learnt from, as shares per bin: the yardstick for drift.

Amounts have ten bins of about equal share, names one bin each; a last bin holds what is missing or was
never seen.
"""

from dataclasses import dataclass

from handrail.compute.duckdb import Connection, identifier, literal, row
from handrail.contract.schema import Column

PREDICTION = "prediction"


@dataclass(frozen=True)
class Bins:
    """The bins of one column: upper edges of an amount (the last bin is open) or names."""

    column: str
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of bins, without the last one."""
        return len(self.names) or len(self.edges) + 1

    def place(self) -> str:
        """Return the SQL expression of a value's bin, counted from 0; NULL is in the last one."""
        column = identifier(self.column)
        if self.names:
            return f"list_position([{', '.join(literal(name) for name in self.names)}], {column}) - 1"
        steps = [f"WHEN {column} <= {edge!r} THEN {number}" for number, edge in enumerate(self.edges)]
        return f"CASE {' '.join(steps)} WHEN {column} IS NOT NULL THEN {len(self.edges)} END"


def learn_bins(connection: Connection, source: str, columns: tuple[Column, ...]) -> list[Bins]:
    """Return bins for `columns` from the rows of `source`."""
    return [_learn(connection, source, column) for column in columns]


def learn_amount_bins(connection: Connection, source: str, name: str) -> Bins:
    """Return ten bins of about equal share for an amount; fewer where values repeat."""
    tenths = [n / 10 for n in range(1, 10)]
    found = row(connection, f"SELECT quantile_disc({identifier(name)}, {tenths}) AS edges FROM {source}")
    return Bins(name, edges=tuple(sorted({float(edge) for edge in found["edges"] or []})))


def shares(connection: Connection, source: str, bins: list[Bins]) -> dict[str, list[float]]:
    """Return the share of rows per bin and column, in one scan of `source`; all zero without rows."""
    counts = [f"histogram({item.place()}) AS b{number}" for number, item in enumerate(bins)]
    found = row(connection, f"SELECT count(*) AS n, {', '.join(counts)} FROM {source}")
    return {
        item.column: _shares_of(found["n"], found[f"b{number}"] or {}, item.size)
        for number, item in enumerate(bins)
    }


def _learn(connection: Connection, source: str, column: Column) -> Bins:
    if not column.categorical:
        return learn_amount_bins(connection, source, column.name)
    name = identifier(column.name)
    query = f"SELECT DISTINCT {name} FROM {source} WHERE {name} IS NOT NULL ORDER BY 1"
    return Bins(column.name, names=tuple(name for (name,) in connection.execute(query).fetchall()))


def _shares_of(total: int, counts: dict[int, int], size: int) -> list[float]:
    if total == 0:
        return [0.0] * (size + 1)
    counted = [counts.get(place, 0) for place in range(size)]
    return [round(count / total, 6) for count in [*counted, total - sum(counted)]]
