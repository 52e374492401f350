"""Every training is a run in MLflow, to be found by its client and in its pages; none is lost to it."""

import ast
import json
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import duckdb
import pytest

from handrail import errors
from handrail.config.settings import read_settings
from handrail.etl import load
from handrail.registry import versions
from handrail.reports import PAGES
from handrail.training import run as train
from handrail.training import tracking
from tests.engine.support.names import ENV_PREFIX, commands, contract
from tests.engine.support.workspaces import PROJECT

pytest.importorskip("mlflow", reason="runs in the environment of a project that tracks")
ADDRESS = f"{ENV_PREFIX}TRACKING__URI"


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def report_of(project, name="research.html"):
    """Return a report that a training has written."""
    return project.workspace / "reports" / name


@pytest.fixture(scope="module")
def tracked(trained, tmp_path_factory):
    """Return settings of a project of its own, trained once on few rows by the verb."""
    root = tmp_path_factory.mktemp("tracked")
    table = load.table_path(trained, contract.TABLE)
    (root / "data").mkdir()
    duckdb.sql(f"SELECT * FROM '{table}' USING SAMPLE 4000 (reservoir, 1)").write_parquet(
        str(root / "data" / table.name)
    )
    shutil.copy(trained.root / "project.yaml", root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert commands.main(["train", "--note", "four thousand rows"]) == 0
    return read_settings(PROJECT.at(root))


@pytest.fixture(scope="module")
def run(tracked):
    """Return the only run in the store, and the client that found it."""
    client = tracking.client_of(tracking.local_store(tracked))
    experiment = client.get_experiment_by_name(tracked.name)
    (found,) = client.search_runs([experiment.experiment_id])
    return found, client


def test_a_run_says_what_was_tried_and_with_what(run, tracked):
    found, _ = run
    version = versions.load_version(tracked, versions.newest_version(tracked))
    assert (found.info.run_name, found.info.status) == (version.name, "FINISHED")
    assert found.data.tags["mlflow.note.content"] == "four thousand rows"
    assert found.data.params["rows/test"] == str(version.info["rows"]["test"])
    assert found.data.params["split/live_from"] == version.info["split"]["live_from"]
    assert (
        found.data.params.items() >= {k: str(v) for k, v in version.info["hyperparameters"].items()}.items()
    )


def test_a_run_has_every_figure_of_the_version(run, tracked):
    found, client = run
    version = versions.load_version(tracked, versions.newest_version(tracked))
    evaluation, metric = version.info["validation"], version.info["metric"]
    for name, model in evaluation["model"].items():
        assert found.data.metrics[name] == pytest.approx(model["value"])
        assert found.data.metrics[f"baseline/{name}"] == pytest.approx(evaluation["baseline"][name]["value"])
    assert found.data.metrics[f"low/{metric}"] < found.data.metrics[metric]
    months = {
        str(point.step): point.value
        for point in client.get_metric_history(found.info.run_id, f"month/{metric}")
    }
    expected = {
        month.replace("-", ""): each[metric]["value"] for month, each in evaluation["parts"]["month"].items()
    }
    assert months == pytest.approx(expected)
    slices = {
        f"{part}/{value}"
        for part in evaluation["parts"]
        if part != "month"
        for value in evaluation["parts"][part]
    }
    assert slices <= found.data.metrics.keys()


def test_a_run_holds_the_reports_the_card_and_the_model_file(run, tracked, tmp_path):
    found, client = run
    version = versions.load_version(tracked, versions.newest_version(tracked))
    kept = {file.path for file in client.list_artifacts(found.info.run_id, "model")}
    assert kept == {f"model/{path.name}" for path in version.path.iterdir()}
    originals = {"model/model.onnx": version.model} | {name: report_of(tracked, name) for name in PAGES}
    for name, original in originals.items():
        copy = client.download_artifacts(found.info.run_id, name, str(tmp_path))
        assert Path(copy).read_bytes() == original.read_bytes()


def test_the_pages_show_the_run_and_its_report(run, tracked):
    found, _ = run
    port = free_port()
    command, environment = tracking.server(tracked, port)
    pages = subprocess.Popen(
        command,
        env=environment,
        cwd=tracked.workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = []
        for line in pages.stdout:
            said.append(line)
            if " running on http" in line:
                break
        assert pages.poll() is None, said
        address = f"http://127.0.0.1:{port}"
        query = json.dumps({"experiment_ids": [found.info.experiment_id]}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/api/2.0/mlflow/runs/search", query, headers)
        with urllib.request.urlopen(request) as answer:
            (shown,) = json.load(answer)["runs"]
        assert shown["info"]["run_id"] == found.info.run_id
        with urllib.request.urlopen(
            f"{address}/get-artifact?path=research.html&run_uuid={found.info.run_id}"
        ) as page:
            assert page.read() == report_of(tracked).read_bytes()
        with urllib.request.urlopen(address) as page:
            assert b"<title>MLflow</title>" in page.read()
    finally:
        pages.terminate()
        pages.communicate()


def test_a_server_that_is_down_costs_a_warning_and_no_training(tracked, monkeypatch, capsys):
    port = free_port()
    monkeypatch.chdir(tracked.root)
    monkeypatch.setenv(ADDRESS, f"http://127.0.0.1:{port}")
    assert commands.main(["train", "--no-round"]) == 0
    told = capsys.readouterr()
    kept = versions.newest_version(tracked)
    assert told.err.startswith("warning: not tracked: ")
    assert f"port={port}" in told.err
    assert told.err.endswith(f"version {kept} and its reports are kept\n")
    assert f"version {kept}, reports reports/company.html " in told.out


@pytest.mark.parametrize("address", ["somewhere", "carrierpigeon://roof"])
def test_an_address_that_cannot_be_one_is_told(address, tracked, monkeypatch):
    monkeypatch.setenv(ADDRESS, address)
    with pytest.raises(errors.ProjectError, match="not tracked: .*" + address):
        tracking.track(tracked, train.Training("v1", {}, None, None, None, None), {}, report_of(tracked))


def test_samples_stay_apart(tracked):
    small = tracked.model_copy(update={"sample": 500})
    assert tracking.experiment(small) == f"{tracked.name} (sample)"


def test_without_a_run_or_with_a_server_the_verb_says_where_to_look(empty, monkeypatch, capsys):
    shutil.copy(empty.root / "project.yaml", empty.workspace)
    monkeypatch.chdir(empty.workspace)
    assert commands.main(["tracking"]) == 1
    assert capsys.readouterr().err.endswith("runs.db: no run is tracked yet; run `train` first\n")
    monkeypatch.setenv(ADDRESS, "https://mlflow.example.com")
    assert commands.main(["tracking"]) == 0
    assert capsys.readouterr().out == "the runs are on https://mlflow.example.com\n"


def test_only_tracking_imports_the_library():
    """So serving starts without it, and its image does not hold it."""
    package = Path(tracking.__file__).parents[1]
    importing = [path for path in package.rglob("*.py") if "mlflow" in imported(path)]
    assert importing == [Path(tracking.__file__)]


def imported(path):
    """Return the names of the packages that a module imports anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    named = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    named += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.split(".")[0] for name in named}
