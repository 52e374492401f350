"""Predictions are joined with what came of them, whatever the key is, and before anything has come."""

from datetime import date, datetime

import pytest

from handrail import Project
from handrail.compute import duckdb as engine
from handrail.contract import Record, Role, column
from handrail.etl import load
from handrail.monitoring import outcomes
from tests.engine.support.lived import keep
from tests.engine.support.workspaces import PROJECT, in_workspace


class Numbered(Record):
    """A row whose key is a number."""

    number: int = column(Role.KEY, "Number", ge=0, le=10**6)
    began_at: datetime = column(Role.TIME, "When", examples=[datetime(2030, 1, 1)])
    size: float = column(Role.FEATURE, "Size", ge=0, le=10)
    cost: float | None = column(Role.TARGET, "Cost", ge=0, le=1000)


@pytest.fixture
def numbered(tmp_path):
    """Return settings of a project whose keys are numbers, with three predictions and a fourth anew."""
    given = {"contract": Numbered, "table_name": "costs"}
    settings = in_workspace(tmp_path, Project(PROJECT.package, given=given, root=PROJECT.root))
    made = {
        "version": "v1",
        "source": "model",
        "baseline": 1.0,
        "began_at": "2030-01-01T00:00:00",
        "size": 2.0,
    }
    keep(settings, [{**made, "prediction": float(number), "number": number} for number in (1, 2, 3)])
    keep(settings, [{**made, "prediction": 9.0, "number": 3}])
    return settings


def joined(settings):
    """Return prediction and outcome of each key."""
    with engine.connect(settings) as connection:
        source = outcomes.join_outcomes(connection, settings, (None, None), today=date(2030, 6, 1))
        found = engine.rows(connection, f"SELECT number, prediction, cost FROM {source} ORDER BY number")
    return [tuple(item.values()) for item in found]


def test_before_anything_is_loaded_no_outcome_is_known(numbered):
    assert joined(numbered) == [(1, 1.0, None), (2, 2.0, None), (3, 9.0, None)]


def test_a_key_that_is_a_number_finds_its_outcome(numbered):
    with engine.connect(numbered) as connection:
        table = "SELECT 3 AS number, 7.5 AS cost UNION ALL SELECT 1, NULL UNION ALL SELECT 8, 1"
        engine.write_parquet(connection, table, load.table_path(numbered, "costs"))
    assert joined(numbered) == [(1, 1.0, None), (2, 2.0, None), (3, 9.0, 7.5)]
