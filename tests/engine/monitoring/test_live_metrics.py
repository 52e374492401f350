"""The metrics of what was served, which the engine groups, equal those of the same rows one by one."""

import duckdb
import numpy as np
import pytest
from sklearn import metrics as reference

from handrail import Project
from handrail.compute import duckdb as engine
from handrail.config.sections import ErrorCosts
from handrail.contract import Role, column
from handrail.monitoring import live_metrics, outcomes
from handrail.registry.canary import is_chosen
from handrail.registry.versions import Version
from handrail.tasks.metric import Metric
from handrail.training.intervals import groups_of, resampled
from tests.engine.support.example import example
from tests.engine.support.workspaces import PROJECT

AMOUNTS = example("regression")
CHANCE, PLAN = {"threshold": 0.3}, {"margin": 0.5, "tolerable": 1.0, "range": [3.0], "range_from": []}
ROWS = 3000
COSTS = ErrorCosts(currency="EUR", too_low=10, too_high=4)


def chances(decimals, count=ROWS):
    """Return cases, and probabilities that are right, with that many decimals."""
    rng = np.random.default_rng(1)
    prediction = np.round(rng.random(count), decimals).astype(np.float32)
    return (rng.random(count) < prediction).astype(np.int32), prediction


def amounts(decimals, count=ROWS):
    """Return amounts, and predictions that are off, with that many decimals."""
    rng = np.random.default_rng(1)
    target = rng.poisson(5, count).astype(np.int32)
    return target, np.round(target + rng.normal(0, 2, count), decimals).astype(np.float32)


def measured(project, target, prediction, decision, known=None):
    """Return the live metrics of rows that are logged; `known`: which outcomes are in, all without it."""
    known = np.ones(len(target), dtype=bool) if known is None else known
    with duckdb.connect() as connection:
        keys = np.arange(len(target))
        connection.register("columns", {"k": keys, "p": prediction, "t": target, "known": known})
        connection.execute(
            f"CREATE TABLE rows AS SELECT 'key ' || k AS {project.key}, p AS prediction, "
            f"CASE WHEN known THEN t END AS {project.target} FROM columns"
        )
        return live_metrics.live_metrics(connection, project, "rows", "prediction", decision)


KINDS = {"chances": (PROJECT, chances, CHANCE), "amounts": (AMOUNTS, amounts, PLAN)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("decimals", [0, 1, 6], ids=["hardly but ties", "many ties", "few ties"])
def test_grouped_by_the_engine_they_equal_those_of_the_rows(kind, decimals):
    project, made, decision = KINDS[kind]
    target, prediction = made(decimals)
    known = np.random.default_rng(2).random(ROWS) < 0.7
    found = measured(project, target, prediction, decision, known)
    rows = project.metrics.measure(target[known].astype(np.float32), prediction[known], decision)
    assert found.metrics == pytest.approx(rows, rel=1e-9, abs=1e-12)
    assert [*found.metrics] == [*project.metrics]
    assert (found.outcomes, found.measured, found.note) == (known.sum(), known.sum(), "")
    assert not any(np.isnan(value) for value in found.metrics.values())


@pytest.mark.parametrize("decimals", [1, 6], ids=["many ties", "few ties"])
def test_those_of_chances_equal_those_of_scikit_learn(decimals):
    target, prediction = chances(decimals)
    known = np.random.default_rng(2).random(ROWS) < 0.7
    threshold = float(np.float32(0.3)) if decimals == 6 else 0.3
    found = measured(PROJECT, target, prediction, {"threshold": threshold}, known)
    y, p = target[known], prediction[known].astype(np.float64)
    flagged = prediction[known] >= np.float32(threshold)
    expected = {
        "roc_auc": reference.roc_auc_score(y, p),
        "average_precision": reference.average_precision_score(y, p),
        "brier": reference.brier_score_loss(y, p),
        "precision": reference.precision_score(y, flagged),
        "recall": reference.recall_score(y, flagged),
        "flagged_share": flagged.mean(),
        "observed_share": y.mean(),
        "mean_prediction": p.mean(),
    }
    assert found.metrics == pytest.approx(expected, rel=1e-9)


def test_those_of_amounts_equal_those_of_scikit_learn():
    target, prediction = amounts(6)
    found = measured(AMOUNTS, target, prediction, PLAN).metrics
    p = prediction.astype(np.float64)
    expected = {
        "mae": reference.mean_absolute_error(target, p),
        "rmse": reference.root_mean_squared_error(target, p),
        "r2": reference.r2_score(target, p),
        "wape": np.abs(p - target).sum() / target.sum(),
        "within": (np.abs(p - target) <= 1).mean(),
        "covered": (p + 0.5 >= target).mean(),
        "coverage": (np.abs(p - target) <= 3).mean(),
        "mean_error": (p - target).mean(),
        "mean_outcome": target.mean(),
        "mean_prediction": p.mean(),
    }
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_range_counts_as_it_was_told():
    """Answers of model and fallback, one that the contract cuts, and one of a version that had no range."""
    told = [
        # target, prediction, low, high; in it?
        (10, 8.0, 5.0, 11.0, True),
        (12, 8.0, 5.0, 11.0, False),
        (12, 8.0, 3.0, 13.0, True),  # of the fallback, whose range is wider
        (0, -4.0, 0.0, 0.0, True),  # nothing below 0 is allowed
        (3, 1.0, 0.0, 4.0, True),
        (99, 1.0, None, None, None),
    ]
    with duckdb.connect() as connection:
        columns = f"{AMOUNTS.target} INTEGER, prediction FLOAT, low DOUBLE, high DOUBLE"
        connection.execute(f"CREATE TABLE rows ({columns})")
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", [each[:4] for each in told])
        given = (connection, AMOUNTS, "rows", "prediction")
        found = live_metrics.live_metrics(*given, PLAN, as_told=True)
        without = {"margin": 0.5, "tolerable": 1.0}
        assert (
            live_metrics.live_metrics(*given, without, as_told=True).metrics["coverage"]
            == (found.metrics["coverage"])
        )
        own = live_metrics.live_metrics(*given, PLAN)
    known = [within for *_, within in told if within is not None]
    assert found.metrics["coverage"] == pytest.approx(np.mean(known)) == pytest.approx(4 / 5)
    assert own.metrics["coverage"] == pytest.approx(2 / 6)
    others = found.metrics | {"coverage": 0}
    assert others == pytest.approx(own.metrics | {"coverage": 0})


def unknown(found):
    """Return the names of the metrics that are not known."""
    return {name for name, value in found.metrics.items() if np.isnan(value)}


def test_of_one_outcome_only_some_are_unknown():
    found = measured(
        PROJECT, np.zeros(9, dtype=np.int32), np.full(9, 0.1, dtype=np.float32), {"threshold": 0.5}
    )
    assert (found.outcomes, found.metrics["brier"]) == (9, pytest.approx(0.01))
    assert unknown(found) == {"roc_auc", "average_precision", "precision", "recall"}


def test_of_equal_amounts_only_some_are_unknown():
    found = measured(AMOUNTS, np.zeros(9, dtype=np.int32), np.full(9, 2, dtype=np.float32), PLAN)
    assert (found.outcomes, found.metrics["mae"], found.metrics["within"]) == (9, 2, 0)
    assert unknown(found) == {"r2", "wape"}


@pytest.mark.parametrize("kind", KINDS)
def test_without_outcomes_all_are_unknown(kind):
    project, made, decision = KINDS[kind]
    found = measured(project, *made(1), decision, known=np.zeros(ROWS, dtype=bool))
    assert (found.outcomes, found.measured, found.note) == (0, 0, "")
    assert unknown(found) == set(project.metrics)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_a_prediction_has_an_outcome_and_no_figure(kind):
    project, made, decision = KINDS[kind]
    target, prediction = made(1)
    there = prediction > np.quantile(prediction, 0.1)
    with duckdb.connect() as connection:
        connection.register("columns", {"p": prediction, "t": target, "there": there})
        connection.execute(
            f"CREATE TABLE rows AS "
            f"SELECT CASE WHEN there THEN p END AS prediction, t AS {project.target} FROM columns"
        )
        found = live_metrics.live_metrics(connection, project, "rows", "prediction", decision)
    rows = project.metrics.measure(target[there].astype(np.float32), prediction[there], decision)
    assert found.metrics == pytest.approx(rows, rel=1e-9, abs=1e-12)
    assert (found.outcomes, found.note) == (ROWS, "")


@pytest.mark.parametrize("kind", KINDS)
def test_beyond_the_most_groups_a_sample_by_key_is_measured_and_said(kind, monkeypatch):
    project, made, decision = KINDS[kind]
    target, prediction = made(6, 20_000)
    whole = measured(project, target, prediction, decision)
    monkeypatch.setattr(live_metrics, "MOST_GROUPS", 5000)
    found = measured(project, target, prediction, decision)
    assert found == measured(project, target, prediction, decision)
    assert (found.outcomes, found.measured) == (20_000, pytest.approx(5000, rel=0.05))
    assert found.note == f"measured on a sample by key, {found.measured:,} of 20,000 outcomes"
    name = next(iter(project.metrics.goals))
    first = project.metrics.outcomes(target[:5000].astype(np.float32), prediction[:5000])
    spread = resampled(project.metrics, first, groups_of(None, None, 5000), decision, 50)[name].std()
    assert found.metrics[name] != whole.metrics[name]
    assert found.metrics[name] == pytest.approx(whole.metrics[name], abs=5 * spread)


@pytest.mark.parametrize("kind", KINDS)
def test_where_predictions_repeat_every_row_counts(kind, monkeypatch):
    project, made, decision = KINDS[kind]
    target, prediction = made(1)
    whole = measured(project, target, prediction, decision)
    monkeypatch.setattr(live_metrics, "MOST_GROUPS", 2000)
    assert measured(project, target, prediction, decision) == whole


def test_the_sample_is_not_a_canary_s_share():
    """Whoever chooses by the same hash would measure the canary alone."""
    with duckdb.connect() as connection:
        numbered = f"(SELECT 'key ' || range AS {PROJECT.key} FROM range(20000))"
        chosen_by = outcomes.sample_by_key(PROJECT, 20_000, 5000)
        query = f"SELECT {PROJECT.key} AS k FROM {numbered} WHERE {chosen_by}"
        chosen = {item["k"] for item in engine.rows(connection, query)}
    assert sum(is_chosen(key, 0.25) for key in chosen) / len(chosen) == pytest.approx(0.25, abs=0.03)


def test_a_metric_of_ones_own_is_measured_like_the_others():
    def worst(target, prediction, weight):
        return float(np.abs(prediction - target).max())

    own = Metric("worst", worst, "largest error", greater_is_better=False)
    project = Project(AMOUNTS.package, given={"metrics": [*AMOUNTS.task.metrics, own]}, root=AMOUNTS.root)
    target, prediction = amounts(6)
    found = measured(project, target, prediction, PLAN).metrics["worst"]
    assert found == np.abs(prediction.astype(np.float64) - target).max()


def test_a_live_row_saves_a_case_or_costs_a_false_alarm():
    rows = np.float32([1, 0, 1]), np.float32([0.5, 0.6, 0.4])
    assert PROJECT.task.payoff(*rows, {"threshold": 0.5}, COSTS).tolist() == [10, -4, 0]


def test_a_live_row_costs_what_its_plan_was_off():
    rows = np.float32([5, 5, 5]), np.float32([3.5, 4.5, 6.5])
    assert AMOUNTS.task.payoff(*rows, PLAN, COSTS).tolist() == [-10, 0, -8]


def test_a_column_of_the_contract_is_no_end_of_a_range():
    class Priced(AMOUNTS.contract):
        low: float = column(Role.FEATURE, "Lowest price of the day", ge=0, le=100)

    own = Project(AMOUNTS.package, given={"contract": Priced}, root=AMOUNTS.root)
    with duckdb.connect() as connection:
        rows = f"SELECT 10 AS {own.target}, CAST(8 AS FLOAT) AS prediction, 50.0 AS low, 60.0 AS high"
        found = live_metrics.live_metrics(connection, own, f"({rows})", "prediction", PLAN, as_told=True)
    assert found.metrics["coverage"] == 1.0


@pytest.mark.parametrize(("by_model", "expected"), [(2, 0.3), (1, 0.2), (0, 0.2)])
def test_where_the_baseline_has_answered_most_it_is_measured_by_its_own_threshold(
    tmp_path, by_model, expected
):
    decision = CHANCE | {"baseline_threshold": 0.2}
    version = Version("v", tmp_path, {"evaluation": {"decision": decision}}, PROJECT)
    sources = ["model"] * by_model + ["fallback"] * (3 - by_model)
    others = ", ".join(["('other', 'model')"] * 9)
    own = ", ".join(f"('v', '{source}')" for source in sources)
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE rows AS SELECT * FROM (VALUES {own}, {others}) AS t (version, source)"
        )
        assert live_metrics.decision_of(connection, "rows", version)["threshold"] == expected
        assert (
            live_metrics.decision_of(connection, "(SELECT * FROM rows WHERE FALSE)", version)["threshold"]
            == 0.3
        )
