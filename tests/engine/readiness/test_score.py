"""The ML Test Score: the lowest section counts, a failure says why, and `status` knows of it."""

import json
import re

import pytest

from handrail.errors import ProjectError
from handrail.readiness import score, score_evidence, test_registry
from handrail.readiness.context import ReadinessContext
from handrail.readiness.test_registry import ReadinessTest
from handrail.registry import live as registry
from handrail.stages import gates
from tests.engine.support.evidence import write
from tests.engine.support.lived import run
from tests.engine.support.model_evidence import GOOD, researched, save_version

RECORD = "reports/readiness.json"
SECTIONS = ("data", "model", "infrastructure", "monitoring")


@pytest.fixture
def live(tmp_path):
    """Return the settings of a project with a live model."""
    settings = researched(tmp_path)
    registry.make_live(settings, save_version(settings, GOOD))
    return settings


def refuse(context):
    """Fail a test of the score."""
    raise ProjectError(["flights.parquet: too old", "weather.parquet: too old"])


def stop(context):
    """Stop as a library does."""
    return str(1 / 0)


GOOD_TEST = ReadinessTest("all is well", "it is looked at", lambda context: f"{context.version.name} is well")
BAD_TEST = ReadinessTest("data is young", "its age is computed", refuse)
BROKEN_TEST = ReadinessTest("figures are finite", "they are divided", stop)


def measured(settings, **sections):
    """Return the score of made-up sections."""
    return score.measure(ReadinessContext(settings), sections, lambda step: None)


def test_the_lowest_section_counts(live):
    found = measured(live, data=[GOOD_TEST, GOOD_TEST], model=[GOOD_TEST, BAD_TEST, BROKEN_TEST])
    assert (found.sections, found.total) == ({"data": 2, "model": 2}, 2)
    assert [each.evidence for each in found.results[1:]] == [
        f"{found.version} is well",
        f"{found.version} is well",
        "flights.parquet: too old\nweather.parquet: too old",
        "stopped by ZeroDivisionError: division by zero",
    ]
    assert [each.test for each in found.failed] == ["data is young", "figures are finite"]


def test_every_test_is_shown_recorded_and_a_failure_named(live, monkeypatch, capsys):
    monkeypatch.setattr(test_registry, "tests_by_section", lambda: {"data": (GOOD_TEST, BAD_TEST)})
    assert run(monkeypatch, live, "readiness") == 1
    said = capsys.readouterr()
    lines = [line.strip() for line in said.out.splitlines()]
    assert lines[0] == "Data: 2 of 2 automated, 1 passed"
    assert "passed  all is well" in lines[1]
    assert lines[2] == "how    it is looked at"
    assert "weather.parquet: too old" in lines
    assert re.fullmatch(r"ML Test Score of \S+: 2, the lowest of data 2; 1 of 2 tests pass", lines[-1])
    assert said.err == "error: data: data is young: failed\n"
    record = json.loads((live.workspace / RECORD).read_text(encoding="utf-8"))
    assert (record["score"], record["rows"][1]["passed"]) == (2, False)
    assert record["failed"] == ["data is young"]


def test_one_section_leaves_no_record(live, monkeypatch, capsys):
    monkeypatch.setattr(
        test_registry, "tests_by_section", lambda: {"data": (GOOD_TEST,), "model": (BAD_TEST,)}
    )
    assert run(monkeypatch, live, "readiness", "--section", "data") == 0
    assert "Model" not in capsys.readouterr().out
    assert not (live.workspace / RECORD).exists()


def test_a_section_that_does_not_exist_is_refused(live, monkeypatch, capsys):
    assert run(monkeypatch, live, "readiness", "--section", "luck") == 1
    assert capsys.readouterr().err.startswith("error: --section luck: no such section; take one of data")


def test_without_a_live_model_there_is_nothing_to_score(tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, researched(tmp_path), "readiness") == 1
    assert capsys.readouterr().err.endswith("no model is live yet; run `train`, then `promote`\n")


def recorded(settings, **changes):
    """Write a record of the score, with `changes`, and return what `status` finds."""
    version = registry.read_live(settings).versions[-1]
    good = {"at": "2026-02-02T10:00:00+00:00", "version": version, "score": 6, "sections": {"data": 6}}
    good["failed"] = []
    write(settings.root, RECORD, json.dumps(good | changes))
    return score_evidence.score_known(settings)


def test_status_knows_the_score(live):
    assert score_evidence.score_known(live).state is gates.State.OPEN
    assert recorded(live).evidence == "6 of 7: data 6; on 2026-02-02"
    assert recorded(live, rows=[{}, {}]).evidence == "6 of 7: data 6; 2 of 2 tests pass; on 2026-02-02"
    older = recorded(live, version="2025-01-01-abc")
    assert (older.state, older.evidence) == (
        gates.State.OPEN,
        "only that of 2025-01-01-abc, which is not live",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"score": 4, "sections": {"data": 4, "model": 7}},
            "4 of 7, at least 5 are needed: data 4, model 7; ",
        ),
        ({"failed": ["data is young"]}, "6 of 7, but failed: data is young; "),
        (
            {"failed": ["data is young"], "rows": [{}, {}]},
            "6 of 7, but failed: data is young; 1 of 2 tests pass; ",
        ),
        ({"score": 8}, f"{RECORD}: no record of the score (Input should be less than or equal to 7); "),
    ],
)
def test_a_low_score_or_a_broken_record_fails(live, changes, reason):
    with pytest.raises(ProjectError) as refused:
        recorded(live, **changes)
    assert str(refused.value).startswith(reason)


def test_no_test_occurs_twice_and_each_says_how():
    sections = test_registry.tests_by_section()
    assert {name: len(tests) for name, tests in sections.items()} == dict.fromkeys(SECTIONS, 7)
    every = [test for tests in sections.values() for test in tests]
    assert len({test.test for test in every}) == len({test.check for test in every}) == 28
    assert all(test.how for test in every)
