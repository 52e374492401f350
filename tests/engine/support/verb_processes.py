"""Verbs as processes to be killed: forked from one that has loaded the libraries, so what is left is work."""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path

LOADED = (
    "handrail.etl.pipeline",
    "handrail.monitoring.monitoring_run",
    "handrail.reports.pages",
    "handrail.serving.batch",
    "handrail.training.run",
    "onnxruntime",
    "skl2onnx",
)
FORKS = "forkserver" in multiprocessing.get_all_start_methods()


def begin(
    package: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], said: Path
) -> BaseProcess:
    """Begin a verb of a project as a process in `folder`; what it says is written to the file `said`.

    It leads a process group of its own, where there are such.
    """
    context = multiprocessing.get_context("forkserver" if FORKS else "spawn")
    if FORKS:
        context.set_forkserver_preload([*LOADED, f"{package}.commands", f"{package}.model.train"])
    process = context.Process(target=_run, args=(package, [*words], folder, {**environment}, said))
    process.start()
    return process


def _run(package: str, words: list[str], folder: Path, environment: dict[str, str], said: Path) -> None:
    if os.name == "posix":
        os.setsid()
    os.chdir(folder)
    os.environ.update(environment)
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.argv = [package, *words]
    import_module(f"{package}.commands").main()
