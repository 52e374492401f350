"""Brings raw tables into `data/raw/`, typed and checked, as Parquet: all of them, or none."""

import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from handrail.compute.duckdb import Connection, identifier, parquet, write_parquet
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.forgotten import is_forgetting, without_forgotten
from handrail.etl.load import raw_path
from handrail.etl.raw_files import RawSource, RawTable, StoredTable, read_raw
from handrail.etl.remote_files import fetch_files
from handrail.storage.addresses import is_database

log = logging.getLogger(__name__)


def bring_in(
    connection: Connection, settings: Settings, tables: Mapping[str, RawSource], folder: Path | None
) -> dict[str, int]:
    """Bring every one of `tables` into the workspace and return the rows of each.

    `folder` holds the files; it may be None where no table is a file. Where it is `settings.source`, and that
    is the copy of a bucket or of a database, what is new there is fetched first. Raises ProjectError that
    names all the files that are missing, empty, cut off or of another shape; the raw tables of the last good
    run are then still there.
    """
    unknown = sorted(set(settings.data.sampled) - set(tables))
    if unknown:
        raise ProjectError(
            f"project.yaml: data.sampled: {', '.join(unknown)} is no raw table; known are {', '.join(tables)}"
        )
    if not isinstance(connection, Connection):
        from handrail.etl.engine_tables import bring_into_engine

        return bring_into_engine(connection, settings, tables, folder)
    tables = {name: _here(settings, name, table) for name, table in tables.items()}
    subjects = _subjects(settings, tables)
    tables = _fetched(connection, settings, tables, folder)
    target = settings.workspace / "data" / "raw"
    target.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    counts: dict[str, int] = {}
    connection.execute("SET preserve_insertion_order = true")  # the same file is the same table, to the bit
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".raw-{os.getpid()}-") as unfinished:
        paths = {name: Path(unfinished) / f"{name}.parquet" for name in tables}
        for name, table in tables.items():
            whole = name not in settings.data.sampled or name in subjects
            try:
                sample = None if whole else settings.sample
                counts[name] = read_raw(connection, settings, table, folder, paths[name], sample)
            except ProjectError as error:
                problems.extend(_of_query(settings, name, each) for each in error.problems)
        if problems:
            raise ProjectError(problems)
        counts |= _cut_to_subjects(connection, settings, paths, subjects)
        counts |= _left_out(connection, settings, tables, paths)
        for name, path in paths.items():
            path.replace(raw_path(settings, name))
    connection.execute("SET preserve_insertion_order = false")
    return counts


def _fetched(
    connection: Connection, settings: Settings, tables: Mapping[str, RawSource], folder: Path | None
) -> dict[str, RawSource]:
    """Bring this machine's copies of a bucket or a database up to date, and return the tables to read there.

    Raises ProjectError with all that is wrong there.
    """
    address, files = settings.source_address, {n: t for n, t in tables.items() if isinstance(t, RawTable)}
    if folder is None or address is None or folder != settings.source or not files:
        return dict(tables)
    if not is_database(address):
        problems = fetch_files(settings, files.values(), folder)
        kept = files
    else:
        from handrail.etl.database_rows import fetch_rows  # only some projects have the library for it

        problems = fetch_rows(connection, settings, files, folder, anew=settings.reload, tell=log.warning)
        kept = {name: replace(table, file=f"{name}.parquet") for name, table in files.items()}
    if problems:
        raise ProjectError(problems)
    return {**tables, **kept}


def _of_query(settings: Settings, name: str, problem: str) -> str:
    """Name the query in place of the file that its rows are kept in."""
    if not is_database(settings.source_address or ""):
        return problem
    said = problem.removeprefix(f"{name}.parquet: ").replace("is the file cut off?", "is the query right?")
    return problem if problem == said else f"project.yaml: data.queries.{name}: {said}"


def _here(settings: Settings, name: str, table: RawSource) -> RawSource:
    """Return a raw table that is read here: of one in another engine, the copy that `etl` has brought."""
    if not isinstance(table, StoredTable):
        return table
    copy = raw_path(settings.model_copy(update={"workspace": settings.root}), name)
    if not copy.is_file():
        raise ProjectError(
            f"{table.name}: a table of another engine, and no copy of it is here; say compute.engine in "
            "project.yaml, and run `etl`"
        )
    return replace(table.as_file(), file=str(copy), missing=None)


def _subjects(settings: Settings, tables: Mapping[str, RawSource]) -> dict[str, str]:
    """Return the column of the subject in each raw table that is cut to whole subjects; none of a full run.

    It is so where one of the tables that a sample reads only partly carries the subject: a few of its rows
    would be pieces of many histories.
    """
    absent = [name for name, table in tables.items() if table.subject and table.subject not in table.columns]
    if absent:
        raise ProjectError(
            f"etl/extract.py: {name}: subject {tables[name].subject!r} is none of its columns"
            for name in absent
        )
    own = settings.project.subject
    carried = {name: table.subject or own for name, table in tables.items()}
    found = {name: column for name, column in carried.items() if column and column in tables[name].columns}
    cut = bool(settings.sample) and any(name in found for name in settings.data.sampled)
    if settings.sample and own and not cut and settings.data.sampled:
        log.warning(
            "--sample: rows of one %s may be torn apart, as no table of data.sampled has that column; name "
            "the one that stands for it: RawTable(..., subject=...) in etl/extract.py",
            own,
        )
    return found if cut else {}


def _cut_to_subjects(
    connection: Connection, settings: Settings, paths: Mapping[str, Path], subjects: Mapping[str, str]
) -> dict[str, int]:
    """Cut the raw tables to the rows of few subjects, and return how many of each are left.

    They are always the same ones, in the order of a hash, until the first sampled table has as many rows as
    the sample: so it has at most those of one subject more. Rows without a subject are left out.
    """
    if not subjects:
        return {}
    first = next(name for name in settings.data.sampled if name in subjects)
    subject, source = _text(subjects[first]), parquet(paths[first])
    counted = (
        f"SELECT {subject} AS _subject, count(*) AS _rows FROM {source} WHERE {subject} <> '' GROUP BY 1"
    )
    before = "sum(_rows) OVER (ORDER BY md5(_subject), _subject) - _rows"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _chosen AS SELECT _subject FROM "
        f"(SELECT _subject, {before} AS _before FROM ({counted})) WHERE _before < {settings.sample}"
    )
    return {
        name: write_parquet(
            connection,
            f"SELECT * FROM {parquet(paths[name])} WHERE {_text(column)} IN (SELECT _subject FROM _chosen)",
            paths[name],
        )
        for name, column in subjects.items()
    }


def _left_out(
    connection: Connection, settings: Settings, tables: Mapping[str, RawSource], paths: Mapping[str, Path]
) -> dict[str, int]:
    """Leave the rows of forgotten keys and subjects out of each raw table that has a column of them."""
    counts = {}
    erasable = settings.project.erasable
    of_whom = {name: {*erasable, table.subject} & {*table.columns} for name, table in tables.items()}
    if is_forgetting(settings) and not any(of_whom.values()):
        log.warning(
            "data/raw: no table says by a column whom a row is about: rows of those who were forgotten stay "
            "in these copies; name it: RawTable(..., subject=...) in etl/extract.py"
        )
    for name, columns in of_whom.items():
        source = parquet(paths[name])
        kept = without_forgotten(source, settings, sorted(filter(None, columns)))
        if kept != source:
            counts[name] = write_parquet(connection, f"SELECT * FROM {kept}", paths[name])
    return counts


def _text(column: str) -> str:
    return f"CAST({identifier(column)} AS VARCHAR)"
