"""Each KPI is what its query computes, and one whose query is wrong is told beside the others."""

import pytest

from handrail.dashboard import read_kpis
from handrail.errors import ProjectError
from tests.engine.dashboard.made_up_board import KPIS, QUERIES, ROWS, WEEKS, board, filled, known, predicted

FILE = "src/made_up_board/dashboard/kpis.sql"


def shown(settings):
    """Return each KPI's problem by its name, empty where it has none, and the notes."""
    found = read_kpis(settings)
    return {each.kpi.name: each.problem for each in found.kpis}, found.notes


def test_a_kpi_is_what_its_query_computes_beside_its_goal(tmp_path):
    found, right = read_kpis(filled(tmp_path)).kpis
    assert list(found.points) == [(WEEKS[0], 0.5), (WEEKS[1], 1.0)]
    assert (found.shown, found.when, found.goal, found.met) == (
        "100.0%",
        "week from 2024-01-08",
        "goal met: at least 50.0%",
        True,
    )
    assert list(right.points) == [(WEEKS[0], 1.0), (WEEKS[1], 0.5)]
    assert (right.shown, right.goal, right.met) == ("50.0%", "goal missed: at least 90.0%", False)


def test_a_week_that_is_not_over_is_drawn_and_not_the_newest(tmp_path, monkeypatch):
    monkeypatch.setattr("handrail.dashboard.kpis.today_of", lambda settings: WEEKS[1])
    found, _ = read_kpis(filled(tmp_path)).kpis
    assert found.newest == (WEEKS[0], 0.5)
    assert found.points[-1][0] == WEEKS[1]


def test_what_was_archived_counts_and_a_key_counts_once(tmp_path):
    settings = filled(tmp_path)
    folder = tmp_path / "data" / "predictions"
    there = tmp_path / "data" / "archive" / "2024-03-01" / "predictions"
    there.mkdir(parents=True)
    (folder / "scored-a.parquet").rename(there / "scored-a.parquet")
    predicted(settings, ROWS, name="scored-b.parquet")
    assert list(read_kpis(settings).kpis[0].points) == [(WEEKS[0], 0.5), (WEEKS[1], 1.0)]
    (folder / "scored-b.parquet").unlink()
    assert list(read_kpis(settings).kpis[0].points) == [(WEEKS[0], 0.5), (WEEKS[1], 1.0)]


def test_it_is_computed_anew_when_an_outcome_is_known(tmp_path):
    settings = filled(tmp_path)
    assert read_kpis(settings).kpis[0].points[0] == (WEEKS[0], 0.5)
    known(settings, {1: (0, 1), 2: (1, 0)})
    assert read_kpis(settings).kpis[0].points[0] == (WEEKS[0], 1.0)


BROKEN = {
    "a column that is not there": ("avg(ill) AS value", "avg(sick) AS value", "sick"),
    "no value": ("avg(ill) AS value", "avg(ill) AS share", "it has to give one day, as week, and one number"),
    "no period": ("date_trunc('week', seen_at) AS week, avg(ill)", "version AS week, avg(ill)", "one day"),
    "several rows of one week": (
        "FROM predictions WHERE flagged GROUP BY week;",
        "FROM predictions GROUP BY week, visit_id;",
        "several rows of one week",
    ),
    "no SQL": ("avg(ill) AS value FROM", "avg(ill AS value FROM", "syntax error"),
    "text for a number": ("avg(ill) AS value", "'much' AS value", "much"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_query_that_fails_is_told_and_the_other_kpi_is_there(tmp_path, name):
    right, wrong, said = BROKEN[name]
    before, _, last = QUERIES.rpartition("/*")
    assert right in last
    problems, notes = shown(filled(tmp_path, queries=f"{before}/*{last.replace(right, wrong)}"))
    assert problems["found"] == ""
    assert problems["right_ones"].startswith(f"{FILE}: right_ones: ")
    assert said in problems["right_ones"]
    assert notes == ()


def test_a_kpi_without_a_query_and_a_query_without_a_kpi_are_told(tmp_path):
    kpis = [KPIS[0], {"name": "seen", "text": "visits"}, "only a text"]
    found = read_kpis(filled(tmp_path, kpis=kpis))
    assert [each.problem for each in found.kpis] == [
        "",
        f"{FILE} has no query seen; write one: CREATE VIEW seen AS SELECT ... AS week, ... AS value FROM "
        "predictions GROUP BY 1;",
        f"it has no name in project.yaml; give it one, and {FILE} a query of it",
    ]
    assert found.notes == (
        f"{FILE}: right_ones is no KPI of project.yaml; give one under decision.kpis that name, or take the "
        "query out",
    )


def test_a_kpi_without_a_goal_says_so(tmp_path):
    kpis = [{"name": "found", "text": "share found"}]
    found = read_kpis(filled(tmp_path, kpis=kpis)).kpis[0]
    assert (found.shown, found.met, found.colour) == ("1", None, "gray")
    assert found.goal == "no goal is agreed: at_least or at_most says it, in project.yaml under decision.kpis"


def test_kpis_of_the_example_are_nobody_s_with_data_of_one_s_own(tmp_path):
    settings = filled(tmp_path, example=True, data={"source": "raw"})
    assert read_kpis(settings).notes == (
        "the KPIs are the worked example's, not of your data; write your own into project.yaml and kpis.sql",
    )


def test_nothing_but_views_is_run(tmp_path):
    target = tmp_path / "written.csv"
    more = f"COPY (SELECT 1) TO '{target}';\nDROP VIEW found;\n"
    more += "CREATE OR REPLACE VIEW predictions AS SELECT 1 AS value;\n"
    problems, notes = shown(filled(tmp_path, queries=QUERIES + more))
    assert not target.exists()
    assert problems == {"found": "", "right_ones": ""}
    assert [note.partition(" is no CREATE VIEW")[0] for note in notes] == [
        f"{FILE}: statement {number}" for number in (3, 4, 5)
    ]


def test_the_other_tables_can_be_read(tmp_path):
    view = "CREATE VIEW found AS SELECT seen_at AS day, count(*) AS value FROM visits GROUP BY 1;"
    view += 'CREATE VIEW right_ones AS SELECT "end" AS day, avg(value) AS value FROM monitoring GROUP BY 1;'
    found, looks = read_kpis(filled(tmp_path, queries=view)).kpis
    assert len(found.points) == 7
    assert looks.problem == "no figure yet: no outcome that its query asks for is known"


def test_without_a_prediction_the_command_is_named_that_makes_one(tmp_path):
    settings = board(tmp_path)
    with pytest.raises(ProjectError) as refused:
        read_kpis(settings)
    assert str(refused.value) == (
        "no prediction yet; `uv run made-up-board promote` puts a model into staging, then "
        "`uv run made-up-board score` makes the first"
    )


def test_nothing_is_written_to_the_workspace(tmp_path):
    settings = filled(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read_kpis(settings)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
