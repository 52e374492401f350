"""The rules for Prometheus name figures that the service gives, and alerts that the runbook explains.

That each fires when it should and stays silent next to its limit is tried by Prometheus's own promtool.
"""

import re
import shutil
import subprocess
from copy import deepcopy

import pytest
import yaml

from handrail.serving import telemetry
from tests.engine.support.workspaces import ROOT

FOLDER = ROOT / "4-operation"
WRITTEN = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
RULES = WRITTEN["groups"][0]["rules"]
FIGURE = re.compile(r"\b(?:predictions?|model|http|fallback)_[a-z_]+")
PROMTOOL = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not here (Debian's package prometheus)"
)


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


def promtool(*arguments, folder=FOLDER):
    """Run promtool, and return its exit status and what it said."""
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@PROMTOOL
def test_promtool_takes_the_rules_and_what_the_service_tells():
    status, said = promtool("check", "rules", "alerts.yml")
    assert (status, f"{len(RULES)} rules found" in said) == (0, True), said
    figures = telemetry.Telemetry().text()
    assert subprocess.run(["promtool", "check", "metrics"], input=figures, check=False).returncode == 0


@PROMTOOL
@pytest.mark.slow
def test_each_rule_fires_and_stays_silent():
    status, said = promtool("test", "rules", "alerts.test.yml")
    assert status == 0, said


@PROMTOOL
@pytest.mark.slow
@pytest.mark.parametrize("instead", ["vector(1) > 2", "vector(1)"], ids=["never", "always"])
@pytest.mark.parametrize("number", range(len(RULES)), ids=[rule["alert"] for rule in RULES])
def test_a_rule_that_never_or_always_fires_is_found(number, instead, tmp_path):
    changed = deepcopy(WRITTEN)
    rule = changed["groups"][0]["rules"][number]
    rule |= {"expr": instead, "annotations": {}}
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    shutil.copy(FOLDER / "alerts.test.yml", tmp_path)
    status, said = promtool("test", "rules", "alerts.test.yml", folder=tmp_path)
    assert status == 1
    assert "FAILED" in said


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_label_that_a_rule_asks_for_is_there(rule):
    figures = telemetry.Telemetry().text().decode()
    assert [label for label in re.findall(r'\w+="[^"]*"', rule["expr"]) if label not in figures] == []
