"""The page of the experiment log: scores, trials of the last tuning, budget usage, every round."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from handrail.config.budget import ResearchBudget
from handrail.config.settings import Settings
from handrail.reports.pages import fill
from handrail.reports.pictures import CHOSEN, MODEL, MODEL_DOT, QUIET, Picture, spans, svg
from handrail.tasks.metric import Metric
from handrail.training.budget_usage import budget_usage, format_usage
from handrail.training.experiment_log import (
    Experiment,
    LookAtTest,
    Tuning,
    counts_looks,
    looks_at_other_test_rows,
    looks_at_test,
)
from handrail.training.intervals import format_interval
from handrail.training.splits import the_period, told_by
from handrail.training.stopping_rule import Recommendation

HEADER = ("round", "date", "score", "95%", "baseline", "on", "seconds", "note")
WIDTH_INCHES, HEIGHT_INCHES = 7.2, 2.6
MOST_TICKS = 12
DASH: dict[str, Any] = {"color": QUIET, "marker": "_", "markersize": 14, "markeredgewidth": 1.5}
LIMITS: tuple[dict[str, Any], ...] = ({"color": MODEL}, {"color": QUIET, "linestyle": "--"})
Numbered = Sequence[tuple[int, Experiment]]


def rows(rounds: Sequence[Experiment]) -> list[tuple[str, ...]]:
    """Return a row for each round."""
    return [
        (
            str(number),
            each.at.date().isoformat(),
            f"{each.value:.3f}",
            format_interval({"low": each.low, "high": each.high}),
            f"{each.baseline:.3f}",
            each.scored_on,
            f"{each.seconds:,.0f}",
            each.note,
        )
        for number, each in enumerate(rounds, start=1)
    ]


def looks(settings: Settings) -> Iterator[str]:
    """Say how often the test period of project.yaml was looked at, what was seen there last, and of others.

    Nothing is said where that is not counted.
    """
    if settings.split is None or not counts_looks(settings):
        return
    split = settings.split.model_dump(mode="json")
    found, others = looks_at_test(settings, split), looks_at_other_test_rows(settings, split)
    period = f"{the_period(split, 'test')}, {told_by(split, 'test')}, was"
    if not found:
        yield f"{period} not looked at yet; `train --test` and `promote` do, which is counted"
    else:
        yield f"{period} looked at {_last(found)}"
    if others:
        versions = "one version" if others == 1 else f"{others} versions"
        yield f"test rows of other splits, as of `--until`, were looked at for {versions}"


def _last(found: Sequence[LookAtTest]) -> str:
    """Return of how many versions test rows were looked at, and what was seen there last."""
    last, times = found[-1], "once" if len(found) == 1 else f"for {len(found)} versions"
    seen = f"{last.metric} {last.value:.3f} ({format_interval({'low': last.low, 'high': last.high})})"
    return f"{times}, last on {last.at.date()}: {last.version} reaches {seen} there"


def page(settings: Settings, rounds: Sequence[Experiment], advice: Recommendation, until: date) -> str:
    """Return the page with its pictures; `until`: the last day that research costs."""
    metric = settings.project.metrics[settings.accuracy.metric]
    numbered = [(number, each) for number, each in enumerate(rounds, start=1) if each.metric == metric.name]
    scored = [(number, each) for number, each in numbered if not each.tuning]
    tunings = [(number, each.tuning) for number, each in numbered if each.tuning]
    budget, usage = settings.budget, None
    if budget and budget.research and rounds:
        usage = usage_picture(budget.research, budget.currency, rounds, until)
    return fill(
        "experiments.html",
        settings=settings,
        lead=f"{advice.says.capitalize()}: {advice.because}.",
        scores=score_picture(settings, scored) if scored else None,
        trials=trials_picture(metric, *tunings[-1]) if tunings else None,
        usage=usage,
        header=HEADER,
        rows=rows(rounds),
        looks=list(looks(settings)),
    )


def score_picture(settings: Settings, scored: Numbered) -> Picture:
    """Return the score of each round with its interval, the simple technique, and the minimum as a line."""
    metric, minimum = settings.accuracy.metric, settings.accuracy.minimum
    numbers, found = [number for number, _ in scored], [each for _, each in scored]

    def draw(figure: Figure) -> None:
        axes = _axes(figure, numbers, "round")
        values = [each.value for each in found]
        axes.errorbar(numbers, values, spans(values, found), **MODEL_DOT, linestyle="none")
        axes.plot(numbers, [each.baseline for each in found], **DASH, linestyle="none")
        if minimum is not None:
            axes.axhline(minimum, color=CHOSEN)
            _beside(axes, (1.0, minimum), f"needed {minimum:,.15g}")
        axes.yaxis.set_major_formatter("{x:.3f}")

    said = "; ".join(f"round {number}: {each.value:.3f}" for number, each in scored)
    return Picture(
        f"{metric} over the rounds",
        svg(draw, HEIGHT_INCHES, said, WIDTH_INCHES),
        f"Dots: the model, with its 95% interval. Dashes: the simple technique. {periods(found)}",
    )


def mixed(rounds: Sequence[Experiment]) -> bool:
    """Return whether not all were scored on rows of the same period."""
    return len({each.scored_on for each in rounds}) > 1


def periods(rounds: Sequence[Experiment]) -> str:
    """Say on which rows the rounds were scored."""
    if mixed(rounds):
        return "Scores are of the period that stands beside them."
    return f"Scores are of the {rounds[0].scored_on} period."


def trials_picture(metric: Metric, number: int, tuning: Tuning) -> Picture:
    """Return the score of each trial of round `number`, and the best so far as a line."""
    best = list(accumulate(tuning.scores, max if metric.greater_is_better else min))
    trials = range(1, len(tuning.scores) + 1)

    def draw(figure: Figure) -> None:
        axes = _axes(figure, trials, "trial")
        axes.plot(trials, best, color=QUIET)
        axes.plot(trials, tuning.scores, **MODEL_DOT, linestyle="none")
        _beside(axes, (1.0, best[-1]), f"best {best[-1]:.4f}")
        axes.yaxis.set_major_formatter("{x:.4f}")

    said = f"{len(trials)} trials, the best {best[-1]:.4f}"
    return Picture(
        f"{metric.name} over the trials of round {number}",
        svg(draw, HEIGHT_INCHES, said, WIDTH_INCHES),
        "Dots: the trials, the first with what was used before, on rows that the model learns from. "
        "Line: the best so far. The score of the round is that of the best, on other rows.",
    )


def usage_picture(
    budget: ResearchBudget, currency: str, rounds: Sequence[Experiment], until: date
) -> Picture:
    """Return the share of each limit of the budget that was used by each round, and in the end."""
    numbers, days = range(1, len(rounds) + 1), [min(each.at.date(), until) for each in rounds]
    used = [
        budget_usage(budget, currency, rounds[:number], day)
        for number, day in [*zip(numbers, days, strict=True), (len(rounds), until)]
    ]

    def draw(figure: Figure) -> None:
        axes = _axes(figure, numbers, "round")
        axes.axhline(1, color=CHOSEN)
        _beside(axes, (1.0, 1.0), "agreed")
        for place, (limit, style) in enumerate(zip(used[-1], LIMITS, strict=False)):
            shares = [each[place].share for each in used]
            axes.plot([*numbers, len(rounds) + 0.5], shares, **style, marker="o", markersize=4, clip_on=False)
            _beside(axes, (1.0, shares[-1]), f"{limit.unit} {shares[-1]:.0%}", -12 * (place + 1))
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1))

    return Picture(
        "Budget burnt",
        svg(draw, HEIGHT_INCHES, format_usage(used[-1]), WIDTH_INCHES),
        f"By round; the lines end on {until}.",
    )


def _axes(figure: Figure, numbers: Sequence[int], across: str) -> Axes:
    """Return axes with a place for each of the numbers."""
    axes = figure.subplots()
    axes.set(xlabel=across, xlim=(min(numbers) - 0.5, max(numbers) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS, integer=True, min_n_ticks=1))
    return axes


def _beside(axes: Axes, place: tuple[float, float], words: str, below: float = 0.0) -> None:
    """Write words at the right of the axes, at the height of `place`."""
    axes.annotate(
        words,
        place,
        (8, below),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        verticalalignment="center",
    )
