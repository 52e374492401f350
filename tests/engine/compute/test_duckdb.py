"""The engine in this process: a path is a name, and nothing but what a command says is printed."""

import subprocess
import sys

import pytest

from handrail.compute import duckdb as engine
from handrail.errors import ProjectError

DRAWS = """
from pathlib import Path
from types import SimpleNamespace
from handrail.compute.duckdb import connect, row
with connect(SimpleNamespace(workspace=Path(), data=SimpleNamespace(memory_limit="1GB"))) as connection:
    print(row(connection, "SELECT current_setting('enable_progress_bar') AS draws")["draws"])
"""


@pytest.mark.parametrize("name", ["a[12]", "a*", "a?", "a[", "a]", "key=1", "it's"])
def test_a_path_names_one_file_and_adds_no_column(empty, tmp_path, name):
    for number, folder in enumerate((name, "a1")):
        path = tmp_path / folder / f"{name}.parquet"
        with engine.connect(empty) as connection:
            engine.write_parquet(connection, f"SELECT {number} AS x", path)
    with engine.connect(empty) as connection:
        here, there = (tmp_path / folder / f"{name}.parquet" for folder in (name, "a1"))
        assert engine.rows(connection, f"SELECT * FROM {engine.parquet(here)}") == [{"x": 0}]
        both = engine.rows(connection, f"SELECT * FROM {engine.parquet(here, there)} ORDER BY x")
    assert both == [{"x": 0}, {"x": 1}]


def test_a_file_that_is_not_there_is_named(empty, tmp_path):
    said = r"the engine stopped: IO Error: No files found .*none\.parquet"
    with pytest.raises(ProjectError, match=said), engine.connect(empty) as connection:
        engine.rows(connection, f"SELECT * FROM {engine.parquet(tmp_path / 'none.parquet')}")


def test_it_draws_nothing_where_a_command_says_something():
    """By itself it draws a bar on standard output wherever it takes Python for interactive."""
    done = subprocess.run([sys.executable, "-c", DRAWS], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
