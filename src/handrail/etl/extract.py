"""Brings raw tables into `data/raw/`, typed and checked, as Parquet: all of them, or none."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from handrail.compute.duckdb import Connection
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import raw_path
from handrail.etl.raw_files import RawSource, read_raw


def bring_in(
    connection: Connection, settings: Settings, tables: Mapping[str, RawSource], folder: Path | None
) -> dict[str, int]:
    """Bring every one of `tables` into the workspace and return the rows of each.

    `folder` holds the files; it may be None where no table is a file. Raises ProjectError that names all the
    files that are missing, empty, cut off or of another shape; the raw tables of the last good run are then
    still there.
    """
    unknown = sorted(set(settings.data.sampled) - set(tables))
    if unknown:
        raise ProjectError(
            f"project.yaml: data.sampled: {', '.join(unknown)} is no raw table; known are {', '.join(tables)}"
        )
    target = settings.workspace / "data" / "raw"
    target.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    counts: dict[str, int] = {}
    connection.execute("SET preserve_insertion_order = true")  # the same file is the same table, to the bit
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".raw-{os.getpid()}-") as unfinished:
        for name, table in tables.items():
            path = Path(unfinished) / f"{name}.parquet"
            try:
                sample = settings.sample if name in settings.data.sampled else None
                counts[name] = read_raw(connection, settings, table, folder, path, sample)
            except ProjectError as error:
                problems.extend(error.problems)
        if problems:
            raise ProjectError(problems)
        for name in tables:
            (Path(unfinished) / f"{name}.parquet").replace(raw_path(settings, name))
    connection.execute("SET preserve_insertion_order = false")
    return counts
