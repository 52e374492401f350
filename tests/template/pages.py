"""The pages of the documentation, and the commands that they tell people to type."""

import re
import shlex
from typing import NamedTuple

from tests.template.answers import TEMPLATE

PAGES = sorted(
    page.relative_to(TEMPLATE).as_posix()
    for page in (TEMPLATE / "README.md", TEMPLATE / "CONTRIBUTING.md", *(TEMPLATE / "docs").glob("*.md"))
)
SHELLS = ("bash", "console")
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"^(?:\$ )?(?:uv|uvx|make|handrail|git|cd|python|for|pip|late-flights) ", re.MULTILINE)
# The pages whose commands are run one after the other, in the projects that the first of them makes.
IN_ORDER = ("docs/start.md", "docs/stages.md", "docs/check.md", "docs/update.md", "docs/make-it-yours.md")
RUN = (*IN_ORDER, "docs/new.md", "docs/adopt.md")  # those of the last two in repositories of their own


class Block(NamedTuple):
    """A fenced block: its language, what stands behind that, and the line that it begins at."""

    language: str
    more: str
    text: str
    line: int

    @property
    def is_example(self) -> bool:
        """Whether it is marked as one, which nobody is expected to type as it stands."""
        return 'title="Example' in self.more

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command in it, without its comment."""
        rows = [row.removeprefix("$ ").split(" #")[0].strip() for row in self.text.splitlines()]
        return [shlex.split(row) for row in rows if row]


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in their order."""
    text = (TEMPLATE / page).read_text(encoding="utf-8")
    return [
        Block(match[1], match[2], match[3], text.count("\n", 0, match.start()) + 1)
        for match in FENCE.finditer(text)
    ]


def commands_of(page: str) -> list[list[str]]:
    """Return the commands that a page tells people to type, in their order."""
    return [
        command
        for block in blocks_of(page)
        if block.language in SHELLS and not block.is_example
        for command in block.commands
    ]
