"""What is disputed goes to one named person, in a file; the decisions are read from it again."""

from collections.abc import Iterable, Mapping, Sequence

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.labelling import FOLDER
from handrail.labelling.items import Item
from handrail.labelling.spreadsheet import read_sheet, sheet
from handrail.labelling.task import Task

FILE = f"{FOLDER}/adjudication.csv"
COLUMNS = ("item", "answers", "decision", "reason", "decided_by")
Rows = dict[str, dict[str, str]]


def read_decisions(settings: Settings, task: Task, items: Sequence[Item]) -> dict[str, str]:
    """Return the decision on each item that has one; raises ProjectError naming every bad line."""
    known, found, problems = {item.value for item in items}, {}, []
    for item, record in _rows(settings).items():
        if not record["decision"]:
            continue
        place = f"{FILE}, line {record['line']}"
        found[item] = task.choice(record["decision"]) or ""
        if item not in known:
            problems.append(f"{place}: {item} was never asked about; delete the line")
        if not found[item]:
            names = ", ".join(choice.name for choice in task.choices)
            problems.append(f"{place}: {record['decision']} is no choice; write one of {names}")
        if not task.adjudicator:
            problems.append(f"{place}: labelling.yaml names no adjudicator; write who decides")
        elif record["decided_by"] != task.adjudicator:
            by = record["decided_by"] or "nobody"
            problems.append(
                f"{place}: decided by {by}, but the adjudicator is {task.adjudicator}; only they decide"
            )
    if problems:
        raise ProjectError(problems)
    return found


def ask_adjudicator(settings: Settings, needed: Mapping[str, Mapping[str, str]]) -> None:
    """Write the items that need a decision into the file; decisions that are there stay."""
    known = _rows(settings)
    rows = []
    for item in sorted({*needed, *(item for item, record in known.items() if record["decision"])}):
        record = known.get(item, dict.fromkeys(COLUMNS, ""))
        answers = _format_answers(needed[item]) if item in needed else record["answers"]
        rows.append((item, answers, record["decision"], record["reason"], record["decided_by"]))
    text = sheet(COLUMNS, rows)
    path = settings.root / FILE
    if (rows or known) and not (path.is_file() and path.read_text(encoding="utf-8-sig") == text):
        write_whole(path, text)


def _format_answers(given: Mapping[str, str]) -> str:
    """Return who answered what, as `narrow-body: Ada, Ben; wide-body: Chen`."""
    answers = sorted({*given.values()})
    return "; ".join(f"{a}: {', '.join(sorted(_who(given, a)))}" for a in answers)


def _who(given: Mapping[str, str], answer: str) -> Iterable[str]:
    return (name for name, theirs in given.items() if theirs == answer)


def _rows(settings: Settings) -> Rows:
    """Return the rows of the file by their item, with the line of each; none where there is no file."""
    path = settings.root / FILE
    if not path.is_file():
        return {}
    header, lines = read_sheet(path, FILE)
    if tuple(header) != COLUMNS:
        raise ProjectError(f"{FILE}, line 1: the columns are not {', '.join(COLUMNS)}; write them so")
    found: Rows = {}
    for line, cells in lines:
        if cells[0] in found:
            raise ProjectError(f"{FILE}, line {line}: {cells[0]} stands twice; delete one")
        found[cells[0]] = dict(zip(COLUMNS, cells, strict=True)) | {"line": str(line)}
    return found
