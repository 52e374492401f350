"""What came of asking: from the files that came back to labels, or to the reason why there are none."""

from collections.abc import Sequence
from dataclasses import dataclass

from handrail.config.settings import Settings
from handrail.labelling.adjudication import read_decisions
from handrail.labelling.aggregation import Label, aggregate, to_decide
from handrail.labelling.agreement import Agreement, agreement, is_agreed, refusal
from handrail.labelling.answers import Received, read_answers
from handrail.labelling.items import Item, wanted
from handrail.labelling.store import save_answers, save_found, save_labels
from handrail.labelling.task import Task


@dataclass(frozen=True)
class Outcome:
    """The answers, how far they agree, what is decided and what should be, the labels; why they are refused.

    `asked` are the items that are to have a label; others may have one, of answers to an earlier choice.
    """

    asked: frozenset[str]
    received: Received
    agreement: Agreement | None
    disputed: dict[str, dict[str, str]]
    decisions: dict[str, str]
    labels: tuple[Label, ...]

    @property
    def undecided(self) -> dict[str, dict[str, str]]:
        """What was answered on the items that still need a decision."""
        return {item: given for item, given in self.disputed.items() if item not in self.decisions}

    @property
    def labelled(self) -> list[Label]:
        """The labels of the items that are to have one."""
        return [label for label in self.labels if label.item in self.asked]


def find_outcome(settings: Settings, task: Task, items: Sequence[Item]) -> Outcome:
    """Read what came back and what was decided; the same files give the same outcome.

    Raises ProjectError naming every mistake in the files.
    """
    asked = frozenset(item.value for item in wanted(task, items))
    received = read_answers(settings, task, items)
    decisions = read_decisions(settings, task, items)
    found = agreement(received.answers)
    disputed = to_decide(task, received.answers, is_agreed(task, found))
    labels = aggregate(task, items, received.answers, decisions)
    return Outcome(asked, received, found, disputed, decisions, tuple(labels))


def keep_outcome(settings: Settings, task: Task, found: Outcome) -> str | None:
    """Keep the answers and the labels; return why labels are refused: then the last ones stay."""
    refused = refusal(task, found.agreement, found.undecided)
    save_answers(settings, found.received.answers)
    if not refused:
        save_labels(settings, found.labels)
    evidence = {
        "agreement": str(found.agreement),
        "refused": refused,
        "items": len(found.asked),
        "labelled": len(found.labelled),
        "decided": len(found.decisions),
    }
    save_found(settings, evidence)
    return refused
