"""The report's pictures: numbers in, SVG text out."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from handrail.arrays import Doubles, Floats
from handrail.reports.drawing import BASELINE, CHOSEN, INK, MODEL, QUIET, svg
from handrail.reports.gallery import Picture
from handrail.reports.wording import money, number
from handrail.tasks.classification.figures import PER, Bin, Choice, calibration, roc_curve
from handrail.training.run import Training

MODEL_LINE: dict[str, Any] = {"color": MODEL, "linewidth": 2, "label": "model"}
SIMPLE_LINE: dict[str, Any] = {"color": BASELINE, "linestyle": "--", "label": "simple technique"}
DOT: dict[str, Any] = {"color": MODEL, "marker": "o", "markersize": 5}
CHOSEN_DOT: dict[str, Any] = {
    "color": CHOSEN,
    "marker": "o",
    "markersize": 8,
    "zorder": 3,
    "linestyle": "none",
}
LEAST_CAUGHT_SHARE = 0.02  # with fewer warnings the share of false alarms is chance
Curve = tuple[Doubles, Doubles]


def roc_picture(model: Curve, simple: Curve, chosen: tuple[float, float], description: str) -> str:
    """Draw both ROC curves and the chosen threshold's place: shares of non-cases, and of cases."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*model, **MODEL_LINE)
        axes.plot(*simple, **SIMPLE_LINE)
        axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", linewidth=1, label="guessing")
        axes.plot([chosen[0]], [chosen[1]], **CHOSEN_DOT, label="chosen threshold")
        axes.set(xlabel="non-cases warned of", ylabel="cases warned of", xlim=(0, 1), ylim=(0, 1.02))
        _percent(axes, "xy")
        axes.legend(loc="lower right")

    return svg(draw, 4.0, description)


def calibration_picture(bins: Sequence[Bin], probabilities: Floats, description: str) -> str:
    """Draw the observed share of cases against the probability; below, how many rows have which."""
    top = min(1.0, 1.08 * max(max(each.high, each.predicted) for each in bins))

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, top], [0, top], color=QUIET, linestyle=":", label="as predicted")
        x, y = [each.predicted for each in bins], [each.observed for each in bins]
        spans = [[b.observed - b.low for b in bins], [b.high - b.observed for b in bins]]
        upper.errorbar(x, y, spans, **DOT, label="what happened, 95% interval")
        upper.set(ylabel="observed share of cases", ylim=(0, top))
        upper.legend(loc="best")
        lower.hist(probabilities, bins=40, range=(0, top), color=MODEL, alpha=0.6)
        lower.set(xlabel="predicted probability", ylabel="rows", xlim=(0, top))
        lower.yaxis.set_major_formatter("{x:,.0f}")
        _percent(upper, "y")
        _percent(lower, "x")

    return svg(draw, 4.0, description)


def catch_picture(
    model: Sequence[Choice],
    simple: Sequence[Choice],
    listed: Sequence[Choice],
    chosen: Choice,
    description: str,
) -> str:
    """Draw the false alarms among 100 warnings against the share of cases caught, over all thresholds."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for curve, style in ((simple, SIMPLE_LINE), (model, MODEL_LINE)):
            shown = [c for c in curve if c.caught_share >= LEAST_CAUGHT_SHARE]
            axes.plot([c.caught_share for c in shown], [c.alarms_per_100 for c in shown], **style)
        axes.plot([chosen.caught_share], [chosen.alarms_per_100], **CHOSEN_DOT, label="chosen threshold")
        for each in listed:
            place = (each.caught_share, each.alarms_per_100)
            axes.plot(*place, **DOT)
            axes.annotate(f"{each.threshold:.0%}", place, (0, -14), textcoords="offset points", color=INK)
        axes.set(
            xlabel="cases caught", ylabel="false alarms among 100 warnings", xlim=(0, 1.03), ylim=(0, 100)
        )
        _percent(axes, "x")
        axes.legend(loc="lower right")

    return svg(draw, 3.8, description)


def payoff_picture(
    model: Sequence[Choice], simple: Sequence[Choice], chosen: Choice, currency: str, description: str
) -> str:
    """Draw what the warnings are worth against the threshold; steep losses at low thresholds are cut off."""
    used = max([c.threshold for c in (*model, *simple) if c.warnings] + [chosen.threshold])
    best = max([c.payoff for c in (*model, *simple)] + [0.01])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=QUIET, linewidth=1)
        for curve, style in ((simple, SIMPLE_LINE), (model, MODEL_LINE)):
            axes.plot([c.threshold for c in curve], [c.payoff for c in curve], **style)
        axes.plot([chosen.threshold], [chosen.payoff], **CHOSEN_DOT, label="chosen threshold")
        axes.set(xlabel="threshold", ylabel=f"{currency} per {PER:,} rows", xlim=(0, used + 0.02))
        axes.set_ylim(min(-best, 1.2 * chosen.payoff), 1.2 * best)
        axes.yaxis.set_major_formatter("{x:,.0f}" if best > 5 else "{x:.2f}")
        _percent(axes, "x")
        axes.legend(loc="lower right")

    return svg(draw, 3.8, description)


def _percent(axes: Axes, which: str) -> None:
    for axis in which:
        getattr(axes, f"{axis}axis").set_major_formatter(PercentFormatter(1))


def roc(training: Training, chosen: Choice) -> Picture:
    """Return the ROC curves of the model and the simple technique."""
    target, evaluation = training.test.target, training.info["evaluation"]
    curves = [roc_curve(target, each) for each in (training.prediction, training.baseline)]
    others = PER * float((target != 1).mean())
    place = (chosen.false_alarms / others, chosen.caught_share)
    model, simple = (number(evaluation[name]["roc_auc"]["value"]) for name in ("model", "baseline"))
    description = f"ROC curves. Area under the model's: {model}, under the simple technique's: {simple}."
    caption = "Every threshold is a point of the curve: the further up and to the left, the better."
    return Picture("Telling cases from the rest (ROC)", roc_picture(*curves, place, description), caption)


def calibration_of(training: Training) -> Picture:
    """Return how far the probabilities came true."""
    bins = calibration(training.test.target, training.prediction)
    said = "; ".join(f"{each.predicted:.0%} predicted, {each.observed:.0%} observed" for each in bins)
    return Picture(
        "Do the probabilities come true? (calibration)",
        calibration_picture(bins, training.prediction, f"Calibration: {said}."),
        "Each dot stands for about equally many rows. Above the dotted line, more cases happened than were "
        "predicted; below the picture, how many rows have which probability.",
    )


def catches(
    model: Sequence[Choice], simple: Sequence[Choice], listed: Sequence[Choice], chosen: Choice
) -> Picture:
    """Return cases caught against false alarms."""
    said = "; ".join(
        f"threshold {each.threshold:.0%}: {number(each.caught_share, '.0%')} caught, "
        f"{number(each.alarms_per_100, '.0f')} of 100 warnings false"
        for each in listed
    )
    return Picture(
        "More cases caught, more false alarms",
        catch_picture(model, simple, listed, chosen, f"Trade-off of the model: {said}."),
        "Each dot is a threshold of the table. Further right: more cases caught; further down: fewer "
        "warnings for nothing.",
    )


def payoffs(currency: str, model: Sequence[Choice], simple: Sequence[Choice], chosen: Choice) -> Picture:
    """Return what each threshold is worth."""
    best = max(model, key=lambda each: each.payoff)
    caption = (
        f"The threshold of {chosen.threshold:.0%} was chosen on earlier rows. On these, {best.threshold:.0%} "
        f"would have been worth most: {money(best.payoff, currency)}."
    )
    description = f"Payoff by threshold: {money(chosen.payoff, currency)} at the chosen one. {caption}"
    drawn = payoff_picture(model, simple, chosen, currency, description)
    return Picture("What each threshold is worth", drawn, caption)
