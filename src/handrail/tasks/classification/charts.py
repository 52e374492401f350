"""The pictures for those who build the model: curves and bins, computed from arrays and drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from handrail.arrays import Doubles, Floats
from handrail.reports.pictures import (
    CHOSEN_DOT,
    INK,
    MODEL,
    MODEL_DOT,
    MODEL_LINE,
    QUIET,
    SIMPLE_LINE,
    Picture,
    quantile_bins,
    spans,
    svg,
)
from handrail.reports.wording import money, number
from handrail.tasks.classification.decision import shown_threshold
from handrail.tasks.classification.metrics import Cases, roc_auc
from handrail.tasks.classification.tradeoff import PER, Choice
from handrail.training.run import Training

CURVE_POINTS = 200
LEAST_CAUGHT_SHARE = 0.02  # with fewer the share of what is for nothing is chance
Curve = tuple[Doubles, Doubles]


def roc_curve(target: Floats, prediction: Floats) -> Curve:
    """Return the shares of non-cases and of cases picked out, at most CURVE_POINTS of each after (0, 0)."""
    (counts,) = Cases.of_rows(target, prediction).weighted()
    kept = np.unique(np.linspace(0, len(counts.rows) - 1, CURVE_POINTS).round().astype(int))
    alarms, hits = (np.append(0, each[kept]) / max(each[-1], 1) for each in (counts.alarms, counts.hits))
    return alarms, hits


def roc_picture(training: Training, chosen: Choice) -> Picture:
    """Return the ROC curves of the model and the simple technique, and the chosen threshold's place."""
    target, both = training.test.target, (training.prediction, training.baseline)
    model, simple = (roc_curve(target, each) for each in both)
    areas = [number(roc_auc(*Cases.of_rows(target, each).weighted())) for each in both]
    place = (chosen.false_alarms / (PER * float((target != 1).mean()) or 1.0), chosen.caught_share)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*model, **MODEL_LINE)
        axes.plot(*simple, **SIMPLE_LINE)
        axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", linewidth=1, label="guessing")
        axes.plot([place[0]], [place[1]], **CHOSEN_DOT, label="chosen threshold")
        axes.set(xlabel="non-cases picked out", ylabel="cases picked out", xlim=(0, 1), ylim=(0, 1.02))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower right")

    said = f"ROC curves. Area under the model's: {areas[0]}, under the simple technique's: {areas[1]}."
    caption = "Every threshold is a point of the curve: the further up and to the left, the better."
    return Picture("Telling cases from the rest (ROC)", svg(draw, 4.0, said), caption)


@dataclass(frozen=True)
class Bin:
    """Rows of like probability: their mean probability, and their share of cases with its 95% interval."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float


def calibration(target: Floats, prediction: Floats) -> list[Bin]:
    """Return bins of about equally many rows, the lowest probabilities first."""
    return [_bin(target[rows], prediction[rows]) for rows in quantile_bins(prediction)]


def _bin(target: Floats, prediction: Floats) -> Bin:
    """Return the figures of a bin; its interval is E. B. Wilson's, JASA (1927)."""
    rows, observed, z = len(target), float(target.mean(dtype=np.float64)), 1.96
    centre = (observed + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * (observed * (1 - observed) / rows + z**2 / (4 * rows**2)) ** 0.5
    return Bin(
        rows,
        float(prediction.mean(dtype=np.float64)),
        observed,
        max(centre - half, 0.0),
        min(centre + half, 1.0),
    )


def calibration_picture(training: Training) -> Picture:
    """Return the observed share of cases against the probability; below, how many rows have which."""
    bins = calibration(training.test.target, training.prediction)
    top = min(1.0, 1.08 * max(max(each.high, each.predicted) for each in bins))

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, top], [0, top], color=QUIET, linestyle=":", label="as predicted")
        x, y = [each.predicted for each in bins], [each.observed for each in bins]
        upper.errorbar(x, y, spans(y, bins), **MODEL_DOT, label="what happened, 95% interval")
        upper.set(ylabel="observed share of cases", ylim=(0, top))
        upper.legend(loc="best")
        lower.hist(training.prediction, bins=40, range=(0, top), color=MODEL, alpha=0.6)
        lower.set(xlabel="predicted probability", ylabel="rows", xlim=(0, top))
        lower.yaxis.set_major_formatter("{x:,.0f}")
        upper.yaxis.set_major_formatter(PercentFormatter(1))
        lower.xaxis.set_major_formatter(PercentFormatter(1))

    said = "; ".join(f"{each.predicted:.0%} predicted, {each.observed:.0%} observed" for each in bins)
    return Picture(
        "Do the probabilities come true? (calibration)",
        svg(draw, 4.0, f"Calibration: {said}."),
        "Each dot stands for about the same number of rows. Above the dotted line, more cases happened than "
        "were predicted; below the picture, how many rows have which probability.",
    )


def catch_picture(
    actions: str,
    model: Sequence[Choice],
    simple: Sequence[Choice],
    listed: Sequence[Choice],
    chosen: Choice,
) -> Picture:
    """Return how many of 100 actions are for nothing against the share of cases found, at each threshold."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for curve, style in ((simple, SIMPLE_LINE), (model, MODEL_LINE)):
            shown = [c for c in curve if c.caught_share >= LEAST_CAUGHT_SHARE]
            axes.plot([c.caught_share for c in shown], [c.alarms_per_100 for c in shown], **style)
        axes.plot([chosen.caught_share], [chosen.alarms_per_100], **CHOSEN_DOT, label="chosen threshold")
        for each in listed:
            place = (each.caught_share, each.alarms_per_100)
            axes.plot(*place, **MODEL_DOT)
            axes.annotate(
                shown_threshold(each.threshold), place, (0, -14), textcoords="offset points", color=INK
            )
        axes.set(xlabel="cases found", ylabel=f"of 100 {actions}, for nothing", xlim=(0, 1.03), ylim=(0, 100))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower right")

    said = "; ".join(
        f"threshold {shown_threshold(each.threshold)}: {number(each.caught_share, '.0%')} found, "
        f"{number(each.alarms_per_100, '.0f')} of 100 {actions} for nothing"
        for each in listed
    )
    return Picture(
        f"More cases found, more {actions} for nothing",
        svg(draw, 3.8, f"Trade-off of the model: {said}."),
        "Each dot is a threshold of the table. Further right: more cases found; further down: fewer "
        f"{actions} for nothing.",
    )


def payoff_picture(
    currency: str, model: Sequence[Choice], simple: Sequence[Choice], chosen: Choice, *, here: bool = False
) -> Picture:
    """Return what acting from each threshold on is worth; steep losses at low thresholds are cut off.

    `here`: whether the threshold was chosen on these rows.
    """
    used = max([c.threshold for c in (*model, *simple) if c.warnings] + [chosen.threshold])
    best = max(model, key=lambda each: each.payoff)
    top = max([c.payoff for c in (*model, *simple)] + [0.01])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=QUIET, linewidth=1)
        for curve, style in ((simple, SIMPLE_LINE), (model, MODEL_LINE)):
            axes.plot([c.threshold for c in curve], [c.payoff for c in curve], **style)
        axes.plot([chosen.threshold], [chosen.payoff], **CHOSEN_DOT, label="chosen threshold")
        axes.set(xlabel="threshold", ylabel=f"{currency} per {PER:,} rows", xlim=(0, 1.03 * used))
        axes.set_ylim(min(-top, 1.2 * chosen.payoff), 1.2 * top)
        axes.yaxis.set_major_formatter("{x:,.0f}" if top > 5 else "{x:.2f}")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower right")

    caption = f"The threshold of {shown_threshold(chosen.threshold)} was chosen on "
    caption += (
        "these rows: on others, another may be worth most."
        if here
        else (
            f"other rows. On these, {shown_threshold(best.threshold)} would have been worth most: "
            f"{money(best.payoff, currency)}."
        )
    )
    said = f"Payoff by threshold: {money(chosen.payoff, currency)} at the chosen one. {caption}"
    return Picture("What each threshold is worth", svg(draw, 3.8, said), caption)
