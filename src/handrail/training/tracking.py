"""Tells MLflow of every training: parameters, figures, the reports, the model card and the model file.

Runs are kept in `mlflow/` of the workspace, in SQLite, or on the server that `<PACKAGE>_TRACKING__URI`
names. A run holds files as they are, no pickle. Serving never imports this.
"""

import logging
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.versions import model_folder
from handrail.training.run import Training

if TYPE_CHECKING:
    from mlflow import MlflowClient

# No figures of use to anybody else, no minutes of waiting for a server that is down, no job processes.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
METRICS_PER_REQUEST = 1000
STRANGE = re.compile(r"[^\w. -]")


class Tracking(BaseSettings):
    """Where runs are told of: None is the workspace."""

    model_config = SettingsConfigDict(frozen=True)

    uri: str | None = Field(None, pattern=r"^[a-z][a-z0-9+]*:")


def tracking_server(settings: Settings) -> str | None:
    """Return the address of the server that `<PACKAGE>_TRACKING__URI` names, None where runs stay here."""
    return Tracking(_env_prefix=f"{settings.project.env_prefix}TRACKING__").uri


def track(
    settings: Settings, training: Training, described: Mapping[str, Any], reports: Sequence[Path]
) -> str:
    """Keep a training as a run; return a line that says where.

    `described` is the round as it is logged; figures are those of the period that `training` is measured on.
    Raises ProjectError whatever goes wrong: the version is kept
    already, and must not be lost to what only watches it.
    """
    try:
        uri = tracking_server(settings) or local_store(settings)
        _keep(client_of(uri), settings, training, described, reports)
    except Exception as error:
        reason = " ".join(str(error).split())
        kept = f"version {training.version} and its reports are kept"
        raise ProjectError(f"not tracked: {reason:.300}; {kept}") from error
    return f"tracked in {'mlflow/' if uri == local_store(settings) else uri}"


def local_store(settings: Settings) -> str:
    """Return the address of the workspace's own store."""
    return f"sqlite:///{(settings.workspace / 'mlflow' / 'runs.db').as_posix()}"


def experiment(settings: Settings) -> str:
    """Return the name under which runs are kept; samples stay apart."""
    return f"{settings.name} (sample)" if settings.sample else settings.name


def server(settings: Settings, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command, and its environment, that shows the workspace's runs on this machine."""
    options = ("--backend-store-uri", local_store(settings), "--host", "127.0.0.1", "--port", str(port))
    return [sys.executable, "-m", "mlflow", "server", *options, "--workers", "1"], {**QUIET, **os.environ}


def client_of(uri: str) -> "MlflowClient":
    """Return MLflow's client for the store at `uri`; a local one is made where there is none."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=uri)


def _keep(
    client: "MlflowClient",
    settings: Settings,
    training: Training,
    described: Mapping[str, Any],
    reports: Sequence[Path],
) -> None:
    from mlflow.entities import Metric, Param

    name, folder = experiment(settings), settings.workspace / "mlflow" / "artifacts"
    known = client.get_experiment_by_name(name)
    place = None if tracking_server(settings) else folder.as_uri()
    experiment_id = known.experiment_id if known else client.create_experiment(name, place)
    tags = {"mlflow.note.content": described["note"], "mlflow.source.git.commit": described["commit"] or ""}
    tags["measured_on"] = training.period
    run = client.create_run(experiment_id, run_name=training.version, tags=tags).info.run_id
    now = int(time.time() * 1000)
    found = [Metric(key, value, now, step) for key, value, step in figures(training.info)]
    found.append(Metric("seconds", described["seconds"], now, 0))
    client.log_batch(run, params=[Param(key, value) for key, value in parameters(training.info).items()])
    for start in range(0, len(found), METRICS_PER_REQUEST):
        client.log_batch(run, metrics=found[start : start + METRICS_PER_REQUEST])
    client.log_artifacts(run, str(model_folder(settings) / training.version), "model")
    for report in reports:
        client.log_artifact(run, str(report))
    client.set_terminated(run)


def parameters(info: Mapping[str, Any]) -> dict[str, str]:
    """Return what a training was made with: hyperparameters, split, rows, seed, libraries."""
    groups = {"": info["hyperparameters"], "split/": info["split"], "rows/": info["rows"]}
    groups["library/"] = info["libraries"]
    found = {f"{group}{name}": str(value) for group, each in groups.items() for name, value in each.items()}
    return {**found, "seed": str(info["seed"]), "baseline_by": info["baseline"]["column"]}


def figures(info: Mapping[str, Any]) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and step of every figure: the metrics of the model, its interval, the baseline's.

    By part, the metric that decides: months as steps of one curve (201307), slices as figures of their own.
    """
    evaluation, metric = info["evaluation"], info["metric"]
    for name, model in evaluation["model"].items():
        yield name, model["value"], 0
        if not isnan(model["low"]):
            yield f"low/{name}", model["low"], 0
            yield f"high/{name}", model["high"], 0
    for name, simple in evaluation["baseline"].items():
        yield f"baseline/{name}", simple["value"], 0
    for part, values in evaluation["parts"].items():
        for value, measured in values.items():
            if part == "month":
                yield f"month/{metric}", measured[metric]["value"], int(value.replace("-", ""))
            else:
                yield f"{part}/{STRANGE.sub('_', value)}", measured[metric]["value"], 0
