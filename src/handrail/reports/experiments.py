"""Shows the rounds of research: the scores, the trials of the last tuning, the budget burnt meanwhile."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import accumulate

from TWIN_model_metrics import GREATER_IS_BETTER

from handrail.config.settings import Settings
from handrail.stages.html_page import heading, html_page, paragraph, table
from handrail.stages.svg import Scale, dot, drawing, level, polyline, text
from handrail.training.budget_usage import budget_usage, format_usage
from handrail.training.experiment_log import Experiment, Tuning
from handrail.training.stopping_rule import Recommendation

HEADER = ("round", "date", "score", "95%", "baseline", "seconds", "note")
WIDTH, HEIGHT = 720.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 120.0, 24.0, 40.0
BLUE, ORANGE, QUIET = "#0072b2", "#d55e00", "#5c5c5c"


def rows(rounds: Sequence[Experiment]) -> list[tuple[str, ...]]:
    """Return a row for each round."""
    return [
        (
            str(number),
            each.at.date().isoformat(),
            f"{each.value:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
            f"{each.baseline:.3f}",
            f"{each.seconds:,.0f}",
            each.note,
        )
        for number, each in enumerate(rounds, start=1)
    ]


def page(settings: Settings, rounds: Sequence[Experiment], verdict: Recommendation, until: date) -> str:
    """Return the page with its pictures; `until`: the last day that research costs."""
    lead = f"{verdict.says.capitalize()}: {verdict.because}."
    parts = _parts(settings, rounds, until)
    return html_page(f"{settings.name}: rounds of research", lead, parts, "From rounds.jsonl.")


def _parts(settings: Settings, rounds: Sequence[Experiment], until: date) -> Iterator[str]:
    metric = settings.accuracy.metric
    numbered = [(number, each) for number, each in enumerate(rounds, start=1) if each.metric == metric]
    counted = [(number, each) for number, each in numbered if not each.tuning]
    yield heading(f"{metric} over the rounds")
    if not counted:
        yield paragraph(f"No round is measured by {metric} yet.")
    else:
        yield score_picture(settings, counted)
        yield paragraph("Dots: the model, with its 95% interval. Dashes: the simple technique.", "quiet")
    tunings = [(number, each.tuning) for number, each in numbered if each.tuning]
    if tunings:
        number, tuning = tunings[-1]
        yield heading(f"{metric} over the trials of round {number}")
        yield trials_picture(metric, tuning)
        yield paragraph(
            "Dots: the trials, the first with what was used before, on rows that the model learns from. "
            "Line: the best so far. The score of the round is that of the best, on later rows.",
            "quiet",
        )
    if rounds and settings.budget and settings.budget.research:
        yield heading("Budget burnt")
        yield budget_picture(settings, rounds, until)
        yield paragraph(f"By round; the lines end on {until}.", "quiet")
    yield heading("Every round")
    yield table("Scores are those of the metric that decided then", HEADER, rows(rounds))


def score_picture(settings: Settings, counted: Sequence[tuple[int, Experiment]]) -> str:
    """Return the score of each round with its interval, the simple technique, and the minimum as a line."""
    minimum = settings.accuracy.minimum
    ends = [end for _, each in counted for end in (each.low, each.high, each.baseline)] + [minimum]
    up = Scale(min(ends), max(ends), HEIGHT - BOTTOM, TOP)
    across = _across([number for number, _ in counted])
    marks = [*_frame(up, across, [number for number, _ in counted], "{:.3f}")]
    marks += [level(LEFT, WIDTH - RIGHT, up.at(minimum), ORANGE)]
    marks += [text(WIDTH - RIGHT + 6, up.at(minimum) + 4, f"needed {minimum:g}", "start")]
    for number, each in counted:
        x = across.at(number)
        marks.append(polyline([(x, up.at(each.low)), (x, up.at(each.high))], BLUE))
        marks.append(dot(x, up.at(each.value), 4.5, BLUE))
        marks.append(level(x - 9, x + 9, up.at(each.baseline), QUIET))
    format_usage = "; ".join(f"round {number}: {each.value:.3f}" for number, each in counted)
    return drawing(WIDTH, HEIGHT, format_usage, marks)


def trials_picture(metric: str, tuning: Tuning) -> str:
    """Return the score of each trial, and the best so far as a line."""
    numbers = list(range(1, len(tuning.scores) + 1))
    up = Scale(min(tuning.scores), max(tuning.scores), HEIGHT - BOTTOM, TOP)
    across = _across(numbers)
    best = list(accumulate(tuning.scores, max if GREATER_IS_BETTER[metric] else min))
    marks = [*_frame(up, across, numbers, "{:.4f}", "trial")]
    marks.append(
        polyline([(across.at(n), up.at(score)) for n, score in zip(numbers, best, strict=True)], QUIET)
    )
    marks += [dot(across.at(n), up.at(s), 4.5, BLUE) for n, s in zip(numbers, tuning.scores, strict=True)]
    marks.append(text(across.at(numbers[-1]) + 8, up.at(best[-1]) + 4, f"best {best[-1]:.4f}", "start"))
    return drawing(WIDTH, HEIGHT, f"{len(numbers)} trials, the best {best[-1]:.4f}", marks)


def budget_picture(settings: Settings, rounds: Sequence[Experiment], until: date) -> str:
    """Return the share of each limit of the budget that was used by each round, and in the end."""
    if settings.budget is None or settings.budget.research is None:
        return ""
    limits, currency = settings.budget.research, settings.budget.currency
    days = [*(min(each.at.date(), until) for each in rounds), until]
    numbers = list(range(1, len(rounds) + 1))
    ends = zip([*numbers, None], days, strict=True)
    burns = [budget_usage(limits, currency, rounds[:number], day) for number, day in ends]
    up = Scale(0, max([1.0, *(burn.share for each in burns for burn in each)]), HEIGHT - BOTTOM, TOP)
    across = _across(numbers)
    marks = [*_frame(up, across, numbers, "{:.0%}"), level(LEFT, WIDTH - RIGHT, up.at(1), ORANGE)]
    marks.append(text(WIDTH - RIGHT + 6, up.at(1) + 4, "agreed", "start"))
    for place, colour in zip(range(len(burns[-1])), (BLUE, QUIET), strict=False):
        shares = [each[place].share for each in burns]
        at = [*map(across.at, numbers), across.end]
        line = [(x, up.at(share)) for x, share in zip(at, shares, strict=True)]
        marks += [polyline(line, colour), *(dot(x, y, 3, colour) for x, y in line)]
        x, y = line[-1]
        marks.append(text(x + 8, y + 4 + 14 * place, f"{burns[-1][place].unit} {shares[-1]:.0%}", "start"))
    return drawing(WIDTH, HEIGHT, format_usage(burns[-1]), marks)


def _across(numbers: Sequence[int]) -> Scale:
    return Scale(min(numbers) - 0.5, max(numbers) + 0.5, LEFT, WIDTH - RIGHT)


def _frame(
    up: Scale, across: Scale, numbers: Sequence[int], form: str, below: str = "round"
) -> Iterator[str]:
    for value in up.ticks():
        yield level(LEFT, WIDTH - RIGHT, up.at(value), "#dddddd")
        yield text(LEFT - 8, up.at(value) + 4, form.format(value), "end")
    every = max(1, len(numbers) // 12)
    for number in numbers[::every]:
        yield text(across.at(number), HEIGHT - BOTTOM + 18, str(number), "middle")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, below, "middle")
