"""What labelling leaves in the workspace: the answers, the labels, what was found; and the labels joined."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from handrail.compute.duckdb import (
    Connection,
    EngineError,
    file_name,
    identifier,
    literal,
    parquet,
    reason,
    row,
    rows,
    write_parquet,
)
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import raw_path
from handrail.files import write_whole
from handrail.labelling.adjudication import FILE as ADJUDICATION
from handrail.labelling.aggregation import Label
from handrail.labelling.answers import RECEIVED, Answer
from handrail.labelling.items import raw_table
from handrail.labelling.spreadsheet import table
from handrail.labelling.task import FILE, Task

ANSWERS = ("item", "annotator", "answer", "source", "answered_at", "again")
LABELS = ("item", "label", "by")


def folder(settings: Settings) -> Path:
    """Return the folder of what is made from the answers; all of it can be made again."""
    return settings.workspace / "data" / "labels"


def save_answers(settings: Settings, answers: Sequence[Answer]) -> Path:
    """Write the tidy table of all answers."""
    path = folder(settings) / "answers.csv"
    kept = sorted(answers, key=lambda each: (each.item, each.annotator, each.again))
    lines = [[str(getattr(answer, name)) for name in ANSWERS] for answer in kept]
    write_whole(path, table(ANSWERS, lines))
    return path


def save_labels(settings: Settings, labels: Sequence[Label]) -> Path:
    """Write the labels."""
    path = folder(settings) / "labels.csv"
    write_whole(path, table(LABELS, [(label.item, label.label, label.by) for label in labels]))
    return path


def save_found(settings: Settings, found: Mapping[str, Any]) -> None:
    """Write what was found, with a fingerprint of all that it was found in."""
    text = json.dumps({**found, "fingerprint": fingerprint(settings)}, indent=2)
    write_whole(folder(settings) / "found.json", text + "\n")


def read_found(settings: Settings) -> dict[str, Any] | None:
    """Return what was found, or None where that was never, or in other files than there are now."""
    path = folder(settings) / "found.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if found["fingerprint"] == fingerprint(settings) else None


def fingerprint(settings: Settings) -> str:
    """Return what changes when a file that people have written for the labels does."""
    written = [settings.root / FILE, settings.root / ADJUDICATION]
    written += sorted((settings.root / RECEIVED).glob("[!.]*"))
    parts = [path.name.encode() + path.read_bytes() for path in written if path.is_file()]
    return sha256(b"\0".join(parts)).hexdigest()


def labels_view(connection: Connection, settings: Settings) -> None:
    """Make the temporary view `labels`: item and label, without rows where there are no labels yet."""
    path = folder(settings) / "labels.csv"
    columns = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in LABELS) + "}"
    options = "header = true, auto_detect = false, hive_partitioning = false"
    reader = f"read_csv({file_name(path)}, columns = {columns}, {options})"
    empty = "(SELECT CAST(NULL AS VARCHAR) AS item, CAST(NULL AS VARCHAR) AS label WHERE FALSE)"
    source = reader if path.is_file() else empty
    connection.execute(f"CREATE OR REPLACE TEMP VIEW labels AS SELECT item, label FROM {source}")


def join_labels(connection: Connection, settings: Settings, task: Task) -> tuple[Path, int, int]:
    """Write the raw table with its labels; return the file, its rows, and how many of them have a label.

    It is a copy of a raw table, and stands with those: what deletes them deletes it too.
    """
    path = raw_path(settings, f"{task.items.table}_labelled")
    source, column = raw_table(settings, task.items.table), identifier(task.items.column)
    labels_view(connection, settings)
    matching = f"l.item = CAST(t.{column} AS VARCHAR)"
    query = f"SELECT t.*, l.label AS labelled_as FROM {source} AS t LEFT JOIN labels AS l ON {matching}"
    count = write_parquet(connection, query, path)
    labelled = row(connection, f"SELECT count(labelled_as) AS n FROM {parquet(path)}")["n"]
    return path, count, labelled


def worth(connection: Connection, settings: Settings, task: Task) -> list[dict[str, Any]]:
    """Return what the statement of labelling.yaml finds with the labels; nothing where there is none."""
    if not task.worth:
        return []
    for name in settings.project.raw_tables:
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS SELECT * FROM {raw_table(settings, name)}"
        )
    labels_view(connection, settings)
    try:
        return rows(connection, task.worth)
    except EngineError as error:
        raise ProjectError(f"{FILE}: worth: {reason(error)}") from None
