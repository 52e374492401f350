"""Fixtures: a place of each kind, and settings of machines that share one."""

import itertools

import pytest

from tests.engine.support import buckets

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def s3_variables():
    with buckets.s3_server() as variables:
        yield variables


@pytest.fixture(scope="session")
def gcs_variables():
    with buckets.gcs_server() as variables:
        yield variables


@pytest.fixture(scope="session")
def azure_variables():
    with buckets.azure_server() as variables:
        yield variables


@pytest.fixture
def s3(s3_variables, monkeypatch):
    """Return an address of S3 below which nothing is yet."""
    return place("s3", s3_variables, monkeypatch)


@pytest.fixture(
    params=["folder", "s3", "gs", pytest.param("abfs", marks=[pytest.mark.slow, pytest.mark.long])]
)
def any_place(request, tmp_path, monkeypatch):
    """Return an address of each kind of storage, below which nothing is yet."""
    if request.param == "folder":
        return str(tmp_path / "shared")
    fixture = {"s3": "s3_variables", "gs": "gcs_variables", "abfs": "azure_variables"}[request.param]
    return place(request.param, request.getfixturevalue(fixture), monkeypatch)


def place(scheme, variables, monkeypatch):
    """Return an address in the tests' bucket, and set what leads to it."""
    if isinstance(variables, str):
        pytest.skip(variables)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return f"{scheme}://{buckets.BUCKET}/place-{next(NUMBERS)}/of its own"
