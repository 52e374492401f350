"""The page for those who choose: its numbers, its table, what it says is to be written down."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest

from {{ cookiecutter.__package }}.report import page, paying, positions, tradeoff
from {{ cookiecutter.__package }}.report.period import in_a_period, period_of
from {{ cookiecutter.__package }}.sections import ErrorCosts

from .made_up_training import COSTS, made_up_settings, made_up_training


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return made_up_settings(tmp_path_factory.mktemp("choice"))


@pytest.fixture(scope="module")
def training():
    return made_up_training()


@pytest.fixture(scope="module")
def found(settings, training):
    return positions.tradeoff_of(settings, training)


@pytest.fixture(scope="module")
def html(settings, training, found):
    return page.render("choice.html", settings, training, found)


@pytest.fixture(scope="module")
def data(html):
    return json.loads(re.search(r'id="data">(.*?)</script>', html)[1])


def position(too_low, too_high):
    return tradeoff.Position(0.0, "", 0.0, too_low, too_high, ())


def test_every_position_costs_what_its_rows_cost(training, found, data):
    test, days = training.test, found.period.days
    for each, embedded in zip(found.model, data["model"], strict=True):
        total = positions.row_costs(test.target, training.prediction, each.value, COSTS).sum() / days
        assert embedded["low"] * COSTS.too_low + embedded["high"] * COSTS.too_high == pytest.approx(total)
    for each, embedded in zip(found.simple, data["simple"], strict=True):
        total = positions.row_costs(test.target, training.baseline, each.value, COSTS).sum() / days
        assert embedded["low"] * COSTS.too_low + embedded["high"] * COSTS.too_high == pytest.approx(total)


def test_the_present_position_is_the_one_of_training(training, found, data):
    (decided,) = (v for k, v in training.info["evaluation"]["decision"].items() if k == found.terms.choice)
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


def test_a_position_pays_between_the_ratios_that_are_told(found):
    told = paying.pays(found.model)
    for ratio in np.geomspace(0.01, 100, 300):
        costs = ErrorCosts(currency="EUR", too_low=ratio, too_high=1)
        best = tradeoff.cost(tradeoff.cheapest(found.model, costs), costs)
        for each, ends in zip(found.model, told, strict=True):
            if ends and ends[0] < ratio < ends[1]:
                assert tradeoff.cost(each, costs) == pytest.approx(best)
            elif not ends:
                assert tradeoff.cost(each, costs) >= best
    assert sum(ends is not None for ends in told) >= 5


def test_which_positions_pay_is_what_one_counts_by_hand():
    three = [position(0, 10), position(4, 4), position(10, 0)]
    assert paying.pays(three) == [(1.5, float("inf")), (pytest.approx(2 / 3), 1.5), (0, pytest.approx(2 / 3))]
    assert paying.pays([*three, position(5, 6)])[-1] is None
    assert paying.pays([position(1, 1), position(1, 1)])[1] is None


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


def test_a_period_is_long_enough_for_something_to_happen():
    start, hour = np.datetime64("2030-01-01", "s"), np.timedelta64(3600, "s")
    names = [period_of(start + np.arange(200) * hours * hour).name for hours in (1, 12, 48, 600)]
    assert names == ["day", "week", "month", "year"]
    often = period_of(start + np.arange(240) * hour)
    assert (often.days, often.rows) == (10, 24)


def test_the_interval_of_what_is_saved_covers_days_that_go_together():
    days = np.datetime64("2030-01-01", "s") + np.repeat(np.arange(20), 50) * np.timedelta64(86_400, "s")
    good_and_bad = np.repeat(np.where(np.arange(20) % 2, 3.0, -1.0), 50)
    mixed = np.tile([3.0, -1.0], 500)
    wide, narrow = (in_a_period(days, amounts, period_of(days)) for amounts in (good_and_bad, mixed))
    assert wide["value"] == narrow["value"] == 50
    assert (narrow["low"], narrow["high"]) == (50, 50)
    assert -40 < wide["low"] < 20
    assert 80 < wide["high"] < 140
