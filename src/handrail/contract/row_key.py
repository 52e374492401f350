"""A key for rows that have none of their own: a hash of what is asked of a row, the same whenever it is made.

It does not depend on the order of the rows, nor on what is known of them later. Rows that are alike in all
that is asked are numbered. A request carries no key: its own follows from what was asked, where predictions
are read.
"""

from handrail.compute.duckdb import Connection, identifier
from handrail.contract.schema import ROW_KEY, Record, columns, request_model
from handrail.contract.table_check import SQL_TYPES

SEPARATOR = "chr(31)"  # stands in no text that people write


def row_key(contract: type[Record]) -> str:
    """Return the SQL expression of the key of a row: a hash of all columns that are asked for."""
    values = (
        f"coalesce(CAST(TRY_CAST({identifier(c.name)} AS {SQL_TYPES[c.kind]}) AS VARCHAR), '')"
        for c in columns(request_model(contract))
        if c.name != ROW_KEY
    )
    return f"md5(concat_ws({SEPARATOR}, {', '.join(values)}))"


def without_number(text: str) -> str:
    """Return the SQL expression of a key that is made here, without the number of rows that are alike."""
    return f"split_part({text}, '-', 1)"


def with_row_key(connection: Connection, source: str, contract: type[Record]) -> str:
    """Return a FROM item of the rows of `source` with a key; those that are alike are numbered from 2 on.

    Only rows that are alike are put in order: by all their columns, so that any order of the rows gives the
    same.
    """
    key = identifier(ROW_KEY)
    names = ", ".join(identifier(c.name) for c in columns(contract) if c.name != ROW_KEY)
    hashed = f"SELECT *, {row_key(contract)} AS {key} FROM {source}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _hashed AS {hashed}")
    alike = f"{key} IN (SELECT {key} FROM _hashed GROUP BY {key} HAVING count(*) > 1)"
    number = f"row_number() OVER (PARTITION BY {key} ORDER BY {names}) AS _number"
    numbered = f"{key} || CASE WHEN _number > 1 THEN '-' || _number ELSE '' END"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW _keyed AS SELECT * FROM _hashed WHERE NOT {alike} UNION ALL "
        f"SELECT * EXCLUDE (_number) REPLACE ({numbered} AS {key}) "
        f"FROM (SELECT *, {number} FROM _hashed WHERE {alike})"
    )
    return "_keyed"
