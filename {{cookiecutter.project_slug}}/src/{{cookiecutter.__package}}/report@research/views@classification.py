"""The pictures of a report on probabilities, with the words under them and for those who cannot see them."""

from collections.abc import Sequence

from ..model.train import Training
from .figures import PER, Choice, calibration, roc_curve
from .gallery import Picture
from .pictures import calibration_picture, catch_picture, payoff_picture, roc_picture
from .summary import money, number


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
