"""From a question to labels: ask people, measure how far they agree, settle what is disputed, join."""

from pathlib import Path

FOLDER = "2-research/labelling"


def is_asked_for(root: Path) -> bool:
    """Return whether the project at `root` asks people for labels: it has the folder for that."""
    return (root / FOLDER).is_dir()
