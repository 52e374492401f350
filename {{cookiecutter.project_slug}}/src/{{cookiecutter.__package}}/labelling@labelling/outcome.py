"""What came of asking: from the files that came back to labels, or to the reason why there are none."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..settings import Settings
from .adjudication import ask_adjudicator, read_decisions
from .agreement import agreement
from .answers import Received, read_answers
from .items import Item, wanted
from .keep import save_answers, save_found, save_labels
from .labels import Label, is_agreed, refusal, settle, to_decide
from .tally import Agreement
from .task import Task


@dataclass(frozen=True)
class Outcome:
    """The answers, how far they agree, what is still to be decided, the labels; why they are refused."""

    received: Received
    agreement: Agreement | None
    undecided: dict[str, dict[str, str]]
    labels: tuple[Label, ...]
    refused: str | None


def find_outcome(settings: Settings, task: Task, items: Sequence[Item]) -> Outcome:
    """Read what came back, ask the adjudicator about what is disputed, and keep the labels that stand.

    Running it again on the same files gives the same. Refused labels are not kept: the last ones stay.
    Raises ProjectError, with all that was kept left as it is, where a file is bad.
    """
    received = read_answers(settings, task, items)
    decisions = read_decisions(settings, task, items)
    found = agreement(received.answers)
    needed = to_decide(task, received.answers, is_agreed(task, found))
    undecided = {item: given for item, given in needed.items() if item not in decisions}
    labels = settle(task, items, received.answers, decisions)
    asked = {item.value for item in wanted(task, items)}
    refused = refusal(task, found, undecided)
    ask_adjudicator(settings, needed)
    save_answers(settings, received.answers)
    evidence = {
        "agreement": str(found),
        "refused": refused,
        "items": len(asked),
        "labelled": sum(label.item in asked for label in labels),
        "decided": len(decisions),
    }
    if refused:
        save_found(settings, evidence)
    else:
        save_labels(settings, labels, evidence)
    return Outcome(received, found, undecided, tuple(labels), refused)
