"""What is not installed: which extra of the library brings it."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from handrail import cli
from handrail.cli.extras import EXTRAS
from tests.engine.support.workspaces import PROJECT

# Where the package has another name than the module; others that no verb imports by itself.
PACKAGES = {
    "sklearn": "scikit-learn",
    "prometheus_client": "prometheus-client",
    "google": "google-cloud-storage",
    "azure": "azure-storage-blob",
}
BESIDE = {"protobuf", "xgboost-cpu", "tensorflow-cpu", "azure-identity"}


@pytest.fixture(scope="module")
def extras():
    """Return the packages of each extra of pyproject.toml."""
    text = Path(__file__).parents[3].joinpath("pyproject.toml").read_text(encoding="utf-8")
    declared = tomllib.loads(text)["project"]["optional-dependencies"]
    return {name: {re.split(r"[<>=;\[ ]", line)[0] for line in lines} for name, lines in declared.items()}


def test_each_module_comes_with_the_extra_that_is_named(extras):
    for module, extra in EXTRAS.items():
        assert PACKAGES.get(module, module) in extras[extra]


def test_every_package_of_an_extra_is_known(extras):
    known = {PACKAGES.get(module, module) for module in EXTRAS}
    assert set().union(*extras.values()) - BESIDE == known


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        ("uvicorn", "serve", "serve: uvicorn is not installed; it comes with handrail[serving]"),
        ("pyarrow", "score", "score: pyarrow is not installed; it comes with handrail[batch]"),
        ("duckdb", "etl --sample 200", "etl: duckdb is not installed; it comes with handrail[data]"),
    ],
)
def test_a_verb_says_which_extra_it_needs(module, line, said, monkeypatch, capsys):
    for name in [n for n in sys.modules if n.startswith("handrail.") and not n.startswith("handrail.cli")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [n for n in sys.modules if n.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(PROJECT.root)
    assert cli.run(PROJECT, line.split()) == 1
    assert capsys.readouterr() == ("", f"error: {said}, see pyproject.toml\n")
