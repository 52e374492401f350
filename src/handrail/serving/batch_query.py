"""What the engine is asked for when a table is scored: every row, with its features, or why it is broken."""

from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from handrail.compute.duckdb import Connection, column_types, identifier, parquet, row
from handrail.config.settings import Settings
from handrail.contract.schema import Role, columns, of_role
from handrail.contract.table_check import (
    SQL_TYPES,
    Rule,
    duplicate_reason,
    reason_of,
    refuse_other_columns,
    typed,
)
from handrail.serving import horizon
from handrail.serving.batch_prediction import Answering, computed
from handrail.serving.text_values import read_texts, rules_of_texts

AT_ONCE = 16_000_000  # hashes of keys, of 8 bytes each
BATCH = 1_000_000


class Rows(Protocol):
    """Rows that are scored: their file, and those of it from a number on and before another."""

    @property
    def path(self) -> Path: ...  # noqa: D102
    @property
    def unread(self) -> Path | None: ...  # noqa: D102
    def source(self, first: int = 0, after: int | None = None) -> str: ...  # noqa: D102


class Question:
    """What the engine is asked: the rows as the contract has them, with features, and why one is broken."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        origin: str,
        rows: Rows,
        who: Answering,
        *,
        unique: bool = False,
    ) -> None:
        """Refuse rows that lack a column of the contract, and find out which keys are there again.

        unique: no key is, as of the loaded table
        """
        self._asked, self._rows, self._who = settings.project.request, rows, who
        present = column_types(connection, parquet(rows.path))
        self._texts = read_texts(self._asked, present)
        refuse_other_columns(connection, self._readable(), self._asked, origin)
        read = column_types(connection, self._readable())
        self._rules = [*rules_of_texts(self._asked, present, read), *horizon.rules(settings)]
        self._repeated = [] if unique else self._find_repeated(connection)

    def of(self, first: int, after: int) -> str:
        """Return the query of the rows from number `first` on and before `after`.

        Columns: the contract's, `reason`, `_row`, and of each version V that answers what is `computed`, as
        `_V_name`, and of two whether it is to answer, `_V_chosen`.
        """
        selected = [*map(identifier, self._asked.model_fields), "reason", "_row"]
        if len(self._who.versions) > 1:
            canary = f"({self._who.chosen}) IS TRUE"
            selected += [f"NOT ({canary}) AS _0_chosen", f"{canary} AS _1_chosen"]
        for number, loaded in enumerate(self._who.versions):
            asked = computed(loaded.version)
            selected += [f"{expression} AS _{number}_{name}" for name, expression in asked.items()]
        repeated = [
            Rule(text, f"_row IN (SELECT _row FROM again WHERE _row >= {first} AND _row < {after})")
            for text in self._repeated
        ]
        judged = f"{typed(self._asked)}, _row, {reason_of([*self._rules, *repeated])} AS reason"
        return f"SELECT {', '.join(selected)} FROM (SELECT {judged} FROM {self._readable(first, after)})"

    def broken(self, connection: Connection) -> pa.Table:
        """Return the lines that are no rows, with the columns of broken ones: the contract's and `reason`."""
        kinds = [(c.name, SQL_TYPES[c.kind]) for c in columns(self._asked)]
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in kinds)
        lines = parquet(self._rows.unread) if self._rows.unread else "(SELECT '' AS reason WHERE false)"
        return connection.sql(f"SELECT {empty}, reason FROM {lines}").to_arrow_table()

    def _readable(self, first: int = 0, after: int | None = None) -> str:
        read = [f"{value} AS {identifier(name)}" for name, value in self._texts.items()]
        return f"(SELECT {', '.join([*read, '_row'])} FROM {self._rows.source(first, after)})"

    def _find_repeated(self, connection: Connection) -> list[str]:
        """Put the rows of each key but the first in time into the table `again`; return what they break."""
        keys = of_role(self._asked, Role.KEY)
        if not keys:
            return []
        key, source = identifier(keys[0].name), self._readable()
        alike = pa.table(
            {"key_hash": _found_twice(connection, f"hash({key})", f"{source} WHERE {key} IS NOT NULL")}
        )
        if not alike.num_rows:
            return []
        times = [identifier(c.name) for c in of_role(self._asked, Role.TIME)]
        order = ", ".join([*times, *map(identifier, self._asked.model_fields), "_row"])
        connection.register("alike", alike)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE again AS SELECT _row FROM "
            f"(SELECT _row, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS place "
            f"FROM {source} WHERE hash({key}) IN (SELECT key_hash FROM alike) AND {key} IS NOT NULL) "
            "WHERE place > 1"
        )
        found = row(connection, "SELECT count(*) AS n FROM again")["n"]
        return [duplicate_reason(keys[0].name)] if found else []


def _found_twice(connection: Connection, hashed: str, source: str) -> NDArray[np.uint64]:
    """Return the values of the hash `hashed` that more than one row of `source` has.

    Some are looked at after the others, so that never more than AT_ONCE or so are in memory: no engine could
    group all of them in so little.
    """
    rounds = row(connection, f"SELECT count(*) AS n FROM {source}")["n"] // AT_ONCE + 1
    found = []
    for number in range(rounds):
        chosen = f" AND {hashed} % {rounds} = {number}" if rounds > 1 else ""
        reader = connection.sql(f"SELECT {hashed} AS h FROM {source}{chosen}").to_arrow_reader(BATCH)
        hashes = np.concatenate([np.empty(0, np.uint64), *(np.from_dlpack(b.column("h")) for b in reader)])
        hashes.sort()
        found.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
    return np.concatenate(found)
