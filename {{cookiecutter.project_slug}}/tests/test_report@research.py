"""The research report: its words, numbers and pictures, from a small made-up training run."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from {{ cookiecutter.__package }}.model.evaluate import evaluate
from {{ cookiecutter.__package }}.model.features import Dataset
from {{ cookiecutter.__package }}.model.metrics import payoff_per_row
from {{ cookiecutter.__package }}.model.train import Training
from {{ cookiecutter.__package }}.report import figures, page, summary
from {{ cookiecutter.__package }}.report.importance import importances
from {{ cookiecutter.__package }}.settings import Accuracy, Decision, Payoff, Settings

PAYOFF = Payoff(currency="EUR", caught=10, false_alarm=-4)
FEATURES = ("noise", "signal")
EMPTY = {"value": float("nan"), "low": float("nan"), "high": float("nan")}


class Knowing:
    """A model that knows how the target was made."""

    def predict(self, features):
        return (1 / (1 + np.exp(-2 * features[:, 1] + 1))).astype(np.float32)


def made_up_settings(folder):
    decision = Decision(question="Whom to call?", sponsor="Desk", kpis=("calls",), go="open")
    return Settings(
        root=folder,
        workspace=folder,
        name="Calls",
        description="Who will call",
        decision=decision,
        accuracy=Accuracy(metric="roc_auc", minimum=0.7, baseline_by="weekday"),
        payoff=PAYOFF,
    )


@pytest.fixture
def settings(tmp_path):
    return made_up_settings(tmp_path)


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(1200, 2)).astype(np.float32)
    prediction = Knowing().predict(features)
    test = Dataset(
        features=features,
        target=(rng.random(1200) < prediction).astype(np.float32),
        months=np.repeat(["2030-01", "2030-02", "2030-03"], 400),
        slices={"region": rng.choice(["North & <b>East</b>", "$South$"], 1200)},
        baseline_by=np.repeat("1", 1200),
    )
    baseline = np.full(1200, 0.3, dtype=np.float32)
    info = {
        "evaluation": evaluate(test, prediction, baseline, 0.4, lambda step: None),
        "encoding": {"features": list(FEATURES)},
        "split": {"validation_from": "2029-11-01", "test_from": "2030-01-01", "live_from": "2030-04-01"},
        "rows": {"training": 5000, "validation": 1000, "test": 1200},
    }
    return Training("2030-04-01-abc", info, Knowing(), test, prediction, baseline)  # ty: ignore[invalid-argument-type]


@pytest.fixture(scope="module")
def html(training):
    return page.render(made_up_settings(Path.cwd()), training)


def text_of(html):
    """Return what a reader sees, without pictures and tags."""
    return " ".join(re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def measured(training, **changed):
    """Return the training with other figures in its evaluation."""
    return replace(training, info=training.info | {"evaluation": training.info["evaluation"] | changed})


def test_the_report_is_one_file_that_asks_for_nothing_else(settings, training):
    path = page.write_report(settings, training)
    html = path.read_text(encoding="utf-8")
    assert path == Path(settings.workspace, "reports", "research.html")
    assert list(path.parent.iterdir()) == [path]
    assert not re.findall(r"https?:|src=|@import|url\(h|<link|<script", html)
    assert len(re.findall(r'<svg [^>]*role="img" aria-label="[^"]{20,}"', html)) == html.count("<svg") == 7


def test_the_same_training_gives_the_same_bytes(settings, training, html):
    assert page.render(settings, training) == html


def test_an_identifier_always_means_the_same_shape(html):
    named: dict[str, set[str]] = {}
    for element in re.findall(r"<(?:path|clipPath)[^>]* id=[^>]*>", html):
        named.setdefault(element.split(' id="')[1].split('"')[0], set()).add(element)
    assert len(named) > 10
    assert all(len(shapes) == 1 for shapes in named.values())
    assert html.count(' id="') == len(re.findall(r'<(?:path|clipPath) id="', html))


def test_the_table_shows_every_metric_of_model_and_baseline(training, html):
    text = text_of(html)
    evaluation = training.info["evaluation"]
    for name, figures_of in evaluation["model"].items():
        value, low, high = (f"{figures_of[key]:.3f}" for key in ("value", "low", "high"))
        simple = summary.number(evaluation["baseline"][name]["value"])
        assert f"{summary.title(name)} {value} {low} to {high} {simple}" in text


def test_a_number_that_does_not_exist_is_a_dash(settings, training):
    figures_of = training.info["evaluation"]["model"]
    text = text_of(page.render(settings, measured(training, model=figures_of | {"precision": EMPTY})))
    assert "precision - - to - " in text
    assert "nan" not in text.lower()


def test_names_are_shown_as_text_and_never_as_markup(settings, training):
    hostile = settings.model_copy(update={"name": "<script>alert(1)</script>", "description": "a & b"})
    html = page.render(hostile, training)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "a &amp; b" in html
    assert "<script" not in html
    assert "<b>East" not in html
    assert re.search(r"<text[^>]*>\$South\$ +\(\d+\)</text>", html)


def test_a_report_without_parts_says_nothing_of_them(settings, training):
    text = text_of(page.render(settings, measured(training, parts={"month": {}, "region": {}})))
    assert "Where it is strong" not in text
    assert "No month and no slice is clearly weaker" in text


def test_the_summary_says_when_the_model_is_not_good_enough(settings, training):
    evaluation = training.info["evaluation"]
    good = summary.verdict(settings, evaluation)
    poor = summary.verdict(settings, evaluation | {"model": evaluation["baseline"]})
    assert "clearly beats the simple technique" in good
    assert "for the same weekday" in good
    assert "and the agreed minimum of 0.7 is reached" in good
    assert "does not clearly beat the simple technique" in poor
    assert "and the agreed minimum of 0.7 is not reached" in poor


def test_the_weakest_part_is_one_that_chance_does_not_explain():
    whole = {"value": 0.8, "low": 0.79, "high": 0.81}
    model = {"roc_auc": whole, "observed_share": {"value": 0.3, "low": 0.29, "high": 0.31}}
    parts = {
        "region": {
            "few": {"rows": 100, "roc_auc": {"value": 0.6, "low": 0.3, "high": 0.9}},
            "many": {"rows": 9000, "roc_auc": {"value": 0.7, "low": 0.68, "high": 0.72}},
        }
    }
    said = summary.weakness("roc_auc", {"model": model | {"mean_prediction": {"value": 0.2}}, "parts": parts})
    assert "weakest where region is many (ROC AUC 0.700, 95% interval 0.680 to 0.720)" in said
    assert "too low on average (20.0% predicted, 30.0% observed)" in said


def test_a_threshold_is_worth_what_one_counts_by_hand():
    target = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 1], dtype=np.float32)
    prediction = np.array([0.9, 0.8, 0.7, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], dtype=np.float32)
    found = figures.choice(target, prediction, PAYOFF, 0.7)
    assert (found.warnings, found.caught, found.false_alarms) == (300, 200, 100)
    assert found.caught_share == pytest.approx(2 / 3)
    assert found.alarms_per_100 == pytest.approx(100 / 3)
    assert found.payoff == pytest.approx(100 * (2 * 10 - 4))
    gains = [10, -4, 10, 0, 0, 0, 0, 0, 0, 0]
    assert found.margin == pytest.approx(1000 * 1.96 * np.std(gains) / 10**0.5)


def test_every_threshold_is_worth_what_training_reckons(training):
    target, prediction = training.test.target, training.prediction
    for each in figures.choices(target, prediction, PAYOFF):
        expected = 1000 * payoff_per_row(
            target, prediction, each.threshold, PAYOFF.caught, PAYOFF.false_alarm
        )
        assert each.payoff == pytest.approx(expected)


def test_the_shortlist_holds_the_chosen_threshold_and_spreads(training):
    everything = figures.choices(training.test.target, training.prediction, PAYOFF)
    chosen = figures.choice(training.test.target, training.prediction, PAYOFF, 0.4)
    listed = figures.shortlist(everything, chosen)
    assert chosen in listed
    assert 5 <= len(listed) <= 7
    assert [each.threshold for each in listed] == sorted(each.threshold for each in listed)
    assert listed[0].caught_share > 0.85
    assert listed[-1].caught_share < 0.2


def test_the_roc_curve_has_the_area_that_the_metric_says(training):
    x, y = figures.roc_curve(training.test.target, training.prediction)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(
        training.info["evaluation"]["model"]["roc_auc"]["value"], abs=0.003
    )


def test_calibration_counts_every_row_once(training):
    bins = figures.calibration(training.test.target, training.prediction)
    assert sum(each.rows for each in bins) == 1200
    assert len(bins) == 10
    assert all(each.low <= each.observed <= each.high for each in bins)
    assert sum(each.rows * each.observed for each in bins) == pytest.approx(training.test.target.sum())


def test_equal_probabilities_fall_into_one_bin():
    (only,) = figures.calibration(
        np.tile(np.array([0, 1], dtype=np.float32), 100), np.full(200, 0.3, dtype=np.float32)
    )
    assert (only.rows, only.observed) == (200, 0.5)


def test_what_matters_is_more_important_than_noise(training):
    test = training.test
    first, second = importances(FEATURES, Knowing().predict, test.features, test.target, "roc_auc")
    assert (first.feature, second.feature) == ("signal", "noise")
    assert first.low > 0.1
    assert (second.value, second.low, second.high) == (0, 0, 0)


def test_importance_is_positive_for_a_metric_that_should_be_low(training):
    test = training.test
    first, *_ = importances(FEATURES, Knowing().predict, test.features, test.target, "brier")
    assert first.feature == "signal"
    assert first.value > 0.05
