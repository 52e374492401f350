"""The gate of operation: monitoring ran, the model answers, the handover is signed item by item."""

import json

import pytest

from {{ cookiecutter.__package }} import settings as project_settings
from {{ cookiecutter.__package }}.model import registry
from {{ cookiecutter.__package }}.stages import checklist, gates

from .evidence import HEADER, OPEN, ROOT, TICKED, write
from .model_evidence import GOOD, researched, save_version

LAUNCH = "3-production/launch.md"
HANDOVER = "4-operation/HANDOVER.md"
RECORD = "reports/monitoring/2026-02-01-2026-03-01.json"


@pytest.fixture
def operated(tmp_path):
    """Return the settings of a project that is live, watched and handed over."""
    settings = researched(tmp_path)
    registry.make_live(settings, save_version(settings, GOOD))
    registry.launch(settings)
    write(tmp_path, LAUNCH, HEADER + TICKED)
    write(tmp_path, HANDOVER, f"## Know\n\n{HEADER}{TICKED}\n## Run\n\n{HEADER}{TICKED}")
    write(tmp_path, RECORD, json.dumps({"start": "2026-02-01", "end": "2026-03-01", "alerts": ["score"]}))
    return settings


def findings(settings):
    """Return what was found of operation."""
    return next(stage for stage in gates.read_stages(settings) if stage.folder == "4-operation").findings


def test_good_evidence_passes(operated):
    found = findings(operated)
    assert {finding.state for finding in found.values()} == {gates.State.DONE}
    assert found["monitoring ran"].evidence == "latest window 2026-02-01 to 2026-03-01, alerts: score"
    assert found["handover"].evidence == f"all 2 ticked in {HANDOVER}, last on 2026-02-01"
    assert gates.refusals(gates.read_stages(operated)) == []


def test_monitoring_that_never_ran_is_open(operated):
    (operated.root / RECORD).unlink()
    found = findings(operated)["monitoring ran"]
    assert found.state is gates.State.OPEN
    assert found.next_step.endswith(" monitor")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"start": "2026-02-01"}', '{"start": 1, "end": 2, "alerts": 3}']
)
def test_a_record_that_cannot_be_read_fails(operated, text):
    write(operated.root, RECORD, text)
    found = findings(operated)["monitoring ran"]
    assert found.state is gates.State.FAILED
    assert found.evidence.startswith(f"{RECORD}: no record of monitoring (")
    assert found.evidence.endswith("delete it and run `monitor` again")


def test_a_fallback_is_open_with_its_reason(operated):
    registry.use_fallback(operated, "the baseline did better")
    found = findings(operated)["model answers"]
    assert (found.state, found.evidence) == (gates.State.OPEN, "the fallback does: the baseline did better")


def test_a_model_that_no_longer_fits_the_contract_fails(operated):
    registry.make_live(operated, save_version(operated, GOOD, feature="gone"))
    found = findings(operated)["model answers"]
    assert found.state is gates.State.FAILED
    assert found.evidence.endswith(": learnt from gone, no longer in contract.py")


def test_items_of_every_table_count(operated):
    write(operated.root, HANDOVER, f"## Know\n\n{HEADER}{TICKED}\n## Run\n\n{HEADER}{OPEN}{TICKED}")
    found = findings(operated)["handover"]
    assert (found.evidence, found.next_step) == (f"2 of 3 ticked in {HANDOVER}", "Asked: ask them")


def test_a_tick_that_nobody_stands_behind_is_refused(operated):
    write(operated.root, HANDOVER, HEADER + TICKED.replace("Ada", ""))
    assert gates.refusals(gates.read_stages(operated)) == [
        f"4-operation: handover: {HANDOVER}, line 3: Shown: ticked without owner; add it or take the tick "
        "away"
    ]


def test_a_launch_without_a_live_model_is_refused(operated):
    registry.live_path(operated).unlink()
    refusals = gates.refusals(gates.read_stages(operated))
    assert [refusal.partition(", though")[0] for refusal in refusals] == [
        "3-production: model promoted: no model is promoted",
        "3-production: model good enough: no model is promoted",
        "3-production: gone live: no model is promoted",
    ]


def test_the_project_s_own_handover_can_be_read():
    assert checklist.read_checklist(project_settings.read_settings(root=ROOT), HANDOVER)
