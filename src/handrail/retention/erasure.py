"""Deletes what is kept of one key, or of one subject, such as a person, from every file under `data/`.

Tables are written anew without it, whole or not at all. Lines of the prediction log are overwritten with
blanks where they stand: what adds to the end of that file meanwhile goes on undisturbed and loses no line.
The copies of the raw tables are deleted, Spark's too; `etl` copies them again, without the key where they
have its column. So are this machine's copies of a bucket's or a database's; what is there itself is not
touched.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from handrail.compute.duckdb import (
    Connection,
    column_types,
    connect,
    identifier,
    literal,
    parquet,
    row,
    write_parquet,
)
from handrail.config.settings import Settings
from handrail.contract.row_key import row_key
from handrail.contract.schema import MADE_KEY, columns
from handrail.contract.table_check import SQL_TYPES
from handrail.errors import ProjectError
from handrail.etl.forgotten import fingerprint, keep_out
from handrail.project import Project
from handrail.retention.audit_log import audit_log, audit_log_path
from handrail.retention.inventory import copies_of_source, raw_tables_of_spark
from handrail.retention.links import kept_files, refuse_links
from handrail.retention.retirement import delete
from handrail.storage.store import ChangedError

LINES = 10_000  # of a prediction log, at once


@dataclass(frozen=True)
class Trace:
    """A file in which the key stands, and in how many rows; of a raw table, every row may be of it.

    Of a raw table of Spark's it is the folder.
    """

    path: Path
    rows: int
    raw: bool


def find_traces(settings: Settings, key: str) -> list[Trace]:
    """Return every file with rows of `key`, in small runs too; raises ProjectError where there is none.

    It is the key of a row, or the subject of many.
    """
    places = [_in_workspace(settings, workspace) for workspace in _workspaces(settings)]
    found = [trace for place in places for trace in _find(place, key)]
    if not any(trace.rows for trace in found if not trace.raw):
        raise ProjectError(
            f"--key {key}: nothing of it is kept; is it written as in the column "
            f"{' or '.join(settings.project.erasable)}?"
        )
    return found


def erase(settings: Settings, key: str, traces: list[Trace]) -> Iterator[Trace]:
    """Delete the rows of `key`, yielding each file that is done; it is not loaded again by `etl`.

    Raises ProjectError, with nothing deleted, where there is no secret to know the key again by.
    """
    project = settings.project
    kept = fingerprint(settings, _shared(project, key))
    with audit_log(settings) as write, connect(settings) as connection:
        for workspace in _workspaces(settings):
            keep_out(_in_workspace(settings, workspace), kept)
        for trace in traces:
            if trace.raw:
                delete(trace.path)
            elif trace.path.suffix == ".jsonl":
                _blank(connection, trace.path, project, key)
            else:
                _rewrite(connection, trace.path, project, key)
            what = trace.path.relative_to(settings.workspace).as_posix()
            write("purge key", what=what, rows=trace.rows, key_hash=kept)
            yield trace


def erase_shared(settings: Settings, key: str) -> int:
    """Delete the rows of `key` from the predictions that machines share, and return from how many objects.

    A segment stays as long as it was: lines are blanked. Raises ProjectError where one can't be read or is
    written by somebody else meanwhile; those before it are done.
    """
    from handrail.serving.shared_log import shared_log

    store, count = shared_log(settings), 0
    if store is None:
        return 0
    place = settings.workspace / "data"
    with (
        connect(settings) as connection,
        tempfile.TemporaryDirectory(dir=place, prefix=f".raw-{os.getpid()}-") as folder,
    ):
        for entry in store.entries("predictions/"):
            path = Path(folder) / f"rows{Path(entry.key).suffix}"
            try:
                store.download(entry, path)
                if _erased(connection, path, settings.project, key):
                    store.write(entry.key, path.read_bytes(), entry.tag)
                    count += 1
            except ChangedError:
                raise ProjectError(
                    f"{store.url}/{entry.key}: was changed meanwhile; run `purge` again"
                ) from None
    with audit_log(settings) as write:
        kept = fingerprint(settings, _shared(settings.project, key))
        write("purge key", what=f"shared predictions, {count} objects", key_hash=kept)
    return count


def _erased(connection: Connection, path: Path, project: Project, key: str) -> bool:
    """Delete the rows of the key from a file of predictions; tell whether there were any."""
    if path.suffix == ".jsonl":
        found = any(lines_of(connection, path, project, key))
        if found:
            _blank(connection, path, project, key)
        return found
    if path.suffix != ".parquet" or not _rows(connection, path, project, key):
        return False
    _rewrite(connection, path, project, key)
    return True


def listing(settings: Settings, traces: list[Trace]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return header and rows of a table of `traces`."""
    names = [trace.path.relative_to(settings.workspace).as_posix() for trace in traces]
    counts = ["all" if trace.raw else f"{trace.rows:,}" for trace in traces]
    return ("file or folder", "rows"), list(zip(names, counts, strict=True))


def _workspaces(settings: Settings) -> list[Path]:
    """Return the workspace and those of its small runs, each with its data."""
    small = sorted(path for path in (settings.workspace / "sample").glob("*") if (path / "data").is_dir())
    return [settings.workspace, *small]


def _in_workspace(settings: Settings, workspace: Path) -> Settings:
    return settings.model_copy(update={"workspace": workspace})


def _find(settings: Settings, key: str) -> Iterator[Trace]:
    data, project = settings.workspace / "data", settings.project
    with connect(settings) as connection:
        copies = (data / "source", data / "spark" / "raw")
        paths = [path for path in kept_files(data) if path != audit_log_path(settings)]
        paths = [path for path in paths if not any(map(path.is_relative_to, copies))]
        refuse_links(paths)
        for path in paths:
            if path.suffix == ".jsonl":
                count = sum(1 for _ in lines_of(connection, path, project, key))
            else:
                count = _rows(connection, path, project, key)
            raw = path.parent.name == "raw"
            if count or raw:
                yield Trace(path, count, raw)
    for path in (*copies_of_source(settings), *raw_tables_of_spark(settings)):
        yield Trace(path, 0, raw=True)


def _rows(connection: Connection, path: Path, project: Project, key: str) -> int:
    """Return in how many rows of a table the key stands; a table that knows no key has none."""
    of_key = is_of(connection, path, project, key)
    return row(connection, f"SELECT count(*) AS n FROM {parquet(path)} WHERE {of_key}")["n"]


def is_of(connection: Connection, path: Path, project: Project, key: str) -> str:
    """Return the SQL condition for the rows of the key in those of the columns that a table has.

    Where rows have no key of their own, it is made of what was asked, in files that hold that alone, too.
    Rows that are alike share it: nobody could tell which of them a prediction was for.
    """
    there = column_types(connection, parquet(path))
    found = []
    if project.subject in there:
        found.append(_equal(f"CAST({identifier(project.subject)} AS VARCHAR)", key))
    if project.key in there:
        found.append(_equal(project.shared_key, _shared(project, key)))
    elif not project.has_key and there.keys() >= project.request.model_fields.keys():
        found.append(_equal(row_key(project.contract), _shared(project, key)))
    return f"({' OR '.join(found) or 'FALSE'})"


def _equal(text: str, key: str) -> str:
    return f"{text} IS NOT DISTINCT FROM {literal(key)}"


def _shared(project: Project, key: str) -> str:
    """Return a key that is made of what is asked without its number, and any other whole."""
    made = not project.has_key and re.fullmatch(MADE_KEY, key)
    return key.partition("-")[0] if made else key


def lines_of(connection: Connection, path: Path, project: Project, key: str) -> Iterator[tuple[int, int]]:
    """Yield place and length, in bytes, of each line of `key`; an unfinished line with it is one, too."""
    names = [name for name in project.erasable if project.has_key or name != project.key]
    written = {json.dumps(key, ensure_ascii=escaped)[1:-1].encode() for escaped in (True, False)}
    either = b"|".join(map(re.escape, sorted(written)))
    word = re.compile(rb"(?<![\w.-])(?:" + either + rb")(?![\w.-])")
    place = 0
    with path.open("rb") as file:
        while some := list(islice(file, LINES)):
            made = set() if project.has_key else _made_of(connection, some, project, key)
            for number, line in enumerate(some):
                if number in made or (word.search(line) and _of(line, names, key)):
                    yield place, len(line.rstrip(b"\n"))
                place += len(line)


def _made_of(connection: Connection, lines: Sequence[bytes], project: Project, key: str) -> set[int]:
    """Return the places of the lines in which what makes the key of rows without their own was asked."""
    kinds = {c.name: SQL_TYPES[c.kind] for c in columns(project.request)}
    query = (
        "SELECT place FROM (SELECT place, unnest(json_transform(line, $kinds)) FROM "
        "(SELECT unnest($lines) AS line, unnest(range(len($lines))) AS place) WHERE json_valid(line)) "
        f"WHERE {_equal(row_key(project.contract), _shared(project, key))}"
    )
    given = {"kinds": json.dumps(kinds), "lines": [line.decode(errors="replace") for line in lines]}
    return {place for (place,) in connection.execute(query, given).fetchall()}


def _of(line: bytes, names: Sequence[str], key: str) -> bool:
    try:
        said = json.loads(line)
        there = [str(said[name]) for name in names if name in said]
        return key in there or not there
    except (ValueError, KeyError, TypeError):
        return True


def _blank(connection: Connection, path: Path, project: Project, key: str) -> None:
    with path.open("r+b", buffering=0) as file:
        for place, length in list(lines_of(connection, path, project, key)):
            file.seek(place)
            file.write(b" " * length)


def _rewrite(connection: Connection, path: Path, project: Project, key: str) -> None:
    """Write a table anew without the key, as old as it was."""
    times, of_key = path.stat(), is_of(connection, path, project, key)
    write_parquet(connection, f"SELECT * FROM {parquet(path)} WHERE NOT {of_key}", path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def find_elsewhere(settings: Settings, key: str) -> Iterator[str]:
    """Yield the name of each file in `reports/` and the stage folders in which the key stands as a word."""
    word = re.compile(rf"(?<!\w){re.escape(key)}(?!\w)")
    for place, folders in ((settings.workspace, "reports"), (settings.root, "[1-4]-*")):
        for path in sorted(path for folder in place.glob(folders) for path in folder.rglob("*")):
            if path.is_file() and word.search(path.read_text(encoding="utf-8", errors="replace")):
                yield path.relative_to(place).as_posix()
