"""A terminal session as an SVG: commands that were really run, and what they printed, in its time."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from time import monotonic

import pexpect
from rich.console import Console
from rich.terminal_theme import NIGHT_OWLISH
from rich.text import Text

COLUMNS, ROWS = 100, 26
CELL, LINE, LEFT, TOP = 8.43, 19, 18, 46
LONGEST_PAUSE, END = 1.0, 8.0  # seconds
CURSOR = re.compile(r"\x1b(?:\[[0-9;?]*[A-HJKSTfhln]|[=>()][0-9A-Z]?)")
GROUND = "#1b2230"
STYLE = (
    "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d8dee9;"
    "white-space:pre}.p{fill:#8fd18f;font-weight:bold}.t{font-size:13px;fill:#8b95a5}"
)


@dataclass
class Session:
    """What was typed and printed in a folder: lines with the second at which each was there."""

    folder: Path
    environment: dict[str, str]
    lines: list[tuple[float, Text]] = field(default_factory=list)
    spent: float = 0.0

    def run(self, command: str) -> None:
        """Type a command, and take down what it prints; RuntimeError where it does not end well."""
        self.type(command)
        began = monotonic()
        child = pexpect.spawn(
            "bash",
            ["-c", command],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            timeout=900,
        )
        for line in child:
            self.add(self.spent + monotonic() - began, line)
        child.close()
        self.spent += monotonic() - began
        if child.exitstatus:
            raise RuntimeError(
                f"{command}: ended with {child.exitstatus}\n" + "\n".join(map(str, self.lines))
            )
        self.add(self.spent, "")

    def enter(self, folder: str) -> None:
        """Go into a folder."""
        self.type(f"cd {folder}")
        self.folder /= folder

    def type(self, command: str) -> None:
        """Show a command at its prompt."""
        self.lines.append((self.spent, Text(f"$ {command}", style="bold green")))

    def add(self, second: float, printed: str) -> None:
        """Take down a line as the terminal shows it in the end, folded at its width."""
        last = CURSOR.sub("", printed.rstrip("\r\n")).rsplit("\r", 1)[-1]
        console = Console(width=COLUMNS)
        for row in Text.from_ansi(last).wrap(console, COLUMNS) or [Text()]:
            row.rstrip()
            self.lines.append((second, row))

    def shortened(self) -> list[tuple[float, Text]]:
        """Return the lines with their seconds, without what was waited for longer than a moment."""
        told, before, now = [], 0.0, 0.0
        for second, line in self.lines:
            pause = LONGEST_PAUSE if line.plain.startswith("$ ") and told else second - before
            now += min(max(pause, 0.04), LONGEST_PAUSE)
            before = second
            told.append((now, line))
        return told


def recording(session: Session, title: str) -> str:
    """Return the session as an SVG that scrolls as the terminal did, over and over; still where wished."""
    lines = session.shortened()
    length = lines[-1][0] + END
    moments = [(100 * second / length, row) for row, (second, _) in enumerate(lines)]
    texts = "".join(_text(line, row) for row, (_, line) in enumerate(lines))
    cover = f'<rect class="c" width="{round(COLUMNS * CELL)}" height="{ROWS * LINE}" fill="{GROUND}"/>'
    css = (
        f".s{{transform:translateY({_scroll(len(lines) - 1)}px)}}.c{{transform:translateY({ROWS * LINE}px)}}"
        "@media (prefers-reduced-motion:no-preference){"
        f".s{{animation:s {length:.1f}s step-end infinite}}"
        f".c{{animation:c {length:.1f}s step-end infinite}}}}"
        f"@keyframes s{{0%{{transform:none}}{_stops(moments[ROWS:], _scroll)}}}"
        f"@keyframes c{{0%{{transform:none}}{_stops(moments[:ROWS], _below)}}}"
    )
    return _frame(f'<g class="s">{texts}</g>{cover}', css, title, ROWS)


def still(lines: Sequence[str], title: str) -> str:
    """Return lines of text as an SVG of the same look."""
    texts = "".join(_text(Text(line), row) for row, line in enumerate(lines))
    return _frame(texts, "", title, len(lines))


def _scroll(last: int) -> int:
    """Return how far the lines are moved up for `last` to be the lowest in the window."""
    return min(0, ROWS - 1 - last) * LINE


def _below(last: int) -> int:
    """Return where what is not printed yet begins, when `last` is the lowest line."""
    return (last + 1) * LINE


def _stops(moments: Sequence[tuple[float, int]], place: Callable[[int], int]) -> str:
    """Return the moments, in percent of the time, at which something is moved to the place of a row."""
    return "".join(f"{at:.2f}%{{transform:translateY({place(row)}px)}}" for at, row in moments)


def _text(line: Text, row: int) -> str:
    """Return a line, in the colours that it was printed in."""
    if not line.plain.strip():
        return ""
    y = row * LINE + 14
    if line.plain.startswith("$ "):
        return f'<text x="0" y="{y}"><tspan class="p">$</tspan>{escape(line.plain[1:])}</text>'
    parts = []
    console = Console(color_system="truecolor")
    for segment in line.render(console):
        color = segment.style.color if segment.style else None
        fill = (
            f' style="fill:{color.get_truecolor(NIGHT_OWLISH).hex}"' if color and not color.is_default else ""
        )
        bold = ' font-weight="bold"' if segment.style and segment.style.bold else ""
        piece = escape(segment.text)
        parts.append(f"<tspan{fill}{bold}>{piece}</tspan>" if fill or bold else piece)
    return f'<text x="0" y="{y}">{"".join(parts)}</text>'


def _frame(texts: str, css: str, title: str, rows: int) -> str:
    width, height = round(COLUMNS * CELL) + 2 * LEFT, rows * LINE + TOP + 16
    dots = "".join(
        f'<circle cx="{22 + 20 * place}" cy="20" r="6" fill="{fill}"/>'
        for place, fill in enumerate(("#e06c75", "#e5c07b", "#98c379"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">'
        f"<title>{escape(title)}</title><style>{STYLE}{css}</style>"
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>{dots}'
        f'<text class="t" x="{width / 2}" y="25" text-anchor="middle">{escape(title)}</text>'
        f'<svg x="{LEFT}" y="{TOP}" width="{width - 2 * LEFT}" height="{rows * LINE + 4}">{texts}</svg>'
        "</svg>\n"
    )
