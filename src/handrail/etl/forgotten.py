"""The keys, and subjects, that `etl` leaves out for good: only a keyed hash of each is kept.

A hash without a secret tells a key that can be guessed, such as a number. Lines of version 0.2 are such ones,
SHA-256 without a secret; they are still kept out. Krawczyk, Bellare and Canetti, HMAC, RFC 2104 (1997).
"""

import hmac
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path

from handrail.compute.duckdb import identifier, literal
from handrail.config.settings import Settings
from handrail.errors import ProjectError

SECRET = "forgetting_secret"  # noqa: S105 (the name of the setting)
METHOD = "hmac-sha256"
BLOCK_BYTES = 64


def forgotten_path(settings: Settings) -> Path:
    """Return the file of the keys that are not to be loaded again: what is kept of each, one a line."""
    return settings.workspace / "data" / "forgotten.txt"


def fingerprint(settings: Settings, key: str) -> str:
    """Return what is kept of a key that is to be forgotten; raises ProjectError where there is no secret.

    It is `hmac-sha256:SECRET:KEY`: which secret was used, in 8 digits, and the keyed hash.
    """
    secret = settings.secret(SECRET)
    if not secret:
        name = f"{settings.project.env_prefix}{SECRET.upper()}"
        raise ProjectError(
            f"--key: {name} is not set; give it 16 characters or more that nobody can guess, and keep it "
            "with the other secrets: by it `etl` knows again which keys it leaves out"
        )
    return f"{METHOD}:{_which(secret)}:{_digest(secret, key)}"


def keep_out(settings: Settings, line: str) -> None:
    """Note what is kept of a key, so that `etl` leaves it out; the key itself is kept nowhere."""
    path = forgotten_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    if line not in _lines(path):
        with path.open("a", encoding="utf-8") as lines:
            lines.write(f"{line}\n")


def is_forgetting(settings: Settings) -> bool:
    """Return whether any key is to be left out."""
    return bool(_kept_out(settings))


def without_forgotten(source: str, settings: Settings, names: Collection[str]) -> str:
    """Return the FROM item `source` without the rows that have a forgotten key, or subject, in a column.

    `names`: the columns in which one may stand. Raises ProjectError where the secret is missing, or another
    one than the keys were forgotten with.
    """
    lines = _kept_out(settings)
    if not lines or not names:
        return source
    plain = [line for line in lines if ":" not in line]
    keyed = [line.split(":") for line in lines if ":" in line]
    secret = _secret_of(settings, {which for _, which, _ in keyed}) if keyed else ""
    digests = ", ".join(literal(digest) for _, _, digest in keyed)
    known = []
    for name in names:
        is_key = name == settings.project.key
        text = settings.project.shared_key if is_key else f"CAST({identifier(name)} AS VARCHAR)"
        known += [f"sha256({text}) IN ({', '.join(map(literal, plain))})"] if plain else []
        known += [f"{_digest_in_sql(secret, text)} IN ({digests})"] if keyed else []
    return f"(SELECT * FROM {source} WHERE ({' OR '.join(known)}) IS NOT TRUE)"


def _kept_out(settings: Settings) -> list[str]:
    """Return what is kept of each key that is to be left out, here and in what a small run is of."""
    lines = _lines(forgotten_path(settings))
    if settings.sample:  # it lies in sample/<N>/ of the whole
        whole = settings.model_copy(update={"workspace": settings.workspace.parents[1]})
        lines += _lines(forgotten_path(whole))
    return [*dict.fromkeys(lines)]


def _secret_of(settings: Settings, used: set[str]) -> str:
    """Return the secret; raises ProjectError unless it is the one that was used."""
    secret = getattr(settings, SECRET, None)
    name = f"{settings.project.env_prefix}{SECRET.upper()}"
    if secret and used == {_which(secret)}:
        return secret
    wrong = f"{name} is another one than the keys were forgotten with" if secret else f"{name} is not set"
    raise ProjectError(
        f"data/forgotten.txt: {wrong}; without it, rows that were deleted would be loaded again"
    )


def _digest(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def _which(secret: str) -> str:
    return _digest(secret, "which secret this is")[:8]


def _digest_in_sql(secret: str, text: str) -> str:
    """Return the SQL expression of the keyed hash of `text`, an expression too."""
    whole = secret.encode()
    block = (sha256(whole).digest() if len(whole) > BLOCK_BYTES else whole).ljust(BLOCK_BYTES, b"\0")
    inner, outer = (f"unhex('{bytes(byte ^ pad for byte in block).hex()}')" for pad in (0x36, 0x5C))
    return f"sha256({outer} || unhex(sha256({inner} || encode({text}))))"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.is_file() else []
