"""The name by which a request is found again: in its answer, among the predictions, and among the errors."""

import re
import secrets
from contextvars import ContextVar
from itertools import count

HEADER = b"x-request-id"
GIVEN = re.compile(rb"[A-Za-z0-9][\w.:/+=-]{0,127}")
NOW: ContextVar[str] = ContextVar("request_id", default="")  # that of the request which is answered

_numbers, _process = count(1), secrets.token_hex(6)


def name_request(given: bytes | None) -> str:
    """Return the client's name for a request if it has one that can be written anywhere, else a new one."""
    if given and GIVEN.fullmatch(given):
        return given.decode("ascii")
    return f"{_process}-{next(_numbers):x}"
