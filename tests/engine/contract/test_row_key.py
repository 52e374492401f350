"""Rows without a key of their own get one that is the same whenever it is made."""

import duckdb
import pytest
from pydantic import create_model

from handrail.compute.duckdb import connect
from handrail.console import quietly
from handrail.contract import Record, Role, column
from handrail.contract.schema import columns, request_model, with_key
from handrail.errors import ProjectError
from handrail.etl.pipeline import run_etl
from tests.engine.testing.made_up_projects import Shape, contract_of, made_up_project

KEYLESS = Shape(by="random", timed=False, keyed=False)
AGAIN = "SELECT * FROM ({}) UNION ALL SELECT * FROM ({}) WHERE load > 90"


def loaded(folder, transform=None):
    """Return all rows of the loaded table, by its key."""
    project = made_up_project(folder, KEYLESS)
    if transform:
        project.given["transform"] = transform(project.given["transform"])
    result = run_etl(project.settings(), quietly)
    return result.path, {row[-1]: row[:-1] for row in duckdb.sql(f"SELECT * FROM '{result.path}'").fetchall()}


def test_the_order_of_the_rows_changes_neither_key_nor_file(tmp_path):
    path, rows = loaded(tmp_path / "one")
    again, same = loaded(
        tmp_path / "other", lambda query: f"SELECT * FROM ({query}) ORDER BY load DESC, rain"
    )
    assert len(rows) == 3000
    assert same == rows
    assert path.read_bytes() == again.read_bytes()


def test_what_is_known_later_changes_no_key(tmp_path):
    _, rows = loaded(tmp_path / "one")
    _, later = loaded(tmp_path / "other", lambda query: query.replace("outcome", "NULL AS outcome"))
    assert later.keys() == rows.keys()


def test_rows_that_are_alike_are_numbered(tmp_path):
    _, rows = loaded(tmp_path / "one", lambda query: AGAIN.format(query, query))
    twice = {key for key in rows if "-" in key}
    _, once = loaded(tmp_path / "other")
    assert len(twice) == len(rows) - 3000 > 100
    assert all(key.endswith("-2") for key in twice)
    assert {key.partition("-")[0] for key in twice} <= once.keys()
    assert all(rows[key] == rows[key.partition("-")[0]] for key in twice)


def test_a_key_of_ones_own_is_left_alone():
    own = contract_of(Shape())
    assert with_key(own) is own


def test_the_key_is_no_part_of_a_request_and_the_last_column_of_the_table():
    own = contract_of(KEYLESS)
    assert [c.name for c in columns(with_key(own))] == [*own.model_fields, "row_key"]
    assert "row_key" not in request_model(own).model_fields
    assert [c.role for c in columns(with_key(own))][-1] == Role.KEY


def test_a_column_of_that_name_for_something_else_is_refused():
    fields = {"row_key": (str, column(Role.FEATURE, "Which", examples=["a"]))}
    taken = create_model("Taken", __base__=Record, **fields)
    with pytest.raises(ProjectError) as refused:
        with_key(taken)
    assert str(refused.value) == (
        "contract.py: row_key: the engine makes a column of this name, as none has the role KEY; give it "
        "that role, or another name"
    )


def test_a_served_prediction_meets_the_outcome_of_its_row(tmp_path):
    from handrail.monitoring.outcomes import all_predictions
    from handrail.serving.prediction_log import PredictionLog, prediction_folder

    path, rows = loaded(tmp_path)
    settings = made_up_project(tmp_path / "logs", KEYLESS).settings()
    key = next(iter(rows))
    names = [each[0] for each in duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()][:-1]
    record = dict(zip(names, rows[key], strict=True))
    record.pop("outcome")
    log = PredictionLog(prediction_folder(settings))
    said = {"version": "v", "source": "model", "prediction": 0.5, "baseline": 0.5}
    log.append([said | record])
    log.close()
    with connect(settings) as connection:
        found = connection.execute(f"SELECT row_key FROM ({all_predictions(settings)})").fetchall()
    assert found == [(key,)]
