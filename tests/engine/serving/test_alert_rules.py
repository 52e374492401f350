"""The rules for Prometheus name figures that the service gives, and alerts that the runbook explains."""

import re

import pytest
import yaml

from handrail.serving import telemetry
from tests.engine.support.workspaces import ROOT

FOLDER = ROOT / "4-operation"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
FIGURE = re.compile(r"\b(?:predictions?|model)_[a-z_]+")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_reads_figures_that_exist(rule):
    text = telemetry.Telemetry().text().decode()  # all of them are there before anything happens
    given = set(re.findall(r"^([a-z_]+)[ {]", text, re.MULTILINE))
    named = set(FIGURE.findall(rule["expr"]))
    assert named
    assert named <= given


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_the_runbook_explains_an_alert(rule):
    runbook = (FOLDER / "runbook.md").read_text(encoding="utf-8")
    section = runbook.partition(f"### {rule['alert']}\n")[2].partition("\n#")[0]
    assert re.findall(r"\*\*(\w+)\.\*\*", section) == ["Means", "Look", "Do"]
    assert rule["annotations"]["runbook"].endswith(f"#{rule['alert'].lower()}")
