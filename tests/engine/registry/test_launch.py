"""The gate of production: a live model that is good enough, and a launch in its order."""

import pytest

from handrail.config.settings import read_settings
from handrail.registry import live as registry
from handrail.stages import checklist, gates
from tests.engine.support.evidence import HEADER, asked, ticked, write, write_facts
from tests.engine.support.lived import run
from tests.engine.support.model_evidence import GOOD, METRIC, researched, save_version
from tests.engine.support.workspaces import PROJECT

LAUNCH = "3-production/launch.md"
STEPS = ("Staging", "Trial", "Feedback", "Dashboards", "Way back", "Live")


@pytest.fixture
def live(tmp_path):
    """Return the settings of a project whose model is live and whose launch is signed."""
    settings = researched(tmp_path)
    registry.make_live(settings, save_version(settings, GOOD))
    registry.launch(settings)
    write(tmp_path, LAUNCH, HEADER + ticked(*STEPS))
    return settings


def findings(settings):
    """Return what was found of production."""
    return next(stage for stage in gates.read_stages(settings) if stage.folder == "3-production").findings


def test_good_evidence_passes(live):
    found = findings(live)
    assert {finding.state for finding in found.values()} == {gates.State.DONE}
    assert found["launch signed"].evidence == f"all 6 ticked in {LAUNCH}, last on 2026-02-01"


def test_without_a_live_model_it_is_open(tmp_path):
    found = findings(researched(tmp_path))
    assert found["model promoted"].next_step.endswith(" promote")
    assert found["model good enough"].state is gates.State.OPEN


def test_a_raised_minimum_fails_the_live_model(live):
    write_facts(live.root, accuracy={"metric": METRIC, "minimum": 0.8})
    found = findings(read_settings(PROJECT.at(live.root)))["model good enough"]
    assert found.state is gates.State.FAILED
    assert found.evidence.endswith(f"{METRIC} 0.750 misses the minimum 0.8 of project.yaml")


def test_a_live_model_that_was_changed_fails(live):
    (model,) = (live.workspace / "models").glob("*/model.json")
    model.write_bytes(b"{}")
    assert "the checksum of model.json is wrong" in findings(live)["model promoted"].evidence


def test_a_skipped_step_fails(live):
    write(live.root, LAUNCH, HEADER + asked(*STEPS[:5]) + ticked(STEPS[5]))
    found = findings(live)["launch signed"]
    assert found.state is gates.State.FAILED
    assert found.evidence == f"{LAUNCH}: Live is ticked, Way back before it is not"


def test_a_launch_cut_to_one_row_is_none(live, monkeypatch, capsys):
    write(live.root, LAUNCH, HEADER + ticked("Live"))
    said = (
        f"{LAUNCH}: not in the list any more: Staging, Trial, Feedback, Dashboards, Way back; put it "
        "back, and tick what does not apply with the reason as its evidence"
    )
    found = findings(live)["launch signed"]
    assert (found.state, found.evidence) == (gates.State.FAILED, said)
    assert run(monkeypatch, live, "promote", "--live") == 1
    assert capsys.readouterr().err == f"error: {said}\n"
    operation = next(stage for stage in gates.read_stages(live) if stage.folder == "4-operation")
    assert not operation.begun


def test_rows_of_one_s_own_and_capital_letters_are_no_matter(live):
    write(live.root, LAUNCH, HEADER + ticked("Lawyers asked", *(step.upper() for step in STEPS)))
    assert findings(live)["launch signed"].state is gates.State.DONE


def test_research_that_is_open_is_refused_once_a_model_is_live(live):
    (live.root / "reports" / "research.html").unlink()
    (refusal,) = gates.refusals(gates.read_stages(live))
    assert refusal.startswith(
        "2-research: report written: no reports/research.html, though 3-production has begun; "
    )


def test_the_project_s_own_launch_list_can_be_read():
    assert [item.item for item in checklist.read_checklist(read_settings(PROJECT), LAUNCH)] == [*STEPS]


def test_a_launch_without_a_list_is_open(live):
    (live.root / LAUNCH).unlink()
    found = findings(live)["launch signed"]
    assert (found.state, found.evidence) == (gates.State.OPEN, f"no {LAUNCH}")


@pytest.fixture
def staged(tmp_path):
    """Return the settings of a project with a model in staging and all steps signed but the last."""
    settings = researched(tmp_path)
    registry.make_live(settings, save_version(settings, GOOD))
    write(tmp_path, LAUNCH, HEADER + ticked(*STEPS[:5]) + asked(STEPS[5]))
    return settings


def launch(monkeypatch, settings, *more):
    """Run `promote --live`, and return its exit status and what is in staging or live then."""
    return run(monkeypatch, settings, "promote", "--live", *more), registry.read_live(settings)


def test_what_is_promoted_is_in_staging(staged):
    found = findings(staged)["gone live"]
    assert (found.state, found.evidence) == (gates.State.OPEN, "in staging")
    assert found.next_step.endswith(" promote --live")


def test_a_launch_that_is_not_signed_is_refused(staged, monkeypatch, capsys):
    before = registry.read_live(staged)
    assert launch(monkeypatch, staged) == (1, before)
    assert before.stage == "staging"
    said = f"--live: 5 of 6 ticked in {LAUNCH}; next: Live: ask them"
    assert capsys.readouterr().err == f"error: {said}\n"


def test_a_launch_with_a_skipped_step_is_refused(staged, monkeypatch, capsys):
    write(staged.root, LAUNCH, HEADER + asked(*STEPS[:5]) + ticked(STEPS[5]))
    assert launch(monkeypatch, staged)[1].stage == "staging"
    assert capsys.readouterr().err == f"error: {LAUNCH}: Live is ticked, Way back before it is not\n"


def test_a_launch_of_a_model_that_is_not_good_enough_is_refused(staged, monkeypatch, capsys):
    write(staged.root, LAUNCH, HEADER + ticked(*STEPS))
    strict = staged.accuracy.model_copy(update={"minimum": 0.8})
    asking = staged.model_copy(update={"accuracy": strict})
    assert launch(monkeypatch, asking)[1].stage == "staging"
    assert "misses the minimum" in capsys.readouterr().err


def test_a_launch_without_a_model_is_refused(staged, monkeypatch, capsys):
    registry.live_path(staged).unlink()
    assert launch(monkeypatch, staged) == (1, None)
    assert capsys.readouterr().err.startswith("error: --live: no model is promoted; next: ")


def test_a_launch_takes_what_was_tried(staged, monkeypatch, capsys):
    write(staged.root, LAUNCH, HEADER + ticked(*STEPS))
    assert launch(monkeypatch, staged, "another")[0] == 1
    said = "--live: launches what was tried in staging; leave out another"
    assert capsys.readouterr().err == f"error: {said}\n"
    name = registry.read_live(staged).versions[-1]
    status, live = launch(monkeypatch, staged)
    assert (status, live.stage, live.versions) == (0, "live", (name,))
    assert capsys.readouterr().out == f"{name} is live\n"
    assert findings(staged)["gone live"].state is gates.State.DONE


def test_a_signed_launch_that_was_not_made_is_refused_in_operation(live):
    registry.live_path(live).unlink()
    registry.make_live(live, save_version(live, GOOD))
    refusals = gates.refusals(gates.read_stages(live))
    operated = [stage.folder for stage in gates.read_stages(live)][-1] == "4-operation"
    assert ["gone live" in refusal for refusal in refusals] == ([True] if operated else [])
