"""Starting over with one's own data: the worked example's texts become blank forms, without name or date.

As long as project.yaml says `example: true`, they are the example's. Once that line is gone, they are the
team's own, and nothing is emptied any more.
"""

import re
from importlib.resources import files

from handrail import labelling
from handrail.config.settings import FILE as FACTS
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.stages.blank_facts import EXAMPLE_DESCRIPTION, blank_facts
from handrail.stages.gates import gate_modules
from handrail.stages.git import NoGitError, uncommitted

FORMS = {
    "discovery": (
        "1-discovery/data.md",
        "1-discovery/decision.md",
        "1-discovery/ideas.yaml",
        "1-discovery/problem.md",
    ),
    "research": ("2-research/experiments.md", "2-research/report.md", "tests/test_example.py"),
    "labelling": (f"{labelling.FOLDER}/labelling.yaml",),
}
# What the example's runs and people have left in git: without it nothing was tried or answered yet.
LEFT_BY_EXAMPLE = {
    "research": ("2-research/hyperparameters.yaml", "2-research/rounds.jsonl"),
    "labelling": (
        f"{labelling.FOLDER}/adjudication.csv",
        f"{labelling.FOLDER}/received/ada.csv",
        f"{labelling.FOLDER}/received/bessie.csv",
        f"{labelling.FOLDER}/received/neil.csv",
        "tests/test_labelled_example.py",
        "tests/test_no_leak.py",
    ),
    "operation": ("tests/test_autumn.py",),
}
EXAMPLE_DAY = "2013-11-01"  # up to which the runbook of the example trains
BLANK_DAY = "YEAR-MONTH-DAY"
NOT_IN_GIT = ("data", "models", "reports", "sample")
# A passage of the project's texts that tells of the example.
PASSAGE = re.compile(r"<!-- example -->\n.*?<!-- end of the example -->\n\n?", re.DOTALL)
TEXTS = ("README.md", "AGENTS.md", "pyproject.toml", "[1-4]-*/**/*.md")
DESCRIBED = "What is predicted, and for whom?"


def start_over(settings: Settings) -> list[str]:
    """Empty every text of the worked example, and return which; none where it is gone already.

    Raises ProjectError, with nothing changed, where something is not committed: git keeps what was there.
    """
    if not settings.example:
        return []
    _refuse_unsaved(settings)
    emptied = []
    for name, text in blank_texts(settings).items():
        path = settings.root / name
        if text:
            write_whole(path, text)
        elif path.exists():
            path.unlink()
        else:
            continue
        emptied.append(name)
    return emptied


def blank_texts(settings: Settings) -> dict[str, str]:
    """Return the blank form of every text that the example brought, by its path; "" where there is none."""
    folder, parts = files("handrail.stages").joinpath("forms"), _parts(settings)
    names = [name for part in parts for name in FORMS.get(part, ())]
    blank = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}
    blank |= {name: "" for part in parts for name in LEFT_BY_EXAMPLE.get(part, ())}
    blank |= {name: text for name, text in _without_passages(settings).items() if name not in blank}
    facts = (settings.root / FACTS).read_text(encoding="utf-8")
    return blank | {FACTS: blank_facts(facts, of_chance=_of_chance(settings))}


def _without_passages(settings: Settings) -> dict[str, str]:
    """Return each text of the project that tells of the example somewhere, without that."""
    found = {}
    for path in sorted(path for pattern in TEXTS for path in settings.root.glob(pattern)):
        text = path.read_text(encoding="utf-8")
        without = PASSAGE.sub("", text).replace(EXAMPLE_DESCRIPTION, DESCRIBED)
        without = without.replace(EXAMPLE_DAY, BLANK_DAY)
        if without != text:
            found[path.relative_to(settings.root).as_posix()] = without
    return found


def _of_chance(settings: Settings) -> bool:
    """Return whether the project predicts yes or no; before there is a contract, that is not decided."""
    return settings.project.has("research") and settings.project.task.predicts == "chance"


def files_to_change(settings: Settings) -> dict[str, str]:
    """Return the files of the project to change for data of one's own, in order, with what to do there."""
    modules = [module for stage in settings.project.stages for module in gate_modules(settings, stage)]
    found = {name: what for module in modules for name, what in module.yours(settings.project).items()}
    return {name: what for name, what in found.items() if (settings.root / name).exists()}


def left_behind(settings: Settings) -> list[str]:
    """Return the folders of what the example's runs have made, which git does not keep."""
    return [name for name in NOT_IN_GIT if settings.example and (settings.root / name).exists()]


def _parts(settings: Settings) -> list[str]:
    """Return the stages that the project has, and whether it asks people for labels."""
    asked = ["labelling"] if labelling.is_asked_for(settings.root) else []
    return [*settings.project.stages, *asked]


def _refuse_unsaved(settings: Settings) -> None:
    """Raise ProjectError where something of the project is not committed."""
    try:
        unsaved = uncommitted(settings.root)
    except NoGitError:
        raise ProjectError(
            "start-over: no git here to keep what is emptied; commit everything first"
        ) from None
    if unsaved:
        names = ", ".join(unsaved)
        raise ProjectError(f"start-over: not committed: {names}; commit it first, so that nothing is lost")
