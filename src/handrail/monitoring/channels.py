"""By what people are told: a webhook, in a form of its own or in Slack's, and e-mail by SMTP.

Where a message goes stands in the environment alone, in addresses that are secrets: none of them, nor a part
of one, is ever in what is told here. Why something was not delivered is therefore said in words of our own,
and never in those of an exception, into which libraries put addresses.
"""

import json
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from http import HTTPStatus
from http.client import HTTPException, RemoteDisconnected
from threading import Thread
from typing import Any, NamedTuple, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from handrail.config.sections import Alerts
from handrail.config.settings import Settings
from handrail.moments import moment

TIMEOUT_SECONDS = 10.0  # for each step of a delivery
DEADLINE_SECONDS = 25.0  # for all of it, also where an answer never ends
LATE = timedelta(hours=1)  # after which it is said that a message comes late
SLACK_LETTERS = 3900  # Slack cuts a text beyond 4,000
Message = Mapping[str, Any]


class Channel(Protocol):
    """One way to tell people."""

    @property
    def name(self) -> str:
        """Under which it stands in the outbox."""
        ...

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it up."""
        ...

    def refusal(self) -> str:
        """Return why it can't be used as it is set up, or nothing."""
        ...

    def send(self, message: Message, /) -> str:
        """Deliver a message; return what is to be said of it, or nothing. Raises what a library raises."""
        ...


class Attempt(NamedTuple):
    """Whether a message was delivered; why not, or what else is to be said, in words without an address."""

    delivered: bool
    said: str


def channels(settings: Settings) -> list[Channel]:
    """Return the channels that the environment sets up."""
    prefix, chosen = settings.project.env_prefix, settings.section(Alerts)
    webhook, server = settings.secret("webhook_url"), settings.secret("smtp_url")
    found: list[Channel] = []
    if webhook:
        found.append(Webhook(f"{prefix}WEBHOOK_URL", webhook, chosen.webhook_form))
    if server:
        found.append(Mail(f"{prefix}SMTP_URL", server, chosen))
    return found


def attempt(channel: Channel, message: Message) -> Attempt:
    """Try to deliver a message, within DEADLINE_SECONDS.

    In a thread that is not waited for any longer: a server can go on answering, a byte at a time.
    """
    refused = channel.refusal()
    if refused:
        return Attempt(False, refused)
    came: list[Attempt] = []

    def deliver() -> None:
        try:
            came.append(Attempt(True, channel.send(message)))
        except Exception as error:  # whatever a library raises, its text may hold the address
            came.append(Attempt(False, _why(error)))

    thread = Thread(target=deliver, daemon=True)
    thread.start()
    thread.join(DEADLINE_SECONDS)
    return came[0] if came else Attempt(False, f"no answer within {DEADLINE_SECONDS:.0f} s")


@dataclass(frozen=True)
class Webhook:
    """An address to which JSON is posted: every figure, or Slack's form, a text."""

    variable: str
    url: str
    form: str
    name: str = "webhook"

    def refusal(self) -> str:
        """Return why the address can't be used, or nothing."""
        found = _parts(self.url, "http", "https")
        if isinstance(found, str):
            return found
        if found.username is not None or found.password is not None:
            return "can't be used: it holds a user or a password, which no webhook takes"
        return ""

    def send(self, message: Message) -> str:
        """Post a message; a redirect is not followed, as it may lead anywhere."""
        body: Message = {"text": slack_text(message)} if self.form == "slack" else message
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "handrail",
            "Idempotency-Key": str(message["id"]),
        }
        request = Request(self.url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 (checked)
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS):
            return ""


@dataclass(frozen=True)
class Mail:
    """A server that takes mails: smtp:// is encrypted by STARTTLS, smtps:// from the beginning.

    The certificate is checked. Without encryption, which a setting allows, no password is sent.
    """

    variable: str
    url: str
    chosen: Alerts
    name: str = "email"

    def refusal(self) -> str:
        """Return why address or settings can't be used, or nothing."""
        found = _parts(self.url, "smtp", "smtps")
        if isinstance(found, str):
            return found
        if found.path.strip("/") or found.query or found.fragment:
            return "can't be used: write / ? # in user or password as %2F %3F %23, and end with host and port"
        if not self.chosen.email_encrypted and (found.username or found.scheme == "smtps"):
            return "can't be used: a user, or smtps://, does not go with alerts.email_encrypted: false"
        needed = {"alerts.email_from": self.chosen.email_from, "alerts.email_to": self.chosen.email_to}
        missing = " and ".join(name for name, value in needed.items() if not value)
        return f"can't be used: project.yaml lacks {missing}" if missing else ""

    def send(self, message: Message) -> str:
        """Hand a mail to the server; say how many of the addresses it does not take."""
        parts = urlsplit(self.url)
        host, secure = parts.hostname or "", ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=secure
            )
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
        try:
            if parts.scheme == "smtp" and self.chosen.email_encrypted:
                server.starttls(context=secure)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            to = list(self.chosen.email_to)
            refused = server.send_message(self.mail(message), self.chosen.email_from, to)
            with suppress(OSError):  # it has the mail already
                server.quit()
        finally:
            server.close()
        return f"{len(refused)} of {len(to)} addresses of alerts.email_to are refused" if refused else ""

    def mail(self, message: Message) -> EmailMessage:
        """Return a message as a mail; a second copy has the same Message-ID."""
        sender, mail = self.chosen.email_from or "", EmailMessage()
        first, *others = message["text"].splitlines() or [""]
        more = f" (and {len(others)} more)" if others else ""
        mail["Subject"] = f"{title(message)}: {first}{more}"[:200]
        mail["From"], mail["To"] = Address(addr_spec=sender), ", ".join(self.chosen.email_to)
        mail["Date"] = datetime.fromisoformat(message["at"])
        mail["Message-ID"] = f"<{message['id']}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join([*lines_of(message), ""]))
        return mail


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: the message would go to a host that nobody has set."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Return no request."""


def title(message: Message) -> str:
    """Return whose message it is, and of what kind: the most urgent that is in it."""
    kind = {"firing": "alert", "reminder": "still an alert", "over": "over", "test": "test"}
    return f"{message['project']}: {kind[message['state']]}"


def lines_of(message: Message) -> list[str]:
    """Return what people read: each line with the place in the runbook; one that comes late says so."""
    told = [
        f"{each['text']} ({each['runbook']})" if each["runbook"] and each["state"] != "over" else each["text"]
        for each in message["faults"]
    ]
    at = datetime.fromisoformat(message["at"])
    late = datetime.now(UTC) - at > LATE
    return [
        *(told or [message["text"]]),
        *([f"This is of {moment(at)} and comes late."] if late else []),
    ]


def slack_text(message: Message) -> str:
    """Return a message as Slack takes it, in which & < > would mean something else."""
    text = "\n".join([title(message), *lines_of(message)])
    text = text if len(text) <= SLACK_LETTERS else f"{text[: SLACK_LETTERS - 1]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parts(url: str, *schemes: str) -> SplitResult | str:
    """Return an address in parts, or why it is none with one of these schemes."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "can't be used: it holds a space, a line break or a letter beyond ASCII"
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return "can't be used: its host or its port can't be made out; write special letters as %40"
    if not found.hostname or port == 0:
        return "can't be used: it names no host"
    if found.scheme not in schemes:
        return f"can't be used: it does not begin with {' or '.join(f'{each}://' for each in schemes)}"
    return found


def _why(error: Exception) -> str:
    """Return why a delivery failed, in words that hold nothing of what the exception says."""
    if isinstance(error, HTTPError):
        error.close()
        return _answered(error.code)
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        error = error.reason
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, OSError):
        error = error.__context__
    tunnel = re.search(r"Tunnel connection failed: (\d{3})", str(error))
    if tunnel:
        return f"the proxy {_answered(int(tunnel[1]))}"
    for kind, said in WHY.items():
        if isinstance(error, kind):
            return said(error)
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__


def _answered(status: int) -> str:
    if 300 <= status < 400:
        return f"answered {status}: a redirect, which is not followed; set the address that it leads to"
    known = {each.value: each.phrase for each in HTTPStatus}
    return f"answered {status} {known.get(status, '')}".rstrip()


def _mail_status(error: Any) -> str:
    return f"answered {error.smtp_code}"


WHY: dict[type[Exception], Callable[[Any], str]] = {
    TimeoutError: lambda _: f"no answer within {TIMEOUT_SECONDS:.0f} s",
    ssl.SSLCertVerificationError: lambda _: "its certificate is not accepted",
    ssl.SSLError: lambda _: "no encrypted connection can be made",
    socket.gaierror: lambda _: "its host is not known here",
    ConnectionRefusedError: lambda _: "nothing listens there",
    RemoteDisconnected: lambda _: "hung up without an answer",
    HTTPException: lambda _: "its answer is no HTTP",
    smtplib.SMTPNotSupportedError: lambda _: "lacks STARTTLS, or a way to log in, or takes no such address",
    smtplib.SMTPAuthenticationError: lambda _: "user or password is refused",
    smtplib.SMTPRecipientsRefused: lambda _: "refuses every address of alerts.email_to",
    smtplib.SMTPResponseException: _mail_status,
    smtplib.SMTPServerDisconnected: lambda _: "hung up",
}
