"""Shows the rounds of research: the scores, the trials of the last tuning, the budget burnt meanwhile."""

from collections.abc import Iterator, Sequence
from datetime import date

from ..model.history import Round
from ..model.verdict import Verdict
from ..settings import Settings
from ..stages.sheet import heading, paragraph, sheet, table
from .rounds_pictures import budget_picture, score_picture, trials_picture

HEADER = ("round", "date", "score", "95%", "baseline", "seconds", "note")


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


def page(settings: Settings, rounds: Sequence[Round], verdict: Verdict, until: date) -> str:
    """Return the page with its pictures; `until`: the last day that research costs."""
    lead = f"{verdict.says.capitalize()}: {verdict.because}."
    parts = _parts(settings, rounds, until)
    return sheet(f"{settings.name}: rounds of research", lead, parts, "From rounds.jsonl.")


def _parts(settings: Settings, rounds: Sequence[Round], until: date) -> Iterator[str]:
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
