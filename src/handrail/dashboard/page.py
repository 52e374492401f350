"""What every page needs: texts that stay texts, and sections that never bring down the page."""

import logging
import re
from collections.abc import Generator
from contextlib import contextmanager

import streamlit as st

from handrail.errors import ProjectError

log = logging.getLogger(__name__)
MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # the characters of ASCII that Markdown may take for its own


def plain(text: str) -> str:
    """Return Markdown that shows `text` as it stands, on one line: no picture, colour or formula.

    An address of the web becomes a link to just that; nothing else is one.
    """
    return MARKS.sub(r"\\\1", " ".join(str(text).split()))


@contextmanager
def told() -> Generator[None]:
    """Let a section say in a sentence what is missing or went wrong; the other sections are shown."""
    try:
        yield
    except ProjectError as error:
        for problem in error.problems:
            st.info(plain(problem))
    except Exception as error:
        log.exception("a section of the dashboard failed")
        st.error(plain(f"{type(error).__name__}: {error}; the log of `dashboard` has the place"))
