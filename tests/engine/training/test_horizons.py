"""Forecasts have an origin: steps are counted from it, and no period holds one made before it began."""

from dataclasses import replace
from datetime import date, datetime

import duckdb
import numpy as np
import pytest

from handrail import cli
from handrail.compute.duckdb import connect
from handrail.console import quietly
from handrail.errors import ProjectError
from handrail.etl.load import require_table, table_path
from handrail.etl.pipeline import run_etl
from handrail.monitoring import backtest
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.monitoring.outcomes import all_predictions
from handrail.registry.live import make_live
from handrail.registry.versions import load_version
from handrail.reports import pages
from handrail.reports.research import part_marks
from handrail.reports.tradeoff import period_of, told_for
from handrail.serving.batch import output_path, rows_to_score, score
from handrail.serving.horizon import bounded_request
from handrail.tasks.amounts.charts import latest, series_picture
from handrail.training.horizons import step_in_sql, step_unit, steps_between
from handrail.training.rolling_origins import expanding_folds
from handrail.training.run import train
from handrail.training.splits import read_splits
from tests.engine.testing.made_up_projects import SHAPES, contract_of, made_up_project

SHAPE = SHAPES["forecasts of six months"]
LAST = datetime(2020, 11, 1)  # the latest origin: what it is for is not known yet


def moments(*texts):
    return np.array(texts, dtype="datetime64[s]")


@pytest.mark.parametrize(
    ("times", "origins", "unit", "steps"),
    [
        (("2024-03-01", "2024-08-01"), ("2024-02-01", "2024-02-01"), "month", [1, 6]),
        (("2024-03-02T05:00", "2024-03-08T23:00"), ("2024-03-01", "2024-03-01"), "day", [1, 7]),
        (("2024-03-01T05:00", "2024-03-02T02:00"), ("2024-03-01", "2024-03-01"), "hour", [5, 26]),
    ],
)
def test_steps_are_counted_in_what_the_rows_are_apart(times, origins, unit, steps):
    found = step_unit(moments(*times), moments(*origins))
    assert found == unit
    assert steps_between(moments(*times), moments(*origins), found).tolist() == steps


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = made_up_project(tmp_path_factory.mktemp("forecasts"), SHAPE)
    run_etl(made.settings(), quietly)
    return made


@pytest.fixture(scope="module")
def version(project):
    settings = project.settings()
    return load_version(settings, train(settings, settings.dates, quietly).version)


def test_the_engine_counts_steps_as_arrays_do(project):
    settings = project.settings()
    with connect(settings) as connection:
        table = require_table(settings, project.table_name)
        splits = read_splits(connection, settings, table, settings.dates, settings.accuracy.baseline_by)
        order = ", ".join(f'"{name}"' for name in project.ordered_by)
        split = settings.dates
        inside = f"made_at >= DATE '{split.test_from}' AND visited_at < DATE '{split.live_from}'"
        steps = f"SELECT {step_in_sql(project, 'month')} FROM {table}"
        query = f"{steps} WHERE {inside} AND outcome IS NOT NULL ORDER BY {order}"
        assert splits.test.steps.tolist() == [step for (step,) in connection.execute(query).fetchall()]
    assert set(splits.test.steps.tolist()) == {1, 2, 3, 4, 5, 6}


def test_no_period_holds_a_forecast_that_was_made_before_it_began(project):
    settings, split = project.settings(), project.settings().dates
    with connect(settings) as connection:
        table = require_table(settings, project.table_name)
        splits = read_splits(connection, settings, table, split, settings.accuracy.baseline_by)
    assert splits.training.times.max() < np.datetime64(split.validation_from)
    for part, start, end in (
        (splits.validation, split.validation_from, split.test_from),
        (splits.test, split.test_from, split.live_from),
    ):
        assert part.origins.min() >= np.datetime64(start)
        assert part.times.max() < np.datetime64(end)
    for earlier, later in expanding_folds(splits.training):
        assert earlier.times.max() <= later.origins.min()


def test_errors_are_told_step_by_step_and_grow(version):
    steps = version.info["evaluation"]["parts"]["step"]
    assert list(steps) == ["1", "2", "3", "4", "5", "6"]
    assert steps["6"]["mae"]["value"] > 2 * steps["1"]["mae"]["value"]
    assert version.info["evaluation"]["step_unit"] == "month"


def test_a_forecast_is_measured_from_one_origin_after_another(project, version, monkeypatch, capsys):
    rolled = version.info["rolling_origins"]
    assert [each["from"] for each in rolled] == sorted(each["from"] for each in rolled)
    assert rolled[-1]["from"] == str(project.settings().dates.validation_from)
    assert rolled[-1]["model"] == version.info["validation"]["model"]["mae"]["value"]
    assert all(each["model"] < each["baseline"] for each in rolled)
    monkeypatch.chdir(project.root)
    assert cli.run(project, ["train", "--no-round"]) == 0
    said = capsys.readouterr().out
    assert "rolling origins: mae after learning from what was known on each day" in said
    assert f"\n{rolled[0]['from']} " in said


def test_what_is_not_known_yet_is_predicted_and_no_window_until_it_is(project, version):
    settings = project.settings()
    make_live(settings, version.name)
    rows = rows_to_score(settings, None, None, None)
    path = output_path(settings, rows.name)
    scored = score(settings, rows.source, rows.origin, path)
    ahead = f"visited_at > TIMESTAMP '{LAST}'"
    assert duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE {ahead}").fetchall()[0][0] > 0
    made = duckdb.sql(f"SELECT min(made_at) FROM '{path}'").fetchall()[0][0]
    assert made >= datetime.combine(settings.dates.live_from, datetime.min.time())
    seen = run_monitoring(settings, today=LAST.date())
    assert seen.end <= date(2020, 11, 2)
    assert seen.outcomes == seen.rows > 0
    table = table_path(settings, project.table_name)
    duckdb.sql(f"SELECT * REPLACE (coalesce(outcome, 10.0) AS outcome) FROM '{table}'").write_parquet(
        str(table)
    )
    later = run_monitoring(settings, today=date(2021, 5, 2))
    assert later.start > seen.start
    assert later.outcomes == later.rows > 0
    with connect(settings) as connection:
        count = connection.execute(f"SELECT count(*) FROM ({all_predictions(settings)})").fetchall()[0][0]
    assert count == scored.rows


def test_a_forecast_made_after_what_it_is_for_is_refused(tmp_path, project):
    settings = project.settings()
    record = {
        "visit_id": 1,
        "visited_at": datetime(2020, 1, 1),
        "made_at": datetime(2020, 2, 1),
        "town": "Köln",
        "kind": "A0",
        "load": 1.0,
        "rain": 0.0,
        "visits": 1,
    }
    with pytest.raises(ValueError, match="made_at: later than visited_at"):
        bounded_request(settings).model_validate(record)
    assert bounded_request(settings).model_validate(record | {"visited_at": datetime(2020, 3, 1)})
    own = made_up_project(tmp_path, SHAPE)
    own.given["transform"] = own.given["transform"].replace(
        "made_at", "CASE WHEN v.id = 7 THEN visited_at + INTERVAL 1 DAY ELSE made_at END AS made_at"
    )
    result = run_etl(own.settings(), quietly)
    assert result.rejected == {"made_at: later than visited_at": 1}


def test_an_origin_that_is_no_time_is_refused():
    from handrail.contract import Role, column
    from handrail.contract.schema import columns

    with pytest.raises(ProjectError, match="made_at: says when a forecast is made, so it is a datetime"):
        columns(contract_of(SHAPE, made_at=(int, column(Role.ORIGIN, "When", ge=0, le=1))))


def test_months_lived_again_begin_with_the_first_that_was_forecast(project, version):
    """Made from live_from on, the first forecast is for the month after: the month before has none."""
    settings = project.settings()
    make_live(settings, version.name)
    first = settings.dates.live_from
    later = [seen.start for seen in backtest(settings, today=LAST.date())]
    assert later
    assert later[0] > first
    assert later == sorted(later)
    again = [seen.rows for seen in backtest(settings, today=LAST.date())]
    with connect(settings) as connection:
        counted = connection.execute(f"SELECT count(*) FROM ({all_predictions(settings)})").fetchall()[0][0]
    assert counted < 2 * sum(again)  # months of few rows are predicted once, too


@pytest.fixture(scope="module")
def training(project):
    settings = project.settings()
    return train(settings, settings.dates, quietly)


def test_one_plan_is_counted_for_what_is_forecast_six_times(training):
    test = training.test
    once = told_for(training, "visits")
    assert 5 < once.steps <= 6
    assert once.rows * once.steps == pytest.approx(period_of(test.times).rows)
    assert "forecasts of each, which count as one plan" in once.between
    single = replace(training, test=test.rows(test.steps == 1))
    assert told_for(single, "visits").steps == 1
    assert "forecasts of each" not in told_for(single, "visits").between
    months = len(np.unique(test.times))
    by_hand = len(test) / once.steps / months
    assert once.rows == pytest.approx(by_hand, rel=0.1)


def test_the_latest_forecasts_are_those_of_one_step(training):
    test, series = training.test, latest(training)
    assert 7 < len(series.times) <= 24
    for time, came in zip(series.times, series.came, strict=True):
        rows = (test.times == time) & (test.steps == 1)
        assert came == pytest.approx(test.target[rows].sum())
    assert ", each at step 1: off by" in series_picture(training, "").caption


def test_how_many_outcomes_lie_in_their_ranges_is_told_by_step(project, training):
    settings = project.settings()
    tradeoff = project.task.tradeoff(settings, training)
    page = pages.render("research.html", settings, training, tradeoff)
    assert "Outcomes in their ranges, by step" in page
    assert "by month and by step" in page
    marks = part_marks(project.metrics, project.metrics["coverage"], training, "step")
    steps = training.info["evaluation"]["parts"]["step"]
    assert [mark.value for mark in marks] == [each["coverage"]["value"] for each in steps.values()]
