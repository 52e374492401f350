"""Which version is live: `models/live.json` names it, and under it those that were live before."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from ..errors import ProjectError
from ..files import write_whole
from ..settings import Settings
from .versions import SUMS, Version, load_version, model_folder

Mode = Literal["model", "fallback"]


@dataclass(frozen=True)
class Live:
    """The versions promoted so far (the last is live), and whether the model or the fallback answers."""

    versions: tuple[str, ...]
    checksums: tuple[str, ...]
    mode: Mode
    reason: str


def live_path(settings: Settings) -> Path:
    """Return the file that names the live version."""
    return model_folder(settings) / "live.json"


def read_live(settings: Settings) -> Live | None:
    """Return what is live, or None where nothing was promoted yet."""
    path = live_path(settings)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        live = Live(tuple(found["versions"]), tuple(found["checksums"]), found["mode"], found["reason"])
        if not live.versions or len(live.versions) != len(live.checksums):
            raise ValueError("each version needs its checksum")
        return live
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"{path}: not readable ({error}); remove it and promote a version again") from None


def load_live(settings: Settings) -> tuple[Version, Live]:
    """Return the live version, checked; raises ProjectError where nothing was promoted."""
    live = read_live(settings)
    if live is None:
        raise ProjectError(f"{live_path(settings)}: no model is live yet; run `train`, then `promote`")
    return load_version(settings, live.versions[-1], live.checksums[-1]), live


def make_live(settings: Settings, name: str) -> None:
    """Put version `name` on top of what was live before; the model answers again."""
    load_version(settings, name)
    live = read_live(settings) or Live((), (), "model", "")
    if live.versions[-1:] == (name,):
        live = Live(live.versions[:-1], live.checksums[:-1], "model", "promoted again")
    checksum = sha256((model_folder(settings) / name / SUMS).read_bytes()).hexdigest()
    _write_live(settings, Live((*live.versions, name), (*live.checksums, checksum), "model", "promoted"))


def roll_back(settings: Settings, check: Callable[[Version], object]) -> str:
    """Make the version live that was live before, and return its name.

    Raises ProjectError without one, or if its files were changed; and what `check` raises of it.
    """
    live = read_live(settings)
    if live is None or len(live.versions) < 2:
        raise ProjectError(f"{live_path(settings)}: no earlier version to go back to")
    check(load_version(settings, live.versions[-2], live.checksums[-2]))
    _write_live(settings, Live(live.versions[:-1], live.checksums[:-1], "model", "rolled back"))
    return live.versions[-2]


def use_fallback(settings: Settings, reason: str) -> None:
    """Let the baseline answer in place of the live model, until the next promotion or rollback."""
    live = read_live(settings)
    if live:
        _write_live(settings, Live(live.versions, live.checksums, "fallback", reason))


def _write_live(settings: Settings, live: Live) -> None:
    content = {
        "versions": live.versions,
        "checksums": live.checksums,
        "mode": live.mode,
        "reason": live.reason,
    }
    event = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "live": live.versions[-1]}
    with (model_folder(settings) / "history.jsonl").open("a", encoding="utf-8") as history:
        history.write(json.dumps(event | {"mode": live.mode, "reason": live.reason}) + "\n")
    write_whole(live_path(settings), json.dumps(content, indent=2) + "\n")
