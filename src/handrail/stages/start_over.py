"""Starting over with one's own data: the worked example's texts become blank forms, without name or date.

As long as project.yaml says `example: true`, they are the example's. Once that line is gone, they are the
team's own, and nothing is emptied any more.
"""

import re
from collections.abc import Mapping
from importlib.resources import files

import yaml

from handrail import labelling
from handrail.config.settings import FILE as FACTS
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.stages.documents import UNANSWERED
from handrail.stages.gates import gate_modules
from handrail.stages.git import NoGitError, uncommitted

FORMS = {
    "discovery": (
        "1-discovery/data.md",
        "1-discovery/decision.md",
        "1-discovery/ideas.yaml",
        "1-discovery/problem.md",
    ),
    "research": ("2-research/experiments.md", "2-research/report.md"),
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
    ),
}
NOT_IN_GIT = ("data", "models", "reports", "sample")
BLANK_VALUES = {
    "decision": {
        "question": f'"{UNANSWERED}"',
        "sponsor": f'"{UNANSWERED}"',
        "kpis": f'- "{UNANSWERED}"',
        "go": "open",
        "decided_by": "null",
        "decided_on": "null",
    },
    "live": {"expected": "{}"},
    "readiness": {"inclusion": "null"},
}
FORMS_OF_FACTS = ("budget", "words")  # become comments, to fill in
EXAMPLE = re.compile(r"(?:^#[^\n]*\n)*^example:[^\n]*\n\n?", re.MULTILINE)


def start_over(settings: Settings) -> list[str]:
    """Empty every text of the worked example, and return which; none where it is gone already.

    Raises ProjectError, with nothing changed, where something is not committed: git keeps what was there.
    """
    _refuse_unsaved(settings)
    if not settings.example:
        return []
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
    return blank | {FACTS: blank_facts((settings.root / FACTS).read_text(encoding="utf-8"))}


def blank_facts(text: str) -> str:
    """Return project.yaml undecided: no name, no date, no money; all else and the comments as they are."""
    text = EXAMPLE.sub("", text, count=1)
    for section, values in BLANK_VALUES.items():
        text = _with_values(text, section, values)
    for section in FORMS_OF_FACTS:
        text = _commented_out(text, section)
    return text


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


def _with_values(text: str, section: str, values: Mapping[str, str]) -> str:
    """Return the text with other values in a section; a name that isn't there is left out."""
    _, found = _section(text, section)
    spans = [(key.value, value.start_mark.index, _end(value)) for key, value in _pairs(found)]
    for name, start, end in sorted(spans, key=lambda span: -span[1]):
        if name in values:
            blank = values[name]
            if blank.startswith("- ") and text[start] != "-":  # a list on one line
                blank = f"[{blank.removeprefix('- ')}]"
            space = " " if text[start - 1] == ":" else ""  # where no value stood at all
            whole = text[start:end].rstrip()
            text = text[:start] + space + blank + text[start + len(whole) :]
    return text


def _commented_out(text: str, section: str) -> str:
    """Return the text with a section as comments, a form to fill in."""
    key, found = _section(text, section)
    if key is None or found is None or not _pairs(found):
        return text
    lines = text.splitlines(keepends=True)
    first, after = key.start_mark.line, text.count("\n", 0, _end(found) - 1) + 1
    lines[first:after] = [f"# {line}" if line.strip() else f"#{line}" for line in lines[first:after]]
    return "".join(lines)


def _section(text: str, name: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Return the name and the value of a section of a YAML text, None where it isn't there."""
    pairs = _pairs(yaml.compose(text, yaml.SafeLoader))
    return next(((key, value) for key, value in pairs if key.value == name), (None, None))


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _end(node: yaml.Node) -> int:
    """Return where a value ends: a block with the last value in it, not with the comment after it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index
