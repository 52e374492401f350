"""Tables as pandas DataFrames, for people who explore; nothing that serves or scores imports this."""

import logging
from typing import TYPE_CHECKING

from handrail.compute.duckdb import connect, identifier, parquet
from handrail.config.settings import Settings, instead
from handrail.errors import ProjectError
from handrail.etl.load import raw_path, read_taken, table_path

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def frame(settings: Settings, query: str) -> "pd.DataFrame":
    """Return what `query` finds; it may name every raw table, and the loaded one by its own name.

    With another engine than DuckDB, the loaded table is what came to this machine: a warning says so where
    that is not all. Raises ProjectError where none of them was brought in yet, where pandas is not installed,
    and in the engine's own words where it refuses the query.
    """
    project = settings.project
    try:
        import pandas as pd  # noqa: F401
    except ModuleNotFoundError:
        raise ProjectError(
            "pandas is not installed; add the extra: uv add --dev 'handrail[pandas]'"
        ) from None
    paths = {name: raw_path(settings, name) for name in project.raw_tables}
    paths[project.table_name] = table_path(settings, project.table_name)
    present = {name: path for name, path in paths.items() if path.is_file()}
    if not present:
        advice = instead(settings, paths[project.table_name])
        raise ProjectError(f"{settings.workspace / 'data'}: no table yet; run `etl` first{advice}")
    taken = read_taken(settings)
    if taken:
        log.warning("%s: %s", project.table_name, taken)
    with connect(settings) as connection:
        for name, path in present.items():
            connection.execute(f"CREATE TEMP VIEW {identifier(name)} AS SELECT * FROM {parquet(path)}")
        return connection.execute(query).df()
