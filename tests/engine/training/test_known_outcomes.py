"""When outcomes are half told: a "yes" is known at once, a "no" only when its days are over."""

import numpy as np
import pytest

from handrail.training.known_outcomes import half_told

DAYS, LATE = 120, 30


def counts(rng, rows, share, *, early, lost=0.03):
    """Return cases, others and unknown rows of each day, where outcomes are told up to the last day.

    rows: a day · share: of cases · early: whether a case is told within the LATE days on which others are not
    known yet · lost: the share of outcomes that are never known
    """
    known = rng.binomial(rows, 1 - lost, DAYS)
    cases = rng.binomial(known, share)
    others = known - cases
    days_left = DAYS - np.arange(DAYS)
    undecided = days_left <= LATE
    happened = rng.binomial(cases, np.clip(days_left / LATE, 0, 1))
    told = happened if early else np.zeros(DAYS, dtype=int)
    cases, others = np.where(undecided, told, cases), np.where(undecided, 0, others)
    return cases, others, rows - cases - others


@pytest.mark.parametrize(("rows", "share"), [(20, 0.5), (20, 0.1), (10, 0.3), (1000, 0.01), (50, 0.9)])
def test_it_is_found_where_cases_alone_are_known(rows, share):
    for seed in range(50):
        cases, others, unknown = counts(np.random.default_rng(seed), rows, share, early=True)
        assert half_told(cases, others, unknown) == np.flatnonzero(others)[-1] + 1


@pytest.mark.parametrize("lost", [0.0, 0.03, 0.3])
@pytest.mark.parametrize(("rows", "share"), [(20, 0.5), (20, 0.1), (2, 0.3), (1000, 0.01), (3, 0.01)])
def test_it_is_not_found_where_all_are_told_alike(rows, share, lost):
    for seed in range(200):
        told = counts(np.random.default_rng(seed), rows, share, early=False, lost=lost)
        assert half_told(*told) is None


def test_a_last_week_without_any_case_is_no_half_told_one():
    cases, others, unknown = np.full(60, 5), np.full(60, 15), np.ones(60, dtype=int)
    cases[-7:], others[-7:] = 0, 20
    assert half_told(cases, others, unknown) is None  # hardly any outcome is missing


def test_where_nothing_is_known_nothing_is_half_told():
    none = np.zeros(3, dtype=int)
    assert half_told(none, none, np.full(3, 9)) is None
    assert (
        half_told(np.full(3, 9), none, np.full(3, 9)) is None
    )  # nor can be, with cases alone from the start
