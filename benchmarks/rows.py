"""The committed table: its rows, kept in one order, replaced by benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass

NAMES = (
    "baking",
    "etl",
    "large",
    "demo",
    "startup",
    "serving",
    "batch",
    "coverage_of_ranges",
    "field",
)
BEGIN, END = "<!-- results begin -->", "<!-- results end -->"
HEAD = ("| benchmark | what | result | wanted | day, Python, cores |", "|---|---|---|---|---|")


@dataclass(frozen=True)
class Row:
    """One result; `limit` in words, `kept` whether it was kept, both empty where nothing is asked."""

    what: str
    result: str
    limit: str = ""
    kept: bool | None = None

    @property
    def verdict(self) -> str:
        """The limit and whether it was kept."""
        return f"{self.limit}: {'yes' if self.kept else '**no**'}" if self.limit else "-"


def merged(text: str, name: str, rows: Sequence[Row], conditions: str) -> str:
    """Return `text` with the rows of benchmark `name` in its table replaced.

    Raises ValueError where a marker is missing.
    """
    before, _, rest = text.partition(BEGIN)
    table, marker, after = rest.partition(END)
    if not marker:
        raise ValueError(f"benchmarks/README.md: the lines {BEGIN} and {END} are missing")
    old = {known: [line for line in table.splitlines() if line.startswith(f"| {known} |")] for known in NAMES}
    new = [f"| {name} | {row.what} | {row.result} | {row.verdict} | {conditions} |" for row in rows]
    lines = [line for block in (old | {name: new}).values() for line in block]
    return "\n".join([before + BEGIN, *HEAD, *lines, END + after])
