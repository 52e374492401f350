"""The research report: its words, numbers and pictures, from a small made-up training run."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.model import metrics
from {{ cookiecutter.__package }}.report import PAGES, page, positions, summary
from {{ cookiecutter.__package }}.report.importance import importances

from .conftest import METRIC, RISING
from .made_up_training import DECISION, FEATURES, Knowing, made_up_settings, made_up_training

EMPTY = {"value": float("nan"), "low": float("nan"), "high": float("nan")}


@pytest.fixture
def settings(tmp_path):
    return made_up_settings(tmp_path)


@pytest.fixture(scope="module")
def training():
    return made_up_training()


@pytest.fixture(scope="module")
def html(training):
    return rendered(made_up_settings(Path.cwd()), training)


def rendered(settings, training, name="research.html"):
    """Return a page of the report."""
    return page.render(name, settings, training, positions.tradeoff_of(settings, training))


def text_of(html):
    """Return what a reader sees, without pictures and tags."""
    return " ".join(re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def measured(training, **changed):
    """Return the training with other figures in its evaluation."""
    return replace(training, info=training.info | {"evaluation": training.info["evaluation"] | changed})


def test_each_report_is_one_file_that_asks_for_nothing_else(settings, training):
    paths = page.write_reports(settings, training)
    assert paths == [Path(settings.workspace, "reports", name) for name in PAGES]
    assert sorted(paths[0].parent.iterdir()) == sorted(paths)
    for path in paths:
        html = path.read_text(encoding="utf-8")
        assert not re.findall(r"https?:|src=|@import|url\(h|<link|<iframe|<form", html)
        assert "default-src 'none'" in html


def test_every_picture_is_told_to_those_who_cannot_see_it(html):
    assert len(re.findall(r'<svg [^>]*role="img" aria-label="[^"]{20,}"', html)) == html.count("<svg")
    assert html.count("<svg") >= 7


def test_the_same_training_gives_the_same_bytes(settings, training, html):
    assert rendered(settings, training) == html


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
    figures_of, other = training.info["evaluation"]["model"], list(metrics.GREATER_IS_BETTER)[1]
    text = text_of(rendered(settings, measured(training, model=figures_of | {other: EMPTY})))
    assert f"{summary.title(other)} - - to - " in text
    assert "nan" not in text.lower()


def test_names_are_shown_as_text_and_never_as_markup(settings, training):
    hostile = settings.model_copy(update={"name": "<script>alert(1)</script>", "description": "a & b"})
    html = rendered(hostile, training)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "a &amp; b" in html
    assert "<script" not in html
    assert "<b>East" not in html
    assert re.search(r"<text[^>]*>\$South\$ +\(\d+\)</text>", html)


def test_a_report_without_parts_says_nothing_of_them(settings, training):
    text = text_of(rendered(settings, measured(training, parts={"month": {}, "region": {}})))
    assert "Where it is strong" not in text
    assert "No month and no slice is clearly weaker" in text


def test_the_summary_says_when_the_model_is_not_good_enough(settings, training):
    evaluation = training.info["evaluation"]
    least = evaluation["model"][METRIC]["value"]
    accuracy = settings.accuracy.model_copy(update={"minimum": round(least, 1) - 0.3 * (1 if RISING else -1)})
    settings = settings.model_copy(update={"accuracy": accuracy})
    chance = {name: figures | {"low": -1.0} for name, figures in evaluation["gain"].items()}
    far = {METRIC: evaluation["model"][METRIC] | {"value": -10.0 if RISING else 10.0}}
    good = summary.verdict(settings, evaluation)
    poor = summary.verdict(settings, evaluation | {"gain": chance, "model": far})
    assert "clearly beats the simple technique" in good
    assert "for the same weekday" in good
    assert f"and the agreed minimum of {accuracy.minimum:g} is reached" in good
    assert "does not clearly beat the simple technique" in poor
    assert f"and the agreed minimum of {accuracy.minimum:g} is not reached" in poor


def test_a_simple_technique_that_takes_a_value_is_called_so(settings, training):
    accuracy = settings.accuracy.model_copy(update={"baseline_takes": "value"})
    said = summary.verdict(settings.model_copy(update={"accuracy": accuracy}), training.info["evaluation"])
    assert "the simple technique, which only repeats the weekday" in said


@pytest.mark.parametrize("metric", list(metrics.GREATER_IS_BETTER))
def test_the_weakest_part_is_one_that_chance_does_not_explain(metric):
    sign = 1 if metrics.GREATER_IS_BETTER[metric] else -1
    whole = {"value": 0.8, "low": 0.79, "high": 0.81}
    few, many = ({"value": 0.8 - sign * off} for off in (0.2, 0.1))
    ends = ("low", "high") if sign == 1 else ("high", "low")
    few |= dict(zip(ends, (0.8 - sign * 0.5, 0.8 + sign * 0.1), strict=True))
    many |= dict(zip(ends, (0.8 - sign * 0.12, 0.8 - sign * 0.08), strict=True))
    parts = {"region": {"few": {"rows": 100, metric: few}, "many": {"rows": 9000, metric: many}}}
    said = summary.weakness(metric, {"model": {metric: whole}, "parts": parts}, "all is well")
    figures = f"{summary.title(metric)} {many['value']:.3f}, 95% interval {summary.interval(many)}"
    assert said == f"It is weakest where region is many ({figures}); all is well."


def test_what_matters_is_more_important_than_noise(training):
    first, second = importances(FEATURES, Knowing().predict, training.test, METRIC, DECISION)
    assert (first.feature, second.feature) == ("signal", "noise")
    assert first.low > 0.05
    assert (second.value, second.low, second.high) == (0, 0, 0)


@pytest.mark.parametrize("metric", [name for name, rising in metrics.GREATER_IS_BETTER.items() if not rising])
def test_importance_is_positive_for_a_metric_that_should_be_low(training, metric):
    first, *_ = importances(FEATURES, Knowing().predict, training.test, metric, DECISION)
    assert first.feature == "signal"
    assert first.value > 0.05
