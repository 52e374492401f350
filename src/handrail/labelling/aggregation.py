"""What the answers on each item and of each annotator add up to, and how far they agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handrail.labelling.answers import Answer

RELIABLE, TENTATIVE = 0.8, 0.667  # Krippendorff, Content Analysis (2004), p. 241


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha (1 = all agree, 0 = as by chance), with its 95% interval over the items."""

    alpha: float
    low: float
    high: float

    @property
    def meaning(self) -> str:
        """The figure in plain words; the cautious end of the interval decides."""
        if self.low >= RELIABLE:
            return "the annotators see the same thing: the labels can be relied on"
        if self.low >= TENTATIVE:
            return "they mostly see the same thing: good enough for a first look, not to decide by"
        return "they see different things: make the choices and the instructions clearer, and ask again"

    def __str__(self) -> str:
        return f"{self.alpha:.3f} ({self.low:.3f} to {self.high:.3f})"


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


def _share(same: Sequence[bool]) -> float:
    return sum(same) / len(same) if same else float("nan")
