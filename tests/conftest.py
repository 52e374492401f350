"""What the tests of the template and of baked projects share."""

import os
import secrets

import pytest

pytest.register_assert_rewrite("tests.template.baking")

from tests.template.baking import SEED, bake, cookiecutter, refusal  # noqa: E402

__all__ = ["bake", "cookiecutter", "refusal"]


def pytest_configure() -> None:
    """Choose the seed of the random answers before the tests are collected, once for all processes."""
    os.environ.setdefault(SEED, str(secrets.randbelow(10**6)))


def pytest_terminal_summary(terminalreporter) -> None:
    """Print how to have the same random answers again."""
    terminalreporter.write_line(f"random answers: {SEED}={os.environ[SEED]}")
