"""Spark on a master with two workers, tables at a URL that is no folder to Hadoop, workers that are busy."""

import shutil
from datetime import date

import duckdb
import pytest

from handrail.compute import spark_workers
from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import parquet
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.etl.pipeline import run_etl
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.monitoring.outcomes import prediction_files
from handrail.registry.live import make_live
from handrail.registry.versions import newest_version
from handrail.serving.batch import output_path, rows_to_score, score_rows
from handrail.training.run import train
from tests.engine.support.engines import by_engine, write_raw
from tests.engine.support.spark_cluster import spark_cluster
from tests.engine.support.workspaces import PROJECT

SUM = "SELECT sum(n) FROM (VALUES (1), (2), (42)) AS t(n)"
pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("engines")]


def quiet(step):
    """Say nothing."""


def test_two_workers_do_what_one_machine_does_with_tables_at_a_url(tmp_path):
    raw = write_raw(tmp_path / "raw", PROJECT.module("etl.extract").example_folder())
    first = by_engine(tmp_path / "duckdb", "duckdb", raw)
    run_etl(first, quiet)
    train(first, first.dates, quiet)
    make_live(first, newest_version(first))
    rows = rows_to_score(first, None, None, None)
    score_rows(first, rows, output_path(first, rows.name))
    seen = run_monitoring(first, date(2013, 10, 1), date(2013, 11, 15), today=date(2013, 12, 31))
    (known,) = prediction_files(first)

    far = tmp_path / "far"  # Hadoop's own client-side mounts: another scheme than file:, as hdfs: would be
    far.mkdir()
    mounts = {"spark.hadoop.fs.viewfs.mounttable.tests.link./flights": f"file://{far}"}
    with spark_cluster() as (master, work):
        settings = by_engine(
            tmp_path / "spark",
            "spark",
            raw,
            master=master,
            storage="viewfs://tests/flights",
            spark=mounts | {"spark.executor.memory": "768m", "spark.sql.shuffle.partitions": "4"},
        )
        shutil.copytree(first.workspace / "models", settings.workspace / "models")
        run_etl(settings, quiet)
        table = PROJECT.table_name
        assert _apart(parquet(table_path(first, table)), parquet(table_path(settings, table))) == [0, 0]
        assert (far / table / "CURRENT").is_file()
        again = rows_to_score(settings, None, None, None)
        score_rows(settings, again, output_path(settings, again.name))
        one = f"(SELECT * EXCLUDE (predicted_at) FROM {parquet(known)})"
        other = f"(SELECT * EXCLUDE (predicted_at) FROM {parquet(*prediction_files(settings))})"
        assert _apart(one, other) == [0, 0]
        looked = run_monitoring(settings, date(2013, 10, 1), date(2013, 11, 15), today=date(2013, 12, 31))
        assert looked.metrics == pytest.approx(seen.metrics, rel=1e-9)
        executors = [path for path in work.glob("app-*/*") if path.is_dir()]
        assert len(executors) >= 2, "not both workers have worked"
        stop()


def test_a_cluster_without_a_worker_to_spare_is_told_and_given_up_and_asked_again(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(spark_workers, "TELL_SECONDS", 1.0)
    monkeypatch.setattr(spark_workers, "MOST_SECONDS", 6.0)
    with spark_cluster(workers=1) as (master, _):
        too_much = {"spark.executor.memory": "2g"}  # each worker has 1 GB
        settings = by_engine(tmp_path, "spark", None, master=master, spark=too_much)
        with pytest.raises(ProjectError) as refused, connect_data(settings) as connection:
            connection.sql(SUM).fetchall()
        assert [*refused.value.problems] == [
            f"compute.master: no worker of {master} took part for 0.1 minutes; start one, free its cores or "
            "memory of others' work, or ask for less by spark.executor.memory in compute.spark; the last "
            "good tables stay"
        ]
        assert [each.message for each in caplog.records] == [
            f"no worker of {master} takes part; waited for, at most 0.1 minutes"
        ]
        stop()
        settings = by_engine(tmp_path, "spark", None, master=master, spark={"spark.executor.memory": "768m"})
        with connect_data(settings) as connection:
            assert connection.sql(SUM).fetchall() == [(45,)]
        stop()


def stop():
    """Stop the session of this process, before its cluster goes."""
    from pyspark.sql import SparkSession

    SparkSession.builder.getOrCreate().stop()


def _apart(one, other):
    both = ((one, other), (other, one))
    return [len(duckdb.sql(f"SELECT * FROM {a} EXCEPT ALL SELECT * FROM {b}").fetchall()) for a, b in both]
