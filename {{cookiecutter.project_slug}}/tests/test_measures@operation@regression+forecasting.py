"""The metrics of what was served equal those that training reckons."""

import duckdb
import numpy as np
import pytest

from {{ cookiecutter.__package }} import engine
from {{ cookiecutter.__package }}.model import metrics
from {{ cookiecutter.__package }}.monitor import measures
from {{ cookiecutter.__package }}.readiness.payoff import payoff
from {{ cookiecutter.__package }}.sections import ErrorCosts

PLAN = {"margin": 0.5, "tolerable": 1.0}


def test_live_metrics_equal_those_of_training():
    rng = np.random.default_rng(1)
    target, known = rng.poisson(5, 3000).astype(np.int32), rng.random(3000) < 0.7
    prediction = (target + rng.normal(0, 2, 3000)).astype(np.float32)
    with duckdb.connect() as connection:
        connection.register("columns", {"p": prediction, "t": np.where(known, target, -1)})
        connection.execute("CREATE TABLE rows AS SELECT p, nullif(t, -1) AS t FROM columns")
        found = engine.row(connection, measures.live_query("rows", "p", "t", PLAN))
    rows = metrics.rows_of(target[known].astype(np.float32), prediction[known])
    assert found == pytest.approx({"outcomes": known.sum(), **metrics.measure(rows, PLAN)}, rel=1e-9)


def test_live_metrics_of_equal_outcomes_only_are_unknown():
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows AS SELECT 2.0::FLOAT AS p, 0 AS t FROM range(9)")
        found = engine.row(connection, measures.live_query("rows", "p", "t", PLAN))
    assert (found["outcomes"], found["mae"], found["within"]) == (9, 2, 0)
    assert {found[name] for name in ("r2", "wape")} == {None}


def test_a_live_row_costs_what_its_plan_was_off():
    costs = ErrorCosts(currency="EUR", too_low=10, too_high=4)
    lost = payoff(np.float32([5, 5, 5]), np.float32([3.5, 4.5, 6.5]), PLAN, costs)
    assert lost.tolist() == [-10, 0, -8]
