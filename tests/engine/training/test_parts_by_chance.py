"""Rows parted by chance: shares as agreed, nobody in two parts, no live figure of what a version knows."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import pytest

from handrail import cli
from handrail.compute.duckdb import connect
from handrail.config.sections import Shares
from handrail.console import quietly
from handrail.errors import ProjectError
from handrail.etl.load import require_table, table_path
from handrail.etl.pipeline import run_etl
from handrail.monitoring.checks import Reading
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.registry.acceptance import objections
from handrail.registry.live import make_live
from handrail.registry.versions import learnt_before, load_version
from handrail.serving.batch import output_path, rows_to_score, score
from handrail.training.run import train
from handrail.training.splits import in_order, periods, rows_in, told_by
from handrail.tuning.tuning_data import read_tuning_data
from tests.engine.testing.made_up_projects import Shape, made_up_project

SHAPES = {
    "random": Shape(by="random", timed=False, keyed=False),
    "subject": Shape(by="subject", timed=False),
    "subject in time": Shape(by="subject"),
}
UNDECIDED = 300  # rows whose outcome is not known yet


def waiting(transform):
    """Return the statement with every tenth outcome not known yet."""
    return transform.replace("outcome", "CASE WHEN v.id % 10 = 3 THEN NULL ELSE outcome END AS outcome", 1)


@pytest.fixture(scope="module", params=SHAPES)
def project(request, tmp_path_factory):
    made = made_up_project(tmp_path_factory.mktemp("parted"), SHAPES[request.param])
    made.given["whole"] = made.given["transform"]
    made.given["transform"] = waiting(made.given["transform"])
    run_etl(made.settings(), quietly)
    return made


@pytest.fixture(scope="module")
def trained(project):
    settings = project.settings()
    return load_version(settings, train(settings, settings.parted, quietly).version)


def parts(settings, column):
    """Return the values of a column in each part."""
    split = settings.parted
    with connect(settings) as connection:
        table = require_table(settings, settings.project.table_name)
        return [
            [
                value
                for (value,) in connection.execute(
                    f"SELECT {column} FROM {rows_in(settings, table, split, each)}"
                ).fetchall()
            ]
            for each in periods(split)
        ]


def test_rows_that_nothing_tells_apart_are_in_one_part(tmp_path):
    shape = Shape(by="random", timed=False, keyed=False, alike=True)
    settings = made_up_project(tmp_path, shape).settings()
    run_etl(settings, quietly)
    found = [set(each) for each in parts(settings, "split_part(row_key, '-', 1)")]
    assert [len(one & other) for one, other in ((found[0], found[1]), (found[1], found[2]))] == [0, 0]
    assert found[0].isdisjoint(found[2])
    twice = sum(len(each) for each in parts(settings, "row_key")) - sum(map(len, found))
    assert twice == 150


def test_the_parts_have_the_shares_that_were_agreed_and_hold_every_row_once(project):
    found = parts(project.settings(), project.key)
    assert sum(map(len, found)) == len({key for part in found for key in part}) == 3000
    assert [len(part) / 3000 for part in found] == pytest.approx([0.6, 0.2, 0.2], abs=0.06)


def test_a_subject_is_in_one_part_with_all_of_its_rows(project):
    if project.subject is None:
        pytest.skip("rows stand for themselves")
    found = parts(project.settings(), project.subject)
    whole = [set(part) for part in found]
    assert sum(map(len, whole)) == len(set().union(*whole)) == 300
    assert {count for part in found for count in Counter(part).values()} == {10}


def test_rows_never_move_to_another_part(project):
    settings = project.settings()
    before = parts(settings, project.key)
    path = table_path(settings, project.table_name)
    kept = path.read_bytes()
    try:
        duckdb.sql(f"SELECT * FROM '{path}' ORDER BY load LIMIT 1000").write_parquet(str(path))
        after = parts(settings, project.key)
    finally:
        path.write_bytes(kept)
    assert all(set(few) <= set(many) for few, many in zip(after, before, strict=True))


def test_a_trial_of_tuning_is_scored_on_others_than_it_learnt_from(project):
    settings = project.settings()
    data = read_tuning_data(settings, settings.parted)
    for earlier, later in data.folds:
        assert (len(earlier) > 500, len(later) > 300) == (True, True)
        if project.subject:
            assert not set(earlier.subjects) & set(later.subjects)


def test_what_a_version_has_learnt_from_is_no_live_figure(project, trained):
    settings = project.settings()
    make_live(settings, trained.name)
    rows = rows_to_score(settings, None, None, None)
    assert score(settings, rows.source, rows.origin, output_path(settings, rows.name)).rows == UNDECIDED
    known = (
        f"(SELECT * FROM {require_table(settings, project.table_name)} WHERE outcome IS NOT NULL LIMIT 500)"
    )
    score(settings, known, "known rows", output_path(settings, "known"))
    project.given["transform"], before = project.given["whole"], project.given["transform"]
    try:
        run_etl(settings, quietly)
        today = datetime.now(UTC).date()
        window = (
            (None, None)
            if project.time is None
            else (datetime(2011, 1, 1).date(), datetime(2012, 1, 1).date())
        )
        seen = run_monitoring(settings, *window, today + timedelta(days=1))
    finally:
        project.given["transform"] = before
        run_etl(settings, quietly)
    assert (seen.rows, seen.outcomes) == (UNDECIDED, UNDECIDED)
    assert (
        "500 predictions are left out: of rows that their version had learnt from or was tested on"
        in seen.notes
    )


def test_where_every_outcome_is_known_there_is_nothing_to_score(tmp_path):
    project = made_up_project(tmp_path, SHAPES["random"])
    settings = project.settings()
    run_etl(settings, quietly)
    make_live(settings, train(settings, settings.parted, quietly).version)
    with pytest.raises(ProjectError) as refused:
        rows_to_score(settings, None, None, None)
    assert str(refused.value) == (
        "visits: every row has its outcome, so nothing is left to predict; load rows without one with `etl`, "
        "or name a file with --input"
    )


def test_a_worse_version_is_refused_on_the_test_rows(project, trained):
    settings = project.settings()
    make_live(settings, trained.name)
    path = table_path(settings, project.table_name)
    kept = path.read_bytes()
    try:
        other = "CASE WHEN load > 50 THEN 0 ELSE 1 END"
        inside = (
            "row_key IS NOT NULL AND outcome IS NOT NULL" if not project.has_key else "outcome IS NOT NULL"
        )
        split = settings.parted
        test = rows_in(settings, f"'{path}'", split, periods(split)[2])
        key = project.key
        duckdb.sql(
            f"SELECT * REPLACE (CASE WHEN {inside} AND {key} NOT IN (SELECT {key} FROM {test}) THEN {other} "
            f"ELSE outcome END AS outcome) FROM '{path}'"
        ).write_parquet(str(path))
        worse = load_version(settings, train(settings, settings.parted, quietly).version)
        said = objections(settings, worse)
    finally:
        path.write_bytes(kept)
    live = [each for each in said if "is worse than the staged" in each]
    assert len(live) == 1
    assert told_by(worse.info["split"], "test") in live[0]


def test_what_was_trained_today_is_no_day_old(project, trained):
    settings = project.settings()
    assert learnt_before(settings, trained) == datetime.now(UTC).date() + timedelta(days=1)
    age = Reading("age of the model in days", 0.0, 0.0, 125, "ok")
    assert (age.shown, replace(age, value=1.0).shown) == ("0", "1")


def test_what_knows_no_days_says_so(project, trained, monkeypatch, capsys):
    settings = project.settings()
    make_live(settings, trained.name)
    monkeypatch.chdir(project.root)
    for line, said in {
        "train --until 2012-01-01": "error: --until 2012-01-01: project.yaml: split.by: {by}: chance parts "
        "the rows, and no day tells what was known; `train` learns from all that is loaded: take --until out",
        "monitor --relive": "error: --relive: lives the time after the split again, and chance has parted",
    }.items():
        assert cli.run(project, line.split()) == 1
        assert said.format(by=settings.parted.by) in capsys.readouterr().err


def test_days_cannot_part_rows_without_a_time(tmp_path):
    project = made_up_project(tmp_path, Shape(timed=False))
    settings = project.settings()
    run_etl(settings, quietly)
    with pytest.raises(ProjectError) as refused:
        train(settings, settings.parted, quietly)
    assert str(refused.value) == (
        "project.yaml: split: days part the rows, and no column of contract.py has the role TIME; write "
        "by: random or by: subject below split, with validation_share and test_share"
    )


def test_subjects_cannot_part_rows_without_any(tmp_path):
    project = made_up_project(tmp_path, Shape(by="random"))
    settings = project.settings()
    run_etl(settings, quietly)
    with pytest.raises(
        ProjectError, match=r"split\.by: subject: no column of contract\.py has the role SUBJECT"
    ):
        train(settings, Shares(by="subject"), quietly)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{by: random, test_share: 1.2}", "split.test_share: Input should be less than 1 (given: 1.2)"),
        ("{by: random, validation_share: 0.5, test_share: 0.5}", "have to leave rows to learn from"),
        ("{by: week}", "split.by: Input should be 'time' (given: 'week'); write time, subject or random"),
        ("{by: random, test_from: 2020-01-01}", "split.test_from: no such field; "),
    ],
)
def test_a_mistake_in_the_split_is_told_by_its_line(tmp_path, text, said):
    project = made_up_project(tmp_path, Shape(by="random"))
    facts = (tmp_path / "project.yaml").read_text(encoding="utf-8")
    head = facts[: facts.index("split:")]
    (tmp_path / "project.yaml").write_text(f"{head}split: {text}\n", encoding="utf-8")
    with pytest.raises(ProjectError) as refused:
        project.settings()
    line = head.count("\n") + 1
    assert any(
        each.startswith(f"project.yaml, line {line}: ") and said in each for each in refused.value.problems
    )


def test_the_order_of_drawn_rows_is_that_of_their_draws(project):
    settings = project.settings()
    table = require_table(settings, project.table_name)
    unit = project.subject or project.key
    with connect(settings) as connection:
        order = in_order(settings, settings.parted)
        found = [v for (v,) in connection.execute(f"SELECT {unit} FROM {table} ORDER BY {order}").fetchall()]
    together = 1 + sum(one != other for one, other in pairwise(found))
    assert together == len(set(found))
    assert found != sorted(found)
    assert np.unique(found).size == len(set(found))
