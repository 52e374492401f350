"""Tables as CSV, for programs and for people with a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from handrail.errors import ProjectError

SEPARATORS = ",;\t"

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")  # and the apostrophe itself, which is taken away again


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return written.getvalue()


def sheet(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV that people open in a spreadsheet."""
    return table(header, ([harmless(cell) for cell in row] for row in rows))


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe makes it text."""
    number = cell.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{cell}" if cell.startswith(FORMULA) and not number else cell


def read_sheet(path: Path, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header of a CSV file, and the other rows with the line that each ends on.

    Commas, semicolons or tabs may stand between cells. Raises ProjectError where the file is not whole.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{name}: not UTF-8 at byte {error.start}; save it as CSV UTF-8") from None
    if "\0" in text:
        raise ProjectError(f"{name}: not a text file; save it as CSV UTF-8")
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        found = [(reader.line_num, [_plain(cell) for cell in cells]) for cells in reader if any(cells)]
    except csv.Error as error:
        cut = f"{name}, line {reader.line_num}: not whole ({error}); is the file cut off?"
        raise ProjectError(cut) from None
    (_, header), *rows = found or [(1, [])]
    short = [line for line, cells in rows if len(cells) != len(header)]
    if short:
        problem = f"another number of cells than the {len(header)} columns; is the file cut off?"
        raise ProjectError(f"{name}, line {short[0]}: {problem}")
    if len({*header}) < len(header):
        raise ProjectError(f"{name}, line 1: a column stands twice; save it again as it came")
    return header, rows


def _plain(cell: str) -> str:
    """Return what was in a cell before it was made harmless."""
    return cell.strip().removeprefix("'")
