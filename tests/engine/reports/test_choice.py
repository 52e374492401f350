"""The page for those who choose: its numbers, its table, what it says is to be written down."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest

from handrail.reports import pages
from handrail.reports.tradeoff import cheapest, cost
from handrail.reports.wording import money
from tests.engine.reports.reading import text_of
from tests.engine.support.browser import Page
from tests.engine.support.made_up_training import COSTS, made_up_settings


@pytest.fixture(scope="session")
def settings(of_problem, tmp_path_factory):
    return made_up_settings(tmp_path_factory.mktemp("choice"), of_problem)


@pytest.fixture(scope="session")
def found(settings, training):
    return settings.project.task.tradeoff(settings, training)


@pytest.fixture(scope="session")
def html(settings, training, found):
    return pages.render("choice.html", settings, training, found)


@pytest.fixture(scope="session")
def data(html):
    return json.loads(re.search(r'id="data">(.*?)</script>', html)[1])


def row_costs(task, target, prediction, value):
    """Return what each row's error costs at a threshold, or planned with a margin; counted anew."""
    if task.predicts == "chance":
        warned, case = prediction >= np.float32(value), target == 1
        return COSTS.too_low * (case & ~warned) + COSTS.too_high * (warned & ~case)
    missing = target.astype(np.float64) - prediction - value
    return COSTS.too_low * np.maximum(missing, 0) + COSTS.too_high * np.maximum(-missing, 0)


def test_every_position_costs_what_its_rows_cost(settings, training, found, data):
    target, days, task = training.test.target, found.period.days, settings.project.task
    for name, prediction in (("model", training.prediction), ("simple", training.baseline)):
        for each, embedded in zip(getattr(found, name), data[name], strict=True):
            total = row_costs(task, target, prediction, each.value).sum() / days
            cost = embedded["low"] * COSTS.too_low + embedded["high"] * COSTS.too_high
            assert cost == pytest.approx(total, rel=1e-5)


def test_what_is_saved_is_the_difference_to_the_best_of_the_others(settings, training, found):
    target, task, days = training.test.target, settings.project.task, found.period.days
    spent = row_costs(task, target, training.prediction, found.present.value).sum()
    simple = min(row_costs(task, target, training.baseline, each.value).sum() for each in found.simple)
    assert found.saved["simple"]["value"] == pytest.approx((simple - spent) / days)
    if task.predicts == "chance":
        nothing = COSTS.too_low * (target == 1).sum()
    else:
        nothing = min(row_costs(task, target, np.zeros_like(target), same).sum() for same in (0.0, 1.0))
    assert found.saved["nothing"]["value"] == pytest.approx((nothing - spent) / days)


def test_the_present_position_is_the_one_of_training(training, found, data):
    decided = training.info["evaluation"]["decision"][found.terms.choice]
    assert found.present.value == decided
    assert data["chosen"] == found.chosen
    assert data["chosen"] in data["listed"]
    assert [low.value < high.value for low, high in pairwise(found.model)].count(False) == 0


def test_the_table_has_about_a_dozen_rows_and_marks_two(html, found, data):
    rows = re.findall(r"<tr[^>]*><th[^>]*>([^<]*)</th>((?:<td[^>]*>[^<]*</td>)+)</tr>", html)
    listed = {name: re.findall(r">([^<]*)</td>", cells) for name, cells in rows if 'id="mark-' in cells}
    assert 10 <= len(listed) <= 14
    assert [name for name, cells in listed.items() if "present" in cells[-1]] == [found.present.label]
    (best,) = (name for name, cells in listed.items() if "cheapest" in cells[-1])
    least = min(found.model, key=lambda each: 10 * each.too_low + 4 * each.too_high)
    assert best == least.label
    amount = 10 * least.too_low + 4 * least.too_high
    assert listed[best][-2] == f"EUR {amount:,.{0 if amount >= 100 else 2}f}"
    assert all(len(cells) == len(data["model"][0]["shown"]) + 2 for cells in listed.values())


def test_without_a_script_the_table_and_what_to_write_down_stand(html):
    assert '<section id="try" hidden>' in html
    static = html.replace(re.search(r'<section id="try".*?</section>', html, re.DOTALL)[0], "")
    assert '<th scope="col">errors cost</th>' in static
    assert "error_costs:\n  currency: EUR\n  too_low: 10\n  too_high: 4</pre>" in static
    assert "Who signs: Desk." in static


def test_every_control_has_a_label_and_every_script_is_in_the_page(html):
    controls = re.findall(r'<input [^>]*id="([\w-]+)"', html)
    assert controls == ["position", "too-low", "too-high"]
    assert 'for="position"' in html
    assert len(re.findall(r"<label>[^<]{10,}<input", html)) == 2
    assert set(re.findall(r'element\("([\w-]+)"\)|say\("([\w-]+)",', html)) <= {
        pair for name in re.findall(r' id="([\w-]+)"', html) for pair in ((name, ""), ("", name))
    }


def test_every_error_is_called_the_same_all_over_the_page(html, found):
    text, terms = text_of(html), found.terms
    assert f"Here {terms.too_low} cost EUR 10 each, {terms.too_high} EUR 4 each, unless other costs" in text
    assert f"{terms.too_low}, each {terms.too_high}, each the first costs twice as much" in text
    names = [column.name for column in found.columns]
    assert {terms.too_low, terms.too_high} <= set(names)
    assert all(text.count(name) >= 2 for name in names)


def test_the_script_reckons_what_the_table_says(html, found):
    page = Page(html)
    stands = dict(re.findall(r'id="cost-(\d+)">([^<]*)<', html))
    assert {place: page.text(f"cost-{place}") for place in stands} == stands
    assert page.text("label") == found.present.label
    for place, each in enumerate(found.model):
        page.enter("position", place)
        assert page.text("here-cost") == money(cost(each, COSTS), "EUR")
    assert page.text("simple-cost") == money(cost(cheapest(found.simple, COSTS), COSTS), "EUR")
    assert page.text("nothing-cost") == money(cost(cheapest(found.nothing, COSTS), COSTS), "EUR")


def test_the_page_says_what_the_counts_are_of(settings, html, found):
    text = text_of(html)
    assert f"of 1,200 {settings.words.rows} from 2030-01-01 to 2030-03-30." in text
    assert f"Figures for one day; the present {found.terms.choice} stands out." in text
    assert f"At present the {found.terms.choice} is {found.present.label}" in text
