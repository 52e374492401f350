"""What a platform team wants to know of many projects: a row for each, read from its files alone.

Nothing of a project is imported or run, and no package is installed: so that it is quick, and safe.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from .errors import UpdateError
from .history import History, cloned
from .record import NAME, template_of
from .repository import GitError, run_git
from .standard import deviations
from .update import record_of
from .wheel import PACKAGE, content_version, engine_version

LISTS = {  # by people, of each stage
    "report": "2-research/report.md",
    "launch": "3-production/launch.md",
    "handover": "4-operation/HANDOVER.md",
}
TICK = re.compile(r"^\s*\|\s*\[([ xX])\]\s*\|", re.MULTILINE)
DEEPEST = 4  # as far as team/repository/services/churn
SERIES = "reports/monitoring/series.ndjson"


@dataclass(frozen=True)
class Look:
    """The newest look of `monitor` at what was latest then: when, and how many readings were an alert."""

    at: datetime
    alerts: int


@dataclass(frozen=True)
class Checked:
    """What was found of one project.

    version: of the template, with its commit · behind: by how many commits, and `newest` by which version it
    is led on; None where that is not known, for the reason `why` · missing, altered: standard files, None
    where the record names none · engine: where it is taken from, with what is wrong of it as `engine_fault`
    signed: what people have decided and ticked, by what it is · look: None where none is on this machine
    problem: why it can't be read at all
    """

    folder: str
    version: str = ""
    behind: int | None = None
    newest: str = ""
    why: str = ""
    missing: tuple[str, ...] | None = None
    altered: tuple[str, ...] | None = None
    engine: str = ""
    engine_fault: str = ""
    signed: Mapping[str, str] = field(default_factory=dict)
    look: Look | None = None
    problem: str = ""

    @property
    def faults(self) -> list[str]:
        """What somebody has to see to, in short."""
        found = [self.problem] if self.problem else []
        found += [f"{self.behind} behind"] if self.behind else []
        found += [f"missing {name}" for name in self.missing or ()]
        found += [f"altered {name}" for name in self.altered or ()]
        return found + ([self.engine_fault] if self.engine_fault else [])

    def record(self) -> dict[str, Any]:
        """Return everything as plain data."""
        look = {"at": self.look.at.isoformat(), "alerts": self.look.alerts} if self.look else None
        known = {name: value for name, value in vars(self).items() if name != "look"}
        return known | {"look": look, "faults": self.faults}


class Templates:
    """The templates that projects name, each cloned once; what can't be had is known by its reason."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self._folder, self._address = folder, address
        self._clones: dict[str, History | str] = {}
        self._engines: dict[tuple[str, str], str] = {}

    def of(self, project: Path, kept: Mapping[str, Any]) -> History | str:
        """Return the template of a project, or why it can't be had."""
        address = self._address or template_of(kept, project)
        if not address:
            return "the record names no template; say where it is: --template"
        if address not in self._clones:
            try:
                self._clones[address] = cloned(address, self._folder / f"clone-{len(self._clones)}")
            except UpdateError as error:
                self._clones[address] = str(error)
        return self._clones[address]

    def engine(self, history: History, kept: Mapping[str, Any]) -> str:
        """Return the version of the engine at the commit of a record; empty where that is gone."""
        key = history.shown, kept["commit"] or ""
        if key not in self._engines:
            self._engines[key] = ""
            with suppress(UpdateError, OSError, KeyError):
                folder = self._folder / f"version-{len(self._engines)}"
                found = history.version(history.commit(key[1]), folder, kept["directory"])
                self._engines[key] = engine_version(found.folder)
        return self._engines[key]


def check(folders: Sequence[Path], address: str = "") -> list[Checked]:
    """Check the projects in some folders, in their order; `address`: where the template is, if elsewhere."""
    with TemporaryDirectory(prefix="handrail-check-", ignore_cleanup_errors=True) as temporary:
        templates = Templates(Path(temporary).resolve(), address)
        return [checked(folder, templates) for folder in folders]


def projects_in(folder: Path) -> list[Path]:
    """Return the folder itself if it is a project, or else those in it, down to DEEPEST folders, by name.

    Hidden folders and environments are left out.
    """
    return [*_below(folder, DEEPEST)] or [folder]


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / NAME).is_file():
        yield folder
        return
    with suppress(OSError):  # not ours to read
        for each in sorted(folder.iterdir()) if depth else ():
            if each.is_dir() and not each.is_symlink() and not each.name.startswith((".", "node_modules")):
                yield from _below(each, depth - 1)


def checked(folder: Path, templates: Templates) -> Checked:
    """Check one project."""
    try:
        kept = record_of(folder)
    except UpdateError as error:
        there = (folder / NAME).is_file()
        return Checked(str(folder), problem=str(error) if there else "no project: it has no .handrail.json")
    history = templates.of(folder, kept)
    behind, newest, why = (None, "", history) if isinstance(history, str) else led_on(history, kept)
    standard = kept.get("standard")
    found = None if standard is None else [*deviations(folder, standard)]
    missing, altered = (
        None if found is None else tuple(name for name, word in found if word == wanted)
        for wanted in ("missing", "altered")
    )
    released = "" if isinstance(history, str) else templates.engine(history, kept)
    engine, fault = engine_source(folder, kept, released)
    commit = f" ({kept['commit'][:7]})" if kept["commit"] else ""
    return Checked(
        folder=str(folder),
        version=f"{kept['version']}{commit}",
        behind=behind,
        newest=newest,
        why=why,
        missing=missing,
        altered=altered,
        engine=engine,
        engine_fault=fault,
        signed=signed(folder),
        look=last_look(folder),
    )


def led_on(history: History, kept: Mapping[str, Any]) -> tuple[int | None, str, str]:
    """Return how many commits of the template came since, the newest version, or why that isn't known."""
    if not kept["commit"]:
        return None, "", "the template's commit is not known"
    try:
        before = history.commit(kept["commit"])
        after = history.newest(before)
        count = int(run_git(history.clone, "rev-list", "--count", f"{before}..{after}"))
    except (UpdateError, GitError) as error:
        return None, "", str(error)
    named = history.releases[-1] if history.releases and history.commit(history.releases[-1]) == after else ""
    return count, named or after[:7], ""


def engine_source(folder: Path, kept: Mapping[str, Any], released: str) -> tuple[str, str]:
    """Return where a project takes the engine from, and what is wrong of that.

    released: the version of the template's commit, empty where it is not known
    """
    try:
        described = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return "?", f"pyproject.toml can't be read: {error}"
    source = described.get("tool", {}).get("uv", {}).get("sources", {}).get(PACKAGE, {})
    source = next(iter(source), {}) if isinstance(source, list) else source  # one for each system
    place = source.get("path", "")
    if not place:
        return next((name for name in ("git", "url", "workspace") if name in source), "index"), ""
    if not place.endswith(".whl"):
        return "folder", f"the engine is the folder {place}, which no clone has"
    fault = wheel_fault(folder / place, kept, released)
    if fault:
        return "wheel", f"{place} {fault}"
    return ("wheel, as its template made it" if released else "wheel"), ""


def wheel_fault(path: Path, kept: Mapping[str, Any], released: str) -> str:
    """Return what is wrong with the wheel of a project; empty where it is that of record and commit."""
    if not path.is_file():
        return "is missing"
    try:
        content, named = content_version(path), path.name.split("-")[1]
    except (OSError, ValueError, KeyError) as error:
        return f"can't be read: {error}"
    uncommitted = kept.get("dirty")
    why = "the template had changes that were not committed" if uncommitted else f"that has {released}"
    faults = {
        f"holds {content}: somebody has changed it": content != named,
        f"is not the {kept['engine']} of {NAME}": named != kept["engine"],
        f"is of no commit of the template: {why}": released and named != released,
    }
    return next((fault for fault, applies in faults.items() if applies), "")


def signed(folder: Path) -> dict[str, str]:
    """Return what people have decided and ticked: the decision, and how much of each list."""
    found = {"decision": decision(folder)}
    for name, file in LISTS.items():
        try:
            ticks = TICK.findall((folder / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found[name] = f"{sum(tick != ' ' for tick in ticks)}/{len(ticks)}"
    return found


def decision(folder: Path) -> str:
    """Return go, no-go or open, as project.yaml says; the example's own counts as open."""
    try:
        facts = yaml.safe_load((folder / "project.yaml").read_text(encoding="utf-8"))
        return "example" if facts.get("example") else str(facts["decision"]["go"])
    except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError):
        return "?"


def last_look(folder: Path) -> Look | None:
    """Return the newest look of `monitor`, where the project's own folder is its workspace."""
    try:
        lines = (folder / SERIES).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    newest, alerts = "", 0
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            row = json.loads(line)
            if row["of"] == "latest" and row["at"] >= newest:
                alerts = (alerts if row["at"] == newest else 0) + (row["state"] == "alert")
                newest = row["at"]
    with suppress(ValueError):
        return Look(datetime.fromisoformat(newest), alerts)
    return None
