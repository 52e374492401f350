"""Which rows a version knows, where no day tells: the keys of all that it has learnt from.

Where chance has parted the rows, one that comes later looks like any other. So the version keeps a hash of
each key, 8 bytes a row; a prediction for one of them says nothing of how good the version is.
"""

import tempfile
from pathlib import Path

from handrail.compute.duckdb import Connection, identifier, write_parquet
from handrail.project import Project

LEARNT = "learnt.parquet"  # in the folder of a version whose rows were parted by chance


def key_hash(project: Project, table: str) -> str:
    """Return the SQL expression of the hash by which the key of a row of `table` is known again."""
    return f"md5_number_lower(CAST({table}.{identifier(project.key)} AS VARCHAR))"


def keys_learnt(connection: Connection, project: Project, table: str) -> bytes:
    """Return a Parquet file with the hashes of all keys of the FROM item `table` that have an outcome."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / LEARNT
        query = f"SELECT {key_hash(project, 't')} AS key_hash FROM {table} AS t"
        known = f"{identifier(project.target)} IS NOT NULL"
        write_parquet(connection, f"{query} WHERE {known} ORDER BY key_hash", path)
        return path.read_bytes()
