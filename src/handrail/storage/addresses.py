"""The addresses of storage and databases, and how they are told: without what is secret in them."""

import re
from urllib.parse import SplitResult, urlsplit

BUCKETS = {"s3": "s3", "gs": "gcs", "abfs": "azure", "abfss": "azure", "az": "azure"}  # scheme: extra
DATABASES = ("postgresql", "postgres")
ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
SECRET = re.compile(r"(://[^\s/@:]*):[^\s/@]*@|(://[^\s:@]*):\S*@")
OPTION = re.compile(r"([?&](?:password|sslpassword|passfile)=)[^\s&]+", re.IGNORECASE)
KNOWN = "a folder, or s3://, gs:// or abfs:// and the name of a bucket"


def scheme_of(place: str) -> str | None:
    """Return the scheme of an address, as `s3`; None of a folder."""
    found = ADDRESS.match(place)
    return found[1].lower() if found else None


def is_database(place: str) -> bool:
    """Tell whether an address is a database's."""
    return scheme_of(place) in DATABASES


def without_secrets(text: str) -> str:
    """Return a text in which the password of every address is `***`."""
    return OPTION.sub(r"\1***", SECRET.sub(lambda found: f"{found[1] or found[2]}:***@", text))


def shown(place: str) -> str:
    """Return how an address is told to people: without a password, and without what follows a `?`."""
    return without_secrets(place).partition("?")[0].rstrip("/") if scheme_of(place) else place


def refusal(place: str, *, database: bool = False) -> str:
    """Return why an address can't be one of raw data or of storage, or nothing; no part of it is in it."""
    scheme = scheme_of(place)
    if scheme is None:
        return ""
    kinds = (*BUCKETS, *(DATABASES if database else ()))
    if scheme not in kinds:
        also = ", or postgresql:// and a host" if database else ""
        return f"{scheme}:// is no kind of storage; write {KNOWN}{also}"
    try:
        found = urlsplit(place)
        _ = found.port
    except ValueError:
        return "its host or its port can't be made out; write special letters of a password as %40"
    if scheme not in DATABASES and _has_secret(found, scheme):
        return "it holds a key or a token; they belong where the cloud's own tools look for them"
    if not found.hostname and scheme not in DATABASES:
        return "it names no bucket"
    return ""


def has_password(place: str) -> bool:
    """Tell whether a password stands in an address."""
    return scheme_of(place) is not None and without_secrets(place) != place


def _has_secret(found: SplitResult, scheme: str) -> bool:
    user = found.username if BUCKETS[scheme] != "azure" else None  # there, it is the container
    return bool(found.query or found.fragment or found.password or user)
