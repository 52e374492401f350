"""The same SQL on DuckDB, PostgreSQL and Spark: every value of every table, and every figure that is watched.

Tables are compared value by value, without any tolerance: no sum of the example depends on an order. Figures
are compared to 1e-9 of their size.
"""

import math
import shutil
from datetime import date
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest

from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import parquet
from handrail.errors import ProjectError
from handrail.etl.load import raw_path, read_taken, rejected_path, table_path
from handrail.etl.pipeline import run_etl
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.monitoring.outcomes import prediction_files
from handrail.monitoring.replay import replay
from handrail.readiness.erasure import rehearse_forgetting
from handrail.registry.live import make_live
from handrail.registry.versions import newest_version
from handrail.serving.batch import output_path, rows_to_score, score_rows
from handrail.training.run import count_reference, train
from tests.engine.support.engines import TWICE, by_engine, write_raw
from tests.engine.support.postgres_server import postgres_server
from tests.engine.support.workspaces import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("engines")]
ENGINES = ("postgres", "spark")
# Spark takes a while to do anything at all: what it does once more is for `make test-all`.
SPARK_IS_LONG = ("postgres", pytest.param("spark", marks=pytest.mark.long))
TODAY = date(2013, 12, 31)
RELATIVE = 1e-9


def quiet(step):
    """Say nothing."""


@pytest.fixture(scope="module")
def url():
    with postgres_server() as address:
        yield address


@pytest.fixture(scope="module")
def lived(tmp_path_factory, url):
    """Return a project that DuckDB has lived, and the same data in the other engines; read only."""
    folder = PROJECT.module("etl.extract").example_folder

    place = tmp_path_factory.mktemp("engines")
    raw = write_raw(place / "raw", folder())
    first = by_engine(place / "duckdb", "duckdb", raw)
    results = {"duckdb": run_etl(first, quiet)}
    train(first, first.dates, quiet)
    make_live(first, newest_version(first))
    rows = rows_to_score(first, None, None, None)
    score_rows(first, rows, output_path(first, rows.name))
    found = {"duckdb": first}
    for engine in ENGINES:
        there = place / engine
        for name in ("models", "data/predictions"):
            shutil.copytree(first.workspace / name, there / name)
        found[engine] = by_engine(there, engine, raw, url)
        results[engine] = run_etl(found[engine], quiet)
    return SimpleNamespace(settings=found, results=results, raw=raw)


def values(path):
    return duckdb.sql(f"SELECT * FROM {parquet(path)}")


def apart(one, other):
    """Return how many rows of either of two files the other lacks."""
    both = ((one, other), (other, one))
    return [
        len(duckdb.sql(f"SELECT * FROM {parquet(a)} EXCEPT ALL SELECT * FROM {parquet(b)}").fetchall())
        for a, b in both
    ]


def differing(one, other, place=""):
    """Yield where two records are not the same, figures to RELATIVE of their size."""
    if isinstance(one, dict):
        for name in one.keys() | other.keys():
            yield from differing(one.get(name), other.get(name), f"{place}/{name}")
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            yield f"{place}: {len(one)} and {len(other)}"
        for number, pair in enumerate(zip(one, other, strict=False)):
            yield from differing(*pair, f"{place}/{number}")
    elif isinstance(one, float) and isinstance(other, float | int):
        if not (
            math.isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-12)
            or (math.isnan(one) and math.isnan(other))
        ):
            yield f"{place}: {one} and {other}"
    elif one != other:
        yield f"{place}: {one} and {other}"


@pytest.mark.parametrize("engine", ENGINES)
def test_every_value_of_every_table_is_the_same(lived, engine):
    first, other = lived.settings["duckdb"], lived.settings[engine]
    table = PROJECT.table_name
    paths = [lambda s: table_path(s, table), lambda s: rejected_path(s, table)]
    paths += [lambda s, name=name: raw_path(s, name) for name in PROJECT.raw_tables]
    for path in paths:
        one, two = path(first), path(other)
        assert values(one).columns == values(two).columns
        assert [*map(str, values(one).types)] == [*map(str, values(two).types)]
        assert apart(one, two) == [0, 0], one.name
    assert lived.results[engine].rejected == lived.results["duckdb"].rejected
    assert lived.results[engine].raw == lived.results["duckdb"].raw


def test_what_is_compared_has_the_awkward_rows(lived):
    loaded = values(table_path(lived.settings["duckdb"], PROJECT.table_name))
    at = duckdb.sql(
        f"SELECT count(*) FROM loaded WHERE scheduled_at = TIMESTAMP '{TWICE} 01:30:00'"
    ).fetchall()
    assert at == [(2,)]  # the third is the same flight at the same clock time: a duplicate
    rejected = lived.results["duckdb"].rejected
    assert any("below 50" in reason for reason in rejected)
    assert any("carrier" in reason for reason in rejected)
    assert any("destination: missing" in reason for reason in rejected)
    assert any(reason.startswith("flight_id") for reason in rejected)
    assert len(loaded) > 5000


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engine_itself_holds_the_same_rows(lived, engine):
    first, other = lived.settings["duckdb"], lived.settings[engine]
    path = table_path(other, PROJECT.table_name)
    with connect_data(other) as connection:
        ((count, sums),) = connection.execute(
            f"SELECT count(*) AS n, count(DISTINCT md5(flight_id)) AS m FROM {parquet(path)}"
        ).fetchall()
    assert count == sums == len(values(table_path(first, PROJECT.table_name)))


@pytest.mark.parametrize("engine", SPARK_IS_LONG)
def test_the_reference_for_drift_is_the_same(lived, engine):
    found = []
    for settings in (lived.settings["duckdb"], lived.settings[engine]):
        source = parquet(table_path(settings, PROJECT.table_name))
        with connect_data(settings) as connection:
            predicted = np.linspace(0, 1, 1000, dtype=np.float32)
            found.append(count_reference(connection, settings, source, settings.dates, predicted))
    assert len(found[0]) > 10
    assert [*differing(*found)] == []


@pytest.mark.parametrize("engine", ENGINES)
def test_every_reading_and_live_metric_is_the_same(lived, engine):
    seen = [
        run_monitoring(settings, date(2013, 10, 1), date(2013, 11, 15), today=TODAY)
        for settings in (lived.settings["duckdb"], lived.settings[engine])
    ]
    assert seen[0].rows > 1000
    assert seen[0].outcomes > 1000
    assert not seen[0].problems
    assert len(seen[0].readings) > 30
    assert [*differing(*[each.record() for each in seen])] == []


@pytest.mark.parametrize("engine", SPARK_IS_LONG)
def test_a_replay_is_the_same(lived, engine):
    seen = [
        replay(settings, date(2013, 11, 1), date(2013, 11, 8), today=TODAY).record()
        for settings in (lived.settings["duckdb"], lived.settings[engine])
    ]
    assert seen[0]["again"][0]["predictions"] > 100
    assert seen[0]["again"][0]["others"] == 0
    assert [*differing(*seen)] == []


def test_spark_scores_on_its_workers_what_one_machine_scores(lived):
    first, spark = lived.settings["duckdb"], lived.settings["spark"]
    (known,) = prediction_files(first)
    rows = rows_to_score(spark, None, None, None)
    output = output_path(spark, f"{rows.name}-again")
    scored = score_rows(spark, rows, output)
    try:
        parts = sorted(output.rglob("*.parquet"))
        assert (output / "_SUCCESS").is_file()
        assert len({part.parent.name for part in parts}) > 30  # a folder a day
        assert parts[0].parent.name.startswith("by_day=2013-09-")
        again = f"(SELECT * EXCLUDE (predicted_at) FROM {parquet(*parts)})"
        before = f"(SELECT * EXCLUDE (predicted_at) FROM {parquet(known)})"
        for one, other in ((again, before), (before, again)):
            assert duckdb.sql(f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}").fetchall() == []
        assert scored.rows == len(values(known))
        assert set(parts) <= set(prediction_files(spark))
        assert rehearse_forgetting(spark) > len(parts), "some files were not rehearsed"
        (output / "_SUCCESS").unlink()
        assert set(parts).isdisjoint(prediction_files(spark)), "half-written predictions are read"
    finally:
        shutil.rmtree(output)


def test_rows_of_a_database_are_scored_on_this_machine(lived):
    first, other = lived.settings["duckdb"], lived.settings["postgres"]
    (known,) = prediction_files(first)
    rows = rows_to_score(other, None, None, None)
    output = output_path(other, f"{rows.name}-again")
    table = table_path(other, PROJECT.table_name)
    kept = table.read_bytes()
    duckdb.sql(f"SELECT * FROM {parquet(table)} LIMIT 1").write_parquet(
        str(table)
    )  # a sample that is no whole
    try:
        assert score_rows(other, rows, output).rows == len(values(known))
        again, before = (
            f"(SELECT * EXCLUDE (predicted_at) FROM {parquet(path)})" for path in (output, known)
        )
        assert duckdb.sql(f"SELECT * FROM {again} EXCEPT ALL SELECT * FROM {before}").fetchall() == []
        assert not [*table.parent.glob(".to-score-*")]
    finally:
        table.write_bytes(kept)
        output.unlink(missing_ok=True)


@pytest.mark.parametrize("engine", SPARK_IS_LONG)
def test_what_is_learnt_from_is_a_sample_by_key_and_that_is_said(lived, engine, url, tmp_path):
    settings = by_engine(tmp_path, engine, lived.raw, url, training_rows=2000, **_own_place(engine))
    result = run_etl(settings, quiet)
    told = read_taken(settings)
    assert result.taken == told
    assert told.endswith(
        "learnt from: a sample by a hash of flight_id (compute.training_rows in project.yaml)"
    )
    assert told.startswith(
        f"{len(values(table_path(settings, PROJECT.table_name))):,} of {result.loaded:,} rows"
    )
    whole = values(table_path(lived.settings["duckdb"], PROJECT.table_name))
    below = f"{int(2000 / len(whole) * 2**32):08x}"
    chosen = duckdb.sql(
        f"SELECT flight_id FROM whole WHERE md5('learnt ' || flight_id) < '{below}'"
    ).fetchall()
    taken = duckdb.sql(
        f"SELECT flight_id FROM {parquet(table_path(settings, PROJECT.table_name))}"
    ).fetchall()
    assert sorted(taken) == sorted(chosen)
    assert 1700 < len(taken) < 2300


def test_the_newest_days_are_learnt_from_where_that_is_said(lived, url, tmp_path):
    limits = {"training_rows": 1000, "training_takes": "newest"}
    settings = by_engine(tmp_path, "postgres", lived.raw, url, schema_name="newest", **limits)
    result = run_etl(settings, quiet)
    taken = values(table_path(settings, PROJECT.table_name))
    first = duckdb.sql("SELECT min(CAST(scheduled_at AS DATE)) FROM taken").fetchall()[0][0]
    assert f"those from {first} on" in result.taken
    every = parquet(table_path(lived.settings["duckdb"], PROJECT.table_name))
    assert (
        len(taken)
        == duckdb.sql(f"SELECT * FROM {every} WHERE scheduled_at >= '{first}'").count("*").fetchall()[0][0]
    )
    assert 800 < len(taken) <= 1000


def _own_place(engine):
    return {"schema_name": "sampled"} if engine == "postgres" else {}


@pytest.mark.parametrize("engine", SPARK_IS_LONG)
def test_bad_data_leaves_the_last_good_table(lived, engine, url, tmp_path):
    raw = tmp_path / "raw"
    shutil.copytree(lived.raw, raw)
    settings = by_engine(
        tmp_path / "w", engine, raw, url, **({"schema_name": "bad"} if engine == "postgres" else {})
    )
    run_etl(settings, quiet)
    path = table_path(settings, PROJECT.table_name)
    before = path.read_bytes()
    for spoilt, told in (
        (("distance", "far"), "flights.csv: no column distance"),  # a schema that changed upstream
        ((",UA,", ",UA,,"), "flights.csv: "),  # lines that are longer than the header
    ):
        text = (lived.raw / "flights.csv").read_text()
        (raw / "flights.csv").write_text(text.replace(*spoilt))
        with pytest.raises(ProjectError) as refused:
            run_etl(settings, quiet)
        assert told in str(refused.value)
        assert "\n" not in refused.value.problems[0]
    (raw / "flights.csv").write_text("\n".join(text.splitlines()[:500]))
    with pytest.raises(ProjectError, match="at least 1000 expected"):
        run_etl(settings, quiet)
    assert path.read_bytes() == before
    with connect_data(settings) as connection:
        ((count,),) = connection.execute(f"SELECT count(*) AS n FROM {parquet(path)}").fetchall()
    assert count == len(values(path))
