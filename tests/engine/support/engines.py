"""The worked example's raw tables, few and awkward, and settings that process them by any engine."""

import csv
from pathlib import Path

import duckdb
import pytest

from handrail.compute.data_engine import connect_data, has_table
from handrail.compute.duckdb import parquet, row
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from tests.engine.support.workspaces import PROJECT, in_workspace

# 01:30 is there twice on this day: summer time ends at 02:00. The time_hour of the flights is UTC.
TWICE = "2013-11-03"
FUNCTIONS = (  # of DuckDB, which every engine has to give alike
    "md5('a') AS md5, md5_number_lower('a') % 1000 AS low, sha256('a') AS sha, "
    "TRY_CAST('12' AS BIGINT) AS whole, TRY_CAST('x' AS BIGINT) AS none, TRY_CAST('1.5' AS DOUBLE) AS half, "
    "TRY_CAST('2013-02-30' AS TIMESTAMP) AS no_day, TRY_CAST(1e30 AS BIGINT) AS beyond, "
    "CAST(CAST(2.5 AS DOUBLE) AS INTEGER) AS even, list_position(['a', 'b'], 'b') AS place, "
    "isnan(CAST('NaN' AS DOUBLE)) AS nan, 7 / 2 AS share, 7 // 2 AS floor, strlen('é') AS bytes_of, "
    "length('é') AS signs, EXTRACT(isodow FROM DATE '2013-11-03') AS weekday, "
    "concat_ws('; ', 'a', NULL, 'b') AS joined, regexp_matches('UA1', '^[A-Z]{2}[0-9]$') AS matches, "
    "strftime(DATE '2013-11-03', '%Y-%m') AS month, split_part('a-b', '-', 1) AS part, "
    "(SELECT avg(CASE WHEN n > 2 THEN 1.0 ELSE 0.0 END) FROM (VALUES (1), (2), (3), (4), (5), (6), (7)) "
    "AS v(n)) AS average, (SELECT avg(DISTINCT 0.1 * n) FROM (VALUES (1), (1), (3)) AS w(n)) AS of_different"
)
EVERY = 60  # one flight in so many, beside those of the days around


def write_raw(folder: Path, source: Path) -> Path:
    """Write a small copy of the example's raw tables with what goes wrong in real ones; return its folder."""
    write_flights(folder, source)
    rows = list(csv.DictReader((folder / "flights.csv").read_text(encoding="utf-8").splitlines()))
    near = [row for row in rows if row["time_hour"][:10] in ("2013-11-02", TWICE, "2013-11-04")]
    flights = rows[::EVERY] + near
    spare = dict(near[0])
    hour = {"year": "2013", "month": "11", "day": "3", "hour": "1", "minute": "30", "distance": "200"}
    flights += [
        spare | hour | {"flight": "9001", "time_hour": f"{TWICE}T05:00:00Z"},
        spare | hour | {"flight": "9001", "time_hour": f"{TWICE}T06:00:00Z"},  # an hour later, the same clock
        spare | hour | {"flight": "9002", "time_hour": f"{TWICE}T06:00:00Z"},
        spare | {"flight": "9003", "distance": "17"},  # 27 km, below what the contract allows
        spare | {"flight": "9004", "carrier": "u"},
        spare | {"flight": "9005", "dest": "NA"},
        spare | {"flight": "9006", "arr_delay": "NA", "dep_delay": "NA", "tailnum": "NA"},
        spare | {"flight": "9007", "distance": "500.0"},  # a whole number, as some programs write it
        dict(near[1]),  # once more, and as it was
    ]
    with (folder / "flights.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(flights)
    return folder


def write_flights(folder: Path, source: Path) -> Path:
    """Write the example's raw tables as they are, none of them packed; return their folder."""
    folder.mkdir(parents=True)
    for name in ("flights", "weather", "planes", "airports", "airlines"):
        (folder / f"{name}.csv").write_bytes(_bytes(source, name))
    return folder


def _bytes(source: Path, name: str) -> bytes:
    import zipfile

    if (source / f"{name}.csv").is_file():
        return (source / f"{name}.csv").read_bytes()
    with zipfile.ZipFile(source / f"{name}.csv.zip") as archive:
        return archive.read(f"{name}.csv")


def by_engine(workspace: Path, engine: str, raw: Path | None, url: str | None = None, **compute) -> Settings:
    """Return the example's settings in a workspace, with the raw tables of `raw`, by an engine."""
    settings = in_workspace(workspace, PROJECT, sample=None)
    changed = {
        "compute": settings.compute.model_copy(update={"engine": engine, **compute}),
        "data": settings.data.model_copy(update={"source": raw, "maximum_rejected_share": 0.5}),
        "compute_url": url,
    }
    return settings.model_copy(update=changed)


def labels_read(settings: Settings) -> list[tuple[str, str | None]]:
    """Write labels of people as `labels` keeps them; return them as the engine of the settings reads them."""
    folder = settings.workspace / "data" / "labelling"
    folder.mkdir(parents=True)
    (folder / "labels.csv").write_text('item,label,by\nN1,jet,ada\n"N,2",,ada\n')
    columns = "columns = {'item': 'VARCHAR', 'label': 'VARCHAR', 'by': 'VARCHAR'}"
    options = "header = true, auto_detect = false, hive_partitioning = false"
    with connect_data(settings) as connection:
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW labels AS SELECT item, label FROM "
            f"read_csv('{folder / 'labels.csv'}', {columns}, {options})"
        )
        return connection.sql("SELECT item, label FROM labels ORDER BY item").fetchall()


def told_of_a_part(settings: Settings) -> str:
    """Ask an engine for a table that it lacks, and of which a part is here; return the refusal."""
    path = table_path(settings, PROJECT.table_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql("SELECT 1 AS n").write_parquet(str(path))
    with connect_data(settings) as connection:
        assert not has_table(connection, path)
        with pytest.raises(ProjectError) as refused:
            row(connection, f"SELECT count(*) AS n FROM {parquet(path)}")
    (said,) = refused.value.problems
    return said
