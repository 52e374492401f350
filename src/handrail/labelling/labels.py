"""From answers and decisions to one label for each item, by a rule that leaves nothing to chance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handrail.labelling.adjudication import FILE as ADJUDICATION
from handrail.labelling.aggregation import Agreement, disputed, first_answers
from handrail.labelling.answers import Answer
from handrail.labelling.items import Item
from handrail.labelling.task import Task


@dataclass(frozen=True)
class Label:
    """The label of an item, and by what it came: all, a majority, or the adjudicator's name."""

    item: str
    label: str
    by: str


def settle(
    task: Task, items: Sequence[Item], answers: Sequence[Answer], decisions: Mapping[str, str]
) -> list[Label]:
    """Return the labels that stand, in the order of their items.

    The adjudicator's decision stands always; else what more than half of the answers say, once as many are
    there as are wanted. A tie has no label.
    """
    given, found = first_answers(answers), []
    for item in sorted(item.value for item in items):
        theirs = Counter(given.get(item, {}).values())
        label, votes = theirs.most_common(1)[0] if theirs else ("", 0)
        if item in decisions:
            found.append(Label(item, decisions[item], task.adjudicator or ""))
        elif theirs.total() >= task.annotators_per_item and votes * 2 > theirs.total():
            found.append(Label(item, label, "all" if votes == theirs.total() else "majority"))
    return found


def to_decide(task: Task, answers: Sequence[Answer], agreed: bool) -> dict[str, dict[str, str]]:
    """Return the items that the adjudicator decides: ties; and all that is disputed, unless `agreed`."""
    complete = {
        item: given for item, given in disputed(answers).items() if len(given) >= task.annotators_per_item
    }
    return {
        item: given
        for item, given in complete.items()
        if not agreed or Counter(given.values()).most_common(1)[0][1] * 2 <= len(given)
    }


def is_agreed(task: Task, found: Agreement | None) -> bool:
    """Return whether the agreement is enough: the cautious end of its interval decides."""
    return found is not None and found.low >= task.minimum_agreement


def refusal(task: Task, found: Agreement | None, undecided: Mapping[str, object]) -> str | None:
    """Return why labels are not joined: people agree too little, and not all that is disputed is decided."""
    if found is None:
        return (
            "agreement: it can't be told: no two answers on one item, or all the same; labels are not "
            "joined; ask more people, and about items of more than one kind"
        )
    if is_agreed(task, found) or not undecided:
        return None
    who = task.adjudicator or "an adjudicator, named in labelling.yaml,"
    return (
        f"agreement: {found} is not clearly {task.minimum_agreement:g} or more: labels are not joined; make "
        f"the instructions clearer and ask again, or let {who} decide on the {len(undecided)} disputed items "
        f"in {ADJUDICATION}"
    )
