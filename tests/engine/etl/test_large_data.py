"""The whole ETL of ten times the flights stays within the memory that project.yaml allows."""

import subprocess
import sys

import duckdb
import pytest

from tests.engine.support.engines import write_flights
from tests.engine.support.workspaces import PROJECT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read as Linux says it"),
]
LIMIT = 1_000_000_000  # 1GB
TIMES = 10
RUN = """
import re, sys
from pathlib import Path
from handrail.etl.pipeline import run_etl
from tests.engine.support.engines import by_engine
settings = by_engine(Path(sys.argv[1]), "duckdb", Path(sys.argv[2]))
data = settings.data.model_copy(update={"memory_limit": sys.argv[3]})
settings = settings.model_copy(update={"data": data})
result = run_etl(settings, lambda step: None)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(result.loaded, int(peak) * 1024)
"""


def test_ten_times_the_flights_take_no_more_memory_than_is_allowed(tmp_path):
    """With as much as it would like, it takes 1.6 GB."""
    raw = write_flights(tmp_path / "raw", PROJECT.module("etl.extract").example_folder())
    with duckdb.connect() as connection:
        (tmp_path / "once.csv").write_bytes((raw / "flights.csv").read_bytes())
        connection.execute(
            "COPY (SELECT f.* REPLACE (CAST(f.flight AS INTEGER) + 10000 * number AS flight) "
            f"FROM read_csv('{tmp_path}/once.csv', all_varchar = true, header = true) AS f, "
            f"range({TIMES}) AS copies(number)) TO '{raw}/flights.csv' (HEADER)"
        )
    command = (sys.executable, "-c", RUN, tmp_path / "workspace", raw, "1GB")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded, peak = map(int, done.stdout.split())
    assert loaded == TIMES * 336_775
    assert peak < LIMIT
    assert not list((tmp_path / "workspace" / "data").glob(".*"))
