"""Alerts: the life of a fault over several looks of `monitor`, who is told, and the verb `alert`."""

import json
import re
from datetime import timedelta

import pytest

from handrail.monitoring import alerts
from handrail.monitoring.alerts import Told, raise_alerts, runbook_place
from handrail.monitoring.checks import Reading, told_value
from handrail.monitoring.faults import Wrong, this_moment
from handrail.monitoring.open_alerts import open_alerts_path, read_open_alerts
from handrail.stages import handover
from handrail.stages.gates import State
from tests.engine.monitoring.test_faults import BAD, FIRING, GOOD, look
from tests.engine.support.listeners import QUOTED, TOKEN, mail_server, webhook
from tests.engine.support.lived import live_version, run
from tests.engine.support.workspaces import ANY, METRIC, NONE, PROJECT, ROOT, in_workspace

LIMITS = {"LIVE__DRIFT_LIMIT": "1000", "LIVE__MAXIMUM_AGE_DAYS": "1000"}
PREFIX = PROJECT.env_prefix
UNKNOWN = {"LIVE__MINIMUM_OUTCOMES": "1000000"}
WEEK = timedelta(days=7)


@pytest.fixture
def hook():
    with webhook() as server:
        yield server


@pytest.fixture
def empty(tmp_path, hook):
    """Return settings of a workspace in which nothing was done, that tells of alerts by a webhook."""
    return in_workspace(tmp_path / "work", webhook_url=hook.url)


def monitor(monkeypatch, settings, expected, *arguments, url="", **more):
    """Run `monitor` with this range of the metric and no other limit, and return its exit status."""
    ranges = json.dumps(dict.fromkeys(settings.live.expected, ANY) | {METRIC: expected})
    given = LIMITS | {"LIVE__EXPECTED": ranges, "WEBHOOK_URL": url} | more
    for name in UNKNOWN:
        monkeypatch.delenv(f"{PREFIX}{name}", raising=False)
    return run(monkeypatch, settings, "monitor", *arguments, **given)


def journal(settings):
    path = settings.workspace / "reports" / "alerts.jsonl"
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def states(hook):
    return [(message["state"], [each["figure"] for each in message["faults"]]) for message in hook.received]


def test_the_life_of_a_fault(month, hook, monkeypatch, capsys):
    told, still, over = (state := lambda name: (name, [METRIC]))("firing"), state("reminder"), state("over")
    assert monitor(monkeypatch, month, NONE, url=hook.url) == 3
    assert monitor(monkeypatch, month, NONE, url=hook.url) == 3
    assert states(hook) == [told]
    assert capsys.readouterr().err.count(f"{METRIC} is ") == 2  # who looks on sees it each time
    monkeypatch.setattr(alerts, "this_moment", lambda: this_moment() + WEEK)
    assert monitor(monkeypatch, month, NONE, url=hook.url) == 3
    assert states(hook) == [told, still]
    assert monitor(monkeypatch, month, ANY, url=hook.url, **UNKNOWN) == 0
    assert states(hook) == [told, still]
    day = month.dates.live_from.isoformat()
    assert monitor(monkeypatch, month, ANY, "--from", day, "--to", "2014-01-01", url=hook.url) == 0
    assert len(read_open_alerts(month).faults) == 1
    assert monitor(monkeypatch, month, ANY, url=hook.url) == 0
    assert states(hook) == [told, still, over]
    assert monitor(monkeypatch, month, ANY, url=hook.url) == 0
    assert states(hook) == [told, still, over]
    assert len({each["faults"][0]["id"] for each in hook.received}) == 1
    assert len({each["id"] for each in hook.received}) == 3
    first, _, last = hook.received
    assert first["version"] == live_version(month).name
    assert first["faults"][0]["runbook"].startswith("4-operation/runbook.md#")
    assert first["faults"][0]["range"] == list(NONE)
    assert last["text"].startswith(f"over after 7 days: {METRIC} is ")
    (ended,) = last["faults"]
    assert ended["range"] == list(ANY)
    assert f"{METRIC} is {told_value(METRIC, ended['value'])}" in last["text"]
    assert (last["alerts"], journal(month)[-1]["over"]) == ([], [last["text"]])


def test_what_is_over_is_told_to_who_looks_on(month, monkeypatch, capsys):
    monitor(monkeypatch, month, NONE)
    capsys.readouterr()
    assert monitor(monkeypatch, month, ANY) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert f"\nover after a minute: {METRIC} is " in said.out


@pytest.mark.parametrize("arguments", [["--from", "2013-09-01", "--to", "2013-10-01"], ["--relive"]])
def test_a_look_at_the_past_begins_no_fault_and_sends_nothing(arguments, month, hook, monkeypatch):
    assert monitor(monkeypatch, month, NONE, *arguments, url=hook.url) == 3
    assert (hook.received, read_open_alerts(month).faults) == ([], ())
    kind = "relived" if arguments == ["--relive"] else "back"
    assert [entry[kind] for entry in journal(month)] == [True]


def test_a_check_that_fails_is_told_without_what_it_said(month, hook):
    failed = "monitor/checks.py: own: ConversionException: 'Ada Lovelace' is no number"
    settings = month.model_copy(update={"webhook_url": hook.url})
    assert raise_alerts(settings, look(GOOD, problems=(failed,))).alerts == ()
    (message,) = hook.received
    assert message["text"] == "the check own could not be run; what `monitor` printed says why"
    assert message["faults"][0]["runbook"] == "4-operation/runbook.md#a-check-could-not-be-run"
    written = b"".join(path.read_bytes() for path in (month.workspace / "reports").rglob("*.json*"))
    assert b"Lovelace" not in written


def test_where_monitor_can_not_look_somebody_hears_of_it(month, hook, monkeypatch, capsys):
    live = month.workspace / "models" / "live.json"
    kept = live.read_bytes()
    live.unlink()
    for _ in range(2):
        assert monitor(monkeypatch, month, ANY, url=hook.url) == 1
        assert "no model is live yet" in capsys.readouterr().err
    assert monitor(monkeypatch, month, ANY, "--from", "2013-09-01", url=hook.url) == 1
    live.write_bytes(kept)
    assert monitor(monkeypatch, month, ANY, url=hook.url) == 0
    assert states(hook) == [("firing", ["monitor"]), ("over", ["monitor"])]
    assert hook.received[0]["faults"][0]["runbook"] == "4-operation/runbook.md#monitor-could-not-look"


@pytest.mark.parametrize(("expected", "status"), [(ANY, 0), (NONE, 3)])
def test_an_address_that_can_not_be_used_changes_no_exit_status(expected, status, month, monkeypatch, capsys):
    assert monitor(monkeypatch, month, expected, url=f"hooks.example/{TOKEN}") == status
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith(
        f"error: {PREFIX}WEBHOOK_URL: " + ("can't be used" if status == 0 else "not delivered (can't be used")
    )
    assert TOKEN not in said.out + said.err
    assert len(read_open_alerts(month).outbox) == (1 if status else 0)


def test_what_a_webhook_gets_of_several_faults(empty, hook):
    drift = Reading("drift of <b>\nx", 0.4, 0.0, 0.25, "alert")
    lines = [*raise_alerts(empty, look(BAD, drift)).alerts]
    (message,) = hook.received
    assert message["project"] == f"{empty.name} (sample 20000)"
    assert lines == [FIRING[1], "2026-02-01 to 2026-03-01: drift of <b> x is 0.400, expected 0 to 0.25"]
    assert (message["text"], message["alerts"]) == ("\n".join(lines), lines)
    assert [each["value"] for each in message["faults"]] == [0.65, 0.4]
    (entry,) = journal(empty)
    assert entry == {"at": message["at"], "version": "v1", "alerts": lines}


def test_without_a_channel_nothing_waits_and_the_log_has_it(tmp_path):
    settings = in_workspace(tmp_path)
    assert raise_alerts(settings, look(BAD)) == Told((FIRING[1],))
    state = read_open_alerts(settings)
    assert ([fault.wrong.name for fault in state.faults], state.outbox) == (["roc_auc"], ())
    assert [entry["alerts"] for entry in journal(settings)] == [[FIRING[1]]]


def test_what_only_tells_that_a_fault_is_over_is_no_alert_that_was_rehearsed(tmp_path):
    settings = in_workspace(tmp_path)
    raise_alerts(settings, look(BAD), past="relived")
    raise_alerts(settings, look(BAD), past="back")
    assert handover.alert_rehearsed(settings).state is not State.DONE
    raise_alerts(settings, look(BAD))
    assert handover.alert_rehearsed(settings).state is State.DONE
    path = settings.workspace / "reports" / "alerts.jsonl"
    path.unlink()
    raise_alerts(settings, look(GOOD))
    assert [(entry["alerts"], len(entry["over"])) for entry in journal(settings)] == [([], 1)]
    assert handover.alert_rehearsed(settings).evidence == "no alert was ever raised"


def test_the_log_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(alerts, "JOURNAL_LINES", 20)
    settings = in_workspace(tmp_path)
    for number in range(60):
        raise_alerts(settings, look(Reading(f"r{number}", 1, 2, 3, "alert")), past="relived")
        assert len(journal(settings)) <= 22
    assert journal(settings)[-1]["alerts"] == ["2026-02-01 to 2026-03-01: r59 is 1.000, expected 2 to 3"]


@pytest.mark.parametrize(
    ("kind", "name", "anchor"),
    [
        ("reading", METRIC, METRIC),
        ("reading", "another_metric", "%"),
        ("reading", "outcomes overdue", "outcomes-overdue"),
        ("reading", "drift of prediction", "drift-of-prediction"),
        ("reading", "drift of temp", "drift-of-a-feature"),
        ("reading", "age of the model in days", "age-of-the-model-in-days"),
        ("reading", "something of one's own", "alerts-of-monitor"),
        ("canary", "roc_auc gained by the canary", "the-accuracy-of-the-canary"),
        ("baseline", "baseline against model", "the-baseline-did-better"),
        ("doubt", "outcomes in doubt", "outcomes-in-doubt"),
        ("check", "own", "a-check-could-not-be-run"),
        ("monitor", "monitor", "monitor-could-not-look"),
    ],
)
def test_a_fault_has_its_place_in_the_runbook(kind, name, anchor, tmp_path):
    settings = in_workspace(tmp_path)
    wrong = Wrong(kind=kind, name=name, text="")
    found = runbook_place(settings, wrong, ["another_metric"])
    path, _, place = found.partition("#")
    runbook = (ROOT / path).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", runbook, re.MULTILINE)
    assert place in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert place == anchor or ", or another measure" in runbook or place.startswith(anchor)


def test_a_section_may_be_of_several_figures_or_of_one_for_each_feature(tmp_path):
    settings = in_workspace(tmp_path).model_copy(update={"root": tmp_path})
    (tmp_path / "4-operation").mkdir()
    (tmp_path / alerts.RUNBOOK).write_text(
        "### traffic; days without any\n\n### missing values of a feature\n"
    )
    for name, anchor in {
        "days without any": "traffic-days-without-any",
        "traffic": "traffic-days-without-any",
        "missing values of temp": "missing-values-of-a-feature",
        "values": "alerts-of-monitor",
    }.items():
        place = runbook_place(settings, Wrong(kind="reading", name=name, text=""))
        assert place == f"{alerts.RUNBOOK}#{anchor}"


def test_without_a_runbook_there_is_no_place(tmp_path):
    nowhere = in_workspace(tmp_path).model_copy(update={"root": tmp_path})
    assert runbook_place(nowhere, Wrong(kind="reading", name="x", text="")) == ""


def verb(monkeypatch, settings, *arguments, **environment):
    given = {"WEBHOOK_URL": "", "SMTP_URL": ""} | environment
    return run(monkeypatch, settings, "alert", *arguments, **given)


def test_a_test_goes_by_every_channel_and_is_no_fault(tmp_path, hook, monkeypatch, capsys):
    settings = in_workspace(tmp_path / "work")
    to = {"ALERTS__EMAIL_FROM": "a@mail.example", "ALERTS__EMAIL_TO": '["b@mail.example"]'}
    with mail_server(tmp_path, monkeypatch) as mails:
        given = {"WEBHOOK_URL": hook.url, "SMTP_URL": mails.url, **to}
        assert verb(monkeypatch, settings, "--test", **given) == 0
        assert capsys.readouterr().out == (f"{PREFIX}WEBHOOK_URL: delivered\n{PREFIX}SMTP_URL: delivered\n")
        hook.status, mails.refused = 404, ("b@mail.example",)
        assert verb(monkeypatch, settings, "--test", **given) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"error: {PREFIX}WEBHOOK_URL: not delivered (answered 404 Not Found)",
        f"error: {PREFIX}SMTP_URL: not delivered (refuses every address of alerts.email_to)",
    ]
    assert hook.received[0]["text"] == "A test: nothing is wrong. Alerts come this way."
    assert (hook.received[0]["state"], len(mails.received)) == ("test", 1)
    assert not (settings.workspace / "reports").exists()


def test_a_test_says_what_to_set_where_nothing_is_set(tmp_path, monkeypatch, capsys):
    assert verb(monkeypatch, in_workspace(tmp_path), "--test") == 1
    assert capsys.readouterr().err == (
        f"error: nobody is told: set {PREFIX}WEBHOOK_URL to the address of a webhook, or {PREFIX}SMTP_URL "
        "to a mail server, as smtp://user:password@host:587, where `monitor` runs\n"
    )


def test_alert_shows_what_is_open_and_delivers_what_waits(empty, hook, monkeypatch, capsys):
    hook.status = 500
    raise_alerts(empty, look(BAD))
    assert verb(monkeypatch, empty, WEBHOOK_URL=hook.url) == 1
    said = capsys.readouterr()
    since = f"{read_open_alerts(empty).faults[0].since:%Y-%m-%d %H:%M} UTC"
    assert re.search(rf"^roc_auc +{since} +{since} +{re.escape(FIRING[1][:10])}", said.out, re.MULTILINE)
    assert "delivered: 0 of 1 messages" in said.out
    assert "not delivered (answered 500 Internal Server Error); 1 message waits" in said.err
    assert TOKEN not in said.out + said.err
    hook.status = 200
    assert verb(monkeypatch, empty, WEBHOOK_URL=hook.url) == 0
    assert "delivered: 1 of 1 messages" in capsys.readouterr().out
    raise_alerts(empty, look(GOOD))
    assert verb(monkeypatch, empty, WEBHOOK_URL=hook.url) == 0
    assert capsys.readouterr().out == "no fault is open\n"


def test_a_fault_that_nothing_judges_any_more_is_closed_by_hand(empty, hook, monkeypatch, capsys):
    raise_alerts(empty, look(BAD))
    assert verb(monkeypatch, empty, "--close", "precision", WEBHOOK_URL=hook.url) == 1
    assert capsys.readouterr().err == ("error: --close precision: no such fault is open; open are: roc_auc\n")
    assert verb(monkeypatch, empty, "--close", "roc_auc", WEBHOOK_URL=hook.url) == 0
    said = "closed by hand after a minute: roc_auc"
    assert said in capsys.readouterr().out
    assert (hook.received[-1]["state"], hook.received[-1]["text"]) == ("over", said)
    assert journal(empty)[-1]["over"] == [said]
    assert verb(monkeypatch, empty, "--close", "x", "--test") == 2


def test_what_was_closed_by_hand_is_told_again_only_when_it_was_over_meanwhile(empty, hook, monkeypatch):
    raise_alerts(empty, look(BAD))
    verb(monkeypatch, empty, "--close", "roc_auc", WEBHOOK_URL=hook.url)
    count = len(hook.received)
    for seen in (look(BAD), look(), look(BAD)):  # the mended outage is still in the window
        told = raise_alerts(empty, seen)
        assert (told.alerts, told.over) == ((), ())
    assert told.closed == (FIRING[1],)
    assert (len(hook.received), read_open_alerts(empty).faults) == (count, ())
    other = Reading("roc_auc", 0.99, 0.7, 0.9, "alert")
    assert raise_alerts(empty, look(other)).alerts == (
        f"{FIRING[1][:26]}roc_auc is 0.990, expected 0.7 to 0.9",
    )
    assert raise_alerts(empty, look(GOOD)).closed == ()
    assert raise_alerts(empty, look(BAD)).alerts == (FIRING[1],)
    assert [message["state"] for message in hook.received[count:]] == ["firing", "over", "firing"]


def test_no_address_is_in_any_file(empty, hook, monkeypatch, capsys):
    hook.status = 500
    settings = empty.model_copy(update={"smtp_url": f"smtp://{QUOTED}@127.0.0.1:1"})
    raised = raise_alerts(settings, look(BAD))
    lines = [*raised.alerts, *raised.undelivered]
    assert len(lines) == 3
    verb(monkeypatch, settings, WEBHOOK_URL=hook.url, SMTP_URL=settings.smtp_url)
    written = [path for path in settings.workspace.rglob("*") if path.is_file()]
    assert open_alerts_path(settings) in written
    told = "\n".join([*lines, *capsys.readouterr(), *(path.read_text(encoding="utf-8") for path in written)])
    for secret in (TOKEN, TOKEN.partition("/")[0] + "/", QUOTED, "p@ss", "127.0.0.1"):
        assert secret not in told
