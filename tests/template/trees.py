"""The exact files of the named projects. `python -m tests.template.trees` writes `trees/*.txt` again."""

import re
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

TREES = Path(__file__).with_suffix("")
TEMPLATE = TREES.parents[2]
NAMED = {
    "discovery": {"stage": "discovery"},
    "research": {"stage": "research"},
    "production": {"stage": "production"},
    "operation": {"stage": "operation"},
    # Scored every night into a table, no server to run.
    "batch-only": {"stage": "production", "api": "none"},
    # One prediction at a time over HTTP; the code may be published.
    "service": {"stage": "production", "model": "lightgbm", "batch": "none", "license": "mit"},
    # A study that others shall rerun: a network, labels by people, an open licence, nothing that goes live.
    "open-research": {
        "stage": "research",
        "model": "keras",
        "labelling": "labelling",
        "license": "apache",
        "ci": "none",
    },
}


def tree(project: Path) -> list[str]:
    """Return every file of a freshly baked project, but for git's own."""
    files = [path.relative_to(project) for path in project.rglob("*") if path.is_file()]
    return sorted(path.as_posix() for path in files if path.parts[0] != ".git")


def listed(names: list[str]) -> list[str]:
    """Return the names as a list holds them: whatever the engine's version, its wheel is in `vendor/`."""
    return [re.sub(r"(vendor/handrail-).+(-py3)", r"\1VERSION\2", name) for name in names]


def main() -> None:
    """Bake every named project and write its list of files."""
    sys.path.append(str(TEMPLATE))
    for name, answers in NAMED.items():
        with tempfile.TemporaryDirectory() as folder:
            baked = cookiecutter(
                str(TEMPLATE), no_input=True, default_config=True, extra_context=answers, output_dir=folder
            )
            lines = listed(tree(Path(baked)))
        (TREES / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
