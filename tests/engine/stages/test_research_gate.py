"""The gate of research, on models with made-up figures."""

from datetime import UTC, datetime

import pytest

from handrail.etl import load
from handrail.registry import versions
from handrail.stages import gates, research
from handrail.training.experiment_log import log_look
from tests.engine.support.evidence import HEADER, OPEN, TICKED, discovered, ticked, write
from tests.engine.support.model_evidence import AGREED, GOOD, METRIC, researched
from tests.engine.support.names import commands, contract
from tests.engine.support.workspaces import KNOWN, PROJECT


def findings(settings):
    """Return what was found of research."""
    return next(stage for stage in gates.read_stages(settings) if stage.folder == "2-research").findings


def test_good_evidence_passes(tmp_path):
    found = findings(researched(tmp_path))
    assert found.pop("hyperparameters tuned").state is gates.State.ADVICE
    assert {finding.state for finding in found.values()} == {gates.State.DONE}
    assert found["data loaded"].evidence == f"data/{contract.TABLE}.parquet, 2 rows"
    assert (
        found["baseline beaten"].evidence
        == f"{METRIC} 0.750 (0.740 to 0.760), baseline 0.680, on the test rows"
    )
    assert found["minimum reached"].evidence == f"{METRIC} 0.750 on the test rows, minimum 0.7"


def test_without_evidence_everything_is_open_and_says_how_to_get_it(tmp_path):
    settings = discovered(tmp_path)
    found = findings(settings)
    assert found["data loaded"].next_step.endswith(" etl")
    assert found["baseline beaten"].next_step.endswith(" train")
    assert [title for title in research.CHECKS if found[title].state is gates.State.DONE] == [
        "go-ahead",
        "budget left",
    ]


def test_research_goes_by_the_validation_rows_until_the_test_period_was_looked_at(tmp_path):
    settings = researched(tmp_path, model={"value": 0.69, "low": 0.68, "high": 0.7}, on_validation=GOOD)
    found = findings(settings)
    assert found["minimum reached"].evidence == f"{METRIC} 0.750 on the validation rows, minimum 0.7"
    assert found["baseline beaten"].evidence.endswith("baseline 0.680, on the validation rows")
    version = versions.load_version(settings, versions.newest_version(settings))
    assert log_look(settings, version.name, version.info) == 1
    found = findings(settings)
    assert found["minimum reached"].state is gates.State.FAILED
    assert found["minimum reached"].evidence.endswith(
        f"{METRIC} 0.690 misses the minimum 0.7 of project.yaml"
    )
    assert found["baseline beaten"].state is gates.State.FAILED


def test_a_model_no_better_than_the_baseline_fails(tmp_path):
    found = findings(researched(tmp_path, {"value": 0.72, "low": 0.67, "high": 0.77}))
    assert found["baseline beaten"].state is gates.State.FAILED
    assert (
        f"{METRIC} 0.720 does not clearly beat the baseline's 0.680: better by 0.040 (-0.010 to 0.090)"
        in found["baseline beaten"].evidence
    )
    assert found["minimum reached"].state is gates.State.DONE


def test_a_model_below_the_minimum_fails(tmp_path):
    found = findings(researched(tmp_path, {"value": 0.695, "low": 0.69, "high": 0.699}))
    assert found["minimum reached"].state is gates.State.FAILED
    assert f"{METRIC} 0.695 misses the minimum 0.7 of project.yaml" in found["minimum reached"].evidence
    assert found["baseline beaten"].state is gates.State.DONE


def test_less_is_better_where_the_metric_is_an_error():
    error = next(metric for metric in PROJECT.metrics.goals.values() if not metric.greater_is_better)
    assert [error.worse(value, 0.5, 0.1) for value in (0.4, 0.59, 0.61)] == [False, False, True]
    assert error.worse(float("nan"), 0.5)


def test_an_unknown_measure_fails(tmp_path):
    found = findings(researched(tmp_path, accuracy={"metric": "luck"}))
    assert found["minimum reached"].evidence.startswith(
        f"project.yaml: accuracy.metric: luck is unknown; known are {KNOWN}"
    )


def test_a_changed_model_fails(tmp_path):
    settings = researched(tmp_path)
    (model,) = (tmp_path / "models").glob("*/model.json")
    model.write_text(model.read_text(encoding="utf-8").replace("0.75", "0.95"), encoding="utf-8")
    assert "the checksum of model.json is wrong" in findings(settings)["baseline beaten"].evidence


def test_a_table_that_cannot_be_read_fails(tmp_path):
    settings = researched(tmp_path)
    load.table_path(settings, contract.TABLE).write_bytes(b"not parquet")
    found = findings(settings)["data loaded"]
    assert found.state is gates.State.FAILED
    assert found.evidence.startswith("the engine stopped: ")


def test_no_go_stops_research(tmp_path):
    found = findings(researched(tmp_path, decision={"go": "no-go"}))["go-ahead"]
    assert found.state is gates.State.FAILED
    assert found.evidence == "project.yaml: Ada said no-go on 2026-01-16; stop here"


def test_research_without_a_decision_is_refused(tmp_path, monkeypatch, capsys):
    researched(tmp_path, decision={"go": "open"})
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status"]) == 0
    assert commands.main(["status", "--strict"]) == 1
    assert capsys.readouterr().err == (
        "error: 1-discovery: decision made: neither go nor no-go, though 2-research has begun; decide, with "
        "name and date, in project.yaml\n"
    )


def test_a_report_that_nobody_agreed_to_is_open(tmp_path):
    settings = researched(tmp_path)
    write(tmp_path, "2-research/report.md", HEADER + ticked(*AGREED) + OPEN)
    found = findings(settings)["report agreed"]
    assert (found.evidence, found.next_step) == ("4 of 5 ticked in 2-research/report.md", "Asked: ask them")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            "| [x] | Shown | show it | minutes | | |",
            "Shown: ticked without owner and date; add it or take the tick away",
        ),
        ("| [x] | Shown | show it | | Ada | 2026-02-01 |", "Shown: ticked without evidence; add it"),
        (
            "| [x] | Shown | show it | a | Ada | 2999-01-01 |",
            "date: is in the future; write the day on which it was done",
        ),
        (
            "| [x] | Shown | show it | a | Ada | 1.2.2026 |",
            "date: write it as year-month-day, like 2026-03-31 (given: 1.2",
        ),
        ("| yes | Shown | show it | a | Ada | |", "done: write [x] or [ ] (given: yes)"),
        ("| [ ] | | show it | | | |", "item: String should have at least 1 character"),
        (
            "| [x] | Shown | show it | a | b | Ada | 2026-02-01 |",
            "7 cells, not 6; a | inside a cell is written \\|",
        ),
    ],
)
def test_a_bad_row_fails_with_its_line(tmp_path, row, sentence):
    settings = researched(tmp_path)
    write(tmp_path, "2-research/report.md", f"# Report\n\n{HEADER}{TICKED}{row}\n")
    found = findings(settings)["report agreed"]
    assert found.state is gates.State.FAILED
    assert found.evidence.startswith(f"2-research/report.md, line 6: {sentence}")


def test_a_report_without_a_checklist_fails(tmp_path):
    settings = researched(tmp_path)
    write(tmp_path, "2-research/report.md", "# Report\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert findings(settings)["report agreed"].evidence == (
        "2-research/report.md: no checklist in it; write a table with the columns done, item, action, "
        "evidence, owner, date"
    )


@pytest.mark.parametrize("agreed", ["Trade-off agreed", "Threshold agreed", "Margin agreed"])
def test_a_report_is_agreed_only_with_every_row_that_it_came_with(tmp_path, agreed):
    settings = researched(tmp_path)
    rows = ("Specification reviewed", "Short version shown", agreed, "Weakness accepted")
    write(tmp_path, "2-research/report.md", HEADER + ticked(*rows))
    assert findings(settings)["report agreed"].state is gates.State.DONE
    write(tmp_path, "2-research/report.md", HEADER + ticked("Short version shown"))
    found = findings(settings)["report agreed"]
    assert found.state is gates.State.FAILED
    assert found.evidence.startswith(
        "2-research/report.md: not in the list any more: Specification reviewed, Trade-off agreed, Weakness "
    )
    assert research.counted_until(settings) == datetime.now(UTC).date()


def test_a_cell_may_hold_a_bar(tmp_path):
    settings = researched(tmp_path)
    write(tmp_path, "2-research/report.md", HEADER + ticked(*AGREED).replace("minutes", "page a \\| b"))
    assert findings(settings)["report agreed"].state is gates.State.DONE
