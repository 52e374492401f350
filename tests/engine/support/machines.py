"""Machines that share a place: each a workspace of its own, attached to it."""

import shutil
from pathlib import Path

from handrail.config.sections import Storage
from handrail.config.settings import Settings


def machine(settings: Settings, folder: Path, place: str, *, data: bool = True) -> Settings:
    """Return the settings of a machine whose workspace is `folder`, and that shares `place`.

    It has the tables of `settings`, unless it is without `data`, and none of its versions.
    """
    if data:
        shutil.copytree(settings.workspace / "data", folder / "data")
    return attached(settings.model_copy(update={"workspace": folder}), place)


def attached(settings: Settings, place: str) -> Settings:
    """Return the settings of the same workspace, sharing `place` with others."""
    shared = Storage(
        registry=f"{place}/models", predictions=f"{place}/log", look_seconds=0.001, ship_seconds=0.2
    )
    made = settings.model_copy(update={"storage": shared})
    made._home = made.workspace
    return made
