"""What can be set for the watch: `live` in project.yaml, and the webhook in the environment."""

from pydantic import Field, field_validator

from ..sections import Part, Range, Share


class Live(Part):
    """The range in which live figures are expected; outside it, an alert."""

    expected: dict[str, Range] = Field(default_factory=dict)
    drift_limit: float = Field(0.25, gt=0)
    maximum_age_days: int = Field(120, gt=0)
    maximum_violation_share: Share = 0.01
    minimum_outcomes: int = Field(500, ge=1)

    @field_validator("expected")
    @classmethod
    def ordered(cls, expected: dict[str, Range]) -> dict[str, Range]:
        """Refuse a range that nothing lies in."""
        wrong = [name for name, (low, high) in expected.items() if low > high]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: the lower end comes first")
        return expected


NAME = "live"
SECTION = Live
SECRETS = {"webhook_url": Field(None, pattern="^https?://", repr=False)}
