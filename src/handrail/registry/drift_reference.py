"""What the model learnt from, as shares per bin: the yardstick for drift.

Amounts have ten bins of about equal share, and one for each value that is frequent; names have one bin each.
A last bin holds what is missing or was never seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from handrail.compute.duckdb import Connection, histograms, identifier, literal, row
from handrail.contract.schema import Column

PREDICTION = "prediction"
MOST_VALUES = 500  # of an amount with few values
MOST_OTHERS = 0.005  # of the recent rows, that may have others then
FREQUENT = 0.05  # the share from which on a value of an amount has a bin of its own


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


def known_values(
    connection: Connection, learnt: str, recent: str, bins: list[Bins]
) -> dict[str, list[float]]:
    """Return all values of each amount that has few, as distances of routes; of the others none.

    It has few where there are at most MOST_VALUES among the rows learnt from, and nearly all of the recent
    rows have one of them: what else comes then is new.
    """
    found: dict[str, list[float]] = {}
    for name in (item.column for item in bins if not item.names):
        column = f"CAST({identifier(name)} AS DOUBLE)"
        query = f"SELECT DISTINCT {column} FROM {learnt} WHERE {column} IS NOT NULL LIMIT {MOST_VALUES + 1}"
        values = sorted(value for (value,) in connection.execute(query).fetchall())
        if 0 < len(values) <= MOST_VALUES:
            found[name] = values
    if not found:
        return {}
    counts = []
    for number, (name, values) in enumerate(found.items()):
        column, kept = identifier(name), ", ".join(f"CAST('{value!r}' AS DOUBLE)" for value in values)
        others = f"{column} IS NOT NULL AND CAST({column} AS DOUBLE) NOT IN ({kept})"
        counts.append(f"count({column}) AS known{number}, count(*) FILTER (WHERE {others}) AS n{number}")
    counted = row(connection, f"SELECT {', '.join(counts)} FROM {recent}")
    pairs = ((name, counted[f"known{n}"], counted[f"n{n}"]) for n, name in enumerate(found))
    return {name: found[name] for name, known, others in pairs if known and others <= MOST_OTHERS * known}


def learn_bins(connection: Connection, source: str, columns: tuple[Column, ...]) -> list[Bins]:
    """Return bins for `columns` from the rows of `source`."""
    amounts = [column.name for column in columns if not column.categorical]
    learnt = {item.column: item for item in learn_amount_bins(connection, source, amounts)}
    return [
        _learn_names(connection, source, each.name) if each.categorical else learnt[each.name]
        for each in columns
    ]


def learn_amount_bins(connection: Connection, source: str, names: Sequence[str]) -> list[Bins]:
    """Return ten bins of about equal share for each amount, and one for each of its values that is frequent.

    A value that most rows have would else share a bin with all that is less: a visibility in km with the same
    in miles.
    """
    tenths = [n / 10 for n in range(1, 10)]
    edges: dict[str, set[float]] = {}
    for name in names:  # one by one: the engine holds all values of a column for its quantiles
        edges |= _edges(connection, source, {name: f"quantile_disc({identifier(name)}, {tenths})"})
    before = _edges(
        connection, source, {name: f"[{_below(name, found)}]" for name, found in edges.items() if found}
    )
    return [Bins(name, edges=tuple(sorted(edges[name] | before.get(name, set())))) for name in names]


def _edges(connection: Connection, source: str, lists: Mapping[str, str]) -> dict[str, set[float]]:
    """Return the values in each list, an SQL expression by name, which are there; in one scan."""
    if not lists:
        return {}
    asked = ", ".join(f"{expression} AS l{number}" for number, expression in enumerate(lists.values()))
    found = row(connection, f"SELECT {asked} FROM {source}").values()
    return {
        name: {float(edge) for edge in values or [] if edge is not None}
        for name, values in zip(lists, found, strict=True)
    }


def _below(name: str, edges: Iterable[float]) -> str:
    """Return SQL expressions: of each edge that is frequent, the greatest value below it."""
    column = identifier(name)
    return ", ".join(
        f"CASE WHEN count_if({column} = {edge!r}) >= {FREQUENT} * count({column}) "
        f"THEN max({column}) FILTER (WHERE {column} < {edge!r}) END"
        for edge in sorted(edges)
    )


def known_ranges(connection: Connection, sources: str, bins: list[Bins]) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest value of each amount in a FROM item, where there is any."""
    amounts = [item.column for item in bins if not item.names]
    if not amounts:
        return {}
    both = ", ".join(f"min({identifier(name)}), max({identifier(name)})" for name in amounts)
    ends = [*row(connection, f"SELECT [{both}] AS ends FROM {sources}")["ends"]]
    pairs = zip(amounts, ends[::2], ends[1::2], strict=True)
    return {name: (float(low), float(high)) for name, low, high in pairs if low is not None}


def shares(connection: Connection, source: str, bins: list[Bins]) -> dict[str, list[float]]:
    """Return the share of rows per bin and column, in one scan of `source`; all zero without rows."""
    found = shares_of_each(connection, source, bins)
    return {item.column: values for item, values in zip(bins, found, strict=True)}


def shares_of_each(connection: Connection, source: str, bins: Sequence[Bins]) -> list[list[float]]:
    """Return the same in the order of `bins`, of which several may be of one column."""
    total, counts = histograms(connection, source, [item.place() for item in bins])
    return [_shares_of(total, found, item.size) for item, found in zip(bins, counts, strict=True)]


def _learn_names(connection: Connection, source: str, column: str) -> Bins:
    name = identifier(column)
    query = f"SELECT DISTINCT {name} FROM {source} WHERE {name} IS NOT NULL ORDER BY 1"
    return Bins(column, names=tuple(name for (name,) in connection.execute(query).fetchall()))


def _shares_of(total: int, counts: dict[int, int], size: int) -> list[float]:
    if total == 0:
        return [0.0] * (size + 1)
    counted = [counts.get(place, 0) for place in range(size)]
    return [round(count / total, 6) for count in [*counted, total - sum(counted)]]
