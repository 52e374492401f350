"""Empties the worked example's texts: blank forms in their place, no name and no date left."""

import re
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path

import yaml

FACTS = "project.yaml"
FORMS = Path(__file__).parents[1] / "forms"
UNANSWERED = "?"
BLANK_DECISION = {
    "question": f'"{UNANSWERED}"',
    "sponsor": f'"{UNANSWERED}"',
    "kpis": f'- "{UNANSWERED}"',
    "go": "open",
    "decided_by": "null",
    "decided_on": "null",
}
FORMS_OF_FACTS = ("budget", "words")  # become comments, to fill in
EXAMPLE = re.compile(r"(?:^#[^\n]*\n)*^example:[^\n]*\n\n?", re.MULTILINE)


def blank_texts(facts: str) -> dict[str, str]:
    """Return every text that is emptied, by its path; `facts` is the text of project.yaml as it is."""
    forms = {path.relative_to(FORMS).as_posix(): path for path in sorted(FORMS.rglob("*.*"))}
    return {name: path.read_text(encoding="utf-8") for name, path in forms.items()} | {
        FACTS: blank_facts(facts)
    }


def blank_facts(text: str) -> str:
    """Return project.yaml undecided: no name, no date, no money; all else and the comments as they are."""
    text = EXAMPLE.sub("", text, count=1)
    text = _with_values(text, "decision", BLANK_DECISION)
    for section in FORMS_OF_FACTS:
        text = _commented_out(text, section)
    return text


def _with_values(text: str, section: str, values: Mapping[str, str]) -> str:
    """Return the text with other values in a section; a name that isn't there is left out."""
    spans = {name: (value.start_mark.index, value.end_mark.index) for name, value in _pairs(text, section)}
    for name, (start, end) in sorted(spans.items(), key=lambda item: -item[1][0]):
        if name in values:
            old = text[start:end]
            text = text[:start] + values[name] + old[len(old.rstrip()) :] + text[end:]
    return text


def _commented_out(text: str, section: str) -> str:
    """Return the text with a section as comments, a form to fill in."""
    pairs = _pairs(text, section)
    if not pairs:
        return text
    lines = text.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if line.startswith(f"{section}:"))
    inside = list(takewhile(lambda line: line.startswith(" "), lines[first + 1 :]))
    after = first + 1 + len(inside)
    lines[first:after] = [f"# {line}" for line in lines[first:after]]
    return "".join(lines)


def _pairs(text: str, section: str) -> list[tuple[str, yaml.Node]]:
    root = yaml.compose(text, yaml.SafeLoader)
    sections = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    found = sections.get(section)
    pairs = found.value if isinstance(found, yaml.MappingNode) else []
    return [(key.value, value) for key, value in pairs]
