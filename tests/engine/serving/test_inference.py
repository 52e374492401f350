"""The live model answers as it was measured, follows what is live, and has a fallback; all is logged."""

import json
import os
import re
from datetime import datetime

import numpy as np
import pytest

from handrail import errors, predictor
from handrail.registry import live as registry
from handrail.serving import inference as live
from handrail.serving import prediction_log
from tests.engine.support.lived import (
    ASKED,
    FAILS_BEYOND_ZERO,
    NAN_WHERE_MISSING,
    live_version,
    promoted,
    rows_asked,
    variant,
    with_model,
)
from tests.engine.support.workspaces import copied


@pytest.fixture(params=["trained", "trained_amounts"])
def project(request, tmp_path):
    """Return settings of a copy of a trained workspace: of yes or no, and of amounts."""
    return copied(request.getfixturevalue(request.param), tmp_path)


def reseeded(info):
    """Change nothing that is measured."""
    info["seed"] += 1


def test_answers_are_those_of_the_model_file(project):
    records = rows_asked(promoted(project), 500)
    version = live_version(project)
    answer = live.LiveModel(project).answer(records)
    expected = predictor.Predictor(version.model).predict(version.encoding.matrix(records))
    assert answer.prediction.tobytes() == expected.tobytes()
    assert np.unique(expected).size > 100
    assert (answer.version, answer.source, answer.decision) == (version.name, "model", version.decision)
    by = version.baseline.column
    assert answer.baseline.tolist() == version.baseline.predict([r[by] for r in records]).tolist()


def test_one_record_is_answered_like_many(project):
    records = rows_asked(promoted(project), 50)
    model = live.LiveModel(project)
    together = model.answer(records).prediction.tolist()
    assert [model.answer([record]).prediction.tolist()[0] for record in records] == together


def test_names_never_seen_and_missing_values_are_answered(project):
    (record,) = rows_asked(promoted(project), 1)
    version = live_version(project)
    nullable = [name for name in version.encoding.features if name not in version.encoding.categories]
    stranger = record | dict.fromkeys(version.encoding.categories, "?") | dict.fromkeys(nullable)
    answer = live.LiveModel(project).answer([stranger])
    assert answer.source == "model"
    assert np.isfinite(answer.prediction[0])
    assert answer.baseline[0] == np.float32(version.baseline.overall)


def test_without_a_live_version_it_says_what_to_do(project):
    said = f"{registry.live_path(project)}: no model is live yet; run `train`, then `promote`"
    with pytest.raises(errors.ProjectError) as refused:
        live.LiveModel(project)
    assert refused.value.problems == (said,)


def test_promotion_and_rollback_are_followed(project):
    records = rows_asked(promoted(project), 1)
    model = live.LiveModel(project)
    first = model.answer(records).version
    second = variant(project, reseeded)
    registry.make_live(project, second)
    assert model.answer(records).version == second
    registry.roll_back(project, live.start_model)
    assert model.answer(records).version == first


def test_a_tampered_version_replaces_no_good_one(project, caplog):
    records = rows_asked(promoted(project), 1)
    model = live.LiveModel(project)
    good = model.answer(records)
    bad = variant(project, reseeded)
    registry.make_live(project, bad)
    (project.workspace / "models" / bad / "model.onnx").write_bytes(b"something else")
    assert model.answer(records) == good
    assert "the checksum of model.onnx is wrong; the version is refused" in caplog.text
    assert model.answer(records) == good
    assert caplog.text.count(f"{good.version} stays in service") == 1


def test_a_version_that_does_not_run_replaces_no_good_one(project, caplog):
    records = rows_asked(promoted(project), 1)
    model = live.LiveModel(project)
    good = model.answer(records)
    registry.make_live(project, variant(project, reseeded, b"no model"))
    assert model.answer(records) == good
    assert "model.onnx: does not run: " in caplog.text
    with pytest.raises(errors.ProjectError, match="does not run"):
        live.LiveModel(project)


def test_a_version_of_another_contract_is_refused(project):
    promoted(project)

    def renamed(info):
        info["encoding"]["features"][0] = "colour"

    registry.make_live(project, variant(project, renamed))
    with pytest.raises(errors.ProjectError, match="learnt from colour, no longer"):
        live.LiveModel(project)


def test_the_fallback_takes_over_when_told(project):
    records = rows_asked(promoted(project), 20)
    model = live.LiveModel(project)
    registry.use_fallback(project, "it rained")
    answer = model.answer(records)
    assert (answer.source, model.mode) == ("fallback", "fallback")
    assert answer.prediction.tolist() == answer.baseline.tolist()
    promoted(project)
    assert model.answer(records).source == "model"


def acting(project):
    """Return the name of what predictions are acted on by."""
    return "threshold" if project.project.task.predicts == "chance" else "margin"


@pytest.mark.parametrize("older", [False, True], ids=["its own", "older version"])
def test_the_fallback_acts_by_its_own_threshold_where_the_version_knows_one(project, older):
    name = acting(project)
    own = {"threshold": 0.9, "margin": 123.0}[name]

    def changed(info):
        decision = info["evaluation"]["decision"]
        decision |= {f"baseline_{name}": own}
        if older:
            decision.pop(f"baseline_{name}")

    registry.make_live(promoted(project), variant(project, changed))
    records, model = rows_asked(project, 50), live.LiveModel(project)
    models = model.answer(records)
    assert models.decision[name] == live_version(project).decision[name] != own
    registry.use_fallback(project, "it rained")
    answer = model.answer(records)
    by = live_version(project).decision[name] if older else own
    assert answer.decision[name] == by
    if name == "threshold":
        assert answer.told["flagged"].tolist() == (answer.baseline >= np.float32(by)).tolist()
    else:
        assert answer.told["planned"].tolist() == np.round(answer.baseline.astype(float) + by, 6).tolist()


def test_the_fallback_answers_for_a_model_that_gives_no_number(project, caplog):
    name = with_model(project, NAN_WHERE_MISSING)
    records = rows_asked(project, 20)
    version = live_version(project)
    gap = next(f for f in version.encoding.features if f not in version.encoding.categories)
    answer = live.LiveModel(project).answer([*records, records[0] | {gap: None}])
    assert (answer.version, answer.source) == (name, "fallback")
    assert answer.prediction.tolist() == answer.baseline.tolist()
    assert f"{name} gave what is no number; the fallback answers" in caplog.text


def test_the_fallback_answers_for_a_model_that_fails(project, caplog):
    name = with_model(project, FAILS_BEYOND_ZERO)
    encoding = live_version(project).encoding
    records = [record for record in rows_asked(project, 200) if encoding.matrix([record])[0, 0] > 0][:3]
    assert len(records) == 3
    answer = live.LiveModel(project).answer(records)
    assert (answer.source, answer.prediction.tolist()) == ("fallback", answer.baseline.tolist())
    assert f"{name} failed; the fallback answers: " in caplog.text


def as_logged(value):
    """Return a value as it stands in the log, as text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def test_every_prediction_is_logged_with_all_that_was_asked(project):
    records = rows_asked(promoted(project), 3)
    answer = live.LiveModel(project).answer(records)
    folder = prediction_log.prediction_folder(project)
    log = prediction_log.PredictionLog(folder)
    log.append(prediction_log.log_rows(records, answer))
    (file,) = folder.iterdir()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    log.close()
    assert re.fullmatch(r"served-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.jsonl", file.name)
    told = project.project.task.told
    assert list(lines[0]) == ["predicted_at", "version", "source", "prediction", "baseline", *told, *ASKED]
    assert [line["prediction"] for line in lines] == answer.prediction.tolist()
    assert {name: [line[name] for line in lines] for name in told} == {
        name: values.tolist() for name, values in answer.told.items()
    }
    as_text = [{name: as_logged(value) for name, value in record.items()} for record in records]
    assert [{name: str(line[name]) for name in ASKED} for line in lines] == as_text


def test_a_log_of_a_full_disk_refuses_and_is_whole_again_later(tmp_path, monkeypatch):
    log = prediction_log.PredictionLog(tmp_path)
    log.append([{"row": 1}])
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, content: write(file, content[:20]))
        with pytest.raises(OSError, match="No space left on device"):
            log.append([{"row": 2}])
    log.append([{"row": 3}])
    log.close()
    (file,) = tmp_path.iterdir()
    assert [json.loads(line)["row"] for line in file.read_text(encoding="utf-8").splitlines()] == [1, 3]
