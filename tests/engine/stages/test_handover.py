"""The gate of operation: monitoring ran, the model answers, the handover is signed item by item."""

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest

from handrail import cli
from handrail.errors import ProjectError
from handrail.etl.pipeline import run_etl
from handrail.monitoring.alerts import raise_alerts
from handrail.monitoring.checks import Reading
from handrail.monitoring.open_alerts import read_open_alerts
from handrail.registry import live as registry
from handrail.registry.canary import end_canary, start_canary
from handrail.registry.history import tried_since
from handrail.stages import checklist, dry_run, gates, handover, operation, project_copy, status_page
from handrail.training import retraining_log
from tests.engine.monitoring.test_faults import BAD, look
from tests.engine.support.evidence import HEADER, asked, ticked, write
from tests.engine.support.lived import run
from tests.engine.support.model_evidence import GOOD, researched, save_version
from tests.engine.support.names import ENV_PREFIX, PROGRAM
from tests.engine.support.workspaces import PROJECT, with_given

LAUNCH = "3-production/launch.md"
HANDOVER = "4-operation/HANDOVER.md"
STEPS = ("Staging", "Trial", "Feedback", "Dashboards", "Way back", "Live")
SCORE = {"at": "2026-02-02T10:00:00+00:00", "score": 7, "sections": {"data": 7}, "failed": []}
RECORD = "reports/monitoring/2026-02-01-2026-03-01.json"


@pytest.fixture
def operated(tmp_path):
    """Return the settings of a project that is live, watched and handed over."""
    settings = researched(tmp_path)
    registry.make_live(settings, save_version(settings, GOOD))
    version = registry.launch(settings)
    write(tmp_path, "reports/readiness.json", json.dumps(SCORE | {"version": version}))
    write(tmp_path, LAUNCH, HEADER + ticked(*STEPS))
    first, *others = ITEMS
    write(tmp_path, HANDOVER, f"## Know\n\n{HEADER}{ticked(first)}\n## Run\n\n{HEADER}{ticked(*others)}")
    write(tmp_path, RECORD, json.dumps({"start": "2026-02-01", "end": "2026-03-01", "alerts": ["score"]}))
    return settings


ITEMS = operation.handover_items(PROJECT.settings())


def findings(settings):
    """Return what was found of operation."""
    return next(stage for stage in gates.read_stages(settings) if stage.folder == "4-operation").findings


def test_good_evidence_passes(operated):
    found = findings(operated)
    assert {finding.state for finding in found.values()} == {gates.State.DONE}
    assert found["monitoring ran"].evidence == "latest window 2026-02-01 to 2026-03-01, alerts: score"
    assert found["handover"].evidence == f"all {len(ITEMS)} ticked in {HANDOVER}, last on 2026-02-01"
    assert gates.refusals(gates.read_stages(operated)) == []


def facts(settings):
    """Return what is told of operation besides."""
    return next(stage for stage in gates.read_stages(settings) if stage.folder == "4-operation").facts


def test_status_tells_of_no_canary_and_no_retraining(operated, monkeypatch, capsys):
    quiet = {
        "last etl": facts(operated)["last etl"],
        "alerts": "none is open",
        "canary": "none is tried",
        "last retraining": "none yet",
    }
    assert facts(operated) == quiet
    assert run(monkeypatch, operated, "status") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in said if line.startswith(" " * 10 + "canary")] == [
        ["canary", "none is tried"]
    ]


def test_status_tells_of_a_canary_its_share_since_when_and_its_figures(
    operated, monkeypatch, capsys, tmp_path
):
    first = registry.read_live(operated).versions[-1]
    second = save_version(operated, GOOD | {"seed": 1})
    start_canary(operated, second, 0.1)
    began = tried_since(operated, second)
    since = f"{second} answers 10% of what is asked beside {first} since {began[:10]} {began[11:16]} UTC; "
    assert facts(operated)["canary"].startswith(f"{since}no look since then; uv run {PROGRAM} monitor")
    usual = {
        "start": "2026-02-01",
        "end": "2026-03-01",
        "version": first,
        "rows": 10,
        "outcomes": 8,
        "why": "",
    }
    usual |= {"figure": operation.canary_reading(operated), "low": -0.01, "high": None, "state": "ok"}
    now, lines = datetime.now(UTC), []
    for hours, value, of in ((-48, 0.5, "latest"), (1, 0.02, "latest"), (2, 0.3, "back")):
        lines.append(usual | {"at": (now + timedelta(hours=hours)).isoformat(), "value": value, "of": of})
    write(tmp_path, "reports/monitoring/series.ndjson", "".join(f"{json.dumps(line)}\n" for line in lines))
    looked = (now + timedelta(hours=1)).date()
    told = f"{since}{usual['figure']} 0.020, at least -0.01: ok, looked at on {looked}"
    assert facts(operated)["canary"] == told
    assert told.replace("<", "&lt;") in status_page.page(operated, gates.read_stages(operated), looked)
    end_canary(operated, "canary withdrawn")
    day = datetime.now(UTC).date()
    gone = f"none is tried; {second} was tried as a canary and withdrawn on {day} (canary withdrawn)"
    assert facts(operated)["canary"] == gone
    third = save_version(operated, GOOD | {"seed": 2})
    monkeypatch.setattr(registry, "datetime", Later)
    registry.make_live(operated, third)
    assert facts(operated)["canary"] == "none is tried"


class Later(datetime):
    """A clock that is an hour ahead."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=1)


def test_status_tells_that_the_last_etl_was_refused_and_why(operated):
    def refuse(settings, on_step):
        raise ProjectError(["flights.csv: line 3: 4 fields where 5 are", "flights.csv: line 9"])

    spoilt = with_given(operated, run_etl=refuse)
    with pytest.raises(ProjectError):
        run_etl(spoilt, print)
    told = facts(operated)["last etl"]
    assert re.fullmatch(
        r"refused 20\S+ \S+ UTC: flights.csv: line 3: 4 fields where 5 are \(and 1 more\); before that, "
        r"loaded 20\S+ \S+ UTC",
        told,
    )
    run_etl(with_given(operated, run_etl=lambda settings, on_step: None), print)
    assert re.fullmatch(r"loaded 20\S+ \S+ UTC", facts(operated)["last etl"])


def test_status_tells_which_alerts_are_open(operated):
    raise_alerts(operated, look(BAD, Reading("drift of temp", 3.0, 0.0, 0.25, "alert")))
    since = f"{read_open_alerts(operated).faults[0].since:%Y-%m-%d %H:%M} UTC"
    assert facts(operated)["alerts"] == (
        f"roc_auc since {since}; drift of temp since {since}; uv run {PROGRAM} alert shows them, "
        "4-operation/runbook.md says what to do"
    )


def test_status_tells_what_came_of_the_last_retraining(operated):
    retraining_log.log_retraining(operated, {"verdict": "failed", "version": None, "why": ["no space left"]})
    why = ["2026-02: late is 0.8", "rows missing"]
    retraining_log.log_retraining(operated, {"verdict": "refused", "version": None, "why": why})
    now = datetime.now(UTC)
    assert facts(operated)["last retraining"].startswith(f"{now:%Y-%m-%d} ")
    assert facts(operated)["last retraining"].endswith(" UTC, refused: 2026-02: late is 0.8 (and 1 more)")
    retraining_log.log_retraining(operated, {"verdict": "canary", "version": "2026-01-01-aa", "why": ()})
    assert facts(operated)["last retraining"].endswith(" UTC, canary of 2026-01-01-aa")
    with retraining_log.retraining_log_path(operated).open("a") as log:
        log.write('{"at": 3}\n')
    assert facts(operated)["last retraining"].endswith(
        "reports/retraining.jsonl: its last line can't be read; delete it"
    )
    assert gates.refusals(gates.read_stages(operated)) == []


def test_monitoring_that_never_ran_is_open(operated):
    (operated.root / RECORD).unlink()
    found = findings(operated)["monitoring ran"]
    assert found.state is gates.State.OPEN
    assert found.next_step.endswith(" monitor")


@pytest.mark.parametrize("kept", ["in the record", "by the file"])
def test_a_look_that_is_older_than_it_covers_is_open_with_its_age(operated, kept):
    path = operated.root / RECORD
    record = json.loads(path.read_text(encoding="utf-8"))
    for days, state in ((31, gates.State.OPEN), (30, gates.State.DONE)):
        at = datetime.now(UTC) - timedelta(days=days, minutes=5)
        if kept == "in the record":
            path.write_text(json.dumps(record | {"at": at.isoformat()}), encoding="utf-8")
        else:
            os.utime(path, (at.timestamp(), at.timestamp()))
        found = findings(operated)["monitoring ran"]
        assert found.state is state, days
        past = f", but that was {days} days ago, on {at.date()}; a look covers 30"
        told = past if state is gates.State.OPEN else ", alerts: score"
        assert found.evidence == f"latest window 2026-02-01 to 2026-03-01{told}"
        assert found.next_step.endswith(" monitor") or state is gates.State.DONE
        assert handover.CHECKS["Monitored"](operated) == found


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
    own = f"{HEADER}{asked('Own')}{ticked(*ITEMS[1:])}"
    write(operated.root, HANDOVER, f"## Know\n\n{HEADER}{ticked(ITEMS[0])}\n## Run\n\n{own}")
    found, count = findings(operated)["handover"], len(ITEMS)
    assert found.evidence == f"{count} of {count + 1} ticked in {HANDOVER}"
    assert found.next_step == "Own: ask them"


def test_a_handover_cut_short_is_none(operated, monkeypatch, capsys):
    write(operated.root, HANDOVER, HEADER + ticked(*ITEMS[:-2]))
    found = findings(operated)["handover"]
    said = (
        f"{HANDOVER}: not in the list any more: {', '.join(ITEMS[-2:])}; put it back, and tick what does not "
        "apply with the reason as its evidence"
    )
    assert (found.state, found.evidence) == (gates.State.FAILED, said)
    assert run(monkeypatch, operated, "handover") == 1
    assert f"error: {said}\n" in capsys.readouterr().err


def test_months_that_were_lived_again_show_nobody_who_looks(operated):
    path = operated.root / RECORD
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(record | {"relived": True}), encoding="utf-8")
    found = findings(operated)["monitoring ran"]
    assert (found.state, found.evidence) == (gates.State.OPEN, "only of months that were lived again")
    write(operated.root, "reports/monitoring/2026-01-01-2026-02-01.json", json.dumps(record))
    assert findings(operated)["monitoring ran"].state is gates.State.DONE


def test_a_look_back_is_no_monitoring(operated):
    path = operated.root / RECORD
    record = json.loads(path.read_text(encoding="utf-8"))
    write(
        operated.root,
        "reports/monitoring/2026-03-01-2026-04-01-back.json",
        json.dumps(record | {"newest": False}),
    )
    found = findings(operated)["monitoring ran"]
    assert (found.state, "2026-03-01" in found.evidence.partition(" to ")[0]) == (gates.State.DONE, False)
    path.write_text(json.dumps(record | {"newest": False}), encoding="utf-8")
    found = findings(operated)["monitoring ran"]
    assert (found.state, found.evidence) == (gates.State.OPEN, "only of looks back")


def test_a_tick_that_nobody_stands_behind_is_refused(operated):
    write(operated.root, HANDOVER, HEADER + ticked("Shown").replace("Ada", ""))
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
    assert checklist.read_checklist(PROJECT.settings(), HANDOVER)


LOGS = {
    "reports/alerts.jsonl": [{"at": "2026-02-02T10:00:00+00:00"}],
    "data/lifecycle.jsonl": [{"at": "2026-02-03T10:00:00+00:00", "action": "purge", "by": "ada"}],
    "models/history.jsonl": [
        {"at": "2026-02-01T10:00:00+00:00", "reason": "promoted", "live": "first"},
        {"at": "2026-02-04T10:00:00+00:00", "reason": "rolled back", "live": "first"},
        {"at": "2026-02-05T10:00:00+00:00", "reason": "promoted", "live": "second"},
    ],
}
COMMANDS = ("rollback", "train --until 2013-11-01")
FOUND = {
    "Installed": "on 2026-02-06: 5 passed in 1.00s",
    "Model trained": "2 versions promoted, the last on 2026-02-05",
    "Rolled back": "back on 2026-02-04, forward on 2026-02-05",
    "Monitored": "latest window 2026-02-01 to 2026-03-01, alerts: score",
    "Alert rehearsed": "an alert on 2026-02-02",
    "Data kept and deleted": "purge on 2026-02-03",
    "Runbook tried": "on 2026-02-06: each of 2 commands works on a copy",
}


def rehearsed(tests="5 passed in 1.00s", passed=True, broken=()):
    """Return a rehearsal of COMMANDS as a file: its name and text."""
    tried = [
        {"command": each, "works": each not in broken, "said": "no" if each in broken else "done"}
        for each in COMMANDS
    ]
    told = {"command": "pytest", "works": passed, "said": tests}
    record = {"at": "2026-02-06T10:00:00+00:00", "tests": told, "commands": tried}
    return "reports/rehearsal.json", json.dumps(record)


def runbook(*commands):
    """Return a runbook with these commands: its name and text."""
    return dry_run.RUNBOOK, "\n".join(f"`uv run {PROGRAM} {each}`" for each in commands)


@pytest.fixture
def shown(operated):
    """Return the settings of a project with evidence of every item, each of them ticked."""
    for name, lines in LOGS.items():
        write(operated.root, name, "".join(json.dumps(line) + "\n" for line in lines))
    write(operated.root, "pyproject.toml", '[project]\nauthors = [{ name = "Grace" }]\n')
    write(operated.root, *rehearsed())
    write(operated.root, *runbook(*COMMANDS))
    write(operated.root, HANDOVER, HEADER + ticked(*ITEMS))
    return operated


def test_what_a_machine_finds_of_the_handover(shown):
    rows = handover.rows(shown)
    assert {row.name: row.found.evidence for row in rows} == FOUND
    assert {(row.found.state, row.item.owner) for row in rows} == {(gates.State.DONE, "Ada")}
    assert [*handover.contradictions(rows), *handover.by_its_author(shown, rows)] == []


def test_the_author_is_not_the_one_to_train_again(shown, monkeypatch, capsys):
    write(shown.root, "pyproject.toml", '[project]\nauthors = [{ name = "Ada" }]\n')
    assert run(monkeypatch, shown, "handover") == 1
    said = f"error: {HANDOVER}: Model trained: Ada built it; let somebody else do it\n"
    assert capsys.readouterr().err == said


def history(*lines):
    """Return the history of versions, each line as its reason and what is live then."""
    at = "2026-02-04T10:00:00+00:00"
    told = (json.dumps({"at": at, "reason": reason, "live": name}) + "\n" for reason, name in lines)
    return "models/history.jsonl", "".join(told)


def past_alert(kind):
    """Return the log of an alert of a look at the past: its name and text."""
    line = {"at": "2026-02-04T10:00:00+00:00", "alerts": ["score"], kind: True}
    return "reports/alerts.jsonl", f"{json.dumps(line)}\n"


BACK = (("promoted", "a"), ("promoted", "b"), ("rolled back", "a"))
FORTH = (("rolled back", "a"), ("promoted", "a"))
NOT_REHEARSED = f"{dry_run.RUNBOOK}: not rehearsed: dance"
BROKEN = f"{dry_run.RUNBOOK}: does not work: rollback: no"


@pytest.mark.parametrize(
    ("item", "broken", "evidence"),
    [
        ("Installed", rehearsed("1 failed", passed=False), "the tests fail here: 1 failed"),
        ("Model trained", history(*FORTH), "no second version was ever promoted"),
        ("Rolled back", history(*BACK[:2]), "no version was ever rolled back"),
        ("Rolled back", history(*BACK), "nothing was promoted after the rollback"),
        ("Alert rehearsed", ("reports/alerts.jsonl", ""), "no alert was ever raised"),
        ("Alert rehearsed", past_alert("relived"), "only by looks at the past"),
        ("Alert rehearsed", past_alert("back"), "only by looks at the past"),
        ("Data kept and deleted", ("data/lifecycle.jsonl", ""), "nothing was ever archived or deleted"),
        ("Runbook tried", (dry_run.RUNBOOK, "# Empty"), f"{dry_run.RUNBOOK}: it has no command"),
        ("Runbook tried", runbook(*COMMANDS, "dance"), NOT_REHEARSED),
        ("Runbook tried", rehearsed(broken=["rollback"]), BROKEN),
    ],
)
def test_a_tick_that_nothing_shows_is_refused(shown, item, broken, evidence):
    write(shown.root, *broken)
    (said,) = handover.contradictions(handover.rows(shown))
    assert said.startswith(f"{HANDOVER}: {item}: ticked by Ada, but {evidence}; ")


def test_a_rollback_that_was_followed_by_a_promotion_is_one_whatever_came_after(shown):
    write(shown.root, *history(*BACK, ("promoted", "b"), ("rolled back", "a")))
    assert handover.contradictions(handover.rows(shown)) == []


def test_an_item_that_is_not_ticked_is_no_contradiction(shown, monkeypatch, capsys):
    write(shown.root, "reports/alerts.jsonl", "")
    write(shown.root, HANDOVER, HEADER + asked(*ITEMS))
    assert run(monkeypatch, shown, "handover") == 0
    assert "Alert rehearsed" in capsys.readouterr().out


def test_a_log_that_cannot_be_read_is_one_line(shown, monkeypatch, capsys):
    write(shown.root, "reports/alerts.jsonl", "{")
    assert run(monkeypatch, shown, "handover") == 1
    assert capsys.readouterr().err.endswith("alerts.jsonl: not readable; mend the line that is no JSON\n")


def test_without_a_rehearsal_nobody_knows(shown):
    (shown.root / "reports/rehearsal.json").unlink()
    said = handover.contradictions(handover.rows(shown))
    assert [line.split(" but ")[1].partition(";")[0] for line in said] == [
        "nothing was rehearsed here",
        f"{dry_run.RUNBOOK}: not rehearsed: {', '.join(COMMANDS)}",
    ]


def test_a_rehearsal_that_cannot_be_read_is_one_line(shown, monkeypatch, capsys):
    write(shown.root, "reports/rehearsal.json", "[]")
    assert run(monkeypatch, shown, "handover") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: reports/rehearsal.json: no rehearsal (")
    assert said.endswith("handover --rehearse\n")


def test_the_project_s_own_runbook_and_list_fit():
    own = PROJECT.settings()
    lines = dry_run.commands_of(own)
    assert {"rollback", "retrain", "replay"} <= set(lines)
    assert [line for line in lines if not cli.accepts(PROJECT, *_split(line))] == []
    assert set(handover.CHECKS) <= set(ITEMS)
    assert set(ITEMS) == {item.item for item in checklist.read_checklist(own, HANDOVER)}


def _split(line):
    verb, *arguments = line.split()
    return verb, arguments


def everything_in(root):
    """Return the content of every file."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_rehearsal_runs_the_tests_and_each_command_on_a_copy(shown, monkeypatch, capsys):
    """The rollback is real, in the copy: the project itself stays as it is."""
    write(shown.root, "tests/test_one.py", "def test_one():\n    assert 1 + 1 == 2\n")
    write(shown.root, HANDOVER, HEADER + asked(*ITEMS))
    blank = "train --until YEAR-MONTH-DAY"
    write(shown.root, *runbook("rollback", "status", "rollback", "dance", "train --soon", blank))
    former = registry.read_live(shown).versions
    registry.make_live(shown, save_version(shown, GOOD | {"value": 0.74}))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    before = everything_in(shown.root)
    assert run(monkeypatch, shown, "handover", "--rehearse") == 1
    failed = capsys.readouterr().err
    assert f"{dry_run.RUNBOOK}: `dance` does not work: there is no such command\n" in failed
    assert f"{dry_run.RUNBOOK}: `train --soon` does not work: there is no such command\n" in failed
    said = "write a day in place of YEAR-MONTH-DAY in runbook.md"
    assert f"{dry_run.RUNBOOK}: `{blank}` does not work: {said}\n" in failed
    assert failed.count("does not work") == 3
    path = dry_run.dry_run_path(shown)
    kept = dry_run.DryRun.model_validate_json(path.read_bytes())
    assert kept.tests.said.startswith("1 passed in ")
    assert [(each.command, each.works) for each in kept.commands] == [
        ("rollback", True),
        ("status", True),
        ("dance", False),
        ("train --soon", False),
        (blank, False),
    ]
    assert former[-1] in kept.commands[0].said
    assert everything_in(shown.root) | {path: before[path]} == before


def test_a_version_to_go_back_from_is_made_in_the_copy_alone(shown, tmp_path):
    """A project with one promotion has no earlier version; the rehearsal makes a second one, on top."""
    before = everything_in(shown.root)
    only = registry.read_live(shown).versions
    there = project_copy.copy_project(shown, tmp_path / "copy").settings
    assert project_copy.give_second_version(there)
    assert len(registry.read_live(there).versions) == 2
    version, live = registry.load_live(there)
    assert (version.info["copy_of"], live.launched) == (only[0], True)
    assert not project_copy.give_second_version(there)
    assert registry.roll_back(there, lambda earlier: None) == only[0]
    registry.live_path(there).unlink()
    assert not project_copy.give_second_version(there)
    assert everything_in(shown.root).items() >= before.items()
    assert registry.read_live(shown).versions == only


@pytest.mark.slow
def test_the_rollback_of_a_project_with_one_promotion_is_rehearsed(shown, tmp_path):
    (only,) = registry.read_live(shown).versions
    there = project_copy.copy_project(shown, tmp_path / "copy")
    tried = dry_run.attempt(there, "rollback")
    assert (tried.works, only in tried.said) == (True, True), tried.said
    assert registry.read_live(there.settings).versions == (only,)


@pytest.mark.slow
def test_tests_and_commands_that_fail_are_told(shown, monkeypatch, capsys):
    write(shown.root, "tests/test_one.py", "def test_one():\n    assert 1 + 1 == 3\n")
    write(shown.root, HANDOVER, HEADER + asked(*ITEMS))
    write(shown.root, *runbook("rollback"))
    registry.live_path(shown).unlink()
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")
    assert run(monkeypatch, shown, "handover", "--rehearse") == 1
    tests, command = capsys.readouterr().err.splitlines()
    assert tests.startswith("error: tests: `pytest` does not work: 1 failed in ")
    assert tests.endswith(": tests/test_one.py::test_one")
    assert command.startswith(f"error: {dry_run.RUNBOOK}: `rollback` does not work: models")


def test_a_copy_tells_nobody(shown, tmp_path, monkeypatch):
    for name in ("WEBHOOK_URL", "SMTP_URL"):
        monkeypatch.setenv(f"{ENV_PREFIX}{name}", "https://example.com")
    there = project_copy.copy_project(shown, tmp_path / "copy")
    ours = {name for name in there.environment if name.startswith(ENV_PREFIX)}
    assert f"{ENV_PREFIX}WORKSPACE" in ours
    assert not ours & {f"{ENV_PREFIX}WEBHOOK_URL", f"{ENV_PREFIX}SMTP_URL"}
    assert there.settings.root == tmp_path / "copy"
    assert (tmp_path / "copy" / HANDOVER).read_bytes() == (shown.root / HANDOVER).read_bytes()


def test_what_never_ends_is_not_run(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(dry_run, "NEVER_END", {"status"})
    nowhere = shown.model_copy(update={"root": tmp_path / "nowhere"})
    tried = dry_run.attempt(project_copy.ProjectCopy(nowhere, {}), "status --strict")
    assert (tried.works, tried.said) == (True, "not run, as it never ends; its options are right")
