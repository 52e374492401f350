"""The script of the report for those who choose: it reckons what its data says."""

import json
import re
from importlib.resources import files

import pytest

from tests.engine.support.browser import Page

TEMPLATES = files("handrail.reports").joinpath("templates")
CHOSEN = 1
POSITIONS = [
    {"label": "10%", "shown": [50, 100], "low": 0, "high": 40, "pays": [3, None]},
    {"label": "20%", "shown": [30.25, 70], "low": 5, "high": 25, "pays": [2, 3]},
    {"label": "30%", "shown": [20, 60], "low": 10, "high": 24, "pays": None},
    {"label": "40%", "shown": [1234.5, 50], "low": 15, "high": 5, "pays": [0.5, 2]},
    {"label": "90%", "shown": [0, None], "low": 25, "high": 0, "pays": [0, 0.5]},
]
DATA = {
    "currency": "EUR",
    "costs": {"low": 200, "high": 100},
    "per": "a day",
    "chosen": CHOSEN,
    "listed": [0, 1, 3, 4],
    "agreed": "Threshold agreed",
    "decimals": [1, 0],
    "model": POSITIONS,
    "simple": [{"low": 12, "high": 30}, {"low": 20, "high": 4}],
    "nothing": [{"low": 25, "high": 0}],
}


@pytest.fixture
def page() -> Page:
    """The page as `train` writes it, with these data."""
    return page_with(DATA)


def page_with(data) -> Page:
    """Return the page with other data."""
    source = TEMPLATES.joinpath("choice.html").read_text(encoding="utf-8")
    rows = "".join(f'<td id="cost-{place}"></td><td id="mark-{place}"></td>' for place in DATA["listed"])
    shown = '<dd id="shown-0"></dd><dd id="shown-1"></dd>'
    for old, new in {
        '{{ tradeoff.chosen }}"': f'{CHOSEN}"',
        "{{ costs.too_low | as_written }}": "200",
        "{{ costs.too_high | as_written }}": "100",
        "{{ data | tojson }}": json.dumps(data),
        '{% include "choice.js" %}': TEMPLATES.joinpath("choice.js").read_text(encoding="utf-8"),
        "</main>": rows + shown,
    }.items():
        assert old in source
        source = source.replace(old, new)
    return Page(source)


def test_it_opens_at_what_was_decided(page):
    assert page.asked("try", "hidden") is False
    assert (page.text("label"), page.text("shown-0"), page.text("shown-1")) == ("20%", "30.3", "70")
    assert (page.text("here-cost"), page.text("present-difference")) == ("EUR 3,500", "as much")
    assert (page.text("simple-cost"), page.text("simple-difference")) == ("EUR 4,400", "EUR 900 more")
    assert (page.text("nothing-cost"), page.text("nothing-difference")) == ("EUR 5,000", "EUR 1,500 more")
    assert page.text("why") == "These are the present ones."
    assert page.text("yaml") == "error_costs:\n  currency: EUR\n  too_low: 200\n  too_high: 100"


def test_moving_shows_the_counts_and_costs_there(page):
    page.enter("position", 3)
    assert (page.text("label"), page.asked("position", "attributes['aria-valuetext']")) == ("40%", "40%")
    assert page.text("shown-0") == "1,234.5"
    assert page.text("here-cost") == "EUR 3,500"
    page.enter("position", 4)
    assert page.text("shown-1") == "-"
    assert (page.text("here-cost"), page.text("present-difference")) == ("EUR 5,000", "EUR 1,500 less")


@pytest.mark.parametrize(("low", "high"), [(200, 100), (1000, 1), (1, 1000), (0.05, 0.02), (250, 100)])
def test_every_cost_is_the_counts_times_what_an_error_costs(page, low, high):
    page.enter("too-low", low)
    page.enter("too-high", high)
    costs = [each["low"] * low + each["high"] * high for each in POSITIONS]
    for place in DATA["listed"]:
        shown = float(page.text(f"cost-{place}").removeprefix("EUR ").replace(",", ""))
        assert shown == pytest.approx(costs[place], abs=0.5 if costs[place] >= 100 else 0.005)
    page.press("best")
    assert costs[int(page.asked("position", "value"))] == min(costs)
    assert page.text("advice") == "At these costs nothing is cheaper than this."
    assert page.asked("best", "disabled") is True


def test_a_missed_one_that_costs_twice_makes_another_choice_the_cheapest(page):
    assert page.text("advice") == "At these costs nothing is cheaper than this."
    page.press("twice")
    assert page.asked("too-low", "value") == 400
    assert page.text("advice") == "At these costs 10% is the cheapest: EUR 4,000 a day."
    assert [page.text(f"mark-{place}") for place in DATA["listed"]] == ["cheapest", "present", "", ""]
    for _ in range(4):
        page.press("half")
    assert "90% is the cheapest" in page.text("advice")
    page.press("agreed")
    assert page.text("cost-1") == "EUR 3,500"


def test_what_is_to_be_written_down_makes_the_position_the_cheapest(page):
    for place, each in enumerate(POSITIONS):
        page.enter("position", place)
        low, high = map(float, re.findall(r"too_\w+: ([\d.e+-]+)", page.text("yaml")))
        costs = [other["low"] * low + other["high"] * high for other in POSITIONS]
        if each["pays"]:
            assert costs[place] == pytest.approx(min(costs))
            assert f"| agree on {each['label']} |" in page.text("agreement")
        else:
            assert page.text("why").startswith(
                "The position above is never the cheapest; 20%, next to it, is"
            )
            assert costs[1] == pytest.approx(min(costs))


@pytest.mark.parametrize("wrong", ["", "-5", "0", "many", "1e999"])
def test_a_cost_that_cannot_be_is_left_as_it_was(page, wrong):
    page.enter("too-low", 300)
    page.enter("too-low", wrong)
    assert page.asked("too-low", "attributes['aria-invalid']") == "true"
    assert page.text("cost-4") == "EUR 7,500"
    page.enter("too-low", 400)
    assert page.asked("too-low", "attributes['aria-invalid']") == "false"
    assert page.text("cost-4") == "EUR 10,000"


def test_the_curve_has_a_point_for_each_position(page):
    points = page.asked("line", "attributes.points").split()
    assert len(points) == len(POSITIONS)
    assert page.asked("here", "attributes.cx") == points[CHOSEN].split(",")[0]
    assert page.asked("here", "attributes.cy") == points[CHOSEN].split(",")[1]


def test_without_costs_that_are_agreed_no_currency_is_named():
    page = page_with(DATA | {"currency": "units", "costs": {"low": 1, "high": 1}, "costsAgreed": False})
    page.press("agreed")
    assert (page.text("here-cost"), page.text("nothing-cost")) == ("30 units", "25 units")
    assert page.text("yaml").startswith("error_costs:\n  currency: CURRENCY\n")
