"""Of a table that is elsewhere, a part may be here; nothing takes it for the whole."""

import pytest

from handrail.compute.duckdb import connect
from handrail.dashboard.standing import read_standing
from handrail.errors import ProjectError
from handrail.etl.explore import frame
from handrail.etl.load import loaded_table, require_table, taken_path
from handrail.registry.live import make_live
from handrail.registry.versions import newest_version
from handrail.stages.research import data_loaded
from tests.engine.support.lived import run

PART = (
    "3,107 of 30,000 rows are learnt from: a sample by a hash of flight_id (compute.training_rows in "
    "project.yaml)"
)


@pytest.fixture
def part(project):
    """Return settings with a part of a table, as `etl` on PostgreSQL or Spark leaves it here."""
    taken_path(project).write_text(f"{PART}\n", encoding="utf-8")
    return project


def elsewhere(settings):
    """Return the same with an engine that holds the whole table."""
    return settings.model_copy(update={"compute": settings.compute.model_copy(update={"engine": "postgres"})})


def test_a_part_that_another_engine_left_is_no_table_of_this_machine(part, monkeypatch, capsys):
    name = part.project.table_name
    refusal = f"data/{name}.parquet: a part, as another engine left it: {PART}; run `etl`, which loads all"
    with pytest.raises(ProjectError) as refused:
        require_table(part, name)
    assert refused.value.problems[0].endswith(refusal)
    with connect(part) as connection, pytest.raises(ProjectError, match="a part, as another engine left it"):
        loaded_table(connection, part)
    make_live(part, newest_version(part))
    for verb in ("score", "train", "monitor"):
        assert run(monkeypatch, part, verb) == 1
        assert refusal in capsys.readouterr().err
    assert require_table(elsewhere(part), name).startswith("read_parquet(")


def test_status_dashboard_and_notebooks_say_that_it_is_a_part(part, caplog):
    settings, name = elsewhere(part), part.project.table_name
    assert data_loaded(settings).evidence == f"data/{name}.parquet, {PART}"
    assert (
        read_standing(settings).live[-1]
        == f"{PART}; outcomes, KPIs and costs on this page are of those alone"
    )
    rows = frame(settings, f"SELECT count(*) AS n FROM {name}")
    assert rows["n"][0] > 0
    assert [each.message for each in caplog.records] == [f"{name}: {PART}"]
    taken_path(settings).unlink()
    assert data_loaded(settings).evidence.endswith(" rows")
    assert not any("on this page" in line for line in read_standing(settings).live)
