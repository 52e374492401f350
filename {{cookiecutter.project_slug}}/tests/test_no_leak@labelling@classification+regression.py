"""What is known only once the plane has left or landed is never shown to those who label."""

import importlib
from argparse import Namespace

import pytest
import yaml

from {{ cookiecutter.__package }} import commands, errors
from {{ cookiecutter.__package }}.labelling import task

from .conftest import ROOT
from .evidence import write


def export(settings, folder, channel, **items):
    """Ask about the planes by their tail numbers, and write the forms."""
    asked = yaml.safe_load((ROOT / task.FILE).read_text(encoding="utf-8"))
    asked["items"] |= {"table": "flights", "column": "tailnum", **items}
    write(folder, task.FILE, yaml.safe_dump(asked))
    verb = importlib.import_module(f"{commands.__name__}.labels")
    verb.run(Namespace(export=channel), settings.model_copy(update={"root": folder}))


@pytest.mark.parametrize(("column", "role"), [("arr_delay", "target"), ("dep_delay", "forbidden")])
@pytest.mark.parametrize("channel", ["team", "mturk", "clickworker"])
def test_a_delay_is_never_exported(trained, tmp_path, column, role, channel):
    with pytest.raises(errors.ProjectError) as refused:
        export(trained, tmp_path, channel, show=["dest", column])
    assert f"items.show: {column} must not be shown: contract.py makes " in str(refused.value)
    assert f" of it, whose role is {role}; take it out" in str(refused.value)
    assert not (trained.workspace / "data" / "labels" / channel).exists()


def test_what_is_known_beforehand_may_be_shown(project, tmp_path):
    export(project, tmp_path, "mturk", show=["dest"], number=20)
    written = project.workspace / "data" / "labels" / "mturk" / "input.csv"
    header, *rows = written.read_text(encoding="utf-8").splitlines()
    assert (header, len(rows)) == ("task,item,dest", 20)
