"""What can be chosen, counted in a period: which positions pay, which are listed, how long a period is."""

import numpy as np
import pytest

from handrail.config.sections import ErrorCosts
from handrail.reports.tradeoff import (
    Position,
    cheapest,
    cost,
    decimals,
    in_a_period,
    in_table,
    pays,
    period_of,
    shortlist,
)
from handrail.training.intervals import groups_of
from tests.engine.support.made_up_training import COSTS, made_up_settings

INFINITE = float("inf")


def position(too_low, too_high):
    return Position(0.0, "", 0.0, too_low, too_high, ())


@pytest.fixture(scope="session")
def found(of_problem, training, tmp_path_factory):
    return of_problem.task.tradeoff(made_up_settings(tmp_path_factory.mktemp("choice"), of_problem), training)


def test_a_position_pays_between_the_ratios_that_are_told(found):
    told = pays(found.model)
    for ratio in np.geomspace(0.01, 100, 300):
        costs = ErrorCosts(currency="EUR", too_low=ratio, too_high=1)
        best = cost(cheapest(found.model, costs), costs)
        for each, ends in zip(found.model, told, strict=True):
            if ends and ends[0] < ratio < ends[1]:
                assert cost(each, costs) == pytest.approx(best)
            elif not ends:
                assert cost(each, costs) >= best
    assert sum(ends is not None for ends in told) >= 5


def test_which_positions_pay_is_what_one_counts_by_hand():
    three = [position(0, 10), position(4, 4), position(10, 0)]
    assert pays(three) == [(1.5, INFINITE), (pytest.approx(2 / 3), 1.5), (0, pytest.approx(2 / 3))]
    assert pays([*three, position(5, 6)])[-1] is None
    assert pays([position(1, 1), position(1, 1)])[1] is None


def test_the_table_lists_the_present_one_and_the_cheapest(found):
    places = in_table(found, COSTS)
    assert places == sorted(places)
    assert found.chosen in places
    assert found.model.index(cheapest(found.model, COSTS)) in places


def test_a_shortlist_holds_the_chosen_one_and_spreads(found):
    chosen = min(found.model, key=lambda each: abs(each.share - 0.7))
    listed = shortlist(found.model, chosen, (0.9, 0.75, 0.6, 0.45, 0.3, 0.15), 0.05)
    assert chosen in listed
    assert 5 <= len(listed) <= 7
    assert [each.value for each in listed] == sorted(each.value for each in listed)
    shares = sorted(each.share for each in listed)
    assert shares[0] < 0.6
    assert shares[-1] > 0.85


def test_beside_the_chosen_one_stands_nothing_like_it(found):
    chosen = found.model[len(found.model) // 2]
    assert shortlist(found.model, chosen, [chosen.share + 0.01, chosen.share - 0.01], 0.02) == [chosen]


def test_amounts_have_as_many_decimals_as_tell_them_apart():
    assert [decimals([each, 0.1, float("nan")]) for each in (2500, 99.5, 9.5, 0)] == [0, 1, 2, 2]


def test_a_period_is_long_enough_for_something_to_happen():
    start, hour = np.datetime64("2030-01-01", "s"), np.timedelta64(3600, "s")
    names = [period_of(start + np.arange(200) * hours * hour).name for hours in (1, 12, 48, 600)]
    assert names == ["day", "week", "month", "year"]
    often = period_of(start + np.arange(240) * hour)
    assert (often.days, often.rows) == (10, 24)


def test_of_monthly_rows_nothing_is_told_for_a_day():
    firsts = np.arange("2029-11", "2030-03", dtype="datetime64[M]").astype("datetime64[s]")
    period = period_of(firsts.repeat(2500))
    assert (period.name, period.days) == ("month", 122)  # four months, of 30.4 days
    assert period.rows == pytest.approx(2500)


def test_how_rows_follow_one_another_is_seen_in_earlier_ones_where_all_are_of_one_day():
    first = np.datetime64("2030-01-01", "s").repeat(2500)
    months = np.arange("2029-09", "2029-12", dtype="datetime64[M]").astype("datetime64[s]")
    period = period_of(first, months)
    assert (period.name, period.days, period.rows, period.says_little) == ("month", 30, 2500, False)
    assert period.between == "of 2030-01-01"
    assert period_of(first, first[:1]).name == "day"


def test_a_single_moment_is_a_period_that_says_little():
    one = period_of(np.array(["2030-01-01T12:00"], dtype="datetime64[s]"))
    assert (one.name, one.days, one.tested, one.says_little) == ("month", 1, 1, True)


def test_the_interval_of_what_is_saved_covers_days_that_go_together():
    days = np.datetime64("2030-01-01", "s") + np.repeat(np.arange(20), 50) * np.timedelta64(86_400, "s")
    good_and_bad = np.repeat(np.where(np.arange(20) % 2, 3.0, -1.0), 50)
    mixed = np.tile([3.0, -1.0], 500)
    together = groups_of(days, None, len(days))
    wide, narrow = (in_a_period(together, amounts, period_of(days)) for amounts in (good_and_bad, mixed))
    assert wide["value"] == narrow["value"] == 50
    assert (narrow["low"], narrow["high"]) == (50, 50)
    assert -40 < wide["low"] < 20
    assert 80 < wide["high"] < 140
