"""A person is forgotten with all of her rows, and with those to come."""

import json

import duckdb
import pytest

from handrail import cli
from handrail.console import quietly
from handrail.etl.load import table_path
from handrail.etl.pipeline import run_etl
from handrail.readiness.erasure import rehearse_forgetting
from handrail.registry.live import make_live
from handrail.serving.batch import output_path, rows_to_score, score
from handrail.serving.inference import LiveModel
from handrail.serving.prediction_log import answer_and_log, prediction_folder
from handrail.training.run import train
from tests.engine.testing.made_up_projects import Shape, made_up_project

HER = "C17"  # ten of the 3,000 rows
SECRET = "sixteen characters, and a few more"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project in which rows were loaded, learnt from, scored and asked for."""
    made = made_up_project(tmp_path_factory.mktemp("persons"), Shape(by="subject", keyed=False))
    settings = made.settings()
    run_etl(settings, quietly)
    make_live(settings, train(settings, settings.parted, quietly).version)
    rows = rows_to_score(settings, None, made_day(2011, 1, 1), None)
    score(settings, rows.source, rows.origin, output_path(settings, rows.name))
    names = list(made.request.model_fields)
    path = table_path(settings, made.table_name)
    found = duckdb.sql(
        f"SELECT {', '.join(names)} FROM '{path}' WHERE customer IN ('{HER}', 'C171')"
    ).fetchall()
    asked = [dict(zip(names, each, strict=True)) for each in found]
    answer_and_log(settings, LiveModel(settings), ([record] for record in asked))
    return made


def made_day(*day):
    from datetime import date

    return date(*day)


def lines_of(settings):
    return [
        json.loads(line)["customer"]
        for path in prediction_folder(settings).glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


def in_tables(settings):
    """Return how many rows of her and of others stand in each table below data/."""
    found = {}
    for path in sorted((settings.workspace / "data").rglob("*.parquet")):
        query = f"SELECT count_if(customer = '{HER}'), count_if(customer <> '{HER}') FROM '{path}'"
        found[path.parent.name] = duckdb.sql(query).fetchall()[0]
    return found


def test_nothing_of_her_is_left_and_nothing_comes_back(project, monkeypatch, capsys):
    settings = project.settings()
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("MADE_UP_FORGETTING_SECRET", SECRET)
    assert rehearse_forgetting(settings) == 3
    assert lines_of(settings).count(HER) == 10
    assert in_tables(settings)["predictions"] == (10, 2990)
    assert cli.run(project, ["purge", "--key", HER]) == 0
    assert "nothing was deleted" in capsys.readouterr().out
    assert cli.run(project, ["purge", "--key", HER, "--really"]) == 0
    assert lines_of(settings) == ["C171"] * 10
    found = in_tables(settings)
    assert (found["data"], found["predictions"]) == ((0, 2990), (0, 2990))
    assert "raw" not in found
    assert cli.run(project, ["etl"]) == 0
    found = in_tables(settings)
    assert (found["data"], found["raw"]) == ((0, 2990), (0, 2990))
    kept = (settings.workspace / "data" / "forgotten.txt").read_text(encoding="utf-8")
    assert HER not in kept


@pytest.mark.parametrize("key", ["nobody", "2", "0.5"])
def test_one_of_whom_nothing_is_kept_is_told(project, monkeypatch, capsys, key):
    """Nor is what stands in the middle of other numbers, as in shares and days of the logs."""
    monkeypatch.chdir(project.root)
    with (project.settings().workspace / "data" / "lifecycle.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"at": "2026-02-12T12:00:02+00:00", "share": 0.52}\n')
    assert cli.run(project, ["purge", "--key", key]) == 1
    assert (
        f"--key {key}: nothing of it is kept; is it written as in the column row_key or customer?"
        in capsys.readouterr().err
    )


def test_a_row_without_a_key_is_forgotten_wherever_it_was_asked_for(tmp_path, monkeypatch, capsys):
    """With those that are alike, of which nobody can tell which was asked for."""
    made = made_up_project(tmp_path, Shape(by="random", timed=False, keyed=False, alike=True))
    settings = made.settings()
    run_etl(settings, quietly)
    make_live(settings, train(settings, settings.parted, quietly).version)
    path = table_path(settings, made.table_name)
    names = list(made.request.model_fields)
    twice = f"SELECT row_key FROM '{path}' WHERE row_key LIKE '%-2' ORDER BY row_key LIMIT 1"
    ((key,),) = duckdb.sql(twice).fetchall()
    alike = f"split_part(row_key, '-', 1) = '{key.partition('-')[0]}'"
    others = f"SELECT * FROM '{path}' WHERE NOT {alike} LIMIT 50"
    few = f"(SELECT * FROM '{path}' WHERE {alike} UNION ALL ({others}))"
    found = duckdb.sql(f"SELECT {', '.join(names)} FROM {few}").fetchall()
    asked = [dict(zip(names, each, strict=True)) for each in found]
    answer_and_log(settings, LiveModel(settings), ([record] for record in asked))
    score(settings, few, "few", output_path(settings, "few"))
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("MADE_UP_FORGETTING_SECRET", SECRET)
    assert cli.run(made, ["purge", "--key", key, "--really"]) == 0
    assert "6 rows deleted" in capsys.readouterr().out  # two in the table, the file and the log
    (log,) = prediction_folder(settings).glob("*.jsonl")
    assert sum(bool(line.strip()) for line in log.read_text(encoding="utf-8").splitlines()) == 50
    (scored,) = prediction_folder(settings).glob("*.parquet")
    assert duckdb.sql(f"SELECT count(*) FROM '{scored}'").fetchall() == [(50,)]
    assert cli.run(made, ["etl"]) == 0
    assert duckdb.sql(f"SELECT count(*), count_if({alike}) FROM '{path}'").fetchall() == [(2998, 0)]
