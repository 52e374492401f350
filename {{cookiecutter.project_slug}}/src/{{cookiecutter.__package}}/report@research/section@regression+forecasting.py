"""What can be set for the reports: `words` in project.yaml."""

from ..contract import CONTRACT, TABLE
from ..schema import Role, one_of_role
from ..sections import Part


class Words(Part):
    """What the reports call things, for readers who know the work and not the data; each a plural.

    rows: what is predicted one by one · units: what the amounts count · users: who plans with them.
    """

    rows: str = TABLE.replace("_", " ")
    units: str | None = None
    users: str = "those who use it"

    @property
    def counted(self) -> str:
        """What the amounts count: as set, or the unit that the contract names, or the column."""
        amount = one_of_role(CONTRACT, Role.TARGET)
        return self.units or amount.unit or amount.name.replace("_", " ")


NAME = "words"
SECTION = Words
SECRETS: dict[str, object] = {}
