"""Sets of answers, derived from `cookiecutter.json`: a new choice is covered without a change here."""

from contextlib import suppress
from functools import cache
from itertools import combinations
from random import Random

from tests.template.answers import NONE, choices, chosen_words, cookiecutter_json, obstacle, use_problems

Answers = dict[str, str]
Pair = frozenset[tuple[str, str]]


@cache
def covering() -> tuple[Answers, ...]:
    """Return few sets of answers in which every possible pair of answers occurs, each a valid project."""
    every = [(key, option) for key, options in choices().items() for option in {*options, NONE}]
    open_pairs = {frozenset(pair) for pair in combinations(every, 2) if pair[0][0] != pair[1][0]}
    found = []
    while open_pairs:
        wanted = min(open_pairs, key=sorted)
        row = completed({}, dict(wanted), open_pairs)
        open_pairs -= pairs(row) if row else {wanted}
        if row and row not in found:
            found.append(row)
    return tuple(found)


def completed(start: Answers, wanted: Answers, open_pairs: set[Pair]) -> Answers | None:
    """Return `start` with every question answered, `wanted` included; None where no project is like that."""
    if is_closed(start, wanted):
        return None
    key = next((key for key in choices() if key not in start), None)
    if key is None:
        return start
    options = allowed(key, start)
    if key in wanted:
        options = [wanted[key]] if wanted[key] in options else []
    for option in sorted(options, key=lambda option: -len(pairs({**start, key: option}) & open_pairs)):
        row = completed({**start, key: option}, wanted, open_pairs)
        if row:
            return row
    return None


def is_closed(start: Answers, wanted: Answers) -> bool:
    """Return whether no answers to the other questions can make a project of `start` that has `wanted`."""
    words, needed = set(chosen_words(start)), cookiecutter_json()["_ask_when"]
    for key in wanted.keys() - start.keys():
        if obstacle(key, start):
            possible = wanted[key] == NONE
        else:
            asked = set(needed.get(key, "").split()) <= words
            possible = not asked or wanted[key] in choices()[key]
        if not possible:
            return True
    with suppress(KeyError):  # where it depends on a question that is still open
        return bool(use_problems(start))
    return False


def filled(wanted: Answers) -> Answers | None:
    """Return the wanted answers and the first possible one to every other question; None if impossible."""
    row = {}
    for key in choices():
        row[key] = wanted.get(key, allowed(key, row)[0])
        if row[key] not in allowed(key, row):
            return None
    return None if use_problems(row) else row


def allowed(key: str, earlier: Answers) -> list[str]:
    """Return the answers that a question can have after the earlier ones."""
    return [NONE] if obstacle(key, earlier) else choices()[key]


def at_random(count: int, seed: str) -> list[Answers]:
    """Return up to `count` different valid sets of answers; the same seed gives the same ones."""
    draw, found = Random(seed), []
    for _ in range(20 * count):
        row = {}
        for key in choices():
            row[key] = draw.choice(allowed(key, row))
        if len(found) < count and row not in found and not use_problems(row):
            found.append(row)
    return found


def pairs(row: Answers) -> set[Pair]:
    """Return every pair of answers in a row."""
    return {frozenset(pair) for pair in combinations(row.items(), 2)}


def label(answers: Answers) -> str:
    """Return a name for a set of answers, for the test's id."""
    return "-".join(answers.values())
