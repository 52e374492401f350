"""The rules for Prometheus read figures that the service gives, and the runbook explains each alert."""

import re

import pytest
import yaml
from handrail.serving import Telemetry

from . import ROOT

FOLDER = ROOT / "4-operation"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_reads_figures_that_there_are_and_is_explained(rule):
    figures = Telemetry().text().decode()  # all are there before anything happens
    given = set(re.findall(r"^([a-z_]+)[ {]", figures, re.MULTILINE))
    read = set(re.findall(r"\b(?:predictions?|model|http|fallback)_[a-z_]+", rule["expr"]))
    assert read
    assert read <= given
    runbook = (FOLDER / "runbook.md").read_text(encoding="utf-8")
    section = runbook.partition(f"### {rule['alert']}\n")[2].partition("\n#")[0]
    assert re.findall(r"\*\*(\w+)\.\*\*", section) == ["Means", "Look", "Do"]
    assert rule["annotations"]["runbook"].endswith(f"#{rule['alert'].lower()}")
