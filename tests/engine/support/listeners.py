"""Servers on this machine that alerts are sent to: real ones, and such as do what no server should."""

import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

TOKEN = "T0/B0/very-s3cret-token"
USER, PASSWORD = "ops@mail.example", "p@ss:w/ord"
QUOTED = "ops%40mail.example:p%40ss%3Aw%2Ford"  # both as they stand in an address


class _Post(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))
        self.server.headers.append(dict(self.headers))
        self.server.on_post(self)

    def log_message(self, *arguments):
        """Say nothing."""


@contextmanager
def webhook(on_post=None):
    """Yield a server that keeps what is posted (`received`), and answers with `status`.

    on_post: what it does instead, with the handler of the request
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), _Post) as server:
        server.daemon_threads = True
        server.received, server.headers, server.status = [], [], 200
        server.on_post = on_post or answer
        server.url = f"http://127.0.0.1:{server.server_port}/{TOKEN}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def answer(handler):
    """Answer with the status of the server, and put the address into whatever can hold a text."""
    status = handler.server.status
    handler.send_response(status, f"see {handler.path}")
    if 300 <= status < 400:
        handler.send_header("Location", handler.server.elsewhere)
    handler.end_headers()
    with suppress(OSError):
        handler.wfile.write(f"no such hook: {handler.path}".encode())


class _Mails:
    """Keeps the mails that come, and answers with `status`."""

    def __init__(self):
        self.received, self.status, self.refused = [], "250 OK", ()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refused:
            return "550 no such address"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.status.startswith("250"):
            encrypted = server.transport.get_extra_info("ssl_object") is not None
            self.received.append((envelope, encrypted, session.auth_data))
        return self.status


def _log_in(server, session, envelope, mechanism, data):
    said = (data.login.decode(), data.password.decode())
    return AuthResult(success=said == (USER, PASSWORD), handled=False, auth_data=said[0])


@contextmanager
def mail_server(folder, monkeypatch, kind="starttls"):
    """Yield what keeps the mails of a server: with STARTTLS and a login, with TLS from the start, or plain.

    Its certificate is trusted by this process until `monkeypatch` is undone.
    """
    authority, handler = trustme.CA(), _Mails()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    port = free_port()
    made = {
        "starttls": lambda: Controller(
            handler,
            hostname="127.0.0.1",
            port=port,
            tls_context=context,
            require_starttls=True,
            authenticator=_log_in,
            auth_required=True,
        ),
        "tls": lambda: Controller(handler, hostname="127.0.0.1", port=port, ssl_context=context),
        "plain": lambda: Controller(handler, hostname="127.0.0.1", port=port),
    }[kind]()
    made.start()
    user = f"{QUOTED}@" if kind == "starttls" else ""
    handler.url = f"{'smtps' if kind == 'tls' else 'smtp'}://{user}127.0.0.1:{port}"
    handler.port = port
    try:
        yield handler
    finally:
        made.stop()


def free_port():
    """Return a port that nobody listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def talker(talk):
    """Yield the port of a server that does `talk(connection)` with whoever connects, in a thread."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        ended = threading.Event()

        def accept():
            with suppress(OSError):
                while not ended.is_set():
                    connection, _ = listening.accept()
                    threading.Thread(target=run, args=(connection,), daemon=True).start()

        def run(connection):
            with suppress(OSError), connection:
                talk(connection, ended)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            ended.set()
