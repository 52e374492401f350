"""`demo`: what it advises at its end can be done."""

import re
from datetime import date, timedelta

import duckdb
import pytest

from handrail import cli
from handrail.cli.verbs import demo
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.training.retraining import newer_end
from tests.engine.support.example import example
from tests.engine.support.workspaces import copied

TODAY = date(2026, 1, 1)
LIVE_FROM, FIRST_OF_A_LATER_MONTH = date(2013, 9, 1), date(2013, 11, 1)


def changed(settings, select):
    """Put what `select` makes of the loaded table, `{table}`, in its place."""
    path = table_path(settings, settings.project.table_name)
    new = path.with_name("new.parquet")
    duckdb.sql(select.format(table=path, time=settings.project.time)).write_parquet(str(new))
    new.replace(path)


def without_outcome(settings, day):
    """Forget every outcome from `day` on."""
    target = settings.project.target
    later = f"{{time}} >= TIMESTAMP '{day}'"
    known = f"CASE WHEN {later} THEN NULL ELSE {target} END AS {target}"
    changed(settings, f"SELECT * REPLACE ({known}) FROM '{{table}}'")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["trained", "trained_amounts", "trained_forecast"])
def test_it_advises_to_learn_from_two_months_more(name, request):
    settings = request.getfixturevalue(name)
    assert settings.dates.live_from == LIVE_FROM
    assert newer_end(settings, TODAY) == FIRST_OF_A_LATER_MONTH


def test_it_goes_no_further_than_the_data(project):
    last = project.dates.live_from + timedelta(days=10)
    changed(project, f"SELECT * FROM '{{table}}' WHERE {{time}} < TIMESTAMP '{last}'")
    assert newer_end(project, TODAY) == last


def test_it_goes_no_further_than_the_known_outcomes(project):
    last = project.dates.live_from + timedelta(days=3)
    without_outcome(project, last)
    assert newer_end(project, TODAY) == last


def test_without_newer_outcomes_it_advises_none(project):
    without_outcome(project, project.dates.live_from)
    assert newer_end(project, TODAY) is None
    changed(project, "SELECT * FROM '{table}' WHERE false")
    assert newer_end(project, TODAY) is None


def test_a_period_without_two_outcomes_is_not_advised(project):
    dates = project.dates.ending(FIRST_OF_A_LATER_MONTH)
    gone = f"{{time}} >= TIMESTAMP '{dates.test_from}' AND {{time}} < TIMESTAMP '{dates.live_from}'"
    kept = f"{{time}} >= TIMESTAMP '{dates.live_from - timedelta(hours=6)}'"
    changed(project, f"SELECT * FROM '{{table}}' WHERE NOT ({gone})")
    assert newer_end(project, TODAY) is None
    project = copied(project, project.workspace / "again")
    changed(project, f"SELECT * FROM '{{table}}' WHERE {{time}} < TIMESTAMP '{dates.test_from}' OR {kept}")
    assert newer_end(project, TODAY) is None


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_what_it_advises_works(problem, tmp_path, monkeypatch, capsys):
    project = example(problem)
    monkeypatch.chdir(project.root)
    for name, value in {
        "WORKSPACE": tmp_path,
        "ACCURACY__MINIMUM": {"classification": 0, "regression": 1e9}[problem],
    }.items():
        monkeypatch.setenv(f"{project.env_prefix}{name}", str(value))
    assert cli.run(project, ["demo", "--sample", "20000"]) == 0
    out = capsys.readouterr().out
    ran = [line.split()[4] for line in out.splitlines() if line.startswith("[")]
    assert ran == ["etl", "train", "promote", "serve", "score", "monitor", "status"]
    tried = out.partition("\nTry next\n")[2].splitlines()
    assert tried == [
        f"  uv run {project.program} {line} --sample 20000"
        for line in (f"train --until {FIRST_OF_A_LATER_MONTH}", "promote", "status")
    ]
    for line in tried:
        assert cli.run(project, line.split()[3:]) == 0
    measured = (
        r" on the test period, from 2013-09-01 on and before 2013-11-01, without \d+ whose outcome was not"
    )
    assert re.search(measured, capsys.readouterr().out)


def test_a_step_that_fails_is_told_in_one_line(project, monkeypatch, capsys):
    whole = project.model_copy(update={"sample": None})
    monkeypatch.setattr(cli, "run", lambda *_, **__: 1)
    with pytest.raises(ProjectError) as told:
        demo._run_steps(whole, 0.0)
    assert told.value.problems == ("demo: etl did not end well (status 1); mend that and start again",)
    capsys.readouterr()
