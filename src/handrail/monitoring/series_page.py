"""Every figure of monitoring over time, beside its range: one page that needs nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import groupby, pairwise

from handrail.config.sections import said
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.monitoring.checks import told_value
from handrail.monitoring.series import SeriesRow, newest_row, newest_rows, read_series
from handrail.stages.html_page import heading, html_page, paragraph

WIDTH, HEIGHT = 340.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 10.0, 24.0
# Okabe and Ito's colours, told apart by everybody.
COLOURS = {"ok": "#0072b2", "warning": "#e69f00", "alert": "#d55e00", "unknown": "#8a8a8a"}
RANGE, QUIET = "#e6f0f7", "#5c5c5c"
WORST_FIRST = ("alert", "warning", "unknown", "ok")


def write_series_page(settings: Settings, today: date) -> str:
    """Write reports/monitoring.html and return its path from the workspace; ProjectError without any look.

    Looks back are not on it.
    """
    every = newest_rows(read_series(settings).rows)
    if not every:
        raise ProjectError("no look at the latest predictions is kept yet; run `monitor`")
    path = settings.workspace / "reports" / "monitoring.html"
    lead = f"{said(settings.description)}. What is watched of it, over time."
    footer = f"Written on {today}, from reports/monitoring/series.ndjson."
    write_whole(path, html_page(f"{settings.name}: monitoring", lead, _parts(every), footer))
    return "reports/monitoring.html"


def _parts(every: Sequence[SeriesRow]) -> Iterator[str]:
    by_figure = {name: list(found) for name, found in groupby(every, key=lambda row: row.figure)}
    newest = newest_row(every)
    now = {row.figure: row for row in every if (row.at, row.of) == (newest.at, newest.of)}
    wrong = sum(row.state in ("warning", "alert") for row in now.values())
    window = f"{newest.start} to {newest.end}"
    yield paragraph(
        f"The newest look, on {newest.at.date()}, was at {window}: {newest.rows:,} predictions, "
        f"{newest.outcomes:,} outcomes known, {wrong} of {len(now)} figures outside of their range. "
        "A band is the range that was agreed, a ring a month that was lived again.",
        "note bad" if wrong else "note",
    )
    ranked = sorted(by_figure, key=lambda name: _rank(now.get(name)))
    for title, names in (
        ("Outside of the range", [name for name in ranked if _rank(now.get(name)) < 2]),
        ("Not known", [name for name in ranked if _rank(now.get(name)) == 2]),
        ("Within the range", [name for name in ranked if _rank(now.get(name)) == 3]),
        ("Not looked at any more", [name for name in ranked if name not in now]),
    ):
        if names:
            yield heading(title, str(len(names)))
            charts = "\n".join(_figure(by_figure[name]) for name in names)
            yield f'<div class="charts">\n{charts}\n</div>'


def _rank(row: SeriesRow | None) -> int:
    return WORST_FIRST.index(row.state) if row else len(WORST_FIRST)


def _figure(rows: Sequence[SeriesRow]) -> str:
    last = newest_row(rows)
    why = (f": {last.why}" if last.value is None else f" ({last.why})") if last.why else ""
    caption = (
        f"<b>{escape(last.figure)}</b> {escape(last.shown + why)} <small>{escape(last.expected)}</small>"
    )
    return f"<figure><figcaption>{caption}</figcaption>\n{_chart(rows)}\n</figure>"


@dataclass(frozen=True)
class Frame:
    """Where a day and a value lie in a drawing."""

    first: date
    days: int
    least: float
    most: float

    def x(self, row: SeriesRow) -> float:
        """Return the place of a look, by the end of its window."""
        share = (row.end - self.first).days / self.days if self.days else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return the height of a value; beyond the drawing, that of its end."""
        share = (min(max(value, self.least), self.most) - self.least) / (self.most - self.least)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _frame(rows: Sequence[SeriesRow]) -> Frame:
    """Return the frame that holds every value, and the ends of its range as far as they are near."""
    values = [row.value for row in rows if row.value is not None]
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    least, most = (min(values), max(values)) if values else (min(ends, default=0.0), max(ends, default=1.0))
    span = max(most - least, abs(most) / 10, 1e-9)
    near = [end for end in ends if least - 3 * span <= end <= most + 3 * span]
    least, most = min(least, *near, most), max(most, *near, least)
    more = (most - least) / 20 or span
    return Frame(rows[0].end, (rows[-1].end - rows[0].end).days, least - more, most + more)


def _chart(rows: Sequence[SeriesRow]) -> str:
    """Return the drawing of one figure, its rows in the order of time."""
    frame = _frame(rows)
    marks = [*_bands(rows, frame), *_versions(rows, frame), *_line(rows, frame), *_scale(rows, frame)]
    described = escape(f"{rows[-1].figure} from {rows[0].end} to {rows[-1].end}")
    inside = "\n".join(marks)
    return f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{described}">\n{inside}\n</svg>'


def _bands(rows: Sequence[SeriesRow], frame: Frame) -> Iterator[str]:
    """Yield the range that was expected, as it was at each look."""
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        if row.low is None and row.high is None:
            continue
        left = frame.x(row) if row is not rows[0] else LEFT
        right = frame.x(following) if following else WIDTH - RIGHT
        top = frame.y(frame.most if row.high is None else row.high)
        bottom = frame.y(frame.least if row.low is None else row.low)
        size = f'width="{max(right - left, 0):.1f}" height="{max(bottom - top, 1):.1f}"'
        yield f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{RANGE}"/>'


def _versions(rows: Sequence[SeriesRow], frame: Frame) -> Iterator[str]:
    """Yield a line where another version is measured from."""
    for before, row in pairwise(rows):
        if before.version != row.version:
            line = (
                f'd="M{frame.x(row):.1f} {TOP:g}V{HEIGHT - BOTTOM:g}" stroke="{QUIET}" stroke-dasharray="2 3"'
            )
            yield f"<path {line}><title>{escape(row.version)} from here on</title></path>"


def _line(rows: Sequence[SeriesRow], frame: Frame) -> Iterator[str]:
    """Yield the values, in the colour of their state, and where they are not known a cross at the bottom."""
    known = [(frame.x(row), frame.y(row.value)) for row in rows if row.value is not None]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in known)
    if known:
        yield f'<path d="M{path}" fill="none" stroke="{COLOURS["ok"]}" stroke-width="1.5"/>'
    for row in rows:
        colour, title = COLOURS[row.state], f"<title>{escape(_told(row))}</title>"
        place = f"{frame.x(row):.1f}"
        if row.value is None:
            cross = f"M{place} {HEIGHT - BOTTOM - 3:g}m-3 -3l6 6m0 -6l-6 6"
            yield f'<path d="{cross}" stroke="{colour}">{title}</path>'
            continue
        fill = "#fff" if row.of == "relived" else colour
        shape = f'cx="{place}" cy="{frame.y(row.value):.1f}" r="3.5" stroke="{colour}" stroke-width="1.5"'
        yield f'<circle {shape} fill="{fill}">{title}</circle>'


def _told(row: SeriesRow) -> str:
    value = f"not known: {row.why}" if row.value is None else row.shown
    judged = ", ".join(filter(None, (row.expected, row.state)))
    return f"{row.start} to {row.end}: {value} ({judged}), {row.version}"


def _scale(rows: Sequence[SeriesRow], frame: Frame) -> Iterator[str]:
    """Yield the least and the greatest value, and the first and the last day."""
    values = [row.value for row in rows if row.value is not None]
    ends = sorted({min(values), max(values)}) if values else []
    apart = len(ends) < 2 or frame.y(ends[0]) - frame.y(ends[1]) > 12
    for value in ends if apart else ends[-1:]:
        yield _text(LEFT - 6, frame.y(value) + 4, told_value(rows[0].figure, value), "end")
    alone = rows[0].end == rows[-1].end
    yield _text(frame.x(rows[0]), HEIGHT - 6, str(rows[0].end), "middle" if alone else "start")
    if not alone:
        yield _text(frame.x(rows[-1]), HEIGHT - 6, str(rows[-1].end), "end")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
