"""What the reports say in words: numbers, the verdict, the weakest part."""

from dataclasses import replace

import numpy as np
import pytest

from handrail.config.sections import ErrorCosts
from handrail.reports import pages, wording
from handrail.tasks import Classification, Regression
from handrail.training.run import mean_errors
from tests.engine.reports.reading import text_of
from tests.engine.support.example import example
from tests.engine.support.made_up_training import made_up_settings, made_up_training

TASKS = (Classification(), Regression())
GOALS = [each for task in TASKS for each in task.metrics if each.greater_is_better is not None]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0"),
        (-0.0, "0.0"),
        (0.001, "0.0"),
        (0.25, "0.25"),
        (-2.716, "-2.7"),
        (30.24, "30.2"),
        (1234.5, "1,234"),
        (-2.5e6, "-2,500,000"),
        (float("nan"), "-"),
    ],
)
def test_an_amount_has_as_many_decimals_as_tell_something(value, text):
    assert wording.rounded(value) == text


def test_a_figure_has_fewer_decimals_the_larger_it_is():
    figures = (0.7463, -28.7941, 99.9994, 1234.56, 57907.199, float("nan"), float("-inf"))
    assert [wording.number(value) for value in figures] == [
        "0.746",
        "-28.794",
        "99.999",
        "1,234.6",
        "57,907",
        "-",
        "-",
    ]
    assert [wording.loss(value) for value in (0.00052, -0.0012, 32237.89, float("nan"))] == [
        "0.0005",
        "-0.0012",
        "32,238",
        "-",
    ]


def test_money_is_whole_or_has_cents():
    amounts = (3, 3.5, 17.9999, 99.999, 1234.56, -2, float("inf"), float("nan"))
    assert [wording.money(value, "EUR") for value in amounts] == [
        "EUR 3",
        "EUR 3.50",
        "EUR 18",
        "EUR 100",
        "EUR 1,235",
        "EUR -2",
        "EUR -",
        "EUR -",
    ]


def test_a_number_is_written_into_a_file_as_a_person_would():
    assert [wording.as_written(value) for value in (200.0, 0.05)] == ["200", "0.05"]


def test_the_summary_says_when_the_model_is_not_good_enough(settings, training):
    evaluation, metric = training.info["evaluation"], settings.project.metrics[settings.accuracy.metric]
    least = evaluation["model"][metric.name]["value"]
    accuracy = settings.accuracy.model_copy(update={"minimum": round(least, 1) - 0.3 * metric.sign})
    settings = settings.model_copy(update={"accuracy": accuracy})
    chance = {name: figures | {"low": -1.0} for name, figures in evaluation["gain"].items()}
    far = {metric.name: evaluation["model"][metric.name] | {"value": -10.0 * metric.sign}}
    good = wording.verdict(settings, evaluation)
    poor = wording.verdict(settings, evaluation | {"gain": chance, "model": far})
    assert "clearly beats the simple technique" in good
    assert f"knows the {settings.project.task.mean_name} for the same weekday" in good
    assert f"and the agreed minimum of {accuracy.minimum:g} is reached" in good
    assert "does not clearly beat the simple technique" in poor
    assert f"and the agreed minimum of {accuracy.minimum:g} is not reached" in poor


def test_a_model_that_beats_but_misses_the_minimum_is_told_as_both(settings, training):
    metric = settings.project.metrics[settings.accuracy.metric]
    accuracy = settings.accuracy.model_copy(update={"minimum": 10.0 * metric.sign})
    said = wording.verdict(settings.model_copy(update={"accuracy": accuracy}), training.info["evaluation"])
    assert "It clearly beats the simple technique" in said
    assert f", but the agreed minimum of {10 * metric.sign} is not reached." in said


def test_a_simple_technique_that_takes_a_value_is_called_so(settings, training):
    accuracy = settings.accuracy.model_copy(update={"baseline_takes": "value"})
    said = wording.verdict(settings.model_copy(update={"accuracy": accuracy}), training.info["evaluation"])
    assert "the simple technique, which only repeats the weekday" in said


@pytest.mark.parametrize("metric", GOALS, ids=lambda metric: metric.name)
def test_the_weakest_part_is_one_that_chance_does_not_explain(metric):
    sign, name = metric.sign, metric.name
    whole = {"value": 0.8, "low": 0.79, "high": 0.81}
    few, many = ({"value": 0.8 - sign * off} for off in (0.2, 0.1))
    ends = ("low", "high") if sign == 1 else ("high", "low")
    few |= dict(zip(ends, (0.8 - sign * 0.5, 0.8 + sign * 0.1), strict=True))
    many |= dict(zip(ends, (0.8 - sign * 0.12, 0.8 - sign * 0.08), strict=True))
    parts = {"region_code": {"few": {"rows": 100, name: few}, "many": {"rows": 9000, name: many}}}
    said = wording.weakness(metric, {"model": {name: whole}, "parts": parts}, "all is well")
    figures = f"{metric.shown} {many['value']:.3f}, 95% interval {wording.interval(many)}"
    assert said == f"It is weakest where region code is many ({figures}); all is well."


def test_where_no_part_is_clearly_weaker_none_is_named():
    metric = replace(GOALS[0], name="score")
    figures = {"value": 0.8, "low": 0.7, "high": 0.9}
    evaluation = {"model": {"score": figures}, "parts": {"month": {"2030-01": {"rows": 9, "score": figures}}}}
    assert wording.weakest(metric, evaluation) is None
    assert wording.weakness(metric, evaluation, "b") == (
        "No month and no slice is clearly weaker than the whole; b."
    )


FULL = {"acting": [0.02, 0.1], "without": {"never": [0.2, 0], "always": [0, 0.8]}}
AMOUNTS = {"acting": [2.0, 3.0], "without": {"same": [4.0, 4.0]}}


@pytest.mark.parametrize(
    ("problem", "costs", "errors", "said"),
    [
        ("classification", (10, 4), FULL, ""),
        (
            "classification",
            (1, 4),
            FULL,
            "At what errors cost, acting on it costs more than no warnings at all: EUR 420 against EUR 200 "
            "per 1,000 departures.",
        ),
        (
            "classification",
            (1000, 1),
            FULL,
            "At what errors cost, acting on it costs more than warnings for all departures: EUR 20,100 "
            "against EUR 800 per 1,000 departures.",
        ),
        (
            "classification",
            (1, 4),
            FULL | {"acting": [0.2, 0]},
            "At what errors cost, acting on it saves nothing against no warnings at all.",
        ),
        ("regression", (10, 4), AMOUNTS, ""),
        (
            "regression",
            (10, 4),
            AMOUNTS | {"acting": [6.0, 1.0]},
            "At what errors cost, acting on it costs more than the same plan for all departures: EUR 64,000 "
            "against EUR 56,000 per 1,000 departures.",
        ),
        ("regression", (10, 4), None, ""),  # of a version of before errors were counted
    ],
)
def test_that_acting_costs_more_than_doing_without_is_said(tmp_path, problem, costs, errors, said):
    project = example(problem)
    settings = made_up_settings(tmp_path, project)
    agreed = ErrorCosts(currency="EUR", too_low=costs[0], too_high=costs[1])
    words = project.task.words.model_validate({"rows": "departures"})
    settings = settings.model_copy(update={"error_costs": agreed, "words": words})
    evaluation = {"errors": errors} if errors else {}
    assert wording.not_worth_it(settings, evaluation) == said
    open_ones = ErrorCosts(currency="units", too_low=costs[0], too_high=costs[1])
    assert wording.not_worth_it(settings.model_copy(update={"error_costs": open_ones}), evaluation) == ""


@pytest.mark.parametrize("problem", ["classification", "regression", "forecasting"])
@pytest.mark.parametrize("dear", [True, False])
def test_every_page_says_it_where_it_is_so(tmp_path, problem, dear):
    project = example(problem)
    settings = made_up_settings(tmp_path, project)
    known = made_up_training(project=project)
    decision = project.task.decide(known.test.target, known.prediction, settings.error_costs)
    if dear:  # a model that knows nothing, acted on in every second case; plans that are far too small
        decision = decision | ({"threshold": 0.3} if "threshold" in decision else {"margin": -3.0})
    training = made_up_training(project=project, decision=decision, knows=not dear)
    tradeoff = project.task.tradeoff(settings, training)
    for page in pages.PAGES:
        text = text_of(pages.render(page, settings, training, tradeoff))
        assert ("At what errors cost, acting on it costs more than " in text) is dear


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_the_errors_that_costs_are_told_by_are_those_of_the_payoff(problem):
    task, rng = example(problem).task, np.random.default_rng(1)
    costs = ErrorCosts(currency="EUR", too_low=7, too_high=2)
    chance = rng.random(500).astype(np.float32)
    target = (rng.random(500) < chance).astype(np.float32) * (1 if problem == "classification" else 3)
    decision = task.decide(target, chance, costs)
    errors = mean_errors(task, costs, target, chance, decision)
    cost = {name: short * 7 + spare * 2 for name, (short, spare) in errors["without"].items()}
    acting = errors["acting"][0] * 7 + errors["acting"][1] * 2
    never = cost.get("never", 0.0)
    assert acting == pytest.approx(never - task.payoff(target, chance, decision, costs).mean())
    same = np.full(500, 1.0, dtype=np.float32)
    assert min(cost.values()) == pytest.approx(
        never - task.payoff(target, same, task.decide(target, same, costs), costs).mean()
    )
