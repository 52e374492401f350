"""The rounds of research: what was burnt, whether to go on, and a log that cannot be read."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from math import inf

import pytest

from handrail import errors
from handrail.config.budget import ResearchBudget
from handrail.reports import experiments as rounds_page
from handrail.stages import gates, research
from handrail.training import budget_usage as burn
from handrail.training import experiment_log as history
from handrail.training import stopping_rule as verdict
from tests.engine.support.evidence import HEADER, OPEN, TICKED, discovered, ticked, write
from tests.engine.support.model_evidence import AGREED, METRIC, researched
from tests.engine.support.names import commands

ROUND = {
    "at": "2026-01-21T10:00:00+00:00",
    "note": "first",
    "metric": METRIC,
    "value": 0.69,
    "low": 0.685,
    "high": 0.695,
    "baseline": 0.68,
    "gain_low": -0.005,
    "period": "validation",
    "seconds": 1800.0,
    "rows": {"training": 7},
    "version": "v1",
    "commit": None,
}
GOOD = {"value": 0.71, "low": 0.705, "high": 0.715, "gain_low": 0.02}
DECIDING = {"metric": METRIC}
TUNING = {
    "scores": [0.7, 0.69, 0.72],
    "failed": 1,
    "hyperparameters": {"steps": 3},
    "features": ["size"],
    "gain": {"value": 0.01, "low": 0.004, "high": 0.016},
    "adopted": True,
}
LIMITS = {"begins": "2026-01-19", "days": 10, "money": 1000, "cost_per_day": 100, "cost_per_hour": 4}


def on(day):
    """Return the time of a round on a day of January."""
    return {"at": f"2026-01-{day:02}T10:00:00+00:00"}


def log(root, *changes):
    """Write a log of rounds that differ from the usual one."""
    lines = [json.dumps(ROUND | change) + "\n" for change in changes]
    write(root, history.LOG, "".join(lines))


def judged(root, *changes, limits=LIMITS, until=date(2026, 1, 24)):
    """Return the verdict after these rounds, with the days counted until one."""
    budget = {"research": limits} if limits else {"research": None}
    settings = discovered(root, budget=budget, accuracy=DECIDING)
    log(root, *changes)
    return verdict.recommend(settings, history.read_experiments(settings), until)


def test_with_time_and_money_left_it_says_go_on(tmp_path):
    assert judged(tmp_path, {}, on(24)) == verdict.Recommendation(
        "go on", "no round is good enough yet; spent: 5 of 10 days, 504 of 1,000 EUR"
    )


def test_days_are_spent_without_a_round_too(tmp_path):
    assert judged(tmp_path).because == "no round is good enough yet; spent: 5 of 10 days, 500 of 1,000 EUR"
    before = judged(tmp_path, until=date(2026, 1, 18))
    assert before.because.endswith("; spent: 0 of 10 days, 0 of 1,000 EUR")


@pytest.mark.parametrize(
    ("rounds", "limits", "day", "spent"),
    [
        ([{}, on(24)], LIMITS | {"money": None}, 29, "10 of 10 days"),
        ([{}, on(24)], LIMITS | {"money": 500}, 24, "5 of 10 days, 504 of 500 EUR"),
        ([{"seconds": 36000.0}], LIMITS | {"days": None, "money": 240}, 21, "240 of 240 EUR"),
    ],
)
def test_when_days_or_money_are_spent_it_says_stop(tmp_path, rounds, limits, day, spent):
    assert judged(tmp_path, *rounds, limits=limits, until=date(2026, 1, day)) == verdict.Recommendation(
        "stop: budget spent", f"{spent}, and no round is good enough; that is a result, too"
    )


def test_good_enough_is_good_enough_even_when_all_is_spent(tmp_path):
    assert judged(tmp_path, {}, GOOD, until=date(2026, 1, 30)) == verdict.Recommendation(
        "good enough",
        f"round 2 reaches {METRIC} 0.710 on the validation rows, needed is 0.7, and it clearly beats the "
        "simple technique",
    )


@pytest.mark.parametrize(
    "change",
    [
        GOOD | {"value": 0.699},
        GOOD | {"gain_low": 0.0},
        GOOD | {"metric": "charm"},
        GOOD | {"tuning": TUNING},
    ],
    ids=["below the minimum", "gain that may be chance", "another metric", "measured on validation rows"],
)
def test_what_is_not_good_enough(tmp_path, change):
    assert judged(tmp_path, change).says == "go on"


def test_without_a_budget_it_says_that_none_is_named(tmp_path):
    found = judged(tmp_path, {}, limits=None)
    assert found.says == "go on"
    assert found.because.endswith("project.yaml names no budget.research to keep to")


def test_a_budget_of_nothing_is_spent_by_the_first_cost():
    limits = ResearchBudget(begins=date(2026, 1, 19), money=0, cost_per_hour=1)
    rounds = [history.Experiment.model_validate(ROUND)]
    assert [each.share for each in burn.budget_usage(limits, "EUR", [], date(2026, 1, 19))] == [0]
    assert [each.share for each in burn.budget_usage(limits, "EUR", rounds, date(2026, 1, 19))] == [1]


def test_a_log_that_cannot_be_read_is_told_line_by_line(tmp_path):
    settings = discovered(tmp_path)
    bad = json.dumps(ROUND | {"value": "high", "seconds": -1})
    write(tmp_path, history.LOG, f"{json.dumps(ROUND)}\n{bad}\n<<<<<<< HEAD\n")
    with pytest.raises(errors.ProjectError) as refused:
        history.read_experiments(settings)
    first, second, third = refused.value.problems
    assert first.startswith(f"{history.LOG}, line 2: value: Input should be a valid number")
    assert second.startswith(f"{history.LOG}, line 2: seconds: Input should be greater than or equal to 0")
    assert third.startswith(f"{history.LOG}, line 3: Invalid JSON")


def test_a_spent_budget_fails_the_gate_and_a_good_round_passes_it(tmp_path):
    settings = researched(tmp_path, budget={"research": LIMITS})
    for rounds, state in (((), "failed"), ((ROUND,), "failed"), ((ROUND, GOOD), "done")):
        log(tmp_path, *rounds)
        _, research, *_ = gates.read_stages(settings)
        assert research.findings["budget left"].state == state


def test_the_command_shows_the_rounds_and_the_verdict(tmp_path, monkeypatch, capsys):
    discovered(tmp_path, budget={"research": LIMITS}, accuracy=DECIDING)
    write(tmp_path, "2-research/report.md", HEADER + ticked(*AGREED).replace("-01 |", "-02 |"))
    log(tmp_path, {}, {"note": "<b>bold</b>"} | GOOD | on(24))
    monkeypatch.chdir(tmp_path)
    assert commands.main(["rounds"]) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"^2 +2026-01-24 +0\.710 +0\.705 to 0\.715 +0\.680 +1,800 +<b>bold</b>",
        said,
        re.MULTILINE,
    )
    assert said.startswith("Scores are of the validation period.\n")
    assert "the test period, from 2013-07-01 on and before 2013-09-01, was not looked at yet; " in said
    assert f"good enough: round 2 reaches {METRIC} 0.710 on the validation rows" in said
    assert said.endswith("page reports/rounds.html\n")
    shown = (tmp_path / "reports/rounds.html").read_text(encoding="utf-8")
    assert shown.count("<svg") == 2
    assert "&lt;b&gt;bold" in shown
    assert ">needed 0.7<" in shown
    assert ">days 140%<" in shown
    assert ">EUR 140%<" in shown
    assert "the lines end on 2026-02-02" in shown


def test_a_round_of_before_was_scored_on_the_test_rows_and_says_so(tmp_path):
    of_before = {name: value for name, value in (ROUND | GOOD).items() if name != "period"}
    write(tmp_path, history.LOG, json.dumps(of_before) + "\n")
    settings = discovered(tmp_path, budget={"research": LIMITS}, accuracy=DECIDING)
    found = history.read_experiments(settings)
    assert [each.scored_on for each in found] == ["test"]
    assert rounds_page.periods(found) == "Scores are of the test period."
    assert (
        "reaches roc_auc 0.710 on the test rows"
        in verdict.recommend(settings, found, date(2026, 1, 24)).because
    )


def looked(root, *versions, day="2013-07-01"):
    """Add a line for each version whose figures on a test period were looked at."""
    figures = {"metric": METRIC, "value": 0.7, "low": 0.69, "high": 0.71}
    for number, version in enumerate(versions):
        line = {"at": f"2026-01-2{number}T10:00:00+00:00", "version": version, **figures, "test_from": day}
        with (root / history.LOG).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line | {"live_from": "2013-09-01"}) + "\n")


def test_looks_at_the_test_period_are_counted_by_version_and_are_no_rounds(tmp_path, monkeypatch, capsys):
    settings = discovered(tmp_path, accuracy=DECIDING)
    log(tmp_path, {}, GOOD)
    looked(tmp_path, "a", "b", "a")
    looked(tmp_path, "c", day="2013-06-01")
    assert [each.version for each in history.read_experiments(settings)] == ["v1", "v1"]
    monkeypatch.chdir(tmp_path)
    assert commands.main(["rounds"]) == 0
    line = (
        "the test period, from 2013-07-01 on and before 2013-09-01, was looked at for 2 versions, last on "
        f"2026-01-21: b reaches {METRIC} 0.700 (0.690 to 0.710) there"
    )
    others = "test rows of other splits, as of `--until`, were looked at for one version"
    assert f"\n{line}\n{others}\n" in capsys.readouterr().out
    assert f"<p>T{line[1:]}.</p>" in (tmp_path / "reports/rounds.html").read_text(encoding="utf-8")


def test_a_look_that_cannot_be_read_is_named_with_its_line(tmp_path):
    log(tmp_path, {})
    looked(tmp_path, "a", day="soon")
    with pytest.raises(errors.ProjectError) as refused:
        history.read_experiments(discovered(tmp_path))
    assert [each.partition(": Input")[0] for each in refused.value.problems] == [
        f"{history.LOG}, line 2: test_from"
    ]


def test_without_a_round_the_command_says_how_to_log_one(tmp_path, monkeypatch, capsys):
    discovered(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert commands.main(["rounds"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("no round is logged yet; uv run ")
    assert "train --note TEXT logs one" in said
    assert commands.main(["rounds", "--sample", "5000"]) == 0
    assert capsys.readouterr().out.startswith("no round is logged yet; without --sample, uv run ")


def test_days_are_counted_until_the_report_is_agreed(tmp_path):
    settings = discovered(tmp_path)
    today = datetime.now(UTC).date()
    assert research.counted_until(settings) == today
    agreed = ticked(*AGREED)
    reports = (
        (agreed + OPEN, today),
        ("| no table |", today),
        (TICKED, today),
        (agreed, date(2026, 2, 1)),
    )
    for report, until in reports:
        write(tmp_path, research.REPORT, HEADER + report)
        assert research.counted_until(settings) == until
    borrowed = settings.data.model_copy(update={"source": tmp_path})
    ours = settings.model_copy(update={"example": True, "data": borrowed})
    assert research.counted_until(ours) == today


def test_the_trials_of_the_last_tuning_are_drawn_and_listed(tmp_path):
    settings = discovered(tmp_path, budget={"research": LIMITS}, accuracy=DECIDING)
    log(tmp_path, {}, {"tuning": TUNING, "note": "tuning: 4 trials"})
    rounds, until = history.read_experiments(settings), date(2026, 1, 24)
    shown = rounds_page.page(settings, rounds, verdict.recommend(settings, rounds, until), until)
    assert f"{METRIC} over the trials of round 2" in shown
    assert ">best 0.7200<" in shown
    assert 'round 1: 0.690"' in shown  # a tuning's score is no point of the curve


def test_what_is_left_is_the_nearest_end(tmp_path):
    limits = ResearchBudget.model_validate(LIMITS)
    rounds, day = [history.Experiment.model_validate(ROUND)], date(2026, 1, 28)
    noon = datetime(2026, 1, 28, 12, tzinfo=UTC)
    assert burn.seconds_left(limits, rounds, day, noon) == 12 * 3600  # the last of ten days
    assert burn.seconds_left(limits, rounds, day, noon + timedelta(days=9)) == (100 - 2) / 4 * 3600
    assert burn.seconds_left(limits, rounds, date(2026, 1, 29), noon) == 0
    free = ResearchBudget(begins=date(2026, 1, 19))
    assert burn.seconds_left(free, rounds, day, noon) == inf
