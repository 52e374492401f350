"""Tables as DataFrames, for people who explore."""

import subprocess
import sys

import pytest

from handrail import errors
from handrail.etl import explore, load
from tests.engine.support.names import UNBOUND, contract
from tests.engine.support.workspaces import PROJECT, in_workspace


def test_a_select_over_raw_and_loaded_tables_is_a_frame(trained):
    query = f"SELECT (SELECT count(*) FROM planes) AS planes, count(*) AS rows FROM {contract.TABLE}"
    found = explore.frame(trained, query)
    assert found.to_dict("records") == [{"planes": 3322, "rows": 20_000}]


def test_the_loaded_table_is_a_frame_of_the_contracts_columns(trained, monkeypatch):
    monkeypatch.setattr(type(PROJECT), "settings", lambda self, sample=None: trained)
    frame = UNBOUND.table()
    assert list(frame.columns) == list(contract.CONTRACT.model_fields)
    assert len(frame) == 20_000
    assert frame["distance_km"].between(50, 10_000).all()


def test_before_the_first_etl_it_says_what_to_do(empty):
    with pytest.raises(errors.ProjectError, match=r"data: no table yet; run `etl` first$"):
        explore.frame(empty, "SELECT 1")


def test_after_a_small_run_it_says_where_that_is(tmp_path):
    whole = in_workspace(tmp_path, sample=None)
    small = load.table_path(
        whole.model_copy(update={"workspace": tmp_path / "sample" / "500"}), contract.TABLE
    )
    small.parent.mkdir(parents=True)
    small.write_bytes(b"")
    advice = "run `etl` first; a small run has it: --sample 500, in Python sample=500"
    with pytest.raises(errors.ProjectError) as refused:
        explore.frame(whole, "SELECT 1")
    assert str(refused.value).endswith(f"no table yet; {advice}")
    with pytest.raises(errors.ProjectError) as refused:
        load.require_table(whole, contract.TABLE)
    assert str(refused.value).endswith(f"no such file yet; {advice}")


def test_a_statement_that_the_engine_refuses_is_told_in_its_words(trained):
    with pytest.raises(errors.ProjectError, match=r"^the engine stopped: Binder Error: .*moons"):
        explore.frame(trained, f"SELECT moons FROM {contract.TABLE}")


def test_without_pandas_it_names_the_extra(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        errors.ProjectError, match=r"pandas is not installed; add the extra: .*handrail\[pandas\]"
    ):
        explore.frame(trained, "SELECT 1")


def test_nothing_is_looked_up_when_a_project_is_imported():
    code = (
        f"import sys; from {UNBOUND.package} import project; "
        "print(sorted({'duckdb', 'numpy', 'pydantic', 'click', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
