"""What the engine is asked for when a table is scored: every row, with its features, or why it is broken."""

import pyarrow as pa

from handrail.compute.duckdb import Connection, column_types, identifier, parquet, row
from handrail.config.settings import Settings
from handrail.contract.schema import Role, columns, of_role
from handrail.contract.table_check import SQL_TYPES, Rule, reason_of, refuse_other_columns, typed
from handrail.serving import horizon
from handrail.serving.batch_prediction import Answering
from handrail.serving.rows_to_score import NumberedRows
from handrail.serving.text_values import read_texts, rules_of_texts


class Question:
    """What the engine is asked: the rows as the contract has them, with features, and why one is broken."""

    def __init__(
        self, connection: Connection, settings: Settings, origin: str, rows: NumberedRows, who: Answering
    ) -> None:
        """Refuse rows that lack a column of the contract, and find out which keys are there again."""
        self._asked, self._rows, self._who = settings.project.request, rows, who
        present = column_types(connection, parquet(rows.path))
        self._texts = read_texts(self._asked, present)
        refuse_other_columns(connection, self._readable(), self._asked, origin)
        read = column_types(connection, self._readable())
        self._rules = [*rules_of_texts(self._asked, present, read), *horizon.rules(settings)]
        self._repeated = self._find_repeated(connection)

    def of(self, first: int, after: int) -> str:
        """Return the query of the rows from number `first` on and before `after`.

        Columns: the contract's, `reason`, `_row`, and of each version V that answers the features `_V_0`,
        `_V_1`, ..., `_V_baseline`, and of two whether it is to answer, `_V_chosen`.
        """
        selected = [*map(identifier, self._asked.model_fields), "reason", "_row"]
        if len(self._who.versions) > 1:
            canary = f"({self._who.chosen}) IS TRUE"
            selected += [f"NOT ({canary}) AS _0_chosen", f"{canary} AS _1_chosen"]
        for number, loaded in enumerate(self._who.versions):
            features = loaded.version.encoding.select()
            selected += [f"{feature} AS _{number}_{place}" for place, feature in enumerate(features)]
            selected.append(f"{loaded.version.baseline.select()} AS _{number}_baseline")
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
        """Put the rows of each key but the first in time into the table `again`; return the rule they break.

        Only keys of one hash are looked at closely: those of all rows would take twice the memory.
        """
        keys = of_role(self._asked, Role.KEY)
        if not keys:
            return []
        key, source = identifier(keys[0].name), self._readable()
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE alike AS SELECT hash({key}) AS key_hash FROM {source} "
            f"WHERE {key} IS NOT NULL GROUP BY key_hash HAVING count(*) > 1"
        )
        times = [identifier(c.name) for c in of_role(self._asked, Role.TIME)]
        order = ", ".join([*times, *map(identifier, self._asked.model_fields), "_row"])
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE again AS SELECT _row FROM "
            f"(SELECT _row, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS place "
            f"FROM {source} WHERE hash({key}) IN (SELECT key_hash FROM alike) AND {key} IS NOT NULL) "
            "WHERE place > 1"
        )
        found = row(connection, "SELECT count(*) AS n FROM again")["n"]
        return [f"{keys[0].name}: repeated"] if found else []
