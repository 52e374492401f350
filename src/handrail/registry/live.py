"""Which version is live: `models/live.json` names it, and under it those that were live before.

Whatever changes it reads it first, and holds a lock from there until it is written: a promotion and a
fallback at the same moment follow one another, and neither undoes the other.
"""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import READABLE, write_whole
from handrail.locks import locked
from handrail.registry.versions import SUMS, Version, load_version, model_folder, version_folder

Mode = Literal["model", "fallback"]
LOCKED_SECONDS = 30.0  # after which another command that changes what is live is not waited for


@dataclass(frozen=True)
class Canary:
    """A version that answers a share (0 to 1) of what is asked, beside the live one."""

    name: str
    checksum: str
    share: float


@dataclass(frozen=True)
class Live:
    """The versions promoted so far (the last is live), and whether the model or the fallback answers.

    Until it is `launched`, what is live is a trial: in staging, for those who know that it is one.
    A `canary` is a version that is tried beside it.
    """

    versions: tuple[str, ...]
    checksums: tuple[str, ...]
    mode: Mode
    reason: str
    launched: bool = False
    canary: Canary | None = None

    @property
    def stage(self) -> Literal["staging", "live"]:
        """Whether only a trial is served, or everybody."""
        return "live" if self.launched else "staging"


def live_path(settings: Settings) -> Path:
    """Return the file that names the live version."""
    return model_folder(settings) / "live.json"


def read_live(settings: Settings) -> Live | None:
    """Return what is live, or None where nothing was promoted yet."""
    path = live_path(settings)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        versions, checksums = tuple(found["versions"]), tuple(found["checksums"])
        canary = Canary(**found["canary"]) if found.get("canary") else None
        launched = found.get("launched") is True
        live = Live(versions, checksums, found["mode"], found["reason"], launched, canary)
        if not live.versions or len(live.versions) != len(live.checksums):
            raise ValueError("each version needs its checksum")
        return live
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"{path}: not readable ({error}); remove it and promote a version again") from None


def load_live(settings: Settings) -> tuple[Version, Live]:
    """Return the live version, checked; raises ProjectError where nothing was promoted."""
    live = read_live(settings)
    if live is None:
        raise ProjectError(f"{live_path(settings)}: no model is live yet; run `train`, then `promote`")
    return load_version(settings, live.versions[-1], live.checksums[-1]), live


@contextmanager
def changing_live(settings: Settings) -> Generator[None]:
    """Let nobody else change what is live; raises ProjectError where somebody does, for too long."""
    said = f"{live_path(settings)}: another command has been changing it for {LOCKED_SECONDS:.0f} s; "
    with locked(
        model_folder(settings) / ".live.lock", LOCKED_SECONDS, lambda: f"{said}try again when it is done"
    ):
        yield


def require_unchanged(settings: Settings, judged: Live | None) -> None:
    """Raise ProjectError where by now something else is live, or tried, than when it was `judged`.

    Who calls holds the lock of `changing_live`.
    """
    now = read_live(settings)
    if judged is not None and now != judged:
        name = now.versions[-1] if now else "nothing"
        raise ProjectError(
            f"{live_path(settings)}: was changed meanwhile, {name} is live and not what was compared with; "
            "nothing is changed, try again"
        )


def make_live(settings: Settings, name: str, judged: Live | None = None) -> None:
    """Put version `name` on top of what was live before; the model answers again, and no canary.

    `judged`: what it was compared with; raises ProjectError where that is not live any more.
    """
    load_version(settings, name)
    with changing_live(settings):
        require_unchanged(settings, judged)
        live = read_live(settings) or Live((), (), "model", "")
        if live.versions[-1:] == (name,):
            live = replace(live, versions=live.versions[:-1], checksums=live.checksums[:-1])
        versions, checksums = (*live.versions, name), (*live.checksums, checksum_of(settings, name))
        write_live(settings, Live(versions, checksums, "model", "promoted", live.launched))


def checksum_of(settings: Settings, name: str) -> str:
    """Return the checksum by which version `name` is pinned: that of its list of checksums."""
    return sha256((version_folder(settings, name) / SUMS).read_bytes()).hexdigest()


def roll_back(settings: Settings, check: Callable[[Version], object]) -> str:
    """Make the version live that was live before, and return its name.

    Raises ProjectError without one, or if its files were changed; and what `check` raises of it.
    """
    with changing_live(settings):
        live = read_live(settings)
        if live is None or len(live.versions) < 2:
            raise ProjectError(f"{live_path(settings)}: no earlier version to go back to")
        check(load_version(settings, live.versions[-2], live.checksums[-2]))
        versions, checksums = live.versions[:-1], live.checksums[:-1]
        write_live(settings, Live(versions, checksums, "model", "rolled back", live.launched))
        return live.versions[-2]


def use_fallback(settings: Settings, reason: str, judged: str | None = None) -> bool:
    """Let the baseline answer in place of the live model, until the next promotion or rollback.

    `judged`: the version whose fault it is; where another is live by now, nothing is done. Tells whether it
    was done.
    """
    with changing_live(settings):
        live = read_live(settings)
        if live is None or judged not in (None, live.versions[-1]):
            return False
        write_live(settings, replace(live, mode="fallback", reason=reason, canary=None))
        return True


def launch(settings: Settings) -> str:
    """Take what is in staging live, for good, and return its version; raises ProjectError without one."""
    with changing_live(settings):
        version, live = load_live(settings)
        write_live(settings, replace(live, reason="launched", launched=True))
        return version.name


def write_live(settings: Settings, live: Live) -> None:
    """Keep `live`, with a line in the history of models; who calls holds the lock of `changing_live`."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    event = {"at": now, "live": live.versions[-1], "stage": live.stage, "mode": live.mode}
    canary = {"canary": live.canary.name, "share": live.canary.share} if live.canary else {}
    with (model_folder(settings) / "history.jsonl").open("a", encoding="utf-8") as history:
        history.write(json.dumps(event | {"reason": live.reason} | canary) + "\n")
    write_whole(live_path(settings), json.dumps(asdict(live), indent=2) + "\n", READABLE)
