"""What a person sees while a command works, and after."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

LINE_SECONDS = 60.0  # between two lines of what nobody watches


@contextmanager
def progress(title: str) -> Generator[Callable[[str], None]]:
    """Show the step under way and the time so far, on standard error.

    Where nobody looks, it is a line a minute; of what takes less, none.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        with _line_a_minute(console, title) as show:
            yield show
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda step: bar.update(task, description=f"{title}: {step}")


@contextmanager
def _line_a_minute(console: Console, title: str) -> Generator[Callable[[str], None]]:
    begun, over, at = time.monotonic(), Event(), title

    def tell() -> None:
        while not over.wait(LINE_SECONDS):
            so_far = timedelta(seconds=round(time.monotonic() - begun))
            console.print(f"{at}, {so_far} so far", markup=False, highlight=False, soft_wrap=True)

    def show(step: str) -> None:
        nonlocal at
        at = f"{title}: {step}"

    thread = Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield show
    finally:
        over.set()
        thread.join()


def quietly(step: str) -> None:
    """Show no progress, of what is a step itself."""


@contextmanager
def counted(title: str, total: int) -> Generator[Callable[[int, str], None]]:
    """Show a line for each of `total`, on standard error, over a bar where somebody looks."""
    console = Console(stderr=True)
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)

        def show(done: int, line: str) -> None:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
            bar.update(task, completed=done)

        yield show


@contextmanager
def rows_done(title: str) -> Generator[Callable[[int, int], None]]:
    """Show how many of how many rows are done, how many a second, and the time left, on standard error.

    Where nobody looks, it is a line a minute; of what takes less, none.
    """
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, begun = bar.add_task(title, total=None), time.monotonic()
        told = begun

        def show(done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            line = f"{title}: {_so_far(done, total, now - begun)}"
            bar.update(task, description=line, completed=done, total=total)
            if not console.is_terminal and now - told >= LINE_SECONDS:
                console.print(line, markup=False, highlight=False, soft_wrap=True)
                told = now

        yield show


def _so_far(done: int, total: int, seconds: float) -> str:
    """Say how many rows are done, at which speed, and how long the others will take."""
    rate = done / max(seconds, 1e-9)
    left = timedelta(seconds=round((total - done) / rate)) if done else "?"
    return f"{done:,} of {total:,} rows, {rate:,.0f} a second, {left} left"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], texts: Sequence[str] = ()) -> None:
    """Print a table; the columns after the first are right-aligned, but for those named in `texts`."""
    shown = Table(box=None, pad_edge=False)
    for number, name in enumerate(header):
        left = number == 0 or name in texts
        shown.add_column(name, justify="left" if left else "right", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    _plain().print(shown)


def say(text: str) -> None:
    """Print a line as it is: no colour, no markup, no wrapping."""
    _plain().print(text, markup=False, highlight=False, soft_wrap=True)


def _plain() -> Console:
    return Console(highlight=False, markup=False)
