"""What a command line writes to."""

import sys
from io import TextIOWrapper


def tolerate_unknown_letters() -> None:
    """Have standard output and error show a letter that a terminal lacks as its code: no line is lost."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
