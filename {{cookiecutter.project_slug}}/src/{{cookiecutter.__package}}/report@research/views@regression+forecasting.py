"""The pictures of a report on amounts, with the words under them and for those who cannot see them."""

from collections.abc import Sequence

import numpy as np

from ..model.train import Training
from .figures import Choice, bins, budget
from .gallery import Picture
from .pictures import budget_picture, cost_picture, errors_picture, size_picture
from .summary import money


def errors(training: Training, unit: str) -> Picture:
    """Return how the errors are spread."""
    found = [each - training.test.target for each in (training.prediction, training.baseline)]
    low, middle, high = np.quantile(found[0], [0.1, 0.5, 0.9])
    said = f"Eight in ten errors of the model lie between {low:.1f} and {high:.1f}, half below {middle:.1f}."
    return Picture(
        "How the errors are spread",
        errors_picture(found[0], found[1], unit, f"Histogram of the errors. {said}"),
        f"{said} Left of 0, too little was predicted.",
    )


def tolerated(training: Training, tolerable: float, unit: str) -> Picture:
    """Return how many rows stay within which error."""
    target, sizes = training.test.target, np.abs(training.prediction - training.test.target)
    largest = max(float(np.quantile(sizes, 0.95)), 1.5 * tolerable)
    curves = [budget(target, each, largest) for each in (training.prediction, training.baseline)]
    evaluation = training.info["evaluation"]
    model, simple = (evaluation[name]["within"]["value"] for name in ("model", "baseline"))
    size = f"{tolerable:g} {unit}".strip()
    said = f"Within {size}: {model:.0%} of the model's predictions, {simple:.0%} of the simple technique's."
    return Picture(
        "How large an error has to be borne",
        budget_picture(curves[0], curves[1], tolerable, unit, f"Share of rows by error. {said}"),
        said,
    )


def by_size(training: Training, unit: str) -> Picture:
    """Return the errors by the predicted amount."""
    found = bins(training.test.target, training.prediction, training.baseline)
    said = "; ".join(f"{b.predicted:.1f} predicted, off by {b.error:.1f}" for b in found)
    return Picture(
        "Errors by size of the prediction",
        size_picture(found, unit, f"Mean error by prediction: {said}."),
        "A plan for amounts whose errors are large needs more room than one margin for all leaves.",
    )


def costs(currency: str, model: Sequence[Choice], simple: Sequence[Choice], chosen: Choice) -> Picture:
    """Return what each margin costs."""
    best = min(model, key=lambda each: each.cost)
    caption = (
        f"The margin of {chosen.margin:.1f} was chosen on earlier rows. On these, {best.margin:.1f} would "
        f"have cost least: {money(best.cost, currency)}."
    )
    description = f"Cost by margin: {money(chosen.cost, currency)} at the chosen one. {caption}"
    return Picture(
        "What each margin costs", cost_picture(model, simple, chosen, currency, description), caption
    )
