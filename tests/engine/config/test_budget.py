"""The budget in project.yaml: what cannot be is refused."""

import pytest

from handrail import errors
from handrail.config.settings import read_settings
from tests.engine.support.evidence import write_facts
from tests.engine.support.workspaces import PROJECT

RESEARCH = {"begins": "2026-01-19", "days": 28, "money": 40000}
BUDGET = {"currency": "EUR", "total": 1000, "spent": 200, "research": RESEARCH}


def test_the_projects_own_budget_can_be_read():
    budget = read_settings(PROJECT).budget
    assert budget is None or budget.total > 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"total": 0}, "budget.total: Input should be greater than 0 (given: 0)"),
        ({"spent": -1}, "budget.spent: Input should be greater than or equal to 0 (given: -1)"),
        ({"spend": 1}, "budget.spend: "),
        (
            {"research": {**RESEARCH, "begins": "2999-01-01"}},
            "budget.research.begins: 2999-01-01 is in the future",
        ),
        ({"research": {**RESEARCH, "days": 0}}, "budget.research.days: Input should be greater than 0"),
    ],
)
def test_an_impossible_budget_is_refused(tmp_path, changes, sentence):
    write_facts(tmp_path, budget=BUDGET | changes)
    with pytest.raises(errors.ProjectError) as refused:
        read_settings(PROJECT.at(tmp_path))
    (problem,) = refused.value.problems
    assert sentence in problem
