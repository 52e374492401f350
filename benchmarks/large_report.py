"""The table and the picture of what `large` has measured."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from large import ENGINES, FLIGHTS, LIMIT_BYTES, OURS, PANDAS, POLARS, SPARK, SQL, TASKS, TIMES, Measured
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handrail.reports.pictures import BASELINE, CHOSEN, MODEL, QUIET, STYLE

COLOURS = {OURS: MODEL, SPARK: CHOSEN, SQL: BASELINE, POLARS: "#009e73", PANDAS: "#cc79a7"}
MARKS = {OURS: "o", SPARK: "s", SQL: "d", POLARS: "^", PANDAS: "v"}
INTRODUCTION = """# 1, 10 and 100 times the flights

![Processor time and peak memory by rows](large.svg)

Each cell: seconds of processor time, seconds elapsed, GiB of memory at the peak, all processes together. On a
machine with other work, the seconds elapsed swell: compare processor time. A cross in the picture is a run
that was stopped for its memory or its time; what it would have needed is more.
"""


def table(found: Sequence[Measured]) -> str:
    """Return the page with a table for each task."""
    by = {(one.engine, one.task, one.times): one for one in found}
    lines = [INTRODUCTION.rstrip("\n")]
    for task in TASKS:
        lines += [
            "",
            f"### {task}",
            "",
            f"| flights | {' | '.join(ENGINES)} |",
            "|---" * (len(ENGINES) + 1) + "|",
        ]
        for times in TIMES:
            cells = [cell(by.get((engine, task, times))) for engine in ENGINES]
            lines.append(f"| {FLIGHTS * times:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(one: Measured | None) -> str:
    """Return what a task has taken."""
    if one is None:
        return "not run"
    told = f"{seconds(one.cpu_seconds)}, {seconds(one.wall_seconds)}, {one.peak_bytes / 2**30:.2f} GiB"
    return f"{one.note} ({told})" if one.note else told


def seconds(value: float) -> str:
    """Return seconds as people read them."""
    return f"{value:.1f} s" if value < 100 else f"{value:,.0f} s"


def draw(found: Sequence[Measured], path: Path) -> None:
    """Write the picture: for each task processor time above, and peak memory below, by rows."""
    with mpl.rc_context(STYLE | {"svg.hashsalt": "large"}):
        figure = Figure(figsize=(9, 5.2), layout="constrained")
        axes = figure.subplots(2, len(TASKS), sharex=True, sharey="row")
        for column, task in enumerate(TASKS):
            above, below = axes[0][column], axes[1][column]
            for engine in ENGINES:
                ended = [one for one in found if (one.engine, one.task, one.note) == (engine, task, "")]
                line(above, engine, ended, [one.cpu_seconds for one in ended])
                line(below, engine, ended, [one.peak_bytes / 2**30 for one in ended])
                stopped = [one for one in found if (one.engine, one.task) == (engine, task) and one.note]
                for one in stopped:
                    rows, peak = FLIGHTS * one.times, one.peak_bytes / 2**30
                    below.plot(rows, peak, marker="x", markersize=8, color=COLOURS[engine], clip_on=False)
            above.set_title(task)
            below.axhline(LIMIT_BYTES / 2**30, color=QUIET, linestyle=":", linewidth=1)
            below.set_xlabel("millions of flights")
            below.set_xticks(
                [FLIGHTS * times for times in TIMES], [f"{FLIGHTS * t / 1e6:.1f}" for t in TIMES]
            )
            for axis in (above.yaxis, below.yaxis):
                axis.set_major_formatter("{x:g}")
            below.set_yticks([0.25, 0.5, 1, 2, 4, 8])
        axes[0][0].set_ylabel("seconds of processor time")
        axes[1][0].set_ylabel("peak memory, GiB")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=len(ENGINES))
        figure.savefig(path, format="svg", metadata={"Date": None})
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(each.rstrip() for each in text.splitlines()) + "\n", encoding="utf-8")


def line(axes: Axes, engine: str, ended: Sequence[Measured], values: Sequence[float]) -> None:
    """Draw an engine's line."""
    rows = [FLIGHTS * one.times for one in ended]
    axes.loglog(rows, values, color=COLOURS[engine], marker=MARKS[engine], markersize=5, label=engine)
    axes.minorticks_off()
