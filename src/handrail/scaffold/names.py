"""The `@` names: `name@word` is in a project only if `word` was chosen, and loses its `@word` there.

`name@no_word` is there only if `word` was not chosen: for what another part does in its place.
"""

import os
import re
from collections.abc import Iterable, Set
from pathlib import Path

WORD = re.compile(r"@([a-z0-9_]+(?:\+[a-z0-9_]+)*)")
WITHOUT = "no_"
CACHES = frozenset({"__pycache__", ".ruff_cache", ".pytest_cache"})


def kept_name(path: str, chosen: Set[str]) -> str | None:
    """Return a path of the template, with forward slashes, as the project has it, or None if it has not.

    `name@word+other` is there if either word was chosen; folders on the way count too.
    """
    asked = (words.split("+") for words in WORD.findall(path))
    if not CACHES.isdisjoint(path.split("/")):
        return None
    here = all(any(is_met(word, chosen) for word in words) for words in asked)
    return WORD.sub("", path) if here else None


def is_met(word: str, chosen: Set[str]) -> bool:
    """Return whether a word of an `@` name is met by what was chosen; `no_word` is where `word` was not."""
    return word.removeprefix(WITHOUT) not in chosen if word.startswith(WITHOUT) else word in chosen


def without_part(folder: Path, always: str, chosen: Iterable[str]) -> list[str]:
    """Return which chosen words the template's folder of files knows nothing of, one sentence a word.

    A part is a name with `@word`, or `'word'` in a text that is rendered; `always` is the word that every
    project has. Raises OSError.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and CACHES.isdisjoint(path.parts)]
    named = {word for path in files for words in WORD.findall(path.as_posix()) for word in words.split("+")}
    left = [word for word in chosen if word not in named and word != always]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files] if left else []
    return [
        f"{word}: the template has no part for this answer. Name a file name@{word}, or test for '{word}'"
        for word in left
        if not any(f"'{word}'" in text for text in texts)
    ]


def leave_out(project: Path, chosen: Set[str]) -> list[str]:
    """Remove what was not chosen, and folders left empty; return the project's names for the rest, sorted.

    What stays gets the usual permissions, whatever the template's own were; git's folder is not looked into.
    Raises FileExistsError if two parts claim one name, and any other OSError.
    """
    kept = []
    modes = usual_modes()
    for folder, folders, files in os.walk(project):
        folders[:] = [name for name in folders if (Path(folder), name) != (project, ".git")]
        for path in (Path(folder, name) for name in (*folders, *files)):
            path.chmod(modes[path.is_dir()])
    inside = (path for path in project.rglob("*") if path.relative_to(project).parts[0] != ".git")
    for path in sorted(inside, reverse=True):  # what is inside a folder comes before the folder
        name = kept_name(path.relative_to(project).as_posix(), chosen)
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif name is None:
            path.unlink()
        else:
            move(path, project / name)
            kept.append(name)
    return sorted(kept)


def usual_modes() -> tuple[int, int]:
    """Return what a new file, and what a new folder, may be read and written by."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask, 0o777 & ~mask


def move(path: Path, target: Path) -> None:
    """Give a file its name, in a folder that may not be there yet. Raises FileExistsError if it is taken."""
    if path == target:
        return
    if target.exists():
        raise FileExistsError(17, f"two parts of the template claim this, one is {path.name}", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)
