"""The metrics of what was served equal those of scikit-learn."""

import duckdb
import numpy as np
import pytest
from sklearn import metrics as reference

from {{ cookiecutter.__package }} import engine
from {{ cookiecutter.__package }}.monitor import measures
from {{ cookiecutter.__package }}.readiness.payoff import payoff
from {{ cookiecutter.__package }}.sections import ErrorCosts


@pytest.mark.parametrize("decimals", [1, 6], ids=["many ties", "few ties"])
def test_live_metrics_equal_those_of_scikit_learn(decimals):
    rng = np.random.default_rng(1)
    prediction = np.round(rng.random(3000), decimals).astype(np.float32)
    target = rng.random(3000) < prediction
    known = rng.random(3000) < 0.7
    outcome = np.ma.masked_array(target.astype(np.int32), mask=~known)
    threshold = float(np.float32(0.3)) if decimals == 6 else 0.3
    with duckdb.connect() as connection:
        connection.register("columns", {"p": prediction, "t": outcome.filled(-1)})
        connection.execute("CREATE TABLE rows AS SELECT p, nullif(t, -1) AS t FROM columns")
        found = engine.row(connection, measures.live_query("rows", "p", "t", {"threshold": threshold}))
    y, p = target[known], prediction[known].astype(np.float64)
    flagged = prediction[known] >= np.float32(threshold)
    expected = {
        "outcomes": known.sum(),
        "roc_auc": reference.roc_auc_score(y, p),
        "average_precision": reference.average_precision_score(y, p),
        "brier": reference.brier_score_loss(y, p),
        "precision": reference.precision_score(y, flagged),
        "recall": reference.recall_score(y, flagged),
        "flagged_share": flagged.mean(),
        "observed_share": y.mean(),
        "mean_prediction": p.mean(),
    }
    assert found == pytest.approx(expected, rel=1e-9)


def test_live_metrics_of_one_outcome_only_are_unknown():
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows AS SELECT 0.1::FLOAT AS p, 0 AS t FROM range(9)")
        found = engine.row(connection, measures.live_query("rows", "p", "t", {"threshold": 0.5}))
    assert (found["outcomes"], found["brier"]) == (9, pytest.approx(0.01))
    assert {found[name] for name in ("roc_auc", "average_precision", "precision", "recall")} == {None}


def test_a_live_row_saves_a_case_or_costs_a_false_alarm():
    costs = ErrorCosts(currency="EUR", too_low=10, too_high=4)
    gained = payoff(np.float32([1, 0, 1]), np.float32([0.5, 0.6, 0.4]), {"threshold": 0.5}, costs)
    assert gained.tolist() == [10, -4, 0]
