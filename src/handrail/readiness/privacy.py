"""Is data of people kept only where it may be, and no longer? By a look at everything that is stored."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from handrail.compute.duckdb import Connection, column_types, connect, identifier, literal, parquet, row
from handrail.config.sections import Retention
from handrail.config.settings import Settings, secrets
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.etl.load import not_accepted_folder
from handrail.readiness.context import ReadinessContext
from handrail.readiness.erasure import rehearse_forgetting
from handrail.retention.retirement import to_purge

FOLDERS = ("data", "models", "reports")
TEXTS = (".csv", ".html", ".json", ".jsonl", ".log", ".md", ".txt")
MOST_BYTES = 20_000_000  # of one file, from its end: what is newest
PERSONAL = {
    "a mail address": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    # With points between all of its parts or none: +456.789 is a figure.
    "a telephone number": r"(^|[^0-9A-Za-z+])\+[1-9][0-9]{0,2}"
    r"(([ /-]?\(?[0-9]{2,4}\)?){2,5}|(\.[0-9]{2,4}){2,5})([^0-9.]|\.[^0-9]|\.?$)",
}


def privacy(context: ReadinessContext) -> str:
    """Scan what is stored, check what is kept too long, and rehearse that one key is forgotten."""
    settings = context.settings
    today = datetime.now(UTC).date()
    with connect(settings) as connection:
        scanned = _files(settings)
        problems = [each for path in scanned for each in _strange_content(connection, settings, path)]
    problems += [
        f"{_name(settings, item.path)}: {item.age_days(today):,} days old, retention in project.yaml allows "
        "less; run `purge --really`"
        for item in to_purge(settings, today)
    ]
    if settings.section(Retention).predictions.purge_after_days is None:
        problems.append(
            "project.yaml: retention.predictions.purge_after_days is not set: they are kept for ever"
        )
    if problems:
        raise ProjectError(problems)
    places = rehearse_forgetting(settings)
    return (
        f"{len(scanned)} files hold no mail address, telephone number, secret or sensitive column; nothing "
        f"is kept too long; a key was forgotten in {places} files of a copy"
    )


def _files(settings: Settings) -> list[Path]:
    """Return every file that is scanned: not the raw tables, nor the loaded one, here and in a replay."""
    found = [path for name in FOLDERS for path in sorted((settings.workspace / name).rglob("*"))]
    table = Path("data", f"{settings.project.table_name}.parquet").parts
    return [
        path
        for path in found
        if path.suffix in (*TEXTS, ".parquet")
        and path.is_file()
        and path.parts[-2:] != table
        and path.parent.name != "raw"
    ]


def _strange_content(connection: Connection, settings: Settings, path: Path) -> Iterator[str]:
    """Yield what a file holds that it should not."""
    kept_out = {column.name for column in of_role(settings.project.contract, Role.SENSITIVE)}
    name = _name(settings, path)
    if path.suffix == ".parquet":
        names = column_types(connection, parquet(path))
        texts = [column for column, kind in names.items() if kind == "VARCHAR"]
        present = [what for what, pattern in _patterns(settings) if _occurs(connection, path, texts, pattern)]
    else:
        text = _end_of(path)
        names = dict.fromkeys(
            column for column in kept_out if f'"{column}":' in text and path.suffix == ".jsonl"
        )
        present = [what for what, pattern in _patterns(settings) if re.search(pattern, text, re.MULTILINE)]
    if path.parent.name not in ("rejected", not_accepted_folder(settings).name):  # as in the table itself
        yield from (
            f"{name}: holds {each}, which is sensitive; leave it out" for each in kept_out & set(names)
        )
    yield from (f"{name}: holds {what}; find out how it came there, and delete it" for what in present)


def _patterns(settings: Settings) -> list[tuple[str, str]]:
    known = {secret: settings.secret(secret) for secret in secrets(settings.project)}
    return [
        *PERSONAL.items(),
        *((f"the secret {name}", re.escape(value)) for name, value in known.items() if value),
    ]


def _occurs(connection: Connection, path: Path, texts: list[str], pattern: str) -> bool:
    found = [f"regexp_matches({identifier(column)}, {literal(pattern)})" for column in texts]
    query = f"SELECT count(*) AS n FROM {parquet(path)} WHERE {' OR '.join(found) or 'false'}"
    return row(connection, query)["n"] > 0


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MOST_BYTES))
        return file.read().decode(errors="replace")


def _name(settings: Settings, path: Path) -> str:
    return path.relative_to(settings.workspace).as_posix()
