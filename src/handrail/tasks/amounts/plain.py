"""What everybody is told of a model that predicts amounts: no names of measures, numbers of a hundred."""

from handrail.config.sections import AmountWords
from handrail.config.settings import Settings
from handrail.contract.schema import Role, one_of_role
from handrail.reports.dots import hundred
from handrail.reports.gallery import Picture
from handrail.reports.tradeoff import Tradeoff
from handrail.training.run import Training


def does(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what the model does, and for whom."""
    words, period = settings.section(AmountWords), tradeoff.period
    meaning = one_of_role(settings.project.contract, Role.TARGET).description.partition(";")[0]
    return (
        f"It says beforehand how many {words.counted} to expect for each of the {words.rows}, about "
        f"{period.rows:,.0f} of them a {period.name}: {meaning[:1].lower()}{meaning[1:]}. What "
        f"{words.users} should plan with is that, with {tradeoff.present.label} on top, which follows from "
        "what errors cost."
    )


def pictures(settings: Settings, training: Training, tradeoff: Tradeoff) -> list[Picture]:
    """Return how many plans of a hundred are enough, and how many predictions are about right."""
    words, enough = settings.section(AmountWords), round(tradeoff.present.shown[0])
    said = f"Of 100 {words.rows}, {enough} need no more than was planned; {100 - enough} need more."
    shown = [Picture("How often the plan is enough", hundred(enough, said), said)]
    tolerable, evaluation = settings.error_costs.tolerable, training.info["evaluation"]
    if tolerable:
        model, simple = (round(100 * evaluation[name]["within"]["value"]) for name in ("model", "baseline"))
        said = (
            f"Of 100 predictions, {model} are off by no more than {tolerable:g} {words.counted}; of the "
            f"simple technique's, {simple}."
        )
        shown.append(Picture("How often the prediction is near", hundred(model, said), said))
    return shown


def compared(settings: Settings, training: Training, tradeoff: Tradeoff) -> str:
    """Say how far off it is on average, beside the model."""
    words, evaluation = settings.section(AmountWords), training.info["evaluation"]
    model, simple = (evaluation[name]["mae"]["value"] for name in ("model", "baseline"))
    return f"On average it is off by {simple:.1f} {words.counted}, the model by {model:.1f}."


def useless(tradeoff: Tradeoff) -> str:
    """Say why it is best to do without, where it is; empty where it isn't."""
    if tradeoff.saved["nothing"]["high"] <= 0:
        return "always planning the same amount costs no more than planning by it"
    return ""


def limits(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what it cannot do."""
    words, (_, short, spare) = settings.section(AmountWords), tradeoff.present.shown
    return (
        f"It does not know what will come, it says what to expect. Added up over a {tradeoff.period.name}, "
        f"its plans are {short:,.0f} {words.counted} short where they are not enough, and leave {spare:,.0f} "
        "over where they are: less of the one means more of the other."
    )
