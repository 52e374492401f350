"""What can be set for the reports: `words` in project.yaml."""

from ..contract import TABLE
from ..sections import Part


class Words(Part):
    """What the reports call things, for readers who know the work and not the data; each a plural.

    rows: what is predicted one by one · cases: those whose outcome is yes · users: who is warned.
    """

    rows: str = TABLE.replace("_", " ")
    cases: str = "cases"
    users: str = "those who use it"


NAME = "words"
SECTION = Words
SECRETS: dict[str, object] = {}
