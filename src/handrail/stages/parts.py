"""The stages that this project has, each a module here."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

STAGES = ("discovery", "research", "production", "operation")


def modules() -> Iterator[tuple[str, ModuleType]]:
    """Yield name and module of each stage that the project has, in their order."""
    for name in STAGES:
        if Path(__file__).with_name(f"{name}.py").is_file():
            yield name, import_module(f"{__package__}.{name}")


def of_stage(name: str, module: ModuleType) -> Iterator[ModuleType]:
    """Yield the module of a stage, then the module `stage.py` of each part that adds to it.

    Each has CHECKS, BY_PEOPLE and YOURS; that of a part also STAGE, the name of the stage.
    """
    yield module
    package = (__package__ or "").rpartition(".")[0]
    for path in sorted(Path(__file__).parents[1].glob("*/stage.py")):
        brought = import_module(f"{package}.{path.parent.name}.stage")
        if name == brought.STAGE:
            yield brought


def yours() -> dict[str, str]:
    """Return the files to change for data of one's own, in order, with what to do there."""
    found = [each for name, module in modules() for each in of_stage(name, module)]
    return {name: what for each in found for name, what in each.YOURS.items()}
