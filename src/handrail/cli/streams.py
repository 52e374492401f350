"""What a command line writes to."""

import logging
import sys
from io import TextIOWrapper


def tolerate_unknown_letters() -> None:
    """Have standard output and error show a letter that a terminal lacks as its code: no line is lost."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Once(logging.Filter):
    """Lets a line through the first time only: what learns several times would repeat it."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[tuple[int, str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.levelno, record.getMessage()
        new = line not in self._told
        self._told.add(line)
        return new


class _Told(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {super().format(record)}"


def tell_warnings() -> None:
    """Have what is logged told on standard error, as `warning: ...`, unless the project does so itself."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Told())
    handler.addFilter(_Once())
    logging.basicConfig(handlers=[handler])
