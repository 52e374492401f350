"""The interface that projects stand on: every public name exists, is documented and typed."""

import importlib
import inspect
import pkgutil

import pytest

import handrail

PACKAGES = [
    "handrail",
    *(f"handrail.{each.name}" for each in pkgutil.iter_modules(handrail.__path__) if each.ispkg),
]
NAMES = [
    (package, name)
    for package in PACKAGES
    for name in getattr(importlib.import_module(package), "__all__", ())
]


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[".".join(pair) for pair in NAMES])
def test_a_public_name_is_there_and_says_what_it_means(package, name):
    found = getattr(importlib.import_module(package), name)
    ours = getattr(found, "__module__", "").startswith("handrail")
    if ours and (inspect.isclass(found) or inspect.isfunction(found)):
        said = inspect.getdoc(found) or ""
        assert len(said) > 20, f"{package}.{name} has no docstring"
        assert not said.startswith(f"{name}("), f"{package}.{name}: a generated docstring says nothing"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_refuses_names_that_it_does_not_have(package):
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=r"has no attribute 'nothing_like_this'"):
        module.nothing_like_this  # noqa: B018


def modules():
    """Return the name of every module of the engine."""
    return [each.name for each in pkgutil.walk_packages(handrail.__path__, "handrail.")]


@pytest.mark.parametrize("name", modules())
def test_every_module_can_be_imported_first(name):
    if name.endswith(("tracking", "onnx_graph")):
        pytest.importorskip("mlflow" if name.endswith("verbs.tracking") else "onnx")
    importlib.import_module(name)
