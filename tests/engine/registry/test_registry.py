"""Promotion, the gate before it, rollback; and nothing goes live that is not what was promoted."""

import json
import os
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from handrail import Project, errors
from handrail.config.sections import Split
from handrail.registry import acceptance, versions
from handrail.registry import live as registry
from handrail.serving import inference
from handrail.training import run as training
from tests.engine.support.lived import live_version, promoted, run, variant
from tests.engine.support.workspaces import copied, in_workspace

SEEDS = iter(range(1, 1000))
WORST = {True: -2e9, False: 2e9}  # beyond what any test agrees on, by whether more is better


@pytest.fixture(params=["trained", "trained_amounts"])
def project(request, tmp_path):
    """Return settings of a copy of a trained workspace: of yes or no, and of amounts."""
    return copied(request.getfixturevalue(request.param), tmp_path)


def agreed(project):
    """Return the metric that decides."""
    return project.project.metrics[project.accuracy.metric]


def another(info):
    """Change nothing that is measured."""
    info["seed"] = next(SEEDS)


def jumbled(info):
    """Give the model its features in another order, which its figures don't show."""
    info["encoding"]["features"].reverse()


def unclear(info):
    """Let the gain over the baseline be one that may be chance."""
    info["evaluation"]["gain"][info["metric"]]["low"] = 0


def missed(project):
    """Give the model the worst figure there is."""
    worst = WORST[agreed(project).greater_is_better]
    return lambda info: info["evaluation"]["model"][info["metric"]].update(value=worst)


def of_a_former_contract(info):
    """Let the model have learnt from a column that the contract no longer has."""
    info["encoding"]["features"][0] = "gone"


def moved(days):
    """Let a version say that its split lies `days` later."""

    def change(info):
        dates = Split(**info["split"])
        later = dates.ending(dates.live_from + timedelta(days=days))
        info["split"] = {name: str(day) for name, day in later.model_dump().items()}

    return change


def objections(project, name):
    """Return the gate's reasons against version `name`."""
    return acceptance.objections(project, versions.load_version(project, name))


def test_promote_puts_the_newest_version_into_staging(project, monkeypatch, capsys):
    name = versions.newest_version(project)
    assert run(monkeypatch, project, "promote") == 0
    figures = versions.load_version(project, name).info["evaluation"]["model"][agreed(project).name]
    value, low, high = (f"{figures[each]:.3f}" for each in ("value", "low", "high"))
    period = f"from {project.dates.test_from} on and before {project.dates.live_from}"
    assert capsys.readouterr().out == (
        f"{agreed(project).name} {value} ({low} to {high}) on the test period, {period}"
        f"{without(project, name)}\n"
        f"{name} is in staging\n"
    )
    live = registry.read_live(project)
    assert (live.versions, live.mode) == ((name,), "model")
    (event,) = (project.workspace / "models" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(event)["live"] == name


def without(project, name):
    """Return what is said of test rows without a known outcome."""
    unknown = versions.load_version(project, name).info["unknown"]["test"]
    return f", without {unknown:,} whose outcome was not known then" if unknown else ""


@pytest.mark.parametrize("dear", [True, False])
def test_promote_says_where_acting_costs_more_than_doing_without(project, monkeypatch, capsys, dear):
    def changed(info):
        errors = info["evaluation"]["errors"]
        errors["acting"] = [1000.0, 1000.0] if dear else [0.0, 0.0]

    name = variant(project, changed)
    assert run(monkeypatch, project, "promote", name) == 0
    said = "At what errors cost, acting on it costs more than "
    assert (said in capsys.readouterr().out) is dear


def test_promote_tells_how_a_version_does_beside_what_is_staged(project, monkeypatch, capsys):
    live = live_version(promoted(project)).name
    evaluation = versions.load_version(project, live).info["evaluation"]
    again = variant(project, lambda info: info.update(seed=1))
    assert run(monkeypatch, project, "promote", again) == 0
    metric, said = agreed(project).name, capsys.readouterr().out
    period = f"from {project.dates.test_from} to {project.dates.live_from}"
    figure = f"{evaluation['model'][metric]['value']:.3f}"
    rows = evaluation["rows"]
    beside = f"beside the staged {live}'s {figure} on the same rows: "
    told = f"{metric} {figure} on the {rows:,} rows {period} {beside}"
    assert f"{told}better by 0.000 (0.000 to 0.000)\n" in said


def test_promoting_twice_keeps_one_entry(project, monkeypatch):
    assert [run(monkeypatch, project, "promote") for _ in range(2)] == [0, 0]
    live = registry.read_live(project)
    assert (len(live.versions), len(live.checksums)) == (1, 1)


def test_promote_without_a_version_says_what_to_do(empty, monkeypatch, capsys):
    assert run(monkeypatch, empty, "promote") == 1
    models = empty.workspace / "models"
    assert capsys.readouterr().err == f"error: {models}: no model version yet; run `train` first\n"


def test_promote_of_an_unknown_version_says_so(project, monkeypatch, capsys):
    assert run(monkeypatch, project, "promote", "nothing") == 1
    path = project.workspace / "models" / "nothing"
    assert capsys.readouterr().err == f"error: {path}: no such model version; `train` makes one\n"


def test_gate_lets_a_good_version_pass(project):
    assert objections(project, versions.newest_version(project)) == []


def test_gate_refuses_what_does_not_clearly_beat_the_baseline(project):
    (reason,) = objections(project, variant(project, unclear))
    evaluation = live_version(promoted(project)).info["evaluation"]
    baseline, gain = (evaluation[name][agreed(project).name] for name in ("baseline", "gain"))
    said = f"better by {gain['value']:.3f} (0.000 to {gain['high']:.3f})"
    assert reason.endswith(f"does not clearly beat the baseline's {baseline['value']:.3f}: {said}")


def test_gate_refuses_what_misses_the_minimum(project):
    (reason,) = objections(project, variant(project, missed(project)))
    worst = WORST[agreed(project).greater_is_better]
    expected = f"{worst:.3f} misses the minimum {project.accuracy.minimum:g} of project.yaml"
    assert reason.endswith(expected)


def test_gate_refuses_an_unknown_metric(project):
    accuracy = project.accuracy.model_copy(update={"metric": "charm"})
    known = ", ".join(project.project.metrics.goals)
    with pytest.raises(errors.ProjectError, match=f"metric: charm is unknown; known are {known}$"):
        objections(project.model_copy(update={"accuracy": accuracy}), versions.newest_version(project))


def test_gate_measures_both_versions_on_the_same_rows(project):
    live = live_version(promoted(project)).name
    (reason,) = objections(project, variant(project, jumbled))
    test = f"from {project.dates.test_from} to {project.dates.live_from}"
    assert f"{test} is worse than the staged {live}'s " in reason
    said = r" on the same rows: worse by (\d\S+) \((\S+) to (\S+)\)"
    worse, low, high = map(float, re.search(said, reason).groups())
    assert 0 < low < worse < high


def test_training_beside_a_baseline_by_no_feature_is_refused(project):
    target = project.project.target
    accuracy = project.accuracy.model_copy(update={"baseline_by": target})
    with pytest.raises(errors.ProjectError, match=rf"baseline_by: {target} is no feature of contract\.py"):
        training.train(project.model_copy(update={"accuracy": accuracy}), project.dates, lambda step: None)


def test_gate_lets_equal_quality_pass(project):
    promoted(project)
    assert objections(project, variant(project, another)) == []


def test_gate_passes_what_follows_a_live_version_of_columns_that_are_gone(project):
    gone = variant(project, of_a_former_contract)
    registry.make_live(project, gone)
    newest = variant(project, another)
    assert objections(project, newest) == []


def test_gate_sends_back_what_is_older_than_the_live_version(project):
    live = live_version(promoted(project)).name
    old = variant(project, moved(days=-200))
    assert objections(project, old) == [f"{old}: older than the staged {live}; use `rollback` to go back"]


def test_promote_says_all_reasons_together_and_changes_nothing(project, monkeypatch, capsys):
    live = live_version(promoted(project)).name

    def bad(info):
        for change in (jumbled, unclear, missed(project)):
            change(info)

    name = variant(project, bad)
    assert run(monkeypatch, project, "promote", name) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith(f"error: {name}: ") for line in lines] == [True] * 3
    parts = ("does not clearly beat", "misses the minimum", "is worse than the staged")
    assert [part in line for part, line in zip(parts, lines, strict=True)] == [True] * 3
    assert registry.read_live(project).versions == (live,)


def test_training_on_newer_rows_gives_a_version_that_goes_live(project, monkeypatch, capsys):
    first = live_version(promoted(project)).name
    until = project.dates.live_from + timedelta(days=30)
    second = training.train(project, project.dates.ending(until), lambda step: None).version
    assert second.startswith(f"{until}-")
    # What is tested is the way, not whether these months taught anything new.
    assert run(monkeypatch, project, "promote", ACCURACY__TOLERANCE="1000") == 0
    assert live_version(project).name == second
    assert registry.read_live(project).versions == (first, second)


def test_rollback_restores_the_former_version(project, monkeypatch, capsys):
    first = live_version(promoted(project)).name
    registry.make_live(project, variant(project, another))
    assert run(monkeypatch, project, "rollback") == 0
    assert capsys.readouterr().out == f"{first} answers again\n"
    assert live_version(project).name == first


def test_rollback_without_an_earlier_version_is_refused(project, monkeypatch, capsys):
    promoted(project)
    assert run(monkeypatch, project, "rollback") == 1
    live = project.workspace / "models" / "live.json"
    assert capsys.readouterr().err == f"error: {live}: no earlier version to go back to\n"


def test_rollback_to_a_tampered_version_is_refused(project):
    former = live_version(promoted(project))
    present = variant(project, another)
    registry.make_live(project, present)
    (former.path / "card.md").write_text("all is well", encoding="utf-8")
    with pytest.raises(errors.ProjectError, match=r"the checksum of card\.md is wrong"):
        registry.roll_back(project, inference.start_model)
    assert live_version(project).name == present


def test_rollback_to_a_version_of_a_former_contract_is_refused(project, monkeypatch, capsys):
    present = versions.newest_version(project)
    registry.make_live(project, variant(project, of_a_former_contract))
    registry.make_live(project, present)
    assert run(monkeypatch, project, "rollback") == 1
    assert re.search(r"^error: .*: learnt from .*, no longer in contract\.py\n$", capsys.readouterr().err)
    assert live_version(project).name == present


def rewrite_sums(path):
    """Make the list of checksums agree with the files again."""
    files = sorted(file for file in path.iterdir() if file.name != versions.SUMS)
    lines = [f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (path / versions.SUMS).write_text("".join(lines), encoding="utf-8")


def flip_a_bit(path):
    model = path / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)


def change_the_decision_and_rewrite_sums(path):
    record = path / "model.json"
    info = json.loads(record.read_text(encoding="utf-8"))
    info["evaluation"]["decision"] = dict.fromkeys(info["evaluation"]["decision"], 0.99)
    record.write_text(json.dumps(info), encoding="utf-8")
    rewrite_sums(path)


DAMAGE = {
    "corrupted": (flip_a_bit, "the checksum of model.onnx is wrong"),
    "cut off": (
        lambda path: (path / "model.json").write_text("", encoding="utf-8"),
        "the checksum of model.json is wrong",
    ),
    "missing": (lambda path: (path / "card.md").unlink(), "files are missing or strange: card.md"),
    "extra": (
        lambda path: (path / "more.onnx").write_bytes(b"x"),
        "files are missing or strange: more.onnx",
    ),
    "extra folder": (lambda path: (path / "more").mkdir(), "files are missing or strange: more"),
    "no checksums": (lambda path: (path / versions.SUMS).unlink(), "SHA256SUMS is missing"),
    "tampered": (change_the_decision_and_rewrite_sums, "SHA256SUMS is not the one that was promoted"),
}


@pytest.mark.parametrize(("damage", "said"), list(DAMAGE.values()), ids=DAMAGE)
def test_a_damaged_live_version_is_refused(project, damage, said):
    path = live_version(promoted(project)).path
    damage(path)
    with pytest.raises(errors.ProjectError) as refused:
        registry.load_live(project)
    expected = f"{path}: {said}; the version is refused; train it again or roll back"
    assert refused.value.problems == (expected,)


def test_a_live_version_whose_folder_is_gone_is_refused(project):
    path = live_version(promoted(project)).path
    path.rename(path.with_name(".gone"))
    with pytest.raises(errors.ProjectError, match="no such model version"):
        registry.load_live(project)


def test_unreadable_checksums_are_refused_before_promotion_too(project, monkeypatch, capsys):
    path = project.workspace / "models" / versions.newest_version(project)
    (path / versions.SUMS).write_bytes(b"\xff\xfe\x00")
    assert run(monkeypatch, project, "promote") == 1
    assert capsys.readouterr().err.startswith(f"error: {path}: files are missing or strange: ")


def test_the_same_training_again_mends_a_damaged_version(project):
    path = live_version(promoted(project)).path
    files = {file.name: file.read_bytes() for file in path.iterdir() if file.name != versions.SUMS}
    flip_a_bit(path)
    assert versions.save_version(project, files, prefix=f"{project.dates.live_from}") == path.name
    assert live_version(project).path == path


def test_the_newest_version_is_the_one_trained_last_whatever_its_folder_says(project):
    first = versions.newest_version(project)
    second = variant(project, another)
    folders = [versions.version_folder(project, name) for name in (first, second)]
    for folder, day in zip(folders, (2_000_000_000, 1_000_000_000), strict=True):
        os.utime(folder, (day, day))
    assert versions.newest_version(project) == second
    files = {file.name: file.read_bytes() for file in folders[0].iterdir() if file.name != versions.SUMS}
    assert versions.save_version(project, files, first.rpartition("-")[0]) == first
    assert versions.newest_version(project) == first
    shutil.rmtree(folders[0])
    assert versions.newest_version(project) == second


def test_a_line_that_a_kill_cut_off_and_versions_of_before_the_log_are_no_obstacle(project):
    first = versions.newest_version(project)
    second = variant(project, another)
    log = versions.model_folder(project) / versions.TRAINED
    with log.open("a", encoding="utf-8") as lines:
        lines.write('{"at": "2030-01-01T00:00:00+00:00", "vers\n[]\n\n')
    assert versions.newest_version(project) == second
    log.unlink()
    os.utime(versions.version_folder(project, first), (2_000_000_000, 2_000_000_000))
    assert versions.newest_version(project) == first


def test_a_version_under_the_name_of_another_is_refused(project):
    name, other = versions.newest_version(project), variant(project, another)
    path = versions.version_folder(project, name)
    shutil.rmtree(path)
    versions.version_folder(project, other).rename(path)
    with pytest.raises(errors.ProjectError, match=f"name ends in {other[-8:]}; the version is refused"):
        versions.load_version(project, name)


STRANGE_NAMES = ("../x", "/etc", "a/b", "a\\b", "..", ".", ".hidden", "C:x", "", "x\ny", "-x")


def test_a_name_is_a_name_and_never_a_path(project):
    asked = (versions.load_version, registry.make_live, registry.checksum_of, versions.version_folder)
    for name in STRANGE_NAMES:
        for ask in asked:
            with pytest.raises(errors.ProjectError) as refused:
                ask(project, name)
            (said,) = refused.value.problems
            assert said == f"{name!r}: no name of a version; give one as it stands in models/, without a path"


@pytest.mark.parametrize("options", [(), ("--canary", "0.1")])
def test_promote_takes_no_path(project, options, monkeypatch, capsys):
    outside = project.workspace / "x"
    shutil.copytree(versions.version_folder(project, versions.newest_version(project)), outside)
    assert run(monkeypatch, project, "promote", "../x", *options) == 1
    said = "error: '../x': no name of a version; give one as it stands in models/, without a path\n"
    assert capsys.readouterr().err == said
    assert registry.read_live(project) is None


def test_a_pointer_to_a_path_is_refused(project):
    name = live_version(promoted(project)).name
    pointer = registry.live_path(project)
    pointer.write_text(pointer.read_text(encoding="utf-8").replace(name, "../x"), encoding="utf-8")
    with pytest.raises(errors.ProjectError, match="no name of a version"):
        registry.load_live(project)


BAD_POINTERS = (
    "",
    "{",
    "[]",
    '{"versions": []}',
    '{"versions": [], "checksums": [], "mode": "model", "reason": ""}',
)


@pytest.mark.parametrize("content", BAD_POINTERS)
def test_a_broken_pointer_is_said_with_the_way_out(project, content, monkeypatch, capsys):
    name = live_version(promoted(project)).name
    pointer = registry.live_path(project)
    pointer.write_text(content, encoding="utf-8")
    assert run(monkeypatch, project, "promote") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {pointer}: not readable (")
    assert said.endswith("; remove it and promote a version again\n")
    pointer.unlink()
    assert run(monkeypatch, project, "promote") == 0
    assert live_version(project).name == name


def test_once_launched_it_stays_live_whatever_answers(project):
    present = versions.newest_version(project)
    registry.make_live(project, present)
    assert registry.read_live(project).stage == "staging"
    registry.launch(project)
    registry.make_live(project, variant(project, lambda info: info.update(note="another")))
    assert registry.read_live(project).stage == "live"
    registry.use_fallback(project, "a test")
    assert registry.read_live(project).stage == "live"
    registry.roll_back(project, lambda version: None)
    live = registry.read_live(project)
    assert (live.stage, live.versions) == ("live", (present,))
    history = registry.live_path(project).with_name("history.jsonl").read_text(encoding="utf-8")
    told = [json.loads(line) for line in history.splitlines()]
    begun = [("promoted", "staging"), ("launched", "live")]
    assert [(line["reason"], line["stage"]) for line in told[:2]] == begun
    assert {line["stage"] for line in told[1:]} == {"live"}


def test_the_fallback_answers_for_the_fault_of_the_version_that_was_judged_only(project):
    first = live_version(promoted(project)).name
    second = variant(project, another)
    registry.make_live(project, second)
    assert registry.use_fallback(project, "its fault", judged=first) is False
    assert (registry.read_live(project).mode, live_version(project).name) == ("model", second)
    assert registry.use_fallback(project, "its fault", judged=second) is True
    assert registry.read_live(project).mode == "fallback"


def test_a_version_of_another_kind_of_problem_is_refused(project, trained, trained_amounts):
    other = trained if project.project.task.kind == "regression" else trained_amounts
    name = versions.newest_version(other)
    copied_to = versions.model_folder(project) / name
    shutil.copytree(versions.model_folder(other) / name, copied_to)
    kinds = (other.project.task.kind, project.project.task.kind)
    with pytest.raises(errors.ProjectError) as refused:
        versions.load_version(project, name)
    said = f"{copied_to}: learnt for {kinds[0]}, contract.py says {kinds[1]}; train again"
    assert refused.value.problems == (said,)


def test_a_version_trained_before_the_metric_was_one_is_sent_to_training(project):
    metrics = [*project.project.task.metrics, replace(agreed(project), name="newer")]
    own = Project(project.project.package, given={"metrics": metrics}, root=project.root)
    accuracy = project.accuracy.model_copy(update={"metric": "newer"})
    settings = in_workspace(project.workspace, own, accuracy=accuracy)
    name = versions.newest_version(settings)
    said = f"{name}: newer was not measured yet when it was trained; train again"
    assert objections(settings, name) == [said]
