"""A canary answers its share and no more, and never makes an answer worse than without it."""

import json

import pytest

from handrail import errors
from handrail.compute import duckdb as engine
from handrail.registry import canary, versions
from handrail.registry import live as registry
from handrail.serving import inference as live
from tests.engine.support.lived import (
    FAILS_BEYOND_ZERO,
    KEY,
    in_words,
    live_version,
    promoted,
    rows_asked,
    run,
    variant,
)

HALF = """
<ir_version: 10, opset_import: ["" : 18]>
half (float[N, WIDTH] x) => (float[N, 1] y)
{
    axes = Constant <value = int64[1] {1}> ()
    sum = ReduceSum <keepdims = 1> (x, axes)
    none = Sub (sum, sum)
    zero = Constant <value = float[1] {0.0}> ()
    gap = IsNaN (none)
    whole = Where (gap, zero, none)
    half = Constant <value = float[1] {0.5}> ()
    y = Add (whole, half)
}
"""


def beside(project, text=HALF, share=0.3):
    """Let a version whose model is written in `text` answer a share, and return its name."""
    promoted(project)
    width = len(live_version(project).encoding.features)
    name = variant(project, lambda info: None, in_words(text, width))
    canary.start_canary(project, name, share)
    return name


def test_a_share_of_the_keys_is_chosen_and_always_the_same():
    keys = [f"key {number}" for number in range(20_000)]
    chosen = [key for key in keys if canary.is_chosen(key, 0.2)]
    assert len(chosen) / len(keys) == pytest.approx(0.2, abs=0.01)
    assert {key for key in keys if canary.is_chosen(key, 0.1)} < set(chosen)


def test_the_engine_chooses_the_same_keys(project):
    with engine.connect(project) as connection:
        numbered = "(SELECT 'key ' || n AS k FROM range(500) AS numbers (n))"
        found = engine.rows(connection, f"SELECT k FROM {numbered} WHERE {canary.chosen_condition('k', 0.2)}")
    expected = {f"key {n}" for n in range(500) if canary.is_chosen(f"key {n}", 0.2)}
    assert {item["k"] for item in found} == expected
    assert 60 < len(expected) < 140


def test_it_answers_for_its_keys_and_the_live_version_for_the_rest(project):
    name, records = beside(project), rows_asked(project, 100)
    model = live.LiveModel(project)
    answered = {record[KEY]: model.answer([record]) for record in records}
    by = {key: answer.version for key, answer in answered.items()}
    live_name = live_version(project).name
    assert by == {key: name if canary.is_chosen(key, 0.3) else live_name for key in by}
    assert set(by.values()) == {name, live_name}
    assert {answer.prediction[0] for answer in answered.values() if answer.version == name} == {0.5}


def test_where_it_fails_the_live_version_answers(project, caplog):
    name = beside(project, FAILS_BEYOND_ZERO, share=0.9999)
    encoding = live_version(project).encoding
    record = next(r for r in rows_asked(project, 200) if encoding.matrix([r])[0, 0] > 0)
    answer = live.LiveModel(project).answer([record])
    assert (answer.version, answer.source) == (live_version(project).name, "model")
    assert f"{name} failed; " in caplog.text


def test_one_whose_files_were_changed_answers_nothing(project, caplog):
    name = beside(project, share=0.9999)
    card = versions.model_folder(project) / name / "card.md"
    card.write_text("better than it is", encoding="utf-8")
    model = live.LiveModel(project)
    answers = [model.answer([record]).version for record in rows_asked(project, 5)]
    assert (set(answers), model.canary) == ({live_version(project).name}, None)
    assert "the checksum of card.md is wrong" in caplog.text
    assert "; the live version answers for the canary" in caplog.text


def test_a_service_follows_its_coming_and_going(project, monkeypatch, capsys):
    first = live_version(promoted(project)).name
    second, (record,) = variant(project, lambda info: info.update(seed=1)), rows_asked(project, 1)
    model = live.LiveModel(project)
    assert run(monkeypatch, project, "promote", second, "--canary", "0.9999") == 0
    said = f"{second} answers 99.99% of what is asked beside {first}; `promote {second}` lets it answer "
    assert capsys.readouterr().out.splitlines()[2:] == [f"{said}everything, `rollback` nothing"]
    assert (model.answer([record]).version, model.version.name) == (second, first)
    assert run(monkeypatch, project, "rollback") == 0
    assert capsys.readouterr().out == f"{second} answers nothing any more; {first} answers everything\n"
    assert (model.answer([record]).version, model.canary) == (first, None)
    assert registry.read_live(project).versions == (first,)


def test_promoted_it_answers_everything(project, monkeypatch):
    name = beside(project)
    registry.make_live(project, name)
    assert (registry.read_live(project).canary, live_version(project).name) == (None, name)


def test_while_the_fallback_answers_there_is_none(project):
    beside(project)
    registry.use_fallback(project, "it rained")
    assert registry.read_live(project).canary is None


def test_it_has_to_pass_the_gate(project, monkeypatch, capsys):
    promoted(project)

    def missed(info):
        for gain in info["evaluation"]["gain"].values():
            gain["low"] = -1

    name = variant(project, missed)
    assert run(monkeypatch, project, "promote", name, "--canary", "0.1") == 1
    assert f"error: {name}: " in capsys.readouterr().err
    assert registry.read_live(project).canary is None


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "nan", "a tenth"])
def test_a_share_that_is_none_is_wrong_usage(project, share, monkeypatch, capsys):
    assert run(monkeypatch, project, "promote", f"--canary={share}") == 2
    said = f"{share}: a share is more than 0 and less than 1, such as 0.1"
    assert said in capsys.readouterr().err


def test_without_a_live_version_there_is_nothing_to_be_beside(project):
    name = versions.newest_version(project)
    with pytest.raises(errors.ProjectError, match="no model is live yet"):
        canary.start_canary(project, name, 0.1)
    with pytest.raises(errors.ProjectError, match="a canary is another version"):
        canary.start_canary(promoted(project), name, 0.1)


def test_the_history_says_when_it_came_and_went(project):
    name = beside(project, share=0.25)
    canary.end_canary(project, "enough seen")
    history = (versions.model_folder(project) / "history.jsonl").read_text(encoding="utf-8").splitlines()
    came, went = map(json.loads, history[-2:])
    assert (came["canary"], came["share"], came["reason"]) == (name, 0.25, "canary")
    assert ("canary" in went, went["reason"]) == (False, "enough seen")


def test_only_the_canary_that_was_judged_is_withdrawn(project):
    first = beside(project)
    second = variant(project, lambda info: info.update(seed=2))
    canary.start_canary(project, second, 0.1)
    assert canary.end_canary(project, "its fault", judged=first) is None
    assert registry.read_live(project).canary.name == second
    assert canary.end_canary(project, "its fault", judged=second) == second
