"""project.yaml without what the worked example says in it: what people have to agree on is open again.

What the commands need to run at all stays (the metric, the columns, the split): it is changed with the data.
"""

import re
from collections.abc import Mapping

import yaml

from handrail.stages.documents import UNANSWERED

EXAMPLE_DESCRIPTION = "What to expect of departures from New York's airports, in time to act on it"
EXAMPLE = re.compile(r"(?:^#[^\n]*\n)*^example:[^\n]*\n\n?", re.MULTILINE)
BLANK_VALUES = {
    "decision": {
        "question": f'"{UNANSWERED}"',
        "sponsor": f'"{UNANSWERED}"',
        "kpis": f'- "{UNANSWERED}"',
        "go": "open",
        "decided_by": "null",
        "decided_on": "null",
    },
    "accuracy": {"minimum": "null", "tolerance": "0"},
    "live": {"expected": "{}"},
    "readiness": {"inclusion": "null"},
}
# What stands behind a value, in place of what the example says there.
REMARKS = {
    "accuracy": {
        "minimum": "agree on it with the sponsor; until then nothing goes live",
        "baseline_by": "the feature that the simple technique goes by",
        "baseline_takes": "value: the feature itself is its prediction; mean: the mean for each value",
        "tolerance": "how much worse than the live model a new one may be",
        "range_level": "share of outcomes that are to lie in the range beside a prediction",
    },
    "data": {
        "source": "folder of the raw tables",
        "sampled": "raw tables of which --sample N reads only N rows",
    },
    "outcome": {"known_after_days": "how long it takes until it is known what came of a row"},
    "live": {
        "expected": "metric: [lowest, highest], as agreed; without, accuracy raises no alert",
        "maximum_age_days": "when it has to learn anew; `readiness` says what age costs",
    },
    "readiness": {"inclusion": "where no column is sensitive: who was thought of, and what stands in"},
}
# Sections that become comments, to fill in, with the comment above them.
FORMS = {
    "budget": """\
# What was agreed, and what is spent so far (kept by hand), in all stages and the first year of operation.
# budget:
#   currency: EUR
#   total: 100000
#   spent: 0
""",
    "budget.research": """\
#   research:                   # it stops when this is spent, or when the model is good enough
#     begins: YEAR-MONTH-DAY
#     days: 30
#     money: 10000
#     cost_per_day: 0           # of the team
#     cost_per_hour: 0          # of training
""",
}
COSTS = """\
# What an error costs; the {follows} follows from it. Agree on it with those who bear the errors: until then
# each counts as one, and nothing goes live.
# error_costs:
#   currency: EUR
#   too_low: 1                  # {too_low}
#   too_high: 1                 # {too_high}
"""
COSTS_OF_CHANCE = COSTS.format(
    follows="threshold", too_low="a case that was overlooked", too_high="a row picked out for nothing"
)
COSTS_OF_AMOUNT = (
    COSTS.format(follows="margin", too_low="a unit more than planned for", too_high="a unit less")
    + "#   tolerable: 0                # an error up to this is nobody's trouble\n"
)
WORDS = """\
# What the reports call things, for readers who know the work and not the data.
# words:
#   rows: rows                  # what is predicted, one by one, such as customers
"""
WORDS_OF_CHANCE = """\
#   cases: cases                # those whose outcome is yes
#   action: warning             # what a likely one gets, as offer or visit; actions: the plural, if not by -s
#   users: those who use it     # who acts on it
"""
WORDS_OF_AMOUNT = """\
#   units: units                # what the amounts count
#   users: those who use it     # who plans with them
"""
REMARK_COLUMN = 32


def blank_facts(text: str, *, of_chance: bool) -> str:
    """Return project.yaml undecided: no name, date, money or limit; all else as it is.

    `of_chance`: whether yes or no is predicted, not an amount.
    """
    text = EXAMPLE.sub("", text, count=1).replace(f'"{EXAMPLE_DESCRIPTION}"', f'"{UNANSWERED}"')
    for section, values in BLANK_VALUES.items():
        text = _with_values(text, section, values)
    for section, remarks in REMARKS.items():
        text = _with_remarks(text, section, remarks)
    budget = FORMS["budget"] + (FORMS["budget.research"] if _names(text, "budget", "research") else "")
    text = _replaced(text, "budget", budget)
    text = _replaced(text, "error_costs", COSTS_OF_CHANCE if of_chance else COSTS_OF_AMOUNT)
    return _replaced(text, "words", WORDS + (WORDS_OF_CHANCE if of_chance else WORDS_OF_AMOUNT))


def _with_values(text: str, section: str, values: Mapping[str, str]) -> str:
    """Return the text with other values in a section; a name that isn't there is left out."""
    _, found = _section(text, section)
    spans = [(key.value, value.start_mark.index, _end(value)) for key, value in _pairs(found)]
    for name, start, end in sorted(spans, key=lambda span: -span[1]):
        if name not in values:
            continue
        blank, begin, after = values[name], start, start + len(text[start:end].rstrip())
        if blank.startswith("- ") and text[start] != "-":  # a list on one line
            blank = f"[{blank.removeprefix('- ')}]"
        if blank == "{}":  # beside its name, also where a block stood below it
            begin = len(text[:start].rstrip())
            blank = f" {blank}"
        elif text[start - 1] == ":":  # where no value stood at all
            blank = f" {blank}"
        text = text[:begin] + blank + text[after:]
    return text


def _with_remarks(text: str, section: str, remarks: Mapping[str, str]) -> str:
    """Return the text with other remarks behind the values of a section, each on one line."""
    _, found = _section(text, section)
    lines = text.splitlines(keepends=True)
    for key, value in _pairs(found):
        if key.value in remarks and value.end_mark.line == key.start_mark.line:
            place = key.start_mark.line
            said = lines[place][: value.end_mark.column].rstrip()
            lines[place] = f"{said.ljust(REMARK_COLUMN - 1)} # {remarks[key.value]}\n"
    return "".join(lines)


def _replaced(text: str, section: str, form: str) -> str:
    """Return the text with `form` in place of a section and of the comment right above it."""
    key, found = _section(text, section)
    if key is None or found is None or not _pairs(found):
        return text
    lines = text.splitlines(keepends=True)
    first, after = key.start_mark.line, text.count("\n", 0, _end(found) - 1) + 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    lines[first:after] = [form]
    return "".join(lines)


def _names(text: str, section: str, name: str) -> bool:
    """Return whether a section has a value of that name."""
    return name in [key.value for key, _ in _pairs(_section(text, section)[1])]


def _section(text: str, name: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Return the name and the value of a section of a YAML text, None where it isn't there."""
    pairs = _pairs(yaml.compose(text, yaml.SafeLoader))
    return next(((key, value) for key, value in pairs if key.value == name), (None, None))


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _end(node: yaml.Node) -> int:
    """Return where a value ends: a block with the last value in it, not with the comment after it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index
