"""What labelling adds to the ETL: the table `labels` for transform.sql, and the raw table with its labels."""

from ..engine import Connection
from ..settings import Settings
from .answers import any_received
from .keep import join_labels, labels_view, read_found
from .task_file import is_asked, read_task


def offer(connection: Connection, settings: Settings) -> None:
    """Make the table `labels`, with `item` and `label`; it has no rows until there are labels."""
    labels_view(connection, settings)


def load(connection: Connection, settings: Settings) -> list[tuple[str, int, str]]:
    """Write the raw table with its labels; return name, rows and what they are."""
    if not is_asked(settings):
        return []
    path, count, labelled = join_labels(connection, settings, read_task(settings)[0])
    name = path.relative_to(settings.workspace).as_posix()
    older = "" if read_found(settings) or not any_received(settings) else ", of older answers: run `labels`"
    return [(name, count, "joined"), (name, labelled, f"with a label{older}")]
