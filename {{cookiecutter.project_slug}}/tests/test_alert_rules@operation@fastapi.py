"""The rules for Prometheus read figures that the service gives, fire when they should, and are explained."""

import re
import shutil
import subprocess

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
    assert all(label in figures for label in re.findall(r'\w+="[^"]*"', rule["expr"]))
    runbook = (FOLDER / "runbook.md").read_text(encoding="utf-8")
    section = runbook.partition(f"### {rule['alert']}\n")[2].partition("\n#")[0]
    assert re.findall(r"\*\*(\w+)\.\*\*", section) == ["Means", "Look", "Do"]
    assert rule["annotations"]["runbook"].endswith(f"#{rule['alert'].lower()}")


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("promtool"), reason="no promtool; Debian has it in its package prometheus"
)
@pytest.mark.parametrize("what", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]])
def test_promtool_finds_the_rules_right_and_that_each_fires_and_stays_silent(what):
    tried = subprocess.run(["promtool", *what], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr
