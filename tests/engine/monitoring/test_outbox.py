"""The outbox: nothing is lost, nothing is sent twice, and what is kept has an end."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from handrail.errors import ProjectError
from handrail.monitoring import open_alerts, outbox
from handrail.monitoring.alerts import raise_failure
from handrail.monitoring.faults import this_moment
from handrail.monitoring.open_alerts import OpenAlerts, Waiting, change_open_alerts, read_open_alerts
from handrail.monitoring.outbox import deliver
from tests.engine.support.listeners import TOKEN, answer, mail_server, webhook
from tests.engine.support.workspaces import PROJECT, ROOT, in_workspace

PREFIX = PROJECT.env_prefix


@pytest.fixture
def told(tmp_path):
    """Return settings that tell of alerts by a webhook, whose address is set later."""
    return lambda url, **more: in_workspace(tmp_path / "work", webhook_url=url, **more)


def put(settings, count=1, to=("webhook",), days=0.0):
    """Put messages into the outbox, numbered on from those that are there."""

    def change(state):
        first, at = len(state.outbox), this_moment() - timedelta(days=days)
        new = [
            Waiting(id=f"m{n}", at=at, to=to, message=message(f"m{n}", at))
            for n in range(first, first + count)
        ]
        return OpenAlerts(faults=state.faults, outbox=(*state.outbox, *new))

    change_open_alerts(settings, change)


def message(name, at):
    return {"id": name, "at": at.isoformat(), "project": "p", "state": "firing", "text": "t", "faults": []}


def waits(settings):
    return [each.id for each in read_open_alerts(settings).outbox]


def ids(server):
    return [each["id"] for each in server.received]


def everything_written(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_is_left_is_sent_in_its_order_when_the_receiver_is_back(told):
    with webhook() as server:
        settings, server.status = told(server.url), 500
        put(settings, 3)
        (line,) = deliver(settings)
        assert line == (
            f"{PREFIX}WEBHOOK_URL: not delivered (answered 500 Internal Server Error); 3 messages wait for "
            "the next `alert` or `monitor`"
        )
        assert (ids(server), waits(settings)) == (["m0"], ["m0", "m1", "m2"])
        server.status = 200
        put(settings, 1)
        assert deliver(settings) == []
        assert ids(server) == ["m0", "m0", "m1", "m2", "m3"]
        assert waits(settings) == []
        assert deliver(settings) == []
        assert len(server.received) == 5
    assert TOKEN.encode() not in everything_written(settings.workspace)


def test_one_channel_that_fails_holds_up_no_other(told, tmp_path, monkeypatch):
    with webhook() as server, mail_server(tmp_path, monkeypatch, "tls") as mails:
        chosen = {"email_from": "a@mail.example", "email_to": ("b@mail.example",)}
        settings = told(server.url, smtp_url=mails.url)
        settings = settings.model_copy(update={"alerts": settings.alerts.model_copy(update=chosen)})
        server.status = 503
        put(settings, 2, to=("webhook", "email"))
        (line,) = deliver(settings)
        assert line.startswith(f"{PREFIX}WEBHOOK_URL: not delivered (answered 503")
        assert len(mails.received) == 2
        server.status = 200
        assert deliver(settings) == []
        assert (ids(server)[1:], len(mails.received)) == (["m0", "m1"], 2)


def test_an_address_that_can_not_be_used_is_told_even_where_nothing_waits(told):
    (line,) = deliver(told(f"hooks.example/{TOKEN}"))
    assert line == f"{PREFIX}WEBHOOK_URL: can't be used: it names no host"


def test_what_is_too_old_or_too_much_is_dropped_and_told(told):
    with webhook() as server:
        settings, server.status = told(server.url), 500
        put(settings, 2, days=31)
        put(settings, outbox.KEPT_MESSAGES + 3)
        dropped, failed = deliver(settings)
        assert dropped.startswith("webhook: 5 messages of 20")
        assert dropped.endswith(
            " could not be delivered and will not be any more; reports/alerts.jsonl has what was told"
        )
        assert f"{outbox.KEPT_MESSAGES} messages wait" in failed
        assert waits(settings) == [f"m{number}" for number in range(5, outbox.KEPT_MESSAGES + 5)]


def test_a_file_that_was_spoilt_is_set_aside_and_the_fault_told_anew(told):
    with webhook() as server:
        settings = told(server.url)
        path = open_alerts.open_alerts_path(settings)
        path.parent.mkdir(parents=True)
        path.write_text('{"faults": [', encoding="utf-8")
        with pytest.raises(ProjectError, match=r"open-alerts\.json: not readable; delete it"):
            read_open_alerts(settings)
        assert raise_failure(settings) == []
        assert [each["faults"][0]["figure"] for each in server.received] == ["monitor"]
        assert path.with_suffix(".spoilt").read_text(encoding="utf-8") == '{"faults": ['


def test_while_one_delivers_another_leaves_it_to_it(told, monkeypatch):
    arrived, go_on = threading.Event(), threading.Event()

    def hold(handler):
        arrived.set()
        go_on.wait()
        answer(handler)

    with webhook(hold) as server:
        settings = told(server.url)
        put(settings, 2)
        first = threading.Thread(target=deliver, args=(settings,))
        first.start()
        arrived.wait()
        monkeypatch.setattr(open_alerts, "LOCKED_SECONDS", 0.1)
        assert outbox.delivered_or_kept(settings) == [
            "the outbox: another command has been at it for 0 s; try again when it is done; what waits is "
            "kept"
        ]
        put(settings, 1)  # meanwhile, something is added
        go_on.set()
        first.join()
        assert (ids(server), waits(settings)) == (["m0", "m1"], ["m2"])
        deliver(settings)
        assert ids(server) == ["m0", "m1", "m2"]


def alert(settings, url):
    """Start `alert` in a process of its own."""
    made_up = {"WORKSPACE": str(settings.workspace), "WEBHOOK_URL": url}
    environment = os.environ | {f"{PREFIX}{name}": value for name, value in made_up.items()}
    code = "import sys; from handrail import cli; from tests.engine.support.workspaces import PROJECT; "
    code += "sys.exit(cli.run(PROJECT, ['alert', '--sample', '20000']))"
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=-1, stderr=-1, text=True)


def small(settings):
    return settings.model_copy(update={"workspace": settings.workspace / "sample" / "20000"})


def test_killed_between_sending_and_removing_nothing_is_lost(told):
    killed = []

    def kill_who_sends(handler):
        if not killed:
            killed.append(sender.pid)
            os.kill(sender.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            sender.wait()
            return
        answer(handler)

    with webhook(kill_who_sends) as server:
        settings = told(server.url)
        put(small(settings), 2)
        sender = alert(settings, server.url)
        sender.communicate()
        assert killed
        assert (ids(server), waits(small(settings))) == (["m0"], ["m0", "m1"])
        said, wrong = alert(settings, server.url).communicate()
        assert (said, wrong) == ("no fault is open\ndelivered: 2 of 2 messages\n", "")
        assert ids(server) == ["m0", "m0", "m1"]  # the second copy of m0 has the same id


def test_of_two_at_once_each_message_is_sent_once(told):
    with webhook() as server:
        settings = told(server.url)
        put(small(settings), 20)
        for each in [alert(settings, server.url) for _ in range(2)]:
            said, wrong = each.communicate()
            assert (each.returncode, wrong) == (0, ""), said
        assert ids(server) == [f"m{number}" for number in range(20)]


FAIL = """
import sys
from tests.engine.support.workspaces import in_workspace
from pathlib import Path
from handrail.monitoring.alerts import raise_failure
raise_failure(in_workspace(Path(sys.argv[1]), webhook_url=sys.argv[2]))
"""


def test_two_that_find_the_same_fault_at_once_tell_it_once(told):
    with webhook() as server:
        settings = told(server.url)
        command = [sys.executable, "-c", FAIL, str(settings.workspace), server.url]
        for each in [subprocess.Popen(command, stderr=-1, text=True) for _ in range(3)]:
            assert each.communicate()[1] == ""
        assert [each["state"] for each in server.received] == ["firing"]
    journal = (settings.workspace / "reports" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(journal) == 3
    assert json.loads(journal[0])["alerts"] == [server.received[0]["text"]]


def test_the_example_is_where_it_is_expected():
    assert (ROOT / "4-operation" / "runbook.md").is_file()
