"""What everybody is told of a model that warns: no names of measures, numbers of a hundred."""

import math

from handrail.config.sections import CaseWords
from handrail.config.settings import Settings
from handrail.reports.dots import hundred
from handrail.reports.gallery import Picture
from handrail.reports.tradeoff import Tradeoff, cheapest
from handrail.training.run import Training


def does(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what the model does, and for whom."""
    words, period, warnings = settings.section(CaseWords), tradeoff.period, tradeoff.present.shown[0]
    often = f"about {warnings:,.0f} warnings a {period.name}, among {period.rows:,.0f} {words.rows}"
    return (
        f"It looks at each of the {words.rows} beforehand; where one is likely to be among the "
        f"{words.cases}, a warning goes to {words.users}. That is {often}."
    )


def pictures(settings: Settings, training: Training, tradeoff: Tradeoff) -> list[Picture]:
    """Return how many of a hundred are found, and how many warnings are right; none that is unknown."""
    cases, (*_, found, right) = settings.section(CaseWords).cases, tradeoff.present.shown
    shown = []
    if math.isfinite(found):
        said = f"Of 100 {cases}, {found:.0f} come with a warning; {100 - round(found)} come without one."
        shown.append(Picture(f"How many of the {cases} are found", hundred(round(found), said), said))
    if math.isfinite(right):
        said = f"Of 100 warnings, {right:.0f} are right; {100 - round(right)} are for nothing."
        shown.append(Picture("How many warnings are right", hundred(round(right), said), said))
    return shown


def compared(settings: Settings, training: Training, tradeoff: Tradeoff) -> str:
    """Say the same of the simple technique, at the threshold that suits it best."""
    cases, best = settings.section(CaseWords).cases, cheapest(tradeoff.simple, settings.error_costs)
    warnings, *_, found, right = best.shown
    if not math.isfinite(found):
        return f"There were no {cases} among those tested, so nobody can tell how many are found."
    if not warnings:
        return "Used as well as it can be, it gives no warnings: at these costs, none of its own would pay."
    return (
        f"Used as well as it can be, it finds {found:.0f} of 100 {cases}, and {right:.0f} of 100 of its "
        "warnings are right."
    )


def useless(tradeoff: Tradeoff) -> str:
    """Say why it is best to do without, where it is: no warning pays; empty where some do."""
    if not tradeoff.present.shown[0]:
        return "at what errors cost, it is best to give no warnings at all"
    if tradeoff.saved["nothing"]["high"] <= 0:
        return "acting on its warnings costs more than giving none"
    return ""


def limits(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what it cannot do."""
    (_, _, missed, alarms, *_), period = tradeoff.present.shown, tradeoff.period.name
    errors = f"about {missed:,.0f} {settings.section(CaseWords).cases} and gives {alarms:,.0f} warnings for nothing"
    return (
        "It does not know what will happen, it says what is likely. "
        f"Each {period} it overlooks {errors}: fewer of the one means more of the other."
    )
