"""Finds a key outside `data/`, where nothing deletes it but a person: in reports, texts and answers."""

import re
from collections.abc import Iterator

from ..settings import Settings


def find_elsewhere(settings: Settings, key: str) -> Iterator[str]:
    """Yield the name of each file in `reports/` and the stage folders in which the key stands as a word."""
    word = re.compile(rf"(?<!\w){re.escape(key)}(?!\w)")
    for place, folders in ((settings.workspace, "reports"), (settings.root, "[1-4]-*")):
        for path in sorted(path for folder in place.glob(folders) for path in folder.rglob("*")):
            if path.is_file() and word.search(path.read_text(encoding="utf-8", errors="replace")):
                yield path.relative_to(place).as_posix()
