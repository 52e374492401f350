"""Where a new project's template comes from, where nobody says it: from where this program came.

Installed from git or from a folder, Handrail is the template's own repository. Installed from a wheel, as in
a project, it is not; then the template of the project at hand, or of one beside the new folder, is taken.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .errors import UpdateError
from .history import Version, cloned, missing_of_template, number_of
from .record import NAME, answer_or_nothing, template_of
from .wheel import PACKAGE


@dataclass(frozen=True)
class Source:
    """An address or a folder, a commit or tag there, empty for the newest release, and the folder in it."""

    address: str
    to: str = ""
    directory: str = ""


def source(template: str, to: str, near: Path) -> Source:
    """Return where the template is: as asked, or as known. Raises UpdateError.

    near: the folder that the project is to be in
    """
    if template:
        return Source(template, to)
    for known in candidates(near):
        return Source(known.address, to or known.to, known.directory)
    raise UpdateError("it is not known where the template is. Say it: --template ADDRESS")


def candidates(near: Path) -> Iterator[Source]:
    """Yield where the template may be, the best first."""
    with suppress(PackageNotFoundError):
        if found := installed_from(distribution(PACKAGE).read_text("direct_url.json") or ""):
            yield found
    here = Path.cwd()
    beside = [path.parent for path in sorted(near.glob(f"*/{NAME}"))] if near.is_dir() else []
    for project in (here, *here.parents, near, *near.parents, *beside):
        if (project / NAME).is_file():
            with suppress(OSError, ValueError, KeyError, TypeError):
                kept = json.loads((project / NAME).read_text(encoding="utf-8"))
                if address := template_of(kept, project):
                    yield Source(address, directory=kept["directory"])


def installed_from(described: str) -> Source | None:
    """Return the template that a package was installed from, by its `direct_url.json`; None for a wheel."""
    try:
        known = json.loads(described)
        url = known["url"]
    except (ValueError, KeyError, TypeError):
        return None
    if "vcs_info" in known:
        return Source(url, known["vcs_info"].get("commit_id", ""), known.get("subdirectory", ""))
    if "dir_info" not in known:
        return None
    folder = Path(url2pathname(urlsplit(url).path))
    return None if missing_of_template(folder) else Source(str(folder))


def template_version(place: Source, folder: Path) -> Version:
    """Return the template's files: a folder as it lies, or a version that is cloned into a new folder.

    Raises UpdateError.
    """
    local = Path(place.address).expanduser()
    if local.is_dir() and not place.to:
        local = (local / place.directory).resolve()
        if missing := missing_of_template(local):
            raise UpdateError(
                f"{local}: has no {missing}, so that is no Handrail template. Name it: --template"
            )
        return Version(answer_or_nothing(local, "rev-parse", "HEAD"), local, number_of(local))
    history = cloned(place.address, folder / "clone")
    commit = history.commit(place.to) if place.to else history.latest
    return history.version(commit, folder / "template", history.directory or place.directory)
