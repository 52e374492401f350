"""What can be set for the score: `readiness` in project.yaml."""

from pydantic import Field

from ..sections import Part


class Readiness(Part):
    """How many rows its small trainings learn from and are measured on."""

    training_rows: int = Field(20_000, ge=500)
    test_rows: int = Field(10_000, ge=500)


NAME = "readiness"
SECTION = Readiness
SECRETS: dict[str, object] = {}
