"""Which cases of a test the fast lane has."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def slow_but(fast: Container[str], names: Iterable[str]) -> list[Any]:
    """Return the parameters `names`, in their order; those that are not in `fast` are for the slow lane."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]
