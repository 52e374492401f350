"""The tests of what trains, checks and serves: each passes as it stands, fails where it should."""

import re
from dataclasses import replace

import numpy as np
import pytest

from handrail.config.sections import Readiness
from handrail.readiness import one_example, own_tests, release_rehearsals, small_runs
from handrail.readiness.context import ReadinessContext
from handrail.registry import live as registry
from handrail.registry.canary import start_canary
from handrail.serving import inference, prediction_log
from handrail.training.encoding import Encoding
from tests.engine.readiness import made_up_context
from tests.engine.support.lived import live_version, promoted, variant
from tests.engine.support.workspaces import METRIC, PROJECT

FEW = Readiness(training_rows=2000, test_rows=500)


@pytest.fixture
def world(project):
    """Return a context whose version is live and just good enough, and whose trainings are small."""
    reached = live_version(promoted(project)).info["evaluation"]["model"][METRIC]["value"]
    accuracy = project.accuracy.model_copy(update={"minimum": reached})
    return ReadinessContext(project.model_copy(update={"readiness": FEW, "accuracy": accuracy}))


def refusal(check, world):
    """Return why a test of the score fails, in one text."""
    return "\n".join(made_up_context.refusal(check, world))


@pytest.mark.slow
def test_a_training_that_is_the_same_twice_passes(world):
    found = small_runs.reproducible(world)
    assert found.startswith("two trainings on the same ")
    assert found.endswith(", the same to the last bit")


@pytest.mark.slow
def test_a_training_that_depends_on_chance_fails(world, monkeypatch):
    estimator = PROJECT.module("model.estimator")
    fit, drawn = estimator.fit, iter((0.0, 1.0))

    def by_chance(rows, *others):
        first = rows.features[:, :1] * (1 + next(drawn))
        moved = np.hstack([first, rows.features[:, 1:]])
        return fit(replace(rows, features=moved), *others)

    monkeypatch.setattr(estimator, "fit", by_chance)
    said = refusal(small_runs.reproducible, world)
    assert said.startswith("model/estimator.py: two trainings on the same rows differ in ")
    assert "model.onnx" in said


def write_tests(folder, body):
    """Write a project whose tests of the model have this body."""
    for name in own_tests.SPECIFIED:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def test_{path.stem}():\n    {body}\n", encoding="utf-8")


@pytest.mark.slow
def test_the_tests_of_the_model_are_run(world, tmp_path):
    write_tests(tmp_path, "assert 1 + 1 == 2")
    elsewhere = ReadinessContext(world.settings.model_copy(update={"root": tmp_path}))
    assert own_tests.unit_tested(elsewhere) == "2 tests of contract, features, model and metrics passed"
    (tmp_path / "tests" / "test_project.py").write_text("def test_sum():\n    assert 1 + 1 == 3\n")
    assert refusal(own_tests.unit_tested, elsewhere) == "1 of 2 tests of the model fail: test_sum"


def test_without_tests_of_the_model_it_fails(world, tmp_path):
    elsewhere = ReadinessContext(world.settings.model_copy(update={"root": tmp_path}))
    said = refusal(own_tests.unit_tested, elsewhere)
    assert said.startswith("tests/test_project.py: no such file; ")
    assert "tests/test_example.py: no such file; it tests what the model is to be" in said


@pytest.mark.slow
def test_the_whole_way_is_gone(world):
    found = small_runs.integrated(world)
    assert " records answered one by one, " in found


@pytest.mark.slow
def test_a_pipeline_that_loses_predictions_fails(world, monkeypatch):
    monkeypatch.setattr(prediction_log.PredictionLog, "append", lambda log, rows: None)
    assert "no prediction yet" in refusal(small_runs.integrated, world)


def test_the_gate_refuses_what_has_learnt_nothing(world):
    found = small_runs.validated(world)
    assert found.startswith(f"{world.version.name} passes; one that learnt from shuffled outcomes does not: ")


def test_an_open_gate_fails(world, monkeypatch):
    monkeypatch.setattr(small_runs, "objections", lambda settings, version: [])
    said = "handrail.registry.acceptance: a model that learnt from shuffled outcomes passes the gate"
    assert refusal(small_runs.validated, world) == said


def test_a_live_version_that_would_not_pass_the_gate_fails(world):
    def missed(info):
        for gain in info["evaluation"]["gain"].values():
            gain["low"] = -1

    registry.make_live(world.settings, variant(world.settings, missed))
    assert "does not clearly beat the baseline" in refusal(
        small_runs.validated, ReadinessContext(world.settings)
    )


def test_checksums_that_nobody_checks_fail(world, monkeypatch):
    monkeypatch.setattr(small_runs, "_with_one_bit_changed", lambda content: content)
    said = "handrail.registry.versions: a version of which a byte was changed is not refused"
    assert refusal(small_runs.validated, world) == said


def test_an_example_is_followed_and_written_down(world):
    found = one_example.followed(world)
    page = (world.settings.workspace / "reports" / one_example.FILE).read_text(encoding="utf-8")
    assert f"{len(world.version.encoding.features)} features, the same by record and by table" in found
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")]
    assert rows[1:] == [f"| {name}" for name in world.version.encoding.features]
    assert f"3. The model {world.version.name} predicts " in page
    assert re.findall(r"\d+\.\d{7,}", page) == []  # figures as elsewhere, not to the last bit
    assert page.endswith((", flagged no.\n", ", flagged yes.\n"))


def test_a_feature_that_the_service_makes_otherwise_fails(world, monkeypatch):
    matrix = Encoding.matrix
    monkeypatch.setattr(Encoding, "matrix", lambda encoding, records: matrix(encoding, records) + 1)
    said = refusal(one_example.followed, world)
    assert said.startswith("handrail.training.encoding: ")
    assert said.endswith(" differ between record and table")


def test_a_canary_is_rehearsed(world):
    found = release_rehearsals.canaried(world)
    assert ", asked for were 20%; with its file broken it answered none; it was withdrawn" in found
    assert registry.read_live(world.settings).canary is None


def test_a_canary_that_answers_everything_fails(world, monkeypatch):
    monkeypatch.setattr(inference, "is_chosen", lambda key, share: True)
    said = "handrail.serving.inference: the canary answered 100.0%, asked for were 20%"
    assert refusal(release_rehearsals.canaried, world) == said


def test_a_rollback_is_rehearsed(world):
    before = registry.read_live(world.settings)
    found = release_rehearsals.rolled_back(world)
    assert found.endswith(" as before a promotion, to the last bit; nothing was live before it")
    assert registry.read_live(world.settings) == before


def test_a_rollback_is_rehearsed_beside_a_canary_that_is_tried(world, caplog):
    """Nothing of the canary is in the copy, and nobody is told that it is missing there."""
    start_canary(world.settings, variant(world.settings, lambda info: info.update(seed=2)), 0.1)
    found = release_rehearsals.rolled_back(ReadinessContext(world.settings))
    assert found.endswith(" as before a promotion, to the last bit; nothing was live before it")
    assert caplog.messages == []
    assert registry.read_live(world.settings).canary is not None


def test_a_former_version_that_can_not_answer_any_more_fails(world):
    former = live_version(world.settings)
    registry.make_live(world.settings, variant(world.settings, lambda info: info.update(seed=1)))
    (former.path / "model.onnx").write_bytes(b"")
    said = refusal(release_rehearsals.rolled_back, ReadinessContext(world.settings))
    assert f"{former.name}: the checksum of model.onnx is wrong" in said
