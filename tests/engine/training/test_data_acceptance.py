"""Honest data of any shape raises no objection; what is counted is counted right."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from handrail.compute.duckdb import connect
from handrail.console import quietly
from handrail.etl.load import require_table
from handrail.etl.pipeline import run_etl
from handrail.registry.live import load_live, make_live
from handrail.registry.outcome_sketch import changes, sketch
from handrail.registry.versions import newest_version
from handrail.training.data_acceptance import Examined, as_many_rows, order, usual_outcomes
from handrail.training.dataset import Dataset
from handrail.training.newest_rows import Month, newest_rows
from handrail.training.retraining_run import look_at_data
from handrail.training.run import train
from tests.engine.monitoring.test_late_outcomes import AGAIN, LIVE_FROM, panel
from tests.engine.support.lived import promoted
from tests.engine.support.workspaces import copied
from tests.engine.testing.made_up_projects import Shape, made_up_project

SHAPES = {
    "days": Shape(),
    "months": Shape(monthly=True),
    "amounts": Shape("regression"),
    "forecasts": Shape("forecasting", steps=3),
    "late outcomes": Shape(late=True),
    "few cases": Shape(share=0.02),
    "a counter": Shape(counter="left alone"),
}
BY_CHANCE = {
    "random": Shape(by="random", timed=False, keyed=False),
    "subject": Shape(by="subject", timed=False),
    "subject in time": Shape(by="subject"),
}


def objections(settings, split):
    live, _ = load_live(settings)
    return [each.said for each in look_at_data(settings, live, split) if not each.holds]


@pytest.mark.parametrize("shape", SHAPES)
def test_honest_rows_that_come_later_raise_no_objection(shape, tmp_path):
    settings = made_up_project(tmp_path, SHAPES[shape]).settings()
    run_etl(settings, quietly)
    split = settings.dates
    earlier = split.ending(split.test_from)
    make_live(settings, train(settings, earlier, quietly).version)
    assert objections(settings, split) == []


@pytest.mark.parametrize("shape", BY_CHANCE)
def test_where_chance_parts_the_rows_those_that_are_new_are_looked_at(shape, tmp_path):
    made = made_up_project(tmp_path, BY_CHANCE[shape])
    settings, whole = made.settings(), made.given["transform"]
    made.given["transform"] = f"SELECT * FROM ({whole}) WHERE hash(load) % 3 <> 0"
    run_etl(settings, quietly)
    make_live(settings, train(settings, settings.parted, quietly).version)
    live, _ = load_live(settings)
    assert look_at_data(settings, live, settings.parted) is None
    made.given["transform"] = whole
    run_etl(settings, quietly)
    found = look_at_data(settings, live, settings.parted)
    assert [each.said for each in found if not each.holds] == []
    count = int(found[0].said.split(" ")[0].replace(",", ""))
    assert count == pytest.approx(1000, abs=100)
    made.given["transform"] = f"SELECT * REPLACE (1 - outcome AS outcome) FROM ({whole})"
    run_etl(settings, quietly)
    assert any("rows are not what they were" in each for each in objections(settings, settings.parted))


def test_outcomes_that_came_late_are_those_that_were_known_then(tmp_path):
    before = panel(tmp_path / "before", until=LIVE_FROM)
    version = train(before, before.dates, quietly).version
    after = panel(tmp_path / "after", until=AGAIN)
    (after.workspace / "models").mkdir(exist_ok=True)
    (before.workspace / "models" / version).rename(after.workspace / "models" / version)
    make_live(after, version)
    assert objections(after, after.dates.ending(AGAIN)) == []


@pytest.mark.parametrize("share", [0.002, 0.02, 0.3])
def test_the_number_of_changed_outcomes_is_told_within_its_error(trained, share):
    """Of 40 draws, about the tenth that two and a half deviations leave may lie further from the truth."""
    project = trained.project
    table = require_table(trained, project.table_name)
    known = f"(SELECT * FROM {table} WHERE {project.target} IS NOT NULL)"
    found = []
    with connect(trained) as connection:
        before = sketch(connection, project, known)
        for seed in range(40):
            drawn = f"hash({project.key} || '{seed}') % 1000 < {share * 1000}"
            other = (
                f"(SELECT * REPLACE (CASE WHEN {drawn} THEN 1 - {project.target} ELSE {project.target} END "
                f"AS {project.target}) FROM {known})"
            )
            found.append(changes(before, sketch(connection, project, other, like=before)).others)
    truth = share * before["count"]
    assert np.mean(found) == pytest.approx(truth, rel=0.1)
    assert np.mean(np.abs(np.array(found) - truth) < 2.5 * 0.177 * truth + 5) >= 0.9


def test_the_same_rows_in_another_order_have_not_changed(trained):
    project = trained.project
    known = f"(SELECT * FROM {require_table(trained, project.table_name)} WHERE {project.target} IS NOT NULL)"
    with connect(trained) as connection:
        before = sketch(connection, project, known)
        again = sketch(connection, project, f"(SELECT * FROM {known} ORDER BY hash({project.key}))")
    assert (changes(before, again).share, before["count"]) == (0.0, again["count"])


def test_rows_that_are_gone_are_counted(trained):
    project = trained.project
    known = f"(SELECT * FROM {require_table(trained, project.table_name)} WHERE {project.target} IS NOT NULL)"
    with connect(trained) as connection:
        before = sketch(connection, project, known)
        few = sketch(
            connection, project, f"(SELECT * FROM {known} WHERE hash({project.key}) % 2 = 0)", before
        )
    found = changes(before, few)
    assert found.now == few["count"] < found.before
    assert found.moved == pytest.approx(found.before - found.now, rel=0.5)


def test_a_month_of_forecasts_begins_as_far_ahead_as_they_reach(trained_forecast, tmp_path):
    """Each is made a week before: of September there are the days from the 8th on."""
    settings = copied(trained_forecast, tmp_path)
    make_live(settings, newest_version(settings))
    table = require_table(settings, settings.project.table_name)
    with connect(settings) as connection:
        split = settings.dates.ending(date(2013, 11, 1))
        months = newest_rows(connection, settings, table, load_live(settings)[0], split).months()
    new = {each.name: each for each in months if each.new}
    assert [new["2013-09"].days, new["2013-10"].days] == [24, 31]
    assert new["2013-09"].daily == pytest.approx(new["2013-10"].daily, rel=0.1)


def rows_with(target, days=100):
    """Return rows of some days with these outcomes."""
    count = len(target)
    times = np.datetime64("2030-01-01", "s") + (np.arange(count) % days).astype("timedelta64[D]")
    return Dataset(np.zeros((count, 1), np.float32), target, times, {}, np.repeat("1", count))


def a_month(name, mean, rows=3000, new=True):
    """Return a month of so many rows with this share of cases."""
    return Month(
        name, new, rows, 30, rows, 0, mean, (mean * (1 - mean) / rows) ** 0.5, (mean * (1 - mean)) ** 0.5
    )


def examined(settings, months):
    """Return an examination that sees these months, and no slice."""
    live, _ = load_live(settings)
    newest = SimpleNamespace(months=lambda column=None: [] if column else months, connection=None)
    return Examined(settings, live, "", newest)


def test_a_poisoned_month_makes_the_next_one_no_more_usual(trained, tmp_path):
    given = examined(
        promoted(copied(trained, tmp_path)),
        [
            *(a_month(f"2013-0{n}", 0.2, new=False) for n in (1, 2, 3)),
            a_month("2013-04", 0.8),
            a_month("2013-05", 0.8),
            a_month("2013-06", 0.25),
        ],
    )
    found = [(each.said, each.holds) for each in usual_outcomes(given)]
    beyond = 0.2 / 0.8 * 2.25
    most = f"{beyond / (1 + beyond):.3f}"
    said = f"late is {{}} on the whole, 0.200 to 0.200 before, 0.100 to {most} may be"
    asked = "are they right? (retraining.usual_outcome)"
    assert found == [
        (f"2013-04: {said.format('0.800')}: {asked}", False),
        (f"2013-05: {said.format('0.800')}: {asked}", False),
        (f"2013-06: {said.format('0.250')}: ok", True),
    ]


def test_a_month_without_half_of_its_rows_makes_the_next_one_no_more_usual(trained, tmp_path):
    given = examined(
        promoted(copied(trained, tmp_path)),
        [
            *(a_month(f"2013-0{n}", 0.2, new=False) for n in (1, 2, 3)),
            a_month("2013-04", 0.2, rows=1500),
            a_month("2013-05", 0.2, rows=1500),
            a_month("2013-06", 0.2, rows=2400),
        ],
    )
    found = [(each.said, each.holds) for each in as_many_rows(given)]
    few = "50 rows a day, 100 were usual; fewer than 60% of that (retraining.minimum_rows_share)"
    few += ": are rows missing?"
    assert found == [
        (f"2013-04: {few}", False),
        (f"2013-05: {few}", False),
        ("2013-06: 80 rows a day, 100 were usual, 60 at least: ok", True),
    ]


def test_order_is_twice_the_area_under_the_roc_curve_less_1(trained):
    rng = np.random.default_rng(3)
    prediction = rng.integers(0, 20, 4000).astype(np.float32) / 20  # many are alike
    target = (rng.random(4000) < prediction * 0.6).astype(np.float32)
    area = trained.project.metrics.measure(target, prediction, {"threshold": 0.5})["roc_auc"]
    assert order(rows_with(target), prediction)[0] == pytest.approx(2 * area - 1)


def test_order_of_amounts_is_whole_reversed_or_none_and_halved_where_half_is_drawn_by_chance():
    rng = np.random.default_rng(4)
    target = rng.gamma(2, 3, 20_000).astype(np.float32)
    rows = rows_with(target)
    assert order(rows, np.log1p(target))[0] == pytest.approx(1)
    assert order(rows, -target)[0] == pytest.approx(-1)
    value, error = order(rows, rng.permutation(target))
    assert abs(value) < 3 * error
    half = np.where(rng.random(20_000) < 0.5, rng.permutation(target), target).astype(np.float32)
    assert order(rows_with(half), target)[0] == pytest.approx(0.5, abs=0.03)
