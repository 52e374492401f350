"""Every training on all rows is logged, once, with what was tried, what came out and the code it ran on."""

import json
import re
import subprocess
from datetime import UTC, datetime

import numpy as np
import pytest

from handrail.config.sections import Split
from handrail.reports import PAGES
from handrail.reports.experiments import looks, rows
from handrail.training import experiment_log as rounds
from handrail.training.stopping_rule import good_enough
from tests.engine.support.names import commands

INFO = {
    "metric": "score",
    "rows": {"training": 7, "validation": 2, "test": 1},
    "split": {"validation_from": "2026-01-01", "test_from": "2026-02-01", "live_from": "2026-03-01"},
    "evaluation": {
        "model": {"score": {"value": 0.71, "low": 0.7, "high": 0.72}},
        "baseline": {"score": {"value": 0.6, "low": 0.59, "high": 0.61}},
        "gain": {"score": {"value": 0.11, "low": 0.1, "high": 0.12}},
    },
    "validation": {
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
    capsys.readouterr()
    assert commands.main(["train", "--note", "smaller steps, Zoë's idea"]) == 0
    said = capsys.readouterr().out
    assert "round logged in 2-research/rounds.jsonl\n" in said
    assert re.findall(r"^(\w+) period: ", said, re.MULTILINE) == ["validation"]
    assert "\nthe test period was not looked at; --test does, once a version is to be promoted\n" in said
    (found,) = logged(own_root)
    kept = own_root / "models" / found["version"]
    info = json.loads((kept / "model.json").read_text(encoding="utf-8"))
    evaluation = info["validation"]
    assert found["period"] == "validation"
    assert evaluation["model"] != info["evaluation"]["model"]
    for page in PAGES:
        text = (own_root / "reports" / page).read_text(encoding="utf-8")
        assert f"Figures are of the validation period, {found['rows']['validation']:,} " in text
    assert found["note"] == "smaller steps, Zoë's idea"
    figures = evaluation["model"][found["metric"]]
    assert [found[name] for name in ("value", "low", "high")] == pytest.approx(
        [figures[name] for name in ("value", "low", "high")], abs=1e-6
    )
    assert found["baseline"] == pytest.approx(evaluation["baseline"][found["metric"]]["value"], abs=1e-6)
    assert found["rows"]["validation"] == evaluation["rows"]
    assert found["seconds"] > 0


@pytest.mark.slow
def test_the_test_period_is_looked_at_when_asked_or_promoted_and_once_for_a_version(own_root, capsys):
    assert commands.main(["train", "--no-round", "--test"]) == 0
    said = capsys.readouterr().out
    assert re.findall(r"^(\w+) period: ", said, re.MULTILINE) == ["validation", "test"]
    assert "\nthe test period was looked at for this version only\n" in said
    (look,) = logged(own_root)
    info = json.loads((own_root / "models" / look["version"] / "model.json").read_text(encoding="utf-8"))
    assert look["value"] == pytest.approx(info["evaluation"]["model"][look["metric"]]["value"], abs=1e-6)
    assert (look["test_from"], look["live_from"]) == (info["split"]["test_from"], info["split"]["live_from"])
    for page in PAGES:
        text = (own_root / "reports" / page).read_text(encoding="utf-8")
        assert f"Figures are of the test period, {info['rows']['test']:,} " in text
    assert commands.main(["promote"]) in (0, 1)
    assert "\nthe test period was looked at for this version only\n" in capsys.readouterr().out
    assert logged(own_root) == [look]


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


def test_figures_without_an_interval_are_logged_and_read_again(empty, capsys):
    """Of a period of a few months no interval can be given; the log has to stay one that can be read."""
    unknown = {"low": float("nan"), "high": float("nan")}
    both = {
        name: {of: {"score": figures["score"] | unknown} for of, figures in INFO[name].items()}
        for name in ("evaluation", "validation")
    }
    settings = empty.model_copy(update={"root": empty.workspace, "sample": None})
    described = rounds.describe_experiment(empty.workspace, "v1", INFO | both, "few months", 1.0)
    rounds.log_experiment(settings, described | {"metric": settings.accuracy.metric})
    assert rounds.log_look(settings, "v1", INFO | both) == 1
    first, second = logged(empty.workspace)
    assert (first["low"], first["high"], first["gain_low"]) == (None, None, None)
    assert (second["value"], second["low"]) == (0.71, None)
    (found,) = rounds.read_experiments(settings)
    assert np.isnan([found.low, found.high, found.gain_low]).all()
    assert not good_enough(settings, found)
    ((_, _, value, interval, *_),) = rows([found])
    assert (value, interval) == ("0.750", "no interval")
    seen = list(looks(settings.model_copy(update={"split": Split.model_validate(INFO["split"])})))
    assert seen == [
        "the test period, from 2026-02-01 on and before 2026-03-01, was looked at once, last on "
        f"{datetime.now(UTC).date()}: v1 reaches score 0.710 (no interval) there"
    ]


def test_a_log_of_before_that_says_nan_is_read(empty):
    settings = empty.model_copy(update={"root": empty.workspace})
    line = rounds.describe_experiment(empty.workspace, "v1", INFO, "old", 1.0) | {"gain_low": float("nan")}
    rounds.log_experiment(settings, line)
    (found,) = rounds.read_experiments(settings)
    assert np.isnan(found.gain_low)


def test_each_version_is_counted_once_and_a_small_run_or_the_example_never(empty):
    own = empty.model_copy(update={"root": empty.workspace, "sample": None})
    assert [rounds.log_look(own, name, INFO) for name in ("v1", "v2", "v1")] == [1, 2, 2]
    later = INFO | {"split": INFO["split"] | {"live_from": "2026-04-01"}}
    assert rounds.log_look(own, "v3", later) == 1
    assert [each["version"] for each in logged(empty.workspace)] == ["v1", "v2", "v3"]
    for changes in ({"sample": 500}, {"example": True}):
        assert rounds.log_look(own.model_copy(update=changes), "v9", INFO) is None
    assert len(logged(empty.workspace)) == 3
    source = own.data.model_copy(update={"source": empty.workspace})
    borrowed = own.model_copy(update={"example": True, "data": source})
    assert rounds.log_look(borrowed, "v4", INFO) == 3


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
