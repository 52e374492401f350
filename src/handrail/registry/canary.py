"""A canary: a version that answers a share of what is asked, before it answers everything."""

from dataclasses import replace
from hashlib import md5

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.live import Canary, Live, change_live, checked, checksum_of, require_unchanged
from handrail.registry.versions import Version, load_version


def start_canary(settings: Settings, name: str, share: float, judged: Live | None = None) -> None:
    """Let version `name` answer `share` (0 to 1) of what is asked, in place of any canary before it.

    `judged`: what it was compared with. Raises ProjectError where that is not live any more, or nothing is
    beside which it could be tried.
    """
    load_version(settings, name)

    def tried(now: Live | None) -> Live:
        require_unchanged(settings, now, judged)
        version, live = checked(settings, now)
        if name == version.name:
            raise ProjectError(f"{name}: answers everything already; a canary is another version")
        return replace(live, canary=Canary(name, checksum_of(settings, name), share), reason="canary")

    change_live(settings, tried)


def end_canary(settings: Settings, reason: str, judged: str | None = None) -> str | None:
    """Let the live version answer everything again; return the canary's name, or None without one.

    `judged`: the canary whose fault it is; another one that is tried by now stays.
    """
    ended: list[str] = []

    def withdrawn(live: Live | None) -> Live | None:
        if live is None or live.canary is None or judged not in (None, live.canary.name):
            return None
        ended[:] = [live.canary.name]
        return replace(live, canary=None, reason=reason)

    return ended[0] if change_live(settings, withdrawn) else None


def load_canary(settings: Settings, canary: Canary) -> Version:
    """Return the canary's version, checked; raises ProjectError where its files are not those promoted."""
    return load_version(settings, canary.name, canary.checksum)


def is_chosen(key: object, share: float) -> bool:
    """Tell whether the canary answers for `key`, of a subject or else a row: always the same of the two."""
    return md5(str(key).encode(), usedforsecurity=False).hexdigest() < _below(share)


def chosen_condition(key: str, share: float) -> str:
    """Return the same in SQL, for the expression `key`."""
    return f"md5(CAST({key} AS VARCHAR)) < '{_below(share)}'"


def _below(share: float) -> str:
    """Return the hash, in hexadecimal digits, below which `share` of all hashes lie."""
    return f"{int(share * 2**32):08x}"
