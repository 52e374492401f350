"""Starting over: the example's texts become forms, nobody's sign-off is left, and nothing is lost."""

import shutil
import subprocess

import pytest
import yaml

from {{ cookiecutter.__package }} import commands, settings
from {{ cookiecutter.__package }}.stages import discovery, fresh_start, gates, parts

from .evidence import ROOT, discovered, write

FACTS = """# Kept.
name: Mine

# The example's.
# Two lines.
example: true

decision:
  question: Which?   # kept too
  sponsor: Ada
  kpis:
    - one
    - two
  go: go
  decided_by: Ada
  decided_on: 2026-01-16

budget:
  total: 5

words:
  rows: calls

accuracy:
  minimum: 0.7
"""
BLANK = """# Kept.
name: Mine

decision:
  question: "?"   # kept too
  sponsor: "?"
  kpis:
    - "?"
  go: open
  decided_by: null
  decided_on: null

# budget:
#   total: 5

# words:
#   rows: calls

accuracy:
  minimum: 0.7
"""


def git(root, *command):
    """Run git as somebody; return what it says."""
    someone = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false"]
    return subprocess.run([*someone, *command], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """Return a project in git with the texts of this one; the working folder is there."""
    discovered(tmp_path)
    shutil.copytree(ROOT / "1-discovery", tmp_path / "1-discovery", dirs_exist_ok=True)
    shutil.copy(ROOT / "project.yaml", tmp_path)
    write(tmp_path, "src/mine.py", "")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_facts_lose_their_names_and_dates_and_keep_the_rest():
    assert fresh_start.blank_facts(FACTS) == BLANK
    assert fresh_start.blank_facts(BLANK) == BLANK


def test_every_text_becomes_a_form_and_every_gate_of_people_is_open(committed, capsys):
    assert commands.main(["start-over"]) == 0
    said = capsys.readouterr().out
    assert "  1-discovery/problem.md\n" in said
    assert "\n  project.yaml: the decision, the budget" in said
    read = settings.read_settings(root=committed)
    assert (read.example, read.decision.go, read.decision.decided_by) == (False, "open", None)
    for stage in gates.read_stages(read)[:1]:
        assert {finding.state for finding in stage.findings.values()} == {gates.State.OPEN}
    assert commands.main(["status"]) == 0
    assert "1-discovery: 0 of 4 done" in capsys.readouterr().out
    assert commands.main(["status", "--strict"]) == 1


def test_a_form_has_a_question_under_each_heading(committed):
    texts = fresh_start.blank_texts(FACTS)
    parts = [part for name, text in texts.items() if name.endswith(".md") for part in text.split("\n## ")[1:]]
    assert len(parts) >= 15
    for part in parts:
        assert "?" in part or "Tell a day" in part or "[ ]" in part or "Say it" in part, part


def test_the_form_of_the_ideas_is_read_once_it_is_filled_in(tmp_path):
    text = fresh_start.blank_texts(FACTS)["1-discovery/ideas.yaml"]
    head, _, form = text.replace("ideas: []\n", "").partition(
        "in place of the [] above; two or more, also those you doubt:\n#\n"
    )
    filled = head + "\n" + "".join(line.removeprefix("# ") for line in form.splitlines(keepends=True))
    found = discovery.read_ideas(discovered(tmp_path))
    write(tmp_path, "1-discovery/ideas.yaml", filled)
    assert found != (found := discovery.read_ideas(settings.read_settings(root=tmp_path)))
    assert [idea.name for idea in found.ideas] == ["short-name"]


@pytest.mark.parametrize("name", ["src/mine.py", "1-discovery/data.md", "new.txt"])
def test_what_is_not_committed_is_never_lost(committed, capsys, name):
    write(committed, name, "hours of work")
    before = (committed / "1-discovery" / "problem.md").read_text(encoding="utf-8")
    assert commands.main(["start-over"]) == 1
    told = f"error: start-over: not committed: {name}; commit it first, so that nothing is lost\n"
    assert capsys.readouterr().err == told
    assert (committed / "1-discovery" / "problem.md").read_text(encoding="utf-8") == before
    assert (committed / name).read_text(encoding="utf-8") == "hours of work"


def test_git_brings_back_what_was_there(committed):
    assert commands.main(["start-over"]) == 0
    git(committed, "checkout", "--", ".")
    assert yaml.safe_load((committed / "project.yaml").read_text(encoding="utf-8")) == yaml.safe_load(
        (ROOT / "project.yaml").read_text(encoding="utf-8")
    )


def test_without_git_it_refuses(tmp_path, monkeypatch, capsys):
    discovered(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commands.main(["start-over"]) == 1
    assert "no git here to keep what is emptied" in capsys.readouterr().err


def test_every_file_that_it_names_is_there():
    gone = {name for name, what in parts.yours().items() if not (ROOT / name).exists()}
    assert {name for name in gone if not parts.yours()[name].startswith("delete it")} == set()
