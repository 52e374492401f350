"""What a person sees while a command works, and after."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

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


@contextmanager
def progress(title: str) -> Generator[Callable[[str], None]]:
    """Show the step under way and the time so far, on standard error; nothing where nobody looks."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda step: bar.update(task, description=f"{title}: {step}")


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
