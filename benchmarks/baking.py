"""Baking the default project beside plain cookiecutter and the peers, each in a fresh environment."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from project import SLUG, copy_template, environment, run
from rows import Row
from timing import Usage, in_turn, run_process, wall_and_cpu

PAIRS = 15
LIMIT = 1.25
MEMORY = Path("/dev/shm")
CCDS = "https://github.com/drivendataorg/cookiecutter-data-science"

Bake = Callable[[], Usage]


def measure(folder: Path) -> list[Row]:
    """Return a row for plain cookiecutter and one for each peer."""
    plain = environment(folder, "plain", "cookiecutter")
    quiet = (plain / "cookiecutter", "--no-input", "--default-config")
    ours = baker(folder, *quiet, copy_template(folder))
    rows = [beside(ours, "plain cookiecutter with one file", baker(folder, *quiet, one_file(folder)))]
    for peer in (ccds, kedro, copier):
        try:
            rows.append(beside(ours, *peer(folder)))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            rows.append(Row(f"beside {peer.__name__}", "not measured: it could not be made ready"))
    return rows


def beside(ours: Bake, what: str, other: Bake) -> Row:
    """Compare two ways of baking; the peers must be slower, the plain one only a little faster."""
    wall, cpu = wall_and_cpu(in_turn(ours, other, PAIRS))
    limit = LIMIT if what.startswith("plain") else 1
    result = (
        f"{wall.ratio:.2f} times the time ({wall.first:.2f} s : {wall.second:.2f} s), "
        f"{cpu.ratio:.2f} times the processor time"
    )
    return Row(f"beside {what}", result, f"at most {limit}", wall.ratio <= limit)


def baker(folder: Path, *command: str | Path) -> Bake:
    """Return a function that runs `command` in a new folder each time, for a user without settings.

    In memory where the system offers that: where a disk has free blocks left would weigh more than the rest.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)

    def bake() -> Usage:
        with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else folder) as place:
            settings = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "DO_NOT_TRACK": "1"}
            return run_process(command, Path(place), **settings)

    return bake


def one_file(folder: Path) -> Path:
    """Write the smallest cookiecutter template: one question, one file."""
    template = folder / "one-file"
    inside = template / "{{cookiecutter.project_slug}}"
    inside.mkdir(parents=True)
    (template / "cookiecutter.json").write_text(f'{{"project_slug": "{SLUG}"}}\n', encoding="utf-8")
    (inside / "README.md").write_text("# {{cookiecutter.project_slug}}\n", encoding="utf-8")
    return template


def ccds(folder: Path) -> tuple[str, Bake]:
    """Prepare cookiecutter-data-science; its template is no part of the package, so it is cloned before."""
    program = environment(folder, "ccds", "cookiecutter-data-science")
    version = run(program / "python", "-c", "import ccds; print(ccds.__version__)", cwd=folder).strip()
    template = folder / "ccds-template"
    address = os.environ.get("CCDS_TEMPLATE", CCDS)
    run("git", "clone", "--quiet", "--branch", f"v{version}", address, template, cwd=folder)
    bake = baker(folder, program / "ccds", "--no-input", "--default-config", "--checkout", "", template)
    return f"cookiecutter-data-science {version} (its template, cloned beforehand)", bake


def kedro(folder: Path) -> tuple[str, Bake]:
    """Prepare kedro with all the tools that its package carries."""
    program = environment(folder, "kedro", "kedro")
    new = (program / "kedro", "new", "--name", "Late Flights", "--telemetry", "no", "--example", "no")
    version = run(program / "python", "-c", "import kedro; print(kedro.__version__)", cwd=folder).strip()
    tools = "lint,test,log,docs,data"
    return f"kedro {version} ({tools})", baker(folder, *new, "--tools", tools)


def copier(folder: Path) -> tuple[str, Bake]:
    """Prepare copier with a template of one question and one file."""
    program = environment(folder, "copier", "copier")
    template = folder / "copier-template"
    template.mkdir()
    (template / "copier.yml").write_text(f"project_slug:\n  type: str\n  default: {SLUG}\n", encoding="utf-8")
    (template / "README.md.jinja").write_text("# {{ project_slug }}\n", encoding="utf-8")
    version = run(program / "copier", "--version", cwd=folder).split()[-1]
    copy = (program / "copier", "copy", "--defaults", "--quiet")
    return f"copier {version} with one file", baker(folder, *copy, template, SLUG)
