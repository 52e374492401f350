"""Which version is live: `models/live.json` names it, and under it those that were live before.

Whatever changes it reads it first, and holds a lock from there until it is written: a promotion and a
fallback at the same moment follow one another, and neither undoes the other. Where machines share a registry,
the file is a copy of what is live there, and is changed there: see `handrail.registry.shared`.
"""

import json
import platform
import random
import secrets
import time
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
from handrail.registry.history import history_path
from handrail.registry.shared import LIVE, follow, shared_registry, take_over
from handrail.registry.shared import replace as replace_shared
from handrail.registry.versions import SUMS, Version, load_version, model_folder, version_folder

Mode = Literal["model", "fallback"]
ATTEMPTS = 20  # at a change, where other machines make some at the same time
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
    return model_folder(settings) / LIVE


def read_live(settings: Settings) -> Live | None:
    """Return what is live, or None where nothing was promoted yet."""
    if settings.shared.registry:
        follow(settings)
    return _read_here(settings)


def _read_here(settings: Settings) -> Live | None:
    """Return what is live as this machine knows it."""
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
    return checked(settings, read_live(settings))


@contextmanager
def changing_live(settings: Settings) -> Generator[None]:
    """Let nobody else change what is live; raises ProjectError where somebody does, for too long."""
    said = f"{live_path(settings)}: another command has been changing it for {LOCKED_SECONDS:.0f} s; "
    with locked(
        model_folder(settings) / ".live.lock", LOCKED_SECONDS, lambda: f"{said}try again when it is done"
    ):
        yield


def change_live(settings: Settings, change: Callable[[Live | None], Live | None]) -> Live | None:
    """Replace what is live by what `change` makes of it, and return that; None where it makes nothing.

    It is written down in the history. Where machines share a registry, another one may be first: then
    `change` is asked again, of what is live then. Raises what `change` raises, and ProjectError where others
    never stop.
    """
    with changing_live(settings):
        store = shared_registry(settings)
        if store is None:
            new = change(_read_here(settings))
            if new is not None:
                _write(settings, new)
            return new
        for attempt in range(ATTEMPTS):
            seen = store.read(LIVE)
            take_over(settings, seen)
            new = change(_read_here(settings))
            if new is None or replace_shared(store, settings, seen, asdict(new), _event(settings, new)):
                return new
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311 (so that two part)
    raise ProjectError(
        f"{store.url}/{LIVE}: other machines have changed it {ATTEMPTS} times meanwhile; nothing is changed, "
        "try again"
    )


def require_unchanged(settings: Settings, now: Live | None, judged: Live | None) -> None:
    """Raise ProjectError where `now` something else is live, or tried, than when it was `judged`."""
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

    def promoted(now: Live | None) -> Live:
        require_unchanged(settings, now, judged)
        live = now or Live((), (), "model", "")
        if live.versions[-1:] == (name,):
            live = replace(live, versions=live.versions[:-1], checksums=live.checksums[:-1])
        versions, checksums = (*live.versions, name), (*live.checksums, checksum_of(settings, name))
        return Live(versions, checksums, "model", "promoted", live.launched)

    change_live(settings, promoted)


def checksum_of(settings: Settings, name: str) -> str:
    """Return the checksum by which version `name` is pinned: that of its list of checksums."""
    return sha256((version_folder(settings, name) / SUMS).read_bytes()).hexdigest()


def roll_back(settings: Settings, check: Callable[[Version], object]) -> str:
    """Make the version live that was live before, and return its name.

    Raises ProjectError without one, or if its files were changed; and what `check` raises of it.
    """

    def back(live: Live | None) -> Live:
        if live is None or len(live.versions) < 2:
            again = ""
            if live and live.mode == "fallback":
                again = f"; the fallback answers ({live.reason}): `promote {live.versions[-1]}` ends that"
            raise ProjectError(f"{live_path(settings)}: no earlier version to go back to{again}")
        check(load_version(settings, live.versions[-2], live.checksums[-2]))
        return Live(live.versions[:-1], live.checksums[:-1], "model", "rolled back", live.launched)

    done = change_live(settings, back)
    return done.versions[-1] if done else ""


def use_fallback(settings: Settings, reason: str, judged: str | None = None) -> bool:
    """Let the baseline answer in place of the live model, until the next promotion or rollback.

    `judged`: the version whose fault it is; where another is live by now, nothing is done. Tells whether it
    was done.
    """

    def fallen_back(live: Live | None) -> Live | None:
        if live is None or judged not in (None, live.versions[-1]):
            return None
        return replace(live, mode="fallback", reason=reason, canary=None)

    return change_live(settings, fallen_back) is not None


def launch(settings: Settings) -> str:
    """Take what is in staging live, for good, and return its version; raises ProjectError without one."""

    def launched(live: Live | None) -> Live:
        _, live = checked(settings, live)
        return replace(live, reason="launched", launched=True)

    done = change_live(settings, launched)
    return done.versions[-1] if done else ""


def checked(settings: Settings, live: Live | None) -> tuple[Version, Live]:
    """Return the version of `live`, its files checked; raises ProjectError where nothing was promoted."""
    if live is None:
        there = settings.shared.registry
        nor = f", nor in {there} (is the address right?)" if there else ""
        raise ProjectError(f"{live_path(settings)}: no model is live yet{nor}; run `train`, then `promote`")
    return load_version(settings, live.versions[-1], live.checksums[-1]), live


def _write(settings: Settings, live: Live) -> None:
    """Keep `live`, with a line in the history of models; who calls holds the lock of `changing_live`."""
    with history_path(settings).open("a", encoding="utf-8") as history:
        history.write(json.dumps(_event(settings, live)) + "\n")
    write_whole(live_path(settings), json.dumps(asdict(live), indent=2) + "\n", READABLE)


def _event(settings: Settings, live: Live) -> dict[str, object]:
    """Return what the history says of a change; of one that all machines see, on which it was made."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    event = {"at": now, "live": live.versions[-1], "stage": live.stage, "mode": live.mode}
    canary = {"canary": live.canary.name, "share": live.canary.share} if live.canary else {}
    where = {"machine": platform.node(), "id": secrets.token_hex(4)} if settings.shared.registry else {}
    return event | {"reason": live.reason} | canary | where
