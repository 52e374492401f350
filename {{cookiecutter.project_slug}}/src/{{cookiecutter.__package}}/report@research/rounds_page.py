"""Shows the rounds of research: the score over the rounds, and the budget that was burnt meanwhile."""

from collections.abc import Iterator, Sequence

from ..model.verdict import Round, Verdict, burnt
from ..settings import Settings
from ..stages.sheet import heading, paragraph, sheet, table
from ..stages.svg import Scale, dot, drawing, level, polyline, text

HEADER = ("round", "date", "score", "95%", "baseline", "seconds", "note")
WIDTH, HEIGHT = 720.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 120.0, 24.0, 40.0
BLUE, ORANGE, QUIET = "#0072b2", "#d55e00", "#5c5c5c"


def rows(rounds: Sequence[Round]) -> list[tuple[str, ...]]:
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


def page(settings: Settings, rounds: Sequence[Round], verdict: Verdict) -> str:
    """Return the page with both pictures."""
    lead = f"{verdict.says.capitalize()}: {verdict.because}."
    return sheet(f"{settings.name}: rounds of research", lead, _parts(settings, rounds), "From rounds.jsonl.")


def _parts(settings: Settings, rounds: Sequence[Round]) -> Iterator[str]:
    metric = settings.accuracy.metric
    counted = [(number, each) for number, each in enumerate(rounds, start=1) if each.metric == metric]
    yield heading(f"{metric} over the rounds")
    if not counted:
        yield paragraph(f"No round is measured by {metric} yet.")
    else:
        yield score_picture(settings, counted)
        yield paragraph("Dots: the model, with its 95% interval. Dashes: the simple technique.", "quiet")
    if rounds and settings.budget and settings.budget.research:
        yield heading("Budget burnt")
        yield budget_picture(settings, rounds)
    yield heading("Every round")
    yield table("Scores are those of the metric that decided then", HEADER, rows(rounds))


def score_picture(settings: Settings, counted: Sequence[tuple[int, Round]]) -> str:
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
    told = "; ".join(f"round {number}: {each.value:.3f}" for number, each in counted)
    return drawing(WIDTH, HEIGHT, told, marks)


def budget_picture(settings: Settings, rounds: Sequence[Round]) -> str:
    """Return the share of each limit of the budget that was used by each round."""
    if settings.budget is None or settings.budget.research is None:
        return ""
    limits, currency = settings.budget.research, settings.budget.currency
    burns = [burnt(limits, currency, rounds[:count]) for count in range(1, len(rounds) + 1)]
    numbers = list(range(1, len(rounds) + 1))
    up = Scale(0, max([1.0, *(burn.share for each in burns for burn in each)]), HEIGHT - BOTTOM, TOP)
    across = _across(numbers)
    marks = [*_frame(up, across, numbers, "{:.0%}"), level(LEFT, WIDTH - RIGHT, up.at(1), ORANGE)]
    marks.append(text(WIDTH - RIGHT + 6, up.at(1) + 4, "agreed", "start"))
    for place, colour in zip(range(len(burns[-1])), (BLUE, QUIET), strict=False):
        shares = [each[place].share for each in burns]
        line = [(across.at(number), up.at(share)) for number, share in zip(numbers, shares, strict=True)]
        marks += [polyline(line, colour), *(dot(x, y, 3, colour) for x, y in line)]
        x, y = line[-1]
        marks.append(text(x + 8, y + 4 + 14 * place, f"{burns[-1][place].unit} {shares[-1]:.0%}", "start"))
    told = "; ".join(f"{burn.used:,.0f} of {burn.limit:,.0f} {burn.unit}" for burn in burns[-1])
    return drawing(WIDTH, HEIGHT, told, marks)


def _across(numbers: Sequence[int]) -> Scale:
    return Scale(min(numbers) - 0.5, max(numbers) + 0.5, LEFT, WIDTH - RIGHT)


def _frame(up: Scale, across: Scale, numbers: Sequence[int], form: str) -> Iterator[str]:
    for value in up.ticks():
        yield level(LEFT, WIDTH - RIGHT, up.at(value), "#dddddd")
        yield text(LEFT - 8, up.at(value) + 4, form.format(value), "end")
    every = max(1, len(numbers) // 12)
    for number in numbers[::every]:
        yield text(across.at(number), HEIGHT - BOTTOM + 18, str(number), "middle")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "round", "middle")
