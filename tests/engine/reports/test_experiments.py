"""The page of the experiment log: what it draws, and what it says where there is nothing to draw."""

import re
from datetime import date

import pytest

from handrail.config.budget import Budget
from handrail.reports import experiments
from handrail.training.experiment_log import Experiment
from handrail.training.stopping_rule import Recommendation
from tests.engine.reports.reading import pictures_of, text_of
from tests.engine.support.made_up_training import made_up_settings

ADVICE = Recommendation("go on", "no round is good enough yet")
UNTIL = date(2026, 1, 24)
ROUND = {
    "at": "2026-01-21T10:00:00+00:00",
    "note": "first",
    "metric": "roc_auc",
    "value": 0.69,
    "low": 0.685,
    "high": 0.695,
    "baseline": 0.68,
    "gain_low": -0.005,
    "period": "validation",
    "seconds": 1800.0,
    "version": "v1",
}
TUNING = {
    "scores": [0.7, 0.69, 0.72],
    "failed": 1,
    "hyperparameters": {"steps": 3},
    "features": ["size"],
    "gain": {"value": 0.01, "low": 0.004, "high": 0.016},
    "adopted": True,
}
LIMITS = {"begins": "2026-01-19", "days": 10, "money": 1000, "cost_per_day": 100, "cost_per_hour": 4}


@pytest.fixture
def settings(tmp_path):
    """Return settings with a budget."""
    budget = Budget.model_validate({"currency": "CHF", "total": 5000, "spent": 0, "research": LIMITS})
    return made_up_settings(tmp_path).model_copy(update={"budget": budget})


def rounds(*changes):
    return [Experiment.model_validate(ROUND | change) for change in changes]


def page(settings, *changes):
    return experiments.page(settings, rounds(*changes), ADVICE, UNTIL)


def test_the_scores_are_drawn_beside_the_baseline_and_the_minimum(settings):
    html = page(settings, {}, {"value": 0.71, "note": "<b>bold</b>"})
    assert pictures_of(html) == ["round 1: 0.690; round 2: 0.710", "5 of 10 days, 504 of 1,000 CHF"]
    assert ">needed 0.7<" in html
    text = text_of(html)
    assert "Go on: no round is good enough yet." in text
    assert "roc_auc over the rounds Dots: the model, with its 95% interval. Dashes: the simple" in text
    assert "2 2026-01-21 0.710 0.685 to 0.695 0.680 validation 1,800 <b>bold</b>" in text
    assert "<b>bold" not in html


def test_the_budget_is_told_by_the_share_of_each_limit(settings):
    html = page(settings, {})
    assert ">days 50%<" in html
    assert ">CHF 50%<" in html
    assert ">agreed<" in html
    assert "By round; the lines end on 2026-01-24." in text_of(html)


def test_without_a_budget_of_research_none_is_drawn(settings):
    html = page(settings.model_copy(update={"budget": None}), {})
    assert len(pictures_of(html)) == 1
    assert "Budget burnt" not in html


def test_the_trials_of_the_last_tuning_are_drawn_with_the_best_so_far(settings):
    html = page(settings, {}, {"tuning": TUNING}, {"tuning": TUNING | {"scores": [0.6, 0.65]}})
    assert "2 trials, the best 0.6500" in pictures_of(html)
    assert ">best 0.6500<" in html
    assert "roc_auc over the trials of round 3" in text_of(html)
    assert pictures_of(html)[0] == "round 1: 0.690"  # a tuning's score is no point of the curve


def test_the_best_trial_of_an_error_is_the_lowest(settings):
    metric = settings.project.metrics["brier"]
    (tuned,) = rounds({"tuning": TUNING})
    picture = experiments.trials_picture(metric, 4, tuned.tuning)
    assert picture.title == "brier over the trials of round 4"
    assert ">best 0.6900<" in picture.svg


def test_rounds_of_another_metric_are_listed_and_not_drawn(settings):
    html = page(settings, {"metric": "brier"})
    text = text_of(html)
    assert "No round is measured by roc_auc yet." in text
    assert "1 2026-01-21 0.690" in text
    assert [told for told in pictures_of(html) if told.startswith("round")] == []


def test_without_a_round_the_page_says_so(settings):
    html = page(settings)
    assert pictures_of(html) == []
    assert "No round is measured by roc_auc yet." in text_of(html)


def test_one_round_in_which_all_figures_are_equal_is_drawn(settings):
    same = rounds(dict.fromkeys(("value", "low", "high", "baseline"), 0.7))
    picture = experiments.score_picture(settings, [(1, same[0])])
    assert picture.title == "roc_auc over the rounds"
    assert re.search(r'aria-label="round 1: 0\.700"', picture.svg)


def test_the_page_asks_for_nothing_else(settings):
    html = page(settings, {}, {"tuning": TUNING})
    assert not re.findall(r"https?:|src=|@import|url\(h|<link|<iframe|<form|<script", html)
    assert "default-src 'none'" in html
