"""The page for those who build the model: its words, numbers and pictures, from a small made-up training."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handrail.project import Project
from handrail.reports import PAGES, pages, wording
from handrail.reports.research import part_marks
from handrail.tasks.metric import Metric
from tests.engine.reports.conftest import PROBLEMS
from tests.engine.reports.reading import pictures_of, text_of
from tests.engine.support.example import example
from tests.engine.support.made_up_training import made_up_settings, made_up_training

EMPTY = {"value": float("nan"), "low": float("nan"), "high": float("nan")}


@pytest.fixture(scope="session")
def html(of_problem, training):
    return rendered(made_up_settings(Path.cwd(), of_problem), training)


def rendered(settings, training):
    """Return the page."""
    tradeoff = settings.project.task.tradeoff(settings, training)
    return pages.render("research.html", settings, training, tradeoff)


def measured(training, **changed):
    """Return the training with other figures in its evaluation."""
    return replace(training, info=training.info | {"evaluation": training.info["evaluation"] | changed})


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


def test_the_table_shows_every_metric_of_model_and_baseline(settings, training, html):
    text, evaluation = text_of(html), training.info["evaluation"]
    assert set(evaluation["model"]) == set(settings.project.metrics)
    for name, metric in settings.project.metrics.items():
        model = evaluation["model"][name]
        value, low, high = (wording.number(model[key]) for key in ("value", "low", "high"))
        assert float(value.replace(",", "")) == pytest.approx(model["value"], abs=5e-4, rel=1e-3)
        simple = wording.number(evaluation["baseline"][name]["value"])
        shown = wording.labelled(settings, metric)
        assert f"{shown} {value} {low} to {high} {simple} {metric.meaning}" in text


def test_a_metric_has_the_unit_of_the_target_or_its_own(tmp_path):
    cases, delays, hours = (made_up_settings(tmp_path, example(problem)) for problem in PROBLEMS)
    own = Metric("late_hours", abs, "hours late", greater_is_better=False, unit="h")
    assert wording.labelled(cases, cases.project.metrics["roc_auc"]) == "ROC AUC"
    assert wording.labelled(delays, delays.project.metrics["mae"]) == "mean absolute error, min"
    assert wording.labelled(delays, own) == "late hours, h"
    named = hours.model_copy(update={"words": hours.words.model_copy(update={"units": "planes"})})
    error = hours.project.metrics["mae"]
    assert [wording.labelled(each, error) for each in (hours, named)] == [
        "mean absolute error",
        "mean absolute error, planes",
    ]


def test_a_number_that_does_not_exist_is_a_dash(of_cases, cases):
    figures_of, other = cases.info["evaluation"]["model"], list(of_cases.project.metrics.values())[1]
    text = text_of(rendered(of_cases, measured(cases, model=figures_of | {other.name: EMPTY})))
    assert f"{wording.labelled(of_cases, other)} - - " in text
    assert "nan" not in text.lower()


def test_a_metric_that_decides_and_does_not_exist_is_drawn_all_the_same(of_cases, cases):
    metric, evaluation = of_cases.accuracy.metric, cases.info["evaluation"]
    model = evaluation["model"] | {metric: EMPTY}
    text = text_of(rendered(of_cases, measured(cases, model=model)))
    assert f"({of_cases.project.metrics[metric].shown} - against " in text


def test_names_are_shown_as_text_and_never_as_markup(of_cases, cases):
    hostile = of_cases.model_copy(update={"name": "<script>alert(1)</script>", "description": "a & b"})
    html = rendered(hostile, cases)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "a &amp; b" in html
    assert "<script" not in html
    assert "<b>East" not in html
    assert re.search(r"<text[^>]*>\$South\$ +\(\d+\)</text>", html)


def test_a_report_without_parts_says_nothing_of_them(of_cases, cases):
    text = text_of(rendered(of_cases, measured(cases, parts={"month": {}, "region": {}})))
    assert "Where it is strong" not in text
    assert "No month and no slice is clearly weaker" in text


def test_the_parts_are_told_with_the_metric_that_decides(settings, training, html):
    shown = settings.project.metrics[settings.accuracy.metric].shown
    assert f"Shown is the {shown} by month and by slice, with the number of rows." in text_of(html)
    told = [each for each in pictures_of(html) if each.startswith(f"{shown} by ")]
    assert [each.partition(",")[0] for each in told] == [f"{shown} by month", f"{shown} by region"]
    assert "North & <b>East</b>  (" in told[1]


def test_a_column_named_month_is_a_slice_like_any_other(of_problem, settings, training):
    test = replace(training.test, slices={"month": training.test.slices["region"]})
    parts = {"month": training.info["evaluation"]["parts"]["region"]}
    metrics = of_problem.metrics
    changed = replace(measured(training, parts=parts), test=test)
    marks = part_marks(metrics, metrics[settings.accuracy.metric], changed, "month")
    assert {mark.label.partition("  ")[0] for mark in marks} == {"North & <b>East</b>", "$South$"}


def test_the_footer_says_what_was_decided_on_which_rows(of_problem, html):
    decided = {"chance": "threshold", "amount": "margin and range"}[of_problem.task.predicts]
    text = text_of(html)
    assert (
        f"{decided} decided on 1,000 rows from 2029-11-01 on and before 2030-01-01. "
        "Figures are of the test period, 1,200 " in text
    )
    assert "from 2030-01-01 on and before 2030-04-01: the model has not learnt from them." in text


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_which_period_its_figures_are_of(of_problem, tmp_path, name):
    settings = made_up_settings(tmp_path, of_problem)
    made_up = made_up_training(project=of_problem)
    for period, said in (
        (
            "test",
            "on and before 2030-04-01: the model has not learnt from them. Neither `train` nor `tune` "
            "chooses anything by them.",
        ),
        (
            "validation",
            "on and before 2030-01-01: the model has not learnt from them. The choice was made by",
        ),
    ):
        training = replace(made_up, period=period)
        tradeoff = of_problem.task.tradeoff(settings, training)
        text = text_of(pages.render(name, settings, training, tradeoff))
        assert text.count(f"Figures are of the {period} period, 1,200 ") == 1
        assert said in text
        elsewhere = "chosen on other rows" in text or "decided on earlier " in text
        assert elsewhere == (period == "test" and name != "company.html")


def test_the_first_picture_suits_the_problem(of_problem, html):
    first = {
        "classification": "Telling cases from the rest (ROC)",
        "regression": "Do the predictions come true?",
        "forecasting": "The latest forecasts, and what came",
    }[of_problem.task.kind]
    assert re.findall(r"<h3>([^<]*)</h3>", html)[0] == first


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_a_project_that_measures_one_thing_only_is_reported_on_all_the_same(problem, tmp_path):
    usual = example(problem)
    own = Project(usual.package, given={"metrics": usual.task.metrics[:1]}, root=usual.root)
    told = []
    for project in (usual, own):
        settings, training = made_up_settings(tmp_path, project), made_up_training(project=project)
        tradeoff = project.task.tradeoff(settings, training)
        story = project.task.story(settings, training, "calls", "2030-01")
        told.append((pages.render("company.html", settings, training, tradeoff), story))
    assert own.metrics.keys() == {usual.task.metrics[0].name}
    assert told[0] == told[1]


def test_of_many_slices_the_largest_and_the_weakest_are_shown(of_problem, settings, training):
    """Sixty places, the weakest of which have few rows; the page says what is left out."""
    metrics, metric = of_problem.metrics, of_problem.metrics[settings.accuracy.metric]
    places = np.array([f"place {number:02d}" for number in range(60)])
    test = replace(training.test, slices={"place": places[np.arange(len(training.test)) % 60]})
    overall = training.info["evaluation"]["model"]

    def figures(number):
        worse = 0.01 * number if metric.sign < 0 else -0.01 * number
        value = {"value": 0.5 + worse, "low": 0.4 + worse, "high": 0.6 + worse}
        return {"rows": 1000 - number, **dict.fromkeys(overall, EMPTY), metric.name: value}

    parts = {"place": {name: figures(number) for number, name in enumerate(places.tolist())}}
    changed = replace(measured(training, parts=parts), test=test)
    marks = part_marks(metrics, metric, changed, "place")
    shown = {mark.label.partition("  ")[0] for mark in marks}
    assert shown == {*places[:12].tolist(), *places[-12:].tolist()}
    text = text_of(rendered(settings, changed))
    assert "Of 60, the 12 with the most rows, and the weakest of the others." in text
