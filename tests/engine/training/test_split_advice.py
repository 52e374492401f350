"""A split that lies beside the rows is refused with one that would do."""

from datetime import date

import pytest

from handrail.config.sections import Split
from handrail.console import quietly
from handrail.errors import ProjectError
from handrail.etl.pipeline import run_etl
from handrail.training.run import train
from handrail.training.split_advice import fitting
from tests.engine.testing.made_up_projects import Shape, made_up_project

EXAMPLE = Split(
    validation_from=date(2013, 6, 1), test_from=date(2013, 7, 1), live_from=date(2013, 9, 1)
)  # what start-over leaves


def test_the_dates_of_the_example_are_refused_with_others_that_train(tmp_path):
    settings = made_up_project(tmp_path, Shape(days=400)).settings()
    run_etl(settings, quietly)
    with pytest.raises(ProjectError) as refused:
        train(settings, EXAMPLE, quietly)
    *_, advice = refused.value.problems
    assert advice == (
        "the rows are from 2011-01-01 to 2012-02-04; a split that would do, in project.yaml: "
        "validation_from: 2011-08-01, test_from: 2011-10-01, live_from: 2011-12-01"
    )
    assert train(settings, fitting(date(2011, 1, 1), date(2012, 2, 4)), quietly).version


@pytest.mark.parametrize(
    ("last", "dates"),
    [
        (date(2024, 1, 10), ["2024-01-07", "2024-01-08", "2024-01-10"]),
        (date(2024, 1, 2), None),
        (date(2024, 1, 1), None),
    ],
)
def test_few_days_are_split_by_days_or_not_at_all(last, dates):
    found = fitting(date(2024, 1, 1), last)
    assert (found and [str(day) for day in found.model_dump().values()]) == dates


@pytest.mark.parametrize(
    ("until", "moved"),
    [
        ("2026-02-01", ("2025-08-01", "2025-09-01", "2026-02-01")),
        ("2024-12-01", ("2024-06-01", "2024-07-01", "2024-12-01")),
        ("2025-01-31", ("2024-07-31", "2024-08-31", "2025-01-31")),
    ],
)
def test_days_that_begin_a_month_move_by_whole_months(until, moved):
    days = ("2024-07-01", "2024-08-01", "2025-01-01")
    names = ("validation_from", "test_from", "live_from")
    split = Split.model_validate(dict(zip(names, days, strict=True)))
    found = split.ending(date.fromisoformat(until)).model_dump(mode="json")
    assert tuple(found[name] for name in names) == moved
