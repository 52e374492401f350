"""Channels: what a webhook, Slack and a mail server get, and that no failure tells where they are."""

import email
import email.policy
import json
import re
import socket
from datetime import UTC, datetime, timedelta

import pytest

from handrail.config.sections import Alerts
from handrail.monitoring import channels
from handrail.monitoring.channels import Mail, Webhook, attempt, slack_text
from tests.engine.support.listeners import (
    PASSWORD,
    QUOTED,
    TOKEN,
    USER,
    free_port,
    mail_server,
    talker,
    webhook,
)

NOW = datetime.now(UTC).replace(microsecond=0)
LINE = "2026-03-01 to 2026-03-31: drift of <a & b> is 0.9, expected 0 to 0.25"
FAULT = {
    "id": "f1",
    "state": "firing",
    "figure": "drift of <a & b>",
    "value": 0.9,
    "range": [0.0, 0.25],
    "since": NOW.isoformat(),
    "text": LINE,
    "runbook": "4-operation/runbook.md#drift",
}
MESSAGE = {
    "id": "0123abcd",
    "at": NOW.isoformat(),
    "project": "Late flights",
    "state": "firing",
    "version": "2026-01-01-abc",
    "text": LINE,
    "alerts": [LINE],
    "faults": [FAULT],
}
TO = Alerts(email_from="handrail@mail.example", email_to=("ops@mail.example", "desk@mail.example"))
SECRETS = (TOKEN, "s3cret", PASSWORD, QUOTED, "w%2Ford", "T0/B0")


def at(url, form="generic"):
    return Webhook("X_WEBHOOK_URL", url, form)


def by_mail(url, **chosen):
    return Mail("X_SMTP_URL", url, TO.model_copy(update=chosen))


def why(channel, message=MESSAGE):
    """Return why a message was not delivered, which tells nobody where it was to go."""
    tried = attempt(channel, message)
    assert not tried.delivered
    assert not any(secret in tried.said for secret in SECRETS)
    assert "127.0.0.1" not in tried.said
    assert "\n" not in tried.said
    return tried.said


def test_a_webhook_gets_every_figure():
    with webhook() as server:
        assert attempt(at(server.url), MESSAGE) == (True, "")
    assert server.received == [MESSAGE]
    assert server.headers[0]["Content-Type"] == "application/json"
    assert server.headers[0]["Idempotency-Key"] == MESSAGE["id"]


def test_slack_gets_a_text_in_which_nothing_is_a_command():
    with webhook() as server:
        assert attempt(at(server.url, "slack"), MESSAGE) == (True, "")
    (sent,) = server.received
    assert sent == {
        "text": "Late flights: alert\n2026-03-01 to 2026-03-31: drift of &lt;a &amp; b&gt; is 0.9, expected "
        "0 to 0.25 (4-operation/runbook.md#drift)"
    }


def test_a_text_is_no_longer_than_slack_takes_it():
    many = MESSAGE | {"faults": [FAULT] * 100}
    assert len(slack_text(many).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) == 3900


def test_what_comes_late_says_of_when_it_is():
    then = NOW - timedelta(days=8)
    assert slack_text(MESSAGE | {"at": then.isoformat()}).endswith(
        f"\nThis is of {then:%Y-%m-%d %H:%M} UTC and comes late."
    )


@pytest.mark.parametrize("kind", ["starttls", "tls", "plain"])
def test_a_mail_is_delivered(kind, tmp_path, monkeypatch):
    with mail_server(tmp_path, monkeypatch, kind) as server:
        channel = by_mail(server.url, email_encrypted=kind != "plain")
        assert attempt(channel, MESSAGE) == (True, "")
    ((envelope, encrypted, user),) = server.received
    assert (envelope.mail_from, envelope.rcpt_tos) == (TO.email_from, list(TO.email_to))
    assert (encrypted, user) == (kind != "plain", USER if kind == "starttls" else None)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail["Subject"] == f"Late flights: alert: {LINE}"
    assert mail["Message-ID"] == "<0123abcd@mail.example>"
    assert mail.get_content().splitlines() == [f"{LINE} (4-operation/runbook.md#drift)"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"ftp://hooks.example/{TOKEN}", "does not begin with http:// or https://"),
        (f"hooks.example/{TOKEN}", "names no host"),
        (f"https:///{TOKEN}", "names no host"),
        (f"https://hooks.example:99999/{TOKEN}", "its host or its port can't be made out"),
        (f"https://hooks.example:port/{TOKEN}", "its host or its port can't be made out"),
        (f"https://[hooks/{TOKEN}", "its host or its port can't be made out"),
        (f"https://hooks.example/{TOKEN} ", "holds a space"),
        (f"https://hooks.example/{TOKEN}\nX: y", "holds a space, a line break"),
        (f"https://hooks.example/ö/{TOKEN}", "a letter beyond ASCII"),
        (f"https://user:{TOKEN}@hooks.example/", "names no host"),
        ("https://user:s3cret@hooks.example/", "holds a user or a password"),
        ("https://s3cret@hooks.example/", "holds a user or a password"),
    ],
)
def test_an_address_that_can_not_be_used_is_told_without_being_shown(url, said):
    told = why(at(url))
    assert told.startswith("can't be used: ")
    if "names no host" not in said:
        assert said in told
    assert "hooks" not in told


@pytest.mark.parametrize(
    ("url", "chosen", "said"),
    [
        (f"https://{QUOTED}@mail.example", {}, "does not begin with smtp:// or smtps://"),
        (f"smtp://ops:{PASSWORD}@mail.example", {}, "its host or its port can't be made out"),
        ("smtp://ops:s3cret/x@mail.example", {}, "its host or its port can't be made out"),
        (f"smtp://{QUOTED}@mail.example/s3cret", {}, "as %2F %3F %23"),
        (
            f"smtp://{QUOTED}@mail.example",
            {"email_encrypted": False},
            "does not go with alerts.email_encrypted",
        ),
        (f"smtp://{QUOTED}@mail.example", {"email_to": ()}, "project.yaml lacks alerts.email_to"),
        (
            f"smtp://{QUOTED}@mail.example",
            {"email_to": (), "email_from": None},
            "project.yaml lacks alerts.email_from and alerts.email_to",
        ),
    ],
)
def test_a_mail_server_that_can_not_be_used_is_told_without_being_shown(url, chosen, said):
    assert said in why(by_mail(url, **chosen))


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_what_a_server_answers_is_told_by_its_number(status):
    with webhook() as server:
        server.status = status
        assert re.fullmatch(rf"answered {status} [A-Z][\w ]+", why(at(server.url)))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with webhook() as other, webhook() as server:
        server.status, server.elsewhere = status, other.url
        assert why(at(server.url)).startswith(f"answered {status}: a redirect, which is not followed")
        assert (len(server.received), other.received) == (1, [])


def test_nobody_there():
    assert why(at(f"http://127.0.0.1:{free_port()}/{TOKEN}")) == "nothing listens there"
    assert why(by_mail(f"smtp://{QUOTED}@127.0.0.1:{free_port()}")) == "nothing listens there"


def test_a_host_that_is_not_known(monkeypatch):
    def unknown(host, *_, **__):
        raise socket.gaierror(-2, f"{host}: not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert why(at(f"https://{TOKEN.replace('/', '.')}.example/")) == "its host is not known here"
    assert why(by_mail(f"smtp://{QUOTED}@s3cret.example")) == "its host is not known here"


def silent(connection, ended):
    ended.wait()


def endless(connection, ended):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not ended.wait(0.01):
        connection.sendall(b"x")


def greeting_without_end(connection, ended):
    connection.sendall(b"220-")
    while not ended.wait(0.01):
        connection.sendall(b"x")


def other_words(connection, ended):
    connection.recv(100)
    connection.sendall(f"this is {TOKEN}, and no HTTP\r\n\r\n".encode())


def hangs_up(connection, ended):
    connection.recv(100)


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (silent, "no answer within 0 s"),
        (endless, "no answer within 1 s"),
        (other_words, "its answer is no HTTP|Connection reset by peer"),
        (hangs_up, "hung up without an answer|Connection reset by peer"),
    ],
)
def test_what_never_answers_as_it_should(talk, said, monkeypatch):
    monkeypatch.setattr(channels, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(channels, "DEADLINE_SECONDS", 0.9)
    with talker(talk) as port:
        assert re.fullmatch(said, why(at(f"http://127.0.0.1:{port}/{TOKEN}")))


@pytest.mark.parametrize(
    ("talk", "said"), [(silent, "no answer within 0 s"), (greeting_without_end, "no answer within 1 s")]
)
def test_a_mail_server_that_never_answers(talk, said, monkeypatch):
    monkeypatch.setattr(channels, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(channels, "DEADLINE_SECONDS", 0.9)
    with talker(talk) as port:
        assert why(by_mail(f"smtp://{QUOTED}@127.0.0.1:{port}")) == said


def test_a_mail_server_refuses(tmp_path, monkeypatch):
    with mail_server(tmp_path, monkeypatch) as server:
        wrong = f"smtp://ops%40mail.example:s3cret@127.0.0.1:{server.port}"
        assert why(by_mail(wrong)) == "user or password is refused"
        server.status = f"451 try {PASSWORD} again"
        assert why(by_mail(server.url)) == "answered 451"
        server.status, server.refused = "250 OK", ("desk@mail.example",)
        assert attempt(by_mail(server.url), MESSAGE) == (
            True,
            "1 of 2 addresses of alerts.email_to are refused",
        )
        server.refused = TO.email_to
        assert why(by_mail(server.url)) == "refuses every address of alerts.email_to"
    assert [envelope.rcpt_tos for envelope, *_ in server.received] == [["ops@mail.example"]]


def test_nothing_is_sent_to_who_can_not_show_a_certificate(tmp_path, monkeypatch):
    with mail_server(tmp_path, monkeypatch) as server:
        monkeypatch.delenv("SSL_CERT_FILE")
        assert why(by_mail(server.url)) == "its certificate is not accepted"
    assert server.received == []


def test_no_password_goes_to_a_server_without_encryption(tmp_path, monkeypatch):
    with mail_server(tmp_path, monkeypatch, "plain") as server:
        url = f"smtp://{QUOTED}@127.0.0.1:{server.port}"
        assert why(by_mail(url)).startswith("lacks STARTTLS")
    assert server.received == []


def test_a_proxy_is_used_as_the_environment_says_and_its_refusal_is_told(monkeypatch):
    with webhook() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert attempt(at(f"http://hooks.example/{TOKEN}"), MESSAGE).delivered
        proxy.status = 407
        assert why(at(f"http://hooks.example/{TOKEN}")) == "answered 407 Proxy Authentication Required"
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_port}")
        assert why(at(f"https://hooks.example/{TOKEN}")).startswith("the proxy answered 501")
    assert proxy.received == [json.loads(json.dumps(MESSAGE))] * 2
