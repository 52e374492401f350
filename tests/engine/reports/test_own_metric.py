"""A metric of one's own is in every table of reports and card, and decides where project.yaml says so."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from handrail.project import Project
from handrail.registry.model_card import model_card
from handrail.reports import pages
from handrail.tasks.metric import OF_TARGET, Metric
from tests.engine.reports.reading import pictures_of, text_of
from tests.engine.support.example import example
from tests.engine.support.made_up_training import made_up_settings, made_up_training


def lift_at_10(counts):
    """Return how many times more cases the tenth with the highest predictions has than all rows."""
    before = np.cumsum(counts.rows) - counts.rows
    taken = np.clip(0.1 * counts.rows.sum() - before, 0, counts.rows)
    found = (taken * counts.cases / counts.rows).sum() / taken.sum()
    return found / (counts.cases.sum() / counts.rows.sum())


def median_error(target, prediction, weight):
    """Return the size of error that half of the rows stay below."""
    sizes = np.abs(prediction - target)
    order = np.argsort(sizes)
    return sizes[order][np.searchsorted(np.cumsum(weight[order]), 0.5)]


LIFT = Metric(
    "lift_at_10",
    lift_at_10,
    "how many times more cases among the tenth at the top",
    greater_is_better=True,
    title="lift at ten percent",
)
MEDIAN = Metric(
    "median_error",
    median_error,
    "half of the predictions are off by less",
    greater_is_better=False,
    title="median absolute error",
    unit=OF_TARGET,
)


@dataclass(frozen=True)
class Own:
    """A project with a metric of its own that decides, and a made-up training of it."""

    settings: Any
    training: Any
    metric: Metric
    minimum: float
    label: str

    @property
    def figures(self):
        """The metric's figures of the model."""
        return self.training.info["evaluation"]["model"][self.metric.name]

    @property
    def simple(self):
        """The metric's value of the baseline."""
        return self.training.info["evaluation"]["baseline"][self.metric.name]["value"]

    def page(self, name):
        """Return a page of the report."""
        tradeoff = self.settings.project.task.tradeoff(self.settings, self.training)
        return pages.render(name, self.settings, self.training, tradeoff)


@pytest.fixture(scope="module", params=[("classification", LIFT, 1.5), ("regression", MEDIAN, 0.4)])
def own(request, tmp_path_factory):
    problem, metric, minimum = request.param
    usual = example(problem)
    project = Project(usual.package, given={"metrics": (*usual.task.metrics, metric)}, root=usual.root)
    settings = made_up_settings(tmp_path_factory.mktemp("own"), project)
    accuracy = settings.accuracy.model_copy(update={"metric": metric.name, "minimum": minimum})
    label = metric.shown + (", min" if metric is MEDIAN else "")
    return Own(
        settings.model_copy(update={"accuracy": accuracy}),
        made_up_training(project=project),
        metric,
        minimum,
        label,
    )


@pytest.fixture(scope="module")
def html(own):
    return own.page("research.html")


def test_the_made_up_model_is_good_by_it(own):
    assert own.figures["low"] <= own.figures["value"] <= own.figures["high"]
    assert not own.metric.worse(own.figures["value"], own.minimum)
    assert own.training.info["evaluation"]["gain"][own.metric.name]["low"] > 0


def test_it_stands_in_the_table_with_its_meaning(own, html):
    value, low, high = (f"{own.figures[name]:.3f}" for name in ("value", "low", "high"))
    row = f"{own.label} {value} {low} to {high} {own.simple:.3f} {own.metric.meaning}"
    assert row in text_of(html)


def test_it_is_the_first_figure_and_the_verdict(own, html):
    text, value = text_of(html), f"{own.figures['value']:.3f}"
    assert f"{value} {own.metric.shown}; simple technique {own.simple:.3f}" in text
    assert f"({own.metric.shown} {value} against {own.simple:.3f}), and the agreed minimum of" in text
    assert f"the agreed minimum of {own.minimum:g} is reached." in text


def test_months_slices_and_features_are_told_by_it(own, html):
    assert f"Shown is the {own.metric.shown} by month and by slice" in text_of(html)
    told = pictures_of(html)
    assert [each for each in told if each.startswith(f"{own.metric.shown} by region")]
    (worth,) = [each for each in told if each.startswith(f"{own.metric.shown} gets worse by: signal ")]
    assert worth.endswith("; noise 0.0000.")
    assert f">{own.label}<" in html  # at the axis


def test_the_page_for_everybody_decides_by_it(own):
    assert "It is better than the simple technique, as good as was agreed" in text_of(
        own.page("company.html")
    )
    accuracy = own.settings.accuracy.model_copy(update={"minimum": own.metric.sign * 100.0})
    missed = Own(
        own.settings.model_copy(update={"accuracy": accuracy}), own.training, own.metric, 0.0, own.label
    )
    text = text_of(missed.page("company.html"))
    assert "It is better than the simple technique, but not as good as was agreed to be needed." in text
    assert own.metric.name not in text
    assert own.metric.shown not in text


def test_the_card_has_it_with_its_meaning_and_is_weak_where_it_is(own):
    about = {"hyperparameters": {"steps": 3}, "tuned": None, "metric": own.metric.name}
    card = model_card(own.settings, own.training.info | about)
    value, low, high = (f"{own.figures[name]:.3f}" for name in ("value", "low", "high"))
    assert (
        f"| {own.metric.name} | {value} | {low} to {high} | {own.simple:.3f} | {own.metric.meaning} |"
        in card.splitlines()
    )
    regions = own.training.info["evaluation"]["parts"]["region"]
    worst = min(regions, key=lambda name: own.metric.sign * regions[name][own.metric.name]["value"])
    figures = regions[worst][own.metric.name]
    figure, low, high = (f"{figures[name]:.3f}" for name in ("value", "low", "high"))
    told = f"{worst}, {own.metric.name} {figure} ({low} to {high}) on {regions[worst]['rows']:,} rows"
    best, whole = (figures["high"], figures["low"])[own.metric.sign < 0], own.figures["value"]
    clearly = own.metric.sign * best < own.metric.sign * whole
    assert f"- by region: {'' if clearly else 'not clearly weaker than the whole: '}{told}" in card


def test_a_lift_does_not_depend_on_the_order_of_rows_that_tie():
    metrics = Project(example("classification").package, given={"metrics": (LIFT,)}).metrics
    rng = np.random.default_rng(7)
    target = rng.integers(0, 2, 500).astype(np.float32)
    prediction = rng.choice(np.linspace(0.1, 0.9, 15), 500).astype(np.float32)
    orders = [np.arange(500), np.argsort(target), np.argsort(-target)]
    found = [metrics.measure(target[o], prediction[o], {"threshold": 0.5})["lift_at_10"] for o in orders]
    assert found == pytest.approx([found[0]] * 3, rel=1e-12)
    same = metrics.measure(target, np.full(500, 0.3, np.float32), {"threshold": 0.5})
    assert same["lift_at_10"] == pytest.approx(1)


def test_a_median_is_that_of_the_rows_so_often_as_they_count():
    metrics = Project(example("regression").package, given={"metrics": (MEDIAN,)}).metrics
    target, prediction = np.zeros(4, np.float32), np.float32([1, -2, 3, 4])
    plan = {"margin": 0.0, "tolerable": 0.0}
    outcomes = metrics.outcomes(target, prediction)
    assert metrics.measure(target, np.float32([1, -2, 3, 9]), plan)["median_error"] == 2
    assert metrics.measure_rows(outcomes, plan, np.array([1.0, 1.0, 1.0, 4.0]))["median_error"] == 4
    assert metrics.measure_rows(outcomes, plan, np.array([5.0, 1.0, 1.0, 1.0]))["median_error"] == 1
