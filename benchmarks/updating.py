"""The same update of the same project by Handrail, copier and cruft, each in local git repositories.

A project of this template is baked in two versions. Handrail gets the template itself, the others the baked
projects as templates without a question. A team has made edits, each with a name that is looked for later.
"""

import resource
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from project import BIN, SLUG, copy_template, environment, run

RUNS = 3
PROJECT = "{{cookiecutter.project_slug}}"
NAMED = ("-c", "user.name=Me", "-c", "user.email=me@example.com", "-c", "commit.gpgSign=false")
PACKAGE = "src/late_flights"
# What the template changes: in which file of the project, which text, and what in its place.
CHANGES = {
    "NEW01": ("README.md", "## Settings", "## Settings NEW01"),
    "NEW02": ("1-discovery/README.md", "# ", "NEW02\n\n# "),
    "NEW03": ("3-production/launch.md", "# ", "<!-- NEW03 -->\n# "),
    "NEW04": (f"{PACKAGE}/model/train.py", '    run.step("fit the model")', '    run.step("fit NEW04")'),
    "NEW05": (f"{PACKAGE}/serve/api.py", "    return app", "    # NEW05\n    return app"),
    "NEW06": (f"{PACKAGE}/model/metrics.py", "METRICS = TASK.metrics", "METRICS = TASK.metrics  # NEW06"),
    "NEW07": ("4-operation/runbook.md", "# ", "<!-- NEW07 -->\n# "),
    "NEW08": ("docs/first-day.md", "## 9:00 Run it", "## 9:00 Run it NEW08"),
    "NEW09": ("pyproject.toml", "minversion =", "# NEW09\nminversion ="),
}
RENAMED = ("docs/first-day.md", "docs/beginning.md")  # NEW10: by its name
# What a team edits: the file, the text it is put behind (nothing: the end), and what.
PLAIN = (
    *(("1-discovery/problem.md",) * 2),
    "1-discovery/data.md",
    "1-discovery/decision.md",
    "2-research/report.md",
    "2-research/experiments.md",
    f"{PACKAGE}/contract.py",
    f"{PACKAGE}/etl/extract.py",
    f"{PACKAGE}/commands.py",
    f"{PACKAGE}/monitor/checks.py",
    f"{PACKAGE}/model/features.py",
    "tests/test_example.py",
)
ELSEWHERE = (  # in files that the template changes, in other lines
    "README.md",
    "1-discovery/README.md",
    "3-production/launch.md",
    f"{PACKAGE}/model/train.py",
    f"{PACKAGE}/serve/api.py",
    f"{PACKAGE}/model/metrics.py",
    "4-operation/runbook.md",
    "pyproject.toml",
)
IN_RENAMED = ("docs/first-day.md",) * 3
ADDED = ("docs/our-names.md", f"{PACKAGE}/etl/holidays.py", "tests/test_holidays.py")
REMOVED = ("docs/change-it.md", "2-research/notebooks/experiment.ipynb")
SAME = (  # on the very lines that the template changes
    (f"{PACKAGE}/model/metrics.py", "METRICS = TASK.metrics", "METRICS = (*TASK.metrics,)"),
    (f"{PACKAGE}/model/train.py", 'run.step("fit the model")', 'run.step("fit ours")'),
)


@dataclass(frozen=True)
class Updated:
    """What came of an update, in counts; the seconds are medians of its runs."""

    tool: str
    edits: int
    kept: int
    asked: int
    changes: int
    arrived: int
    conflicts: int
    rejected: int
    same_lines: int = len(SAME)
    seconds: float = 0
    cpu_seconds: float = 0

    @property
    def lost(self) -> int:
        """Edits that are nowhere in the project any more."""
        return self.edits - self.kept - self.asked


def updates(folder: Path) -> list[Updated]:
    """Update by each tool, in turn, RUNS times; return what came of it."""
    folder.mkdir()
    template = two_versions(folder)
    projects = [bake(template, folder / version, version) for version in ("v1", "v2")]
    copier = environment(folder, "copier", "copier")
    cruft = environment(folder, "cruft", "cruft")
    asked = "from importlib.metadata import version; print(version('cruft'))"
    versions = {
        "copier": run(copier / "copier", "--version", cwd=folder).split()[-1],
        "cruft": run(cruft / "python", "-c", asked, cwd=folder).strip(),
    }
    plain, questions = as_copier(folder, projects), as_cookiecutter(folder, projects)
    tools: dict[str, tuple[Callable[[Path], Path], tuple[str | Path, ...]]] = {
        "Handrail": (
            lambda place: bake(template, place, "v1"),
            (BIN / "handrail", "update", "--to", "v2", "--template", template),
        ),
        f"copier {versions['copier']}": (
            lambda place: copied(copier, plain, place),
            (copier / "copier", "update", "--defaults", "--quiet", "--vcs-ref", "v2"),
        ),
        f"cruft {versions['cruft']}": (
            lambda place: created(cruft, questions, place),
            (cruft / "cruft", "update", "--skip-apply-ask", "--checkout", "v2"),
        ),
    }
    seconds: dict[str, list[tuple[float, ...]]] = {tool: [] for tool in tools}
    found: dict[str, Updated] = {}
    for number in range(RUNS):
        for tool, (begin, command) in tools.items():
            project = begin(folder / f"{tool.split()[0]}-{number}")
            edit(project)
            begun = clock()
            update(project, command)
            seconds[tool].append(tuple(now - then for now, then in zip(clock(), begun, strict=True)))
            found[tool] = looked_at(tool, project)
    medians = {
        tool: [statistics.median(column) for column in zip(*taken, strict=True)]
        for tool, taken in seconds.items()
    }
    return [replace(found[tool], seconds=wall, cpu_seconds=cpu) for tool, (wall, cpu) in medians.items()]


def clock() -> tuple[float, float]:
    """Return the clock, and the processor time of all processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def git(folder: Path, *command: str) -> str:
    """Run git in a folder."""
    return run("git", *NAMED, *command, cwd=folder)


def commit(folder: Path, message: str, tag: str = "") -> None:
    """Commit all that is in a folder, in a repository of its own."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all", "--force", ".")
    git(folder, "commit", "--quiet", "--message", message)
    if tag:
        git(folder, "tag", tag)


def two_versions(folder: Path) -> Path:
    """Make a repository of this template with two versions."""
    template = copy_template(folder)
    shutil.rmtree(template / ".git", ignore_errors=True)
    (template / ".git").unlink(missing_ok=True)
    for left_out in ("tests", "docs", "benchmarks"):
        shutil.rmtree(template / left_out, ignore_errors=True)
    commit(template, "v1", "v1")
    for name, before, after in CHANGES.values():
        changed(in_template(template, name), before, after)
    old = in_template(template, RENAMED[0])
    old.rename(old.with_name(Path(RENAMED[1]).name))
    commit(template, "v2", "v2")
    return template


def in_template(template: Path, name: str) -> Path:
    """Return the file of the template that becomes a file of the default project."""
    wanted = name.replace(PACKAGE, "src/{{cookiecutter.__package}}")
    for path in sorted((template / PROJECT).rglob("*")):
        parts = path.relative_to(template / PROJECT).as_posix().split("/")
        plain = "/".join(stem(part) for part in parts)
        if path.is_file() and plain == wanted and not any("@keras" in part for part in parts):
            return path
    raise RuntimeError(f"{name}: the template has no such file")


def stem(part: str) -> str:
    """Return a name without its `@word`."""
    before, at, after = part.partition("@")
    return before + ("." + after.partition(".")[2] if at and "." in after else "")


def changed(path: Path, before: str, after: str) -> None:
    """Replace the first such text of a file, which has to be there."""
    text = path.read_text(encoding="utf-8")
    if before not in text:
        raise RuntimeError(f"{path}: {before!r} is not there")
    path.write_text(text.replace(before, after, 1), encoding="utf-8", newline="\n")


def bake(template: Path, place: Path, version: str) -> Path:
    """Bake a version of the template in a new folder; return the project, with its repository."""
    place.mkdir()
    line = (
        BIN / "cookiecutter",
        "--no-input",
        "--default-config",
        "--checkout",
        version,
        f"git+file://{template}",
    )
    run(*line, cwd=place, HOME=str(place), XDG_CONFIG_HOME=str(place))
    return place / SLUG


def as_copier(folder: Path, projects: list[Path]) -> Path:
    """Make a template of copier from the two projects: the same files, and a name for the answers."""
    template = folder / "plain"
    template.mkdir()
    for version, project in zip(("v1", "v2"), projects, strict=True):
        emptied(template)
        copy(project, template)
        (template / "copier.yml").write_text("_subdirectory: .\n", encoding="utf-8")
        answers = template / "{{ _copier_conf.answers_file }}.jinja"
        answers.write_text("{{ _copier_answers | to_nice_yaml }}\n", encoding="utf-8")
        commit(template, version, version)
    return template


def as_cookiecutter(folder: Path, projects: list[Path]) -> Path:
    """Make a template of cookiecutter, and so of cruft, from the two projects: the same files."""
    template = folder / "questions"
    template.mkdir()
    for version, project in zip(("v1", "v2"), projects, strict=True):
        emptied(template)
        copy(project, template / PROJECT)
        settings = f'{{"project_slug": "{SLUG}", "_copy_without_render": ["*"]}}\n'
        (template / "cookiecutter.json").write_text(settings, encoding="utf-8")
        commit(template, version, version)
    return template


def emptied(folder: Path) -> None:
    """Remove all of a folder but its repository."""
    for path in folder.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def copy(project: Path, target: Path) -> None:
    """Copy a project without its repository and without what Handrail keeps of the bake."""
    left_out = shutil.ignore_patterns(".git", ".handrail.json")
    shutil.copytree(project, target, dirs_exist_ok=True, ignore=left_out)


def copied(program: Path, template: Path, place: Path) -> Path:
    """Make a project by copier, committed."""
    place.mkdir()
    options = ("--defaults", "--quiet", "--vcs-ref", "v1", "--answers-file", ".copier-answers.yml")
    run(program / "copier", "copy", *options, f"git+file://{template}", SLUG, cwd=place)
    commit(place / SLUG, "begin")
    return place / SLUG


def created(program: Path, template: Path, place: Path) -> Path:
    """Make a project by cruft, committed."""
    place.mkdir()
    run(
        program / "cruft",
        "create",
        "--no-input",
        "--checkout",
        "v1",
        str(template),
        cwd=place,
        HOME=str(place),
    )
    commit(place / SLUG, "begin")
    return place / SLUG


def update(project: Path, command: tuple[str | Path, ...]) -> None:
    """Update; a tool says by its status that there are conflicts, which is looked at afterwards."""
    try:
        run(
            *command,
            cwd=project,
            GIT_AUTHOR_NAME="Me",
            GIT_AUTHOR_EMAIL="me@example.com",
            GIT_COMMITTER_NAME="Me",
            GIT_COMMITTER_EMAIL="me@example.com",
        )
    except RuntimeError as error:
        if not git(project, "status", "--porcelain"):
            raise RuntimeError(f"{project}: was not updated: {error}") from error


def edit(project: Path) -> None:
    """Make the team's edits and commit them."""
    for number, name in enumerate((*PLAIN, *ELSEWHERE, *IN_RENAMED)):
        path = project / name
        text = path.read_text(encoding="utf-8")
        mark = "#" if path.suffix in (".py", ".toml") else "\n"
        lines = text.splitlines(keepends=True)
        # At the end; of several edits of a file the later ones above it, apart.
        at = len(lines) - 12 * (PLAIN + ELSEWHERE + IN_RENAMED)[:number].count(name)
        at = 1 if name.endswith("metrics.py") else at  # its last line is one of SAME
        lines.insert(max(at, 1), f"{mark} EDIT{number:02}.\n")
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    for name in ADDED:
        (project / name).write_text(f'"""ADDED {name}."""\n', encoding="utf-8")
    for name in REMOVED:
        (project / name).unlink()
    for name, before, after in SAME:
        changed(project / name, before, f"{after}  # SAME" if after.startswith("METRICS") else after)
    commit(project, "what the team has made")


def looked_at(tool: str, project: Path) -> Updated:
    """Count what is in the project after an update."""
    texts = {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in project.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(project).parts and path.suffix != ".whl"
    }
    clean = {name: outside(text) for name, text in texts.items() if not name.endswith(".rej")}
    marked = "\n".join(text for name, text in texts.items() if not name.endswith(".rej"))
    number = len(PLAIN + ELSEWHERE + IN_RENAMED)
    marks = [*(f"EDIT{each:02}." for each in range(number)), *(after for _, _, after in SAME)]
    whole = "\n".join(clean.values())
    kept = sum(mark in whole for mark in marks)
    asked = sum(mark in marked and mark not in whole for mark in marks)
    kept += sum(name in clean and f"ADDED {name}" in clean[name] for name in ADDED)
    kept += sum(name not in texts for name in REMOVED)
    arrived = sum(name in whole for name in CHANGES) + (RENAMED[1] in texts and RENAMED[0] not in texts)
    return Updated(
        tool=tool,
        edits=len(marks) + len(ADDED) + len(REMOVED),
        kept=kept,
        asked=asked,
        changes=len(CHANGES) + 1,
        arrived=arrived,
        conflicts=sum("<<<<<<< " in text for text in texts.values()),
        rejected=sum(name.endswith(".rej") for name in texts),
    )


def outside(text: str) -> str:
    """Return the lines of a text that are not between the marks of a conflict."""
    kept, inside = [], False
    for line in text.splitlines():
        inside = inside or line.startswith("<<<<<<< ")
        if not inside:
            kept.append(line)
        inside = inside and not line.startswith(">>>>>>> ")
    return "\n".join(kept)
