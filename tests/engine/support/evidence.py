"""The written evidence of a made-up project: good as it stands, to be broken by a test."""

import yaml

from handrail.config.settings import read_settings
from tests.engine.support.workspaces import PROJECT, ROOT

IDEA = {
    "name": "first",
    "title": "The first idea",
    "value": 100,
    "cost": 10,
    "effort_weeks": 1,
    "chance": 0.5,
    "accuracy_needed": "some",
    "data_at_hand": "all",
    "error_tolerance": "high",
    "risks": ["none known"],
}
IDEAS = {"currency": "EUR", "chosen": "first", "ideas": [IDEA, IDEA | {"name": "second", "value": 50}]}
DECISION = {
    "question": "Which?",
    "sponsor": "Grace",
    "kpis": ["hits"],
    "go": "go",
    "decided_by": "Ada",
    "decided_on": "2026-01-16",
}
HEADER = "| done | item | action | evidence | owner | date |\n|---|---|---|---|---|---|\n"
TICKED = "| [x] | Shown | show it | minutes | Ada | 2026-02-01 |\n"
SENTENCE = "A sentence of several different words."
OPEN = "| [ ] | Asked | ask them | | | |\n"


def ticked(*items):
    """Return rows in which each of `items` is ticked."""
    return "".join(TICKED.replace("Shown", item) for item in items)


def asked(*items):
    """Return rows in which none of `items` is ticked."""
    return "".join(OPEN.replace("Asked", item) for item in items)


def write(root, name, text):
    """Write a file of the project."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_ideas(root, **changes):
    """Write the shortlist."""
    write(root, "1-discovery/ideas.yaml", yaml.safe_dump(IDEAS | changes))


def write_facts(root, **sections):
    """Write project.yaml: the project's own, decided and with a known accuracy, and `sections` over it."""
    facts = yaml.safe_load((ROOT / "project.yaml").read_text(encoding="utf-8"))
    facts.pop("example", None)
    facts["decision"] = DECISION
    facts["budget"] = {"currency": "EUR", "total": 1000, "spent": 200, "research": {"begins": "2026-01-19"}}
    facts["accuracy"]["minimum"] = 0.7
    for section, changes in sections.items():
        facts[section] = facts.get(section, {}) | changes
    write(root, "project.yaml", yaml.safe_dump(facts))


def discovered(root, **sections):
    """Return the settings of a project whose discovery is done."""
    write_facts(root, **sections)
    write_ideas(root)
    for name in ("problem", "data", "decision"):
        write(root, f"1-discovery/{name}.md", f"# Title\n\n## Point\n\n{SENTENCE}\n")
    return read_settings(PROJECT.at(root))
