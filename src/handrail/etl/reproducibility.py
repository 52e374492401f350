"""Whether transform.sql gives the same table from the same rows, to the last bit.

A sum of DOUBLE depends on the order of its rows, and so does a row that is picked without ORDER BY. That
order depends on how many threads share the work, and on large tables on chance.
"""

from handrail.compute.duckdb import Connection, connect, identifier, row
from handrail.config.settings import Settings
from handrail.contract.schema import columns
from handrail.errors import ProjectError
from handrail.etl.load import raw_path
from handrail.etl.pipeline import offer_tables, transformed
from handrail.project import Project

THREADS = (1, 2, 4, 8, 4)
ADVICE = (
    "a sum of DOUBLE depends on the order of its rows, and so does a row that is picked without ORDER BY; "
    "sum a DECIMAL, as in sum(CAST(x AS DECIMAL(18, 6))), and say an order that leaves no ties"
)


def check_reproducibility(settings: Settings) -> int:
    """Run transform.sql on the raw tables as they were brought in, by several numbers of threads.

    Return the rows of the table. Nothing is written. Raises ProjectError that names every column of the
    contract that does not come out the same, and where nothing was brought in yet.
    """
    project = settings.project
    absent = [name for name in project.raw_tables if not raw_path(settings, name).is_file()]
    if absent:
        raise ProjectError(f"data/raw/: no {', '.join(absent)} yet; run `etl` first")
    names = ", ".join(identifier(column.name) for column in columns(project.contract))
    differing: dict[str, None] = {}
    with connect(settings) as connection:
        offer_tables(connection, settings)
        for number, threads in enumerate(THREADS):
            connection.execute(f"SET threads = {threads}")
            made = "made_first" if number == 0 else "made_again"
            source = transformed(connection, project)
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {made} AS SELECT {names} FROM {source}")
            if number:
                differing |= dict.fromkeys(differing_columns(connection, project, "made_first", made))
        count = row(connection, "SELECT count(*) AS n FROM made_first")["n"]
    if differing:
        raise ProjectError(
            f"etl/transform.sql: {', '.join(differing)}: not the same each time it is run; {ADVICE}"
        )
    return count


def differing_columns(connection: Connection, project: Project, one: str, other: str) -> list[str]:
    """Return the contract's columns whose values, by key, are not the same in two FROM items."""

    def differ(names: str) -> bool:
        apart = (
            f"SELECT {names} FROM {first} EXCEPT ALL SELECT {names} FROM {second}"
            for first, second in ((one, other), (other, one))
        )
        return any(row(connection, f"SELECT count(*) AS n FROM ({query})")["n"] for query in apart)

    key, names = identifier(project.key), [column.name for column in columns(project.contract)]
    if not differ(", ".join(map(identifier, names))):
        return []
    return [name for name in names if differ(f"{key}, {identifier(name)}")] or names
