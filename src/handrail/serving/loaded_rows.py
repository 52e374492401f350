"""Rows that the last `etl` has loaded, by their keys: whoever asks seldom has the features."""

from collections.abc import Sequence
from typing import Any

from handrail.compute.duckdb import connect, identifier, parquet, rows
from handrail.config.settings import Settings
from handrail.etl.load import table_path


class UnknownKeysError(Exception):
    """Keys of which no row is loaded: where the first stands in a request, and why it is refused."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


def rows_of_keys(settings: Settings, keys: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what is asked of the model for the row of each key, in the order of the keys.

    Raises UnknownKeysError where a row is not loaded, ProjectError where the table can't be read.
    """
    project, table = settings.project, table_path(settings, settings.project.table_name)
    if not table.is_file():
        raise UnknownKeysError("keys", "no table is loaded here: run `etl`, or send records")
    names, key = ", ".join(map(identifier, project.request.model_fields)), identifier(project.key)
    query = f"SELECT {names} FROM {parquet(table)} WHERE {key} IN (SELECT unnest($keys))"
    with connect(settings) as connection:
        found = {row[project.key]: row for row in rows(connection, query, {"keys": [*dict.fromkeys(keys)]})}
    missing = [place for place, each in enumerate(keys) if each not in found]
    if missing:
        others = f", nor {len(missing) - 1:,} others" if len(missing) > 1 else ""
        raise UnknownKeysError(f"keys.{missing[0]}", f"not among the rows that were loaded last{others}")
    return [found[each] for each in keys]
