"""Beside the field: what other templates give, in one run on one machine; the table is field.md.

`measure` bakes with each, counts what a team then owns, and takes the time to green tests and to a first
prediction, where a template has something of the kind. `updating.py` has the updates.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from baking import CCDS, MEMORY
from project import BIN, SLUG, UV, base_python, copy_template, environment, run
from rows import Row
from timing import run_process
from updating import Updated, updates

ROUNDS = 3
STARTERS = "https://github.com/kedro-org/kedro-starters"
HERE = Path(__file__).parent
PAGE, PICTURE = HERE / "field.md", HERE / "field.png"
QUIET = {"DO_NOT_TRACK": "1", "COOKIECUTTER_CONFIG": os.devnull}
NONE = "none"
NOTES = """\
Bake: the median of {rounds} runs in turn, into memory, git's first commit included for Handrail and
PyScaffold, which make one. In brackets is processor time. Files and lines: what is in git then, or would
be. Tests and prediction: from the command that bakes, with full caches, the installation included; one run
each. *none*: the template has nothing of the kind, and does not aim at it.

- **cookiecutter-data-science** gives folders, an environment file and module stubs, for any project, and
  says so: a logical standard to begin with. Its one test, which is an answer, fails on purpose; its
  template is no part of its package, and was cloned before.
- **Kedro** is a framework: what runs is in its library, and a project holds nodes and a catalog. `kedro
  new` without an example is an empty project. Its starter *spaceflights* trains a regression and measures
  it on test rows by `kedro run`; that is counted as its first prediction, though nothing answers over HTTP,
  which is not what it is for.
- **PyScaffold** with its extension for data science gives a Python package with folders and documentation,
  well prepared for release.
- **Handrail**'s first prediction is one over HTTP, from a model trained, measured and promoted before.

The update: three tools carry the same change of a template, of {changes} lines and files, into the same
project, in which a team has made the same {edits} edits: {same} of them on the very lines that the template
changes, where each tool asks, and these changes do not count as arrived; three in a file that it renames.
copier and cruft get the baked projects as templates without a question, so that all three start from the
same files. *Kept*: the edit is in the project after the update, outside of a conflict. *Asked*: it stands
between the marks of a conflict, both sides visible. A `.rej` file is a change of the template that the tool
could not place.
"""


@dataclass(frozen=True)
class Peer:
    """A template: how it is baked in an empty folder, installed, tested, and brought to a first prediction.

    `tests` and `predicts` are commands, or empty, and then `no_tests` says why.
    """

    name: str
    version: str
    bake: Sequence[str | Path]
    install: Sequence[Sequence[str | Path]] = ()
    tests: Sequence[str | Path] = ()
    predicts: Sequence[str | Path] = ()
    answered: str = ""


@dataclass(frozen=True)
class Taken:
    """Seconds on the clock, and of processor time, which others on the machine hardly change."""

    wall: float = 0
    cpu: float = 0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.wall + other.wall, self.cpu + other.cpu)

    def __str__(self) -> str:
        return f"{in_short(self.wall)} ({in_short(self.cpu)})"


def in_short(seconds: float) -> str:
    """Return seconds with as many digits as say something."""
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def timed() -> Taken:
    """Return the clock, and the processor time of all processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(time.perf_counter(), used.ru_utime + used.ru_stime)


def since(begun: Taken) -> Taken:
    """Return what was taken since then."""
    now = timed()
    return Taken(now.wall - begun.wall, now.cpu - begun.cpu)


@dataclass
class Found:
    """What was measured of a template, times and counts; None for what it has not."""

    peer: Peer
    bake: list[Taken] = field(default_factory=list)
    files: int = 0
    python: int = 0
    lines: int = 0
    green: Taken | None = None
    tests: str = NONE
    predicted: Taken | None = None


def measure(folder: Path) -> list[Row]:
    """Measure all, write table and picture; return a row for each measure."""
    found = [Found(peer) for peer in peers(folder)]
    for _ in range(ROUNDS):
        for each in found:
            each.bake.append(baked(each.peer, lambda project, each=each: count(each, project)))
    for each in found:
        installed_and_run(each, folder)
    updated = updates(folder / "updates")
    PAGE.write_text(page(found, updated), encoding="utf-8", newline="\n")
    draw(found, updated)
    return rows(found, updated)


def peers(folder: Path) -> list[Peer]:
    """Prepare all that can be had, and say which can't."""
    ready = []
    for prepare in (handrail, ccds, kedro, spaceflights, dsproject):
        try:
            ready.append(prepare(folder))
        except RuntimeError as error:
            print(f"{prepare.__name__}: not measured: {error}", file=sys.stderr)
    return ready


def handrail(folder: Path) -> Peer:
    """Our default project, by cookiecutter's command."""
    template = copy_template(folder)
    bake = (BIN / "cookiecutter", "--no-input", "--default-config", template)
    version = run(BIN / "handrail", "--version", cwd=folder).split()[-1]
    demo = (UV, "run", "--python", base_python(), SLUG, "demo")
    sync = ((UV, "sync", "--quiet", "--python", base_python()),)
    return Peer("Handrail", version, bake, sync, (UV, "run", "pytest", "-q"), demo, "answered:")


def with_requirements(*more: str) -> list[list[str | Path]]:
    """Return the commands that make an environment of requirements.txt, and of what tests need beside it."""
    install = [UV, "pip", "install", "--quiet", "--python", ".venv/bin/python"]
    make = [UV, "venv", "--quiet", "--python", base_python()]
    return [make, [*install, "-r", "requirements.txt", *more], [*install, "--no-deps", "--editable", "."]]


def ccds(folder: Path) -> Peer:
    """cookiecutter-data-science, with the tests that it offers."""
    program = environment(folder, "field-ccds", "cookiecutter-data-science")
    version = run(program / "python", "-c", "import ccds; print(ccds.__version__)", cwd=folder).strip()
    template = folder / "field-ccds-template"
    address = os.environ.get("CCDS_TEMPLATE", CCDS)
    run("git", "clone", "--quiet", "--branch", f"v{version}", address, template, cwd=folder)
    asked = ("--no-input", "--default-config", "--checkout", "")
    bake = (program / "ccds", *asked, template, "testing_framework=pytest")
    tests = (".venv/bin/python", "-m", "pytest", "-q")
    return Peer("cookiecutter-data-science", version, bake, with_requirements("pytest"), tests)


def kedro_new(folder: Path, name: str, *more: str | Path) -> tuple[Path, str, list[str | Path]]:
    """Return where Kedro is installed, its version, and the command that makes a project."""
    program = environment(folder, name, "kedro")
    version = run(program / "python", "-c", "import kedro; print(kedro.__version__)", cwd=folder).strip()
    return program, version, [program / "kedro", "new", "--name", "Late Flights", "--telemetry", "no", *more]


def kedro(folder: Path) -> Peer:
    """`kedro new` with all the tools that its package carries, and no example."""
    more = ("--example", "no", "--tools", "lint,test,log,docs,data")
    _, version, bake = kedro_new(folder, "field-kedro", *more)
    tests = (".venv/bin/python", "-m", "pytest", "-q")
    return Peer("Kedro", version, bake, with_requirements("pytest", "pytest-cov", "pytest-mock"), tests)


def spaceflights(folder: Path) -> Peer:
    """Kedro's starter with an example, in the newest version that has a tag."""
    starters = folder / "field-starters"
    run("git", "clone", "--quiet", os.environ.get("KEDRO_STARTERS", STARTERS), starters, cwd=folder)
    more = ("--starter", starters, "--directory", "spaceflights-pandas")
    _, version, bake = kedro_new(folder, "field-spaceflights", *more)
    python = ".venv/bin/python"
    install = with_requirements("pytest", "pytest-cov", "pytest-mock")
    kedro_run = (python, "-m", "kedro", "run")
    done = "Pipeline execution completed"
    tests = (python, "-m", "pytest", "-q")
    return Peer("Kedro, spaceflights-pandas", version, bake, install, tests, kedro_run, done)


def dsproject(folder: Path) -> Peer:
    """PyScaffold with its extension for data science, which has no tests of its own."""
    program = environment(
        folder, "field-pyscaffold", "pyscaffold", "pyscaffoldext-dsproject", "setuptools<81"
    )
    version = run(program / "putup", "--version", cwd=folder).split()[-1]
    return Peer("PyScaffold, dsproject", version, (program / "putup", "--dsproject", SLUG))


def baked(peer: Peer, look: Callable[[Path], None]) -> Taken:
    """Bake into an empty folder, have a look at the project; return what it took."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        taken = bake_into(peer, Path(place))
        look(project_in(Path(place)))
    return taken


def bake_into(peer: Peer, place: Path) -> Taken:
    """Bake in a folder, as a user without settings; return what it took."""
    home = place / ".home"
    home.mkdir()
    settings = "[user]\n\tname = Me\n\temail = me@example.com\n"
    (home / ".gitconfig").write_text(settings, encoding="utf-8")
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), **QUIET}
    used = run_process(peer.bake, place, **own)
    return Taken(used.wall_seconds, used.cpu_seconds)


def project_in(place: Path) -> Path:
    """Return the one project in a folder."""
    (project,) = (each for each in place.iterdir() if each.is_dir() and not each.name.startswith("."))
    return project


def count(found: Found, project: Path) -> None:
    """Count what a team owns: files, lines of Python, lines of all that is text."""
    found.files = found.python = found.lines = 0
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project).parts
        if path.is_file() and ".git" not in inside[:-1] and path.name != ".output":
            found.files += 1
            try:
                number = len(path.read_text(encoding="utf-8").splitlines())
            except UnicodeDecodeError:
                continue
            found.lines += number
            found.python += number if path.suffix == ".py" else 0


def installed_and_run(found: Found, folder: Path) -> None:
    """Install what was baked, once to fill the caches; take the time to green tests and to a prediction."""
    if not found.peer.install:
        return
    for name in ("fill", "timed"):
        place = folder / f"field-{name}-{found.peer.name.replace(' ', '-').replace(',', '')}"
        place.mkdir()
        taken = bake_into(found.peer, place)
        project = project_in(place)
        begun = timed()
        for command in found.peer.install:
            run(*command, cwd=project, **QUIET)
        taken += since(begun)
    green, found.tests = tested(found.peer, project)
    found.green = taken + green if green else None
    if found.peer.predicts:
        found.predicted = taken + until(found.peer, project)


def tested(peer: Peer, project: Path) -> tuple[Taken | None, str]:
    """Run the tests; return what they took, None where they are not green, and what pytest said."""
    begun = timed()
    done = subprocess.run(
        list(peer.tests),
        cwd=project,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    said = next((line for line in reversed(done.stdout.splitlines()) if " in " in line), "no tests")
    said = said.strip("= ").partition(" in ")[0]
    return (since(begun) if done.returncode == 0 else None), said


def until(peer: Peer, project: Path) -> Taken:
    """Run the command that brings a prediction; return the time until it is there, and all that it uses."""
    begun = timed()
    with subprocess.Popen(
        list(peer.predicts),
        cwd=project,
        env={**os.environ, **QUIET, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        said, there = [], None
        for line in process.stdout:
            said.append(line)
            if peer.answered in line and there is None:
                there = since(begun).wall
    if there is None:
        raise RuntimeError(f"{peer.name}: no prediction\n{''.join(said)[-2000:]}")
    return Taken(there, since(begun).cpu)


def median(found: Found) -> Taken:
    """Return the medians of the bakes."""
    walls, cpus = ([getattr(each, name) for each in found.bake] for name in ("wall", "cpu"))
    return Taken(statistics.median(walls), statistics.median(cpus))


def cells(found: Sequence[Found]) -> list[tuple[str, list[str]]]:
    """Return the measures by name, a cell for each template."""
    return [
        ("bake", [str(median(each)) for each in found]),
        ("files that a team owns", [f"{each.files}" for each in found]),
        ("of them lines of Python", [f"{each.python:,}" for each in found]),
        ("lines of all texts", [f"{each.lines:,}" for each in found]),
        ("tests", [each.tests for each in found]),
        ("to green tests", [str(each.green or NONE) for each in found]),
        ("to the first prediction", [str(each.predicted or NONE) for each in found]),
    ]


def update_cells(updated: Sequence[Updated]) -> list[tuple[str, list[str]]]:
    """Return what came of the update by name, a cell for each tool."""
    return [
        ("edits kept", [f"{each.kept} of {each.edits}" for each in updated]),
        ("asked, in the marks of a conflict", [f"{each.asked}" for each in updated]),
        ("edits lost", [f"{each.lost}" for each in updated]),
        ("the template's changes that arrived", [f"{each.arrived} of {each.changes}" for each in updated]),
        ("files to settle, and .rej files", [f"{each.conflicts}, {each.rejected}" for each in updated]),
        ("time", [str(Taken(each.seconds, each.cpu_seconds)) for each in updated]),
    ]


def table(first: str, headings: Sequence[str], lines: Sequence[tuple[str, list[str]]]) -> list[str]:
    """Return a table of Markdown."""
    head = [f"| {first} | {' | '.join(headings)} |", f"|---|{'---|' * len(headings)}"]
    return [*head, *(f"| {name} | {' | '.join(values)} |" for name, values in lines)]


def page(found: Sequence[Found], updated: Sequence[Updated]) -> str:
    """Return field.md."""
    from run import conditions

    load = f"{os.getloadavg()[2]:.0f}"
    day, python, cores = conditions().split(", ")
    notes = NOTES.format(
        rounds=ROUNDS, changes=updated[0].changes, edits=updated[0].edits, same=updated[0].same_lines
    )
    return "\n".join(
        [
            "# Beside the field",
            "",
            f"Measured by `benchmarks/run.py field` in one run on {day}, Python {python}, {cores} cores, on",
            f"which {load} processes wanted to run meanwhile: compare what is in brackets, processor time.",
            "",
            *table("", [f"{each.peer.name} {each.peer.version}" for each in found], cells(found)),
            "",
            *table("update with local edits", [each.tool for each in updated], update_cells(updated)),
            "",
            "![The same as a picture](field.png)",
            "",
            notes,
        ]
    )


def rows(found: Sequence[Found], updated: Sequence[Updated]) -> list[Row]:
    """Return the rows for the table of all benchmarks."""
    lines = [*((name, values, found) for name, values in cells(found))]
    told = [
        Row(name, "; ".join(f"{each.peer.name} {value}" for each, value in zip(sides, values, strict=True)))
        for name, values, sides in lines
    ]
    ours = updated[0]
    kept = "; ".join(f"{each.tool} {each.kept} of {each.edits}, {each.seconds:.1f} s" for each in updated)
    whole = ours.lost == 0 and ours.kept == ours.edits - ours.same_lines
    limit = "all but those on the same lines, none lost"
    return [*told, Row("update, local edits kept", kept, limit, whole)]


def draw(found: Sequence[Found], updated: Sequence[Updated]) -> None:
    """Draw field.png: times, what a team owns, and what an update keeps."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = [each.peer.name for each in found][::-1]
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.2), layout="constrained", sharey=False)
    bars = (
        ("bake, seconds of processor time", [median(each).cpu for each in found]),
        ("lines of Python that a team owns", [each.python for each in found]),
        (
            "to the first prediction, seconds of processor time",
            [each.predicted.cpu if each.predicted else 0 for each in found],
        ),
    )
    for number, (axis, (title, values)) in enumerate(zip(axes, bars, strict=False)):
        drawn = axis.barh(names, values[::-1], color=["#b0b7c3"] * (len(names) - 1) + ["#1f6f8b"])
        labels = [
            f"{value:,.1f}" if 0 < value < 10 else f"{value:,.0f}" if value else NONE
            for value in values[::-1]
        ]
        axis.bar_label(drawn, labels, padding=3, fontsize=8)
        axis.set_title(title, fontsize=10)
        axis.tick_params(labelleft=number == 0, labelsize=8)
        axis.margins(x=0.2)
    tools, left = [each.tool for each in updated][::-1], [0] * len(updated)
    for label, color in (("kept", "#1f6f8b"), ("asked", "#e0a458"), ("lost", "#b23a48")):
        values = [getattr(each, label) for each in updated][::-1]
        axes[-1].barh(tools, values, left=left, color=color, label=label)
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes[-1].set_title(f"{updated[0].edits} local edits after an update", fontsize=10)
    axes[-1].tick_params(labelsize=8)
    axes[-1].legend(fontsize=8, loc="lower left")
    figure.savefig(PICTURE, dpi=110)
    plt.close(figure)
