"""The few choices that a table shows: the chosen one, and others well apart from it and each other."""

import pytest

from {{ cookiecutter.__package }}.report import figures
from {{ cookiecutter.__package }}.report.shortlist import shortlist

from .made_up_training import COSTS, made_up_training


@pytest.fixture(scope="module")
def everything():
    training = made_up_training()
    return figures.choices(training.test.target, training.prediction, COSTS)


def test_the_shortlist_holds_the_chosen_one_and_spreads(everything):
    chosen = min(everything, key=lambda each: abs(each.share - 0.7))
    listed = shortlist(everything, chosen, figures.SHARES, figures.APART)
    assert chosen in listed
    assert 5 <= len(listed) <= 7
    assert [each.value for each in listed] == sorted(each.value for each in listed)
    shares = sorted(each.share for each in listed)
    assert shares[0] < 0.6
    assert shares[-1] > 0.85


def test_beside_the_chosen_one_stands_nothing_like_it(everything):
    chosen = everything[len(everything) // 2]
    listed = shortlist(everything, chosen, [chosen.share + 0.01, chosen.share - 0.01], 0.02)
    assert listed == [chosen]
