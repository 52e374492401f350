"""What the project refuses, in words for the person at the keyboard."""

from collections.abc import Iterable


class ProjectError(Exception):
    """Something that cannot be done, said as what, where and what next; may hold several lines."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))
