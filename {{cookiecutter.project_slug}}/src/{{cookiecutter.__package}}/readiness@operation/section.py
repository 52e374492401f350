"""What can be set for the score: `readiness` in project.yaml."""

from pydantic import Field

from ..sections import Part, Share


class Readiness(Part):
    """How many rows the small trainings learn from and are measured on, and what a feature may be.

    maximum_feature_seconds: for a million rows in transform.sql · maximum_missing_share: of its values ·
    maximum_association: how much of a column that may not be used, or of the target, a feature may tell
    (1 = all of it) · inclusion: where no column is sensitive, who was thought of, and what stands in
    """

    training_rows: int = Field(10_000, ge=500)
    test_rows: int = Field(10_000, ge=500)
    maximum_feature_seconds: float = Field(10.0, gt=0)
    maximum_missing_share: Share = 0.5
    maximum_association: Share = 0.9
    inclusion: str | None = None


NAME = "readiness"
SECTION = Readiness
SECRETS: dict[str, object] = {}
