"""What the tests of the template and of baked projects share."""

import os
import secrets
import signal

import pytest

pytest.register_assert_rewrite("tests.template.baking")

from tests.template.baking import SEED, bake, cookiecutter, refusal  # noqa: E402

__all__ = ["bake", "cookiecutter", "refusal"]


def pytest_configure() -> None:
    """Choose the seed of the random answers before the tests are collected, once for all processes.

    And heed Ctrl-C as at a terminal: a shell has what it runs in the background ignore it, and that would be
    handed on to every program that a test starts.
    """
    os.environ.setdefault(SEED, str(secrets.randbelow(10**6)))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter) -> None:
    """Print how to have the same random answers again."""
    terminalreporter.write_line(f"random answers: {SEED}={os.environ[SEED]}")
