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


def yours() -> dict[str, str]:
    """Return the files to change for data of one's own, in order, with what to do there."""
    return {name: what for _, module in modules() for name, what in module.YOURS.items()}
