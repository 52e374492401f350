"""From answers and decisions to one label for each item, by a rule that leaves nothing to chance."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from handrail.labelling.answers import Answer
from handrail.labelling.items import Item
from handrail.labelling.task import Task


@dataclass(frozen=True)
class Label:
    """The label of an item, and by what it came: all, a majority, or the adjudicator's name."""

    item: str
    label: str
    by: str


@dataclass(frozen=True)
class Annotator:
    """How many answers one person gave; the shares like others' answers, and like their own (NaN: none)."""

    name: str
    answers: int
    like_others: float
    like_themselves: float


def first_answers(answers: Iterable[Answer]) -> dict[str, dict[str, str]]:
    """Return what each annotator answered on each item the first time: item, annotator, answer."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for answer in answers:
        if not answer.again:
            found[answer.item][answer.annotator] = answer.answer
    return dict(found)


def annotators(answers: Sequence[Answer]) -> list[Annotator]:
    """Return how far each annotator agrees with the others, and with themselves on what was asked twice."""
    by_item = first_answers(answers)
    same: defaultdict[str, list[bool]] = defaultdict(list)
    for given in by_item.values():
        for name, answer in given.items():
            same[name] += [answer == other for person, other in given.items() if person != name]
    twice: defaultdict[str, list[bool]] = defaultdict(list)
    for answer in answers:
        if answer.again and answer.annotator in by_item.get(answer.item, {}):
            twice[answer.annotator].append(by_item[answer.item][answer.annotator] == answer.answer)
    counted = Counter(answer.annotator for answer in answers)
    return [
        Annotator(name, counted[name], _share(same[name]), _share(twice[name])) for name in sorted(counted)
    ]


def disputed(answers: Iterable[Answer]) -> dict[str, dict[str, str]]:
    """Return the items on which not all agree, those with the most different answers first."""
    found = {item: given for item, given in first_answers(answers).items() if len({*given.values()}) > 1}
    return dict(sorted(found.items(), key=lambda each: (-len({*each[1].values()}), each[0])))


def aggregate(
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


def _share(same: Sequence[bool]) -> float:
    return sum(same) / len(same) if same else float("nan")
