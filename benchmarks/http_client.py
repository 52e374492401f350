"""Clients that ask the same again and again over open connections, and take little time themselves."""

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event

HEAD_ENDS = b"\r\n\r\n"


class Asking(asyncio.Protocol):
    """One connection, which asks as long as `is_next` says so; `closed` tells how it ended."""

    def __init__(self, content: bytes, is_next: Callable[[], bool]) -> None:
        self._content, self._is_next = content, is_next
        self._answer, self._length = b"", 0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer; after its last, ask again."""
        self._answer += data
        self._length = self._length or length_of(self._answer)
        if self._length and len(self._answer) >= self._length:
            self._answer, self._length = b"", 0
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell that the other side has closed the connection."""
        if not self.closed.done():
            self.closed.set_exception(error or RuntimeError("the connection was closed"))

    def _ask(self) -> None:
        if self._is_next():
            self._transport.write(self._content)
            return
        self.closed.set_result(None)
        self._transport.close()


def length_of(answer: bytes) -> int:
    """Return the length of a whole answer, of which the beginning is here; 0 until its head is.

    Raises RuntimeError for any but a good one.
    """
    head, found, _ = answer.partition(HEAD_ENDS)
    if not found:
        return 0
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the service answered {answer.decode()}")
    _, _, rest = head.lower().partition(b"content-length:")
    return len(head) + len(HEAD_ENDS) + int(rest.split(b"\r\n")[0])


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """Return an HTTP request as it goes over the wire."""
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-API-Key: {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + HEAD_ENDS + body


def rate(port: int, content: bytes, connections: int, count: int) -> float:
    """Return requests per second of `connections` that share `count` requests, each asking one by one."""
    numbers = iter(range(count))
    begun = time.perf_counter()
    _run(_ask_all(port, content, connections, lambda: next(numbers, None) is not None))
    return count / (time.perf_counter() - begun)


def latencies(port: int, content: bytes, seconds: float, pause: float) -> list[float]:
    """Return how long each answer took to a client that asks one by one, `pause` seconds after the last."""
    found, end = [], time.perf_counter() + seconds
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (begun := time.perf_counter()) < end:
            connection.sendall(content)
            answer = b""
            while not (length := length_of(answer)) or len(answer) < length:
                answer += connection.recv(65_536)
            found.append(time.perf_counter() - begun)
            time.sleep(pause)
    return found


@contextmanager
def asking_beside(port: int, content: bytes, connections: int) -> Iterator[None]:
    """Have a process of its own ask all the while."""
    spawn = multiprocessing.get_context("spawn")
    stop, ready = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_ask_until, args=(port, content, connections, stop, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the other client does not begin")
        yield
    finally:
        stop.set()
        process.join(30)
    if process.exitcode:
        raise RuntimeError("the other client has failed")


def _ask_until(port: int, content: bytes, connections: int, stop: Event, ready: Event) -> None:
    def goes_on() -> bool:
        ready.set()
        return not stop.is_set()

    _run(_ask_all(port, content, connections, goes_on))


async def _ask_all(port: int, content: bytes, connections: int, is_next: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda: Asking(content, is_next), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(asking.closed for _, asking in pairs))


def _run(work: object) -> None:
    """Run it by the quicker loop, where there is one."""
    with suppress(ModuleNotFoundError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(work)
