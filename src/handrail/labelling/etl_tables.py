"""What labelling adds to the ETL: the table `labels` for transform.sql, and the raw table with its labels."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from handrail.compute.duckdb import Connection, connect, parquet
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import raw_path
from handrail.labelling.answers import any_received
from handrail.labelling.items import all_items
from handrail.labelling.outcome import find_outcome, keep_outcome
from handrail.labelling.store import join_labels, labels_view, read_found
from handrail.labelling.task import is_asked, read_task


def offer(connection: Connection, settings: Settings) -> None:
    """Make the table `labels`, with `item` and `label`, from answers that nobody has read yet too.

    It has no rows until there are labels. Answers with mistakes change nothing: the verb `labels` tells them.
    """
    if _unread(settings):
        try:
            task, facts = read_task(settings)
            with _here(connection, settings, task.items.table) as local:
                items = all_items(local, settings, task, facts)
            keep_outcome(settings, task, find_outcome(settings, task, items))
        except (ProjectError, ModuleNotFoundError):  # serving goes without nltk
            pass
    labels_view(connection, settings)


def load(connection: Connection, settings: Settings) -> list[tuple[str, int, str]]:
    """Write the raw table with its labels; return name, rows and what they are."""
    if not is_asked(settings):
        return []
    path, count, labelled = join_labels(connection, settings, read_task(settings)[0])
    name = path.relative_to(settings.workspace).as_posix()
    found = read_found(settings)
    refused = _unread(settings) or bool(found and found["refused"])
    hint = "; answers are refused: `labels` says why" if refused else ""
    return [(name, count, "joined"), (name, labelled, f"with a label{hint}")]


@contextmanager
def _here(connection: Connection, settings: Settings, table: str) -> Generator[Connection]:
    """Give a connection on this machine that has a raw table: people are asked about few items."""
    if isinstance(connection, Connection):
        yield connection
        return
    path = raw_path(settings, table)
    if not path.is_file():
        cast("Any", connection).land(f"SELECT * FROM {parquet(path)}", path)
    with connect(settings) as local:
        yield local


def _unread(settings: Settings) -> bool:
    return is_asked(settings) and any_received(settings) and read_found(settings) is None
