"""The engine in this process: a path is a name, and nothing but what a command says is printed."""

import subprocess
import sys
from pathlib import Path

import pytest

from handrail.compute import duckdb as engine
from handrail.compute.translated import Translated
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


@pytest.mark.parametrize(
    ("said", "engine_has"), [("2GB", 1_500_000_000), ("1.5 GiB", 1_207_959_552), ("200MB", 150_000_000)]
)
def test_it_leaves_a_quarter_of_the_memory_to_what_it_does_not_count(empty, said, engine_has):
    settings = with_memory(empty, said)
    assert engine.limits(settings)["memory_limit"] == f"{engine_has}B"
    with engine.connect(settings) as connection, engine.duckdb.connect() as other:
        other.execute(f"SET memory_limit = '{engine_has}B'")
        asked = "SELECT current_setting('memory_limit') AS allowed"
        assert engine.row(connection, asked) == engine.row(other, asked)


def test_what_does_not_fit_spills_into_the_workspace_and_goes_when_it_ends(empty):
    settings = with_memory(empty, "100MB")
    there = settings.workspace / "data"
    there.mkdir(parents=True)
    with engine.connect(settings) as connection:
        connection.execute("CREATE TEMP TABLE much AS SELECT random() AS x, uuid() AS y FROM range(5000000)")
        assert sum(file.stat().st_size for file in there.glob(".spill-*/*")) > 50_000_000
    assert list(there.iterdir()) == []


def test_beside_another_engine_it_has_the_same_limits(empty):
    """What comes to this machine, to be put in order, does not spill where a command happens to run."""
    other = type("Other", (Translated,), dict.fromkeys(Translated.__abstractmethods__))
    local = other(empty)._local
    asked = "SELECT current_setting('temp_directory') AS spill, current_setting('memory_limit') AS allowed"
    with engine.connect(empty) as connection:
        expected = engine.row(connection, asked)
    assert local.sql(asked).fetchall() == [tuple(expected.values())]
    assert Path(expected["spill"]).parent == empty.workspace / "data"


def with_memory(settings, said):
    """Return settings with another `data.memory_limit`."""
    return settings.model_copy(update={"data": settings.data.model_copy(update={"memory_limit": said})})
