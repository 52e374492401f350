"""What was predicted in a window, joined with what came of it.

A prediction of a row that its version had learnt from, was decided or tested on, says nothing of how good the
version is: it is never looked at.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from handrail.compute.duckdb import Connection, file_name, identifier, literal, parquet, row, rows
from handrail.config.sections import Split
from handrail.config.settings import Settings
from handrail.contract.row_key import row_key
from handrail.contract.schema import Role, columns, one_of_role
from handrail.contract.table_check import SQL_TYPES
from handrail.errors import ProjectError
from handrail.etl.load import loaded_table, rejected_path
from handrail.project import Project
from handrail.registry.learnt_keys import LEARNT, key_hash
from handrail.registry.versions import kept_infos, model_folder
from handrail.serving.prediction_log import parts_of, prediction_folder, shared_prediction_folder
from handrail.training.dataset import period
from handrail.training.known_outcomes import DAY, known_on
from handrail.training.splits import split_of

FEW_REJECTED = 20  # rows that broke the contract, from which on the window reaches to them
LOGGED = {
    "predicted_at": "TIMESTAMP",
    "version": "VARCHAR",
    "source": "VARCHAR",
    "prediction": "FLOAT",
    "baseline": "FLOAT",
}


def all_predictions(settings: Settings, *, archived: bool = False) -> str:
    """Return a query of every prediction, served or scored; raises ProjectError where there is none.

    A column that the contract did not have yet when a prediction was made is empty in it. `archived`: those
    that were moved to the archive, too.
    """
    folder, project = prediction_folder(settings), settings.project
    types = LOGGED | dict(project.task.told) | {c.name: SQL_TYPES[c.kind] for c in columns(project.request)}
    files = prediction_files(settings, archived=archived)
    scored, served = ([path for path in files if path.suffix == kind] for kind in (".parquet", ".jsonl"))
    parts = [_scored(scored, types)] if scored else []
    parts += [_served(served, types, project.key if project.has_key else "prediction")] if served else []
    if not parts:
        raise ProjectError(f"{settings.shown(folder)}: no prediction yet; monitoring starts with the first")
    found = " UNION ALL ".join(parts)
    if project.has_key:
        return found
    return f"SELECT *, {row_key(project.contract)} AS {identifier(project.key)} FROM ({found})"


def prediction_files(settings: Settings, *, archived: bool = False) -> list[Path]:
    """Return the files of all predictions; `archived`: those in the archive, too."""
    folder = prediction_folder(settings)
    folders = [folder, *sorted(folder.parent.glob(f"archive/*/{folder.name}"))] if archived else [folder]
    folders.append(shared_prediction_folder(settings))
    found = [path for each in folders for path in sorted(each.glob("[!.]*"))]
    found = [part for path in found for part in (parts_of(path) if path.is_dir() else [path])]
    return [path for path in found if path.suffix in (".parquet", ".jsonl")]


def _scored(files: Sequence[Path], types: Mapping[str, str]) -> str:
    quoted = {identifier(name): kind for name, kind in types.items()}
    none = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in types.items())
    typed = ", ".join(f"TRY_CAST({name} AS {kind}) AS {name}" for name, kind in quoted.items())
    options = "union_by_name = true, hive_partitioning = false"
    found = f"SELECT * FROM read_parquet({_named(files)}, {options})"
    return f"SELECT {typed} FROM (SELECT {none} WHERE false UNION ALL BY NAME {found})"


def _served(files: Sequence[Path], types: Mapping[str, str], always: str) -> str:
    schema = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    options = "format = 'newline_delimited', ignore_errors = true, hive_partitioning = false"
    # A line that a killed server left unfinished is skipped: its prediction was never answered.
    return (
        f"SELECT {', '.join(map(identifier, types))} "
        f"FROM read_json({_named(files)}, {options}, columns = {{{schema}}}) "
        f"WHERE {identifier(always)} IS NOT NULL"
    )


def _named(files: Sequence[Path]) -> str:
    return f"[{', '.join(map(file_name, files))}]"


def live_predictions(settings: Settings, *, archived: bool = False) -> str:
    """Return the same for rows that the version which predicted them had not learnt from."""
    found = with_learnt(settings, archived=archived)
    return f"SELECT * EXCLUDE (_learnt) FROM ({found}) WHERE _learnt IS NOT TRUE"


def with_learnt(settings: Settings, *, archived: bool = False) -> str:
    """Return a query of all predictions with `_learnt`: whether their version has learnt from the row.

    It has from those older than the end of its split; of a split by chance, from the keys that it has kept.
    """
    versions = _learnt_until(settings)
    project, days = settings.project, {name: day for name, day in versions.items() if day}
    drawn = {name: model_folder(settings) / name / LEARNT for name, day in versions.items() if day is None}
    query = f"SELECT p.*, FALSE AS _learnt FROM ({all_predictions(settings, archived=archived)}) AS p"
    if days and project.time:
        known = ", ".join(f"({literal(name)}, TIMESTAMP '{day}')" for name, day in days.items())
        # A forecast that was logged before rows had an origin goes by its time.
        times = [f"p.{identifier(name)}" for name in (project.origin, project.time) if name]
        made = f"coalesce({', '.join(times)})"
        query = (
            f"SELECT p.* REPLACE ({made} < v.live_from AS _learnt) FROM ({query}) AS p "
            f"LEFT JOIN (VALUES {known}) AS v(version, live_from) ON v.version = p.version"
        )
    if drawn:
        keys = " UNION ALL ".join(
            f"SELECT {literal(name)} AS version, key_hash FROM {parquet(path)}"
            for name, path in drawn.items()
        )
        query = (
            f"SELECT p.* REPLACE (p._learnt IS TRUE OR k.version IS NOT NULL AS _learnt) FROM ({query}) AS p "
            f"LEFT JOIN ({keys}) AS k ON k.version = p.version AND k.key_hash = {key_hash(project, 'p')}"
        )
    return query


def _learnt_until(settings: Settings) -> dict[str, date | None]:
    """Return the day from which on rows are new to each version that is kept, None of a split by chance."""
    found = {}
    for name, info in kept_infos(settings):
        with suppress(ValueError, KeyError, TypeError):  # no version that could answer
            split = split_of(info["split"])
            found[name] = split.live_from if isinstance(split, Split) else None
    return found


def in_window(project: Project, start: date | None, end: date | None) -> str:
    """Return the SQL condition for predictions of a window: by the time of the row, or of the prediction."""
    return period(project.contract, start, end, project.window)


def join_outcomes(
    connection: Connection,
    settings: Settings,
    window: tuple[date | None, date | None],
    *,
    today: date,
    watched: Sequence[str] = (),
    name: str = "watched",
    sample: str = "TRUE",
) -> str:
    """Put the window's predictions with their outcomes into the temporary table `name`, and return that.

    window: its first day, and the first after its last; None is no end · sample: what `sample_by_key` chose
    Of several predictions for one key the latest of the versions `watched` counts, else the latest; the
    outcome is empty until it is known, at the end of `today`.
    """
    own = f"version IN ({', '.join(map(literal, watched))})" if watched else "FALSE"
    inside = f"{in_window(settings.project, *window)} AND {sample}"
    found = f"SELECT * FROM ({live_predictions(settings)}) WHERE {inside}"
    query = with_outcomes(connection, settings, found, today=today, first=f"{own} DESC, ")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    return name


def with_outcomes(
    connection: Connection, settings: Settings, predictions: str, *, today: date, first: str = ""
) -> str:
    """Return a query of the latest of `predictions`, a query, for each key with the outcome known `today`.

    first: what comes first in ORDER BY where others than the latest count
    """
    project = settings.project
    key, target = identifier(project.key), identifier(project.target)
    return f"""
        SELECT p.* EXCLUDE (_place), o.{target}
        FROM (
            SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {first}predicted_at DESC) AS _place
            FROM ({predictions})
        ) AS p LEFT JOIN ({_known(connection, settings, today)}) AS o ON o.{key} = p.{key}
        WHERE _place = 1
    """


def sample_by_key(project: Project, rows: int, most: int) -> str:
    """Return the SQL condition that chooses about `most` of so many rows by the hash of their key, or all.

    It is not the hash that chooses a canary's rows: those would be all that is seen.
    """
    if rows <= most:
        return "TRUE"
    below = f"{int(most / rows * 2**32):08x}"
    return f"md5('measured ' || CAST({identifier(project.key)} AS VARCHAR)) < '{below}'"


def answered_by(source: str, version: str) -> str:
    """Return the FROM item of the predictions in `source` that a version has made."""
    return f"(SELECT * FROM {source} WHERE version = {literal(version)})"


def _known(connection: Connection, settings: Settings, today: date) -> str:
    """Return a query of key and outcome of every loaded row of which it is known; of none without a table."""
    project, table = settings.project, loaded_table(connection, settings)
    if table:
        known = known_on(connection, settings, table, today + DAY)
        chosen = f"{identifier(project.key)}, {identifier(project.target)}"
        return f"SELECT {chosen} FROM {table} WHERE {known}"
    both = (one_of_role(project.contract, role) for role in (Role.KEY, Role.TARGET))
    none = ", ".join(f"CAST(NULL AS {SQL_TYPES[c.kind]}) AS {identifier(c.name)}" for c in both)
    return f"SELECT {none}"


def newest_outcome(connection: Connection, settings: Settings, today: date) -> date | None:
    """Return the day of the newest loaded row whose outcome is known `today`; None without one, or a time."""
    project, table = settings.project, loaded_table(connection, settings)
    if project.time is None or table is None:
        return None
    newest = f"SELECT CAST(max({identifier(project.time)}) AS DATE) AS day FROM {table}"
    return row(connection, f"{newest} WHERE {known_on(connection, settings, table, today + DAY)}")["day"]


def count_rejected(connection: Connection, settings: Settings, start: date | None, end: date | None) -> int:
    """Return how many rows of the window were sent for scoring and broke the contract."""
    files = rejected_files(settings)
    if not files:
        return 0
    # What broke the contract was never predicted: without a time of its own, nothing says when it was sent.
    inside = period(settings.project.contract, start, end) if settings.project.time else "TRUE"
    return row(connection, f"SELECT count(*) AS n FROM {parquet(*files)} WHERE {inside}")["n"]


def newest_rejected(connection: Connection, settings: Settings, before: date) -> date | None:
    """Return the newest day before `before` from which on FEW_REJECTED rows were sent and refused.

    None where there are not so many: a single row, whose time may be what is wrong, says nothing.
    """
    files = rejected_files(settings)
    if not files or not settings.project.time:
        return None
    day = f"CAST({identifier(settings.project.time)} AS DATE)"
    query = (
        f"SELECT {day} AS day FROM {parquet(*files)} WHERE {day} < DATE '{before}' "
        f"ORDER BY day DESC LIMIT 1 OFFSET {FEW_REJECTED - 1}"
    )
    found = rows(connection, query)
    return found[0]["day"] if found else None


def rejected_files(settings: Settings) -> list[Path]:
    """Return the files of what was sent for scoring and broke the contract."""
    return sorted(rejected_path(settings, "any").parent.glob("scored-*.parquet"))
