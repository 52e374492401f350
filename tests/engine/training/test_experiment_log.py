"""Every training on all rows is logged, once, with what was tried, what came out and the code it ran on."""

import json
import subprocess

import pytest

from handrail.training import experiment_log as rounds
from tests.engine.support.names import commands

INFO = {
    "metric": "score",
    "rows": {"training": 7, "validation": 2, "test": 1},
    "evaluation": {
        "model": {"score": {"value": 0.75, "low": 0.74, "high": 0.76}},
        "baseline": {"score": {"value": 0.68, "low": 0.67, "high": 0.69}},
        "gain": {"score": {"value": 0.07, "low": 0.06, "high": 0.08}},
    },
}


def git(folder, *command):
    """Run git in a folder as somebody, and return what it prints."""
    someone = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false")
    line = ["git", *someone, *command]
    return subprocess.run(line, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def logged(root):
    """Return the rounds in the log of the project in `root`."""
    text = (root / "2-research" / "rounds.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_a_training_is_a_line_and_what_is_no_round_is_none(own_root, capsys):
    assert commands.main(["train", "--no-round"]) == 0
    assert not (own_root / "2-research").exists()
    assert commands.main(["train", "--note", "smaller steps, Zoë's idea"]) == 0
    assert "round logged in 2-research/rounds.jsonl\n" in capsys.readouterr().out
    (found,) = logged(own_root)
    kept = own_root / "models" / found["version"]
    evaluation = json.loads((kept / "model.json").read_text(encoding="utf-8"))["evaluation"]
    assert found["note"] == "smaller steps, Zoë's idea"
    figures = evaluation["model"][found["metric"]]
    assert [found[name] for name in ("value", "low", "high")] == pytest.approx(
        [figures[name] for name in ("value", "low", "high")], abs=1e-6
    )
    assert found["baseline"] == pytest.approx(evaluation["baseline"][found["metric"]]["value"], abs=1e-6)
    assert found["rows"]["test"] == evaluation["rows"]
    assert found["seconds"] > 0


def test_a_note_on_a_sample_is_refused_before_training(own_root, capsys):
    assert commands.main(["train", "--note", "small", "--sample", "500"]) == 1
    sentence = "error: --note: a sample is no round; train on all rows, or leave the note out\n"
    assert capsys.readouterr().err == sentence


def test_lines_are_added_and_none_is_changed(empty):
    settings = empty.model_copy(update={"root": empty.workspace})
    for note in ("first", "second"):
        path = rounds.log_experiment(
            settings, rounds.describe_experiment(empty.workspace, "v1", INFO, note, 12.34)
        )
    assert [each["note"] for each in logged(empty.workspace)] == ["first", "second"]
    assert logged(empty.workspace)[0].items() >= {"value": 0.75, "baseline": 0.68, "seconds": 12.3}.items()
    assert path.read_bytes().count(b"\n") == 2


def test_the_code_is_told_by_its_commit_and_whether_it_was_changed_since(tmp_path):
    assert rounds.code_state(tmp_path) == {"commit": None, "changed": None}
    git(tmp_path, "init", "--quiet")
    assert rounds.code_state(tmp_path) == {"commit": None, "changed": None}
    (tmp_path / "project.yaml").write_text("a: 1\n", encoding="utf-8")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "notes.md").write_text("no code\n", encoding="utf-8")
    assert rounds.code_state(tmp_path) == {"commit": commit, "changed": False}
    (tmp_path / "project.yaml").write_text("a: 2\n", encoding="utf-8")
    assert rounds.code_state(tmp_path) == {"commit": commit, "changed": True}
