"""What can be set for old data: `retention` in project.yaml."""

from typing import Self

from pydantic import Field, model_validator

from ..sections import Part


class Keep(Part):
    """After how many days data is moved to the archive, and after how many it is deleted (None: never).

    At least two days: a younger file may still be written to.
    """

    archive_after_days: int | None = Field(None, ge=2)
    purge_after_days: int | None = Field(None, ge=2)

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """Refuse to delete what would not be in the archive yet."""
        archived, purged = self.archive_after_days, self.purge_after_days
        if archived and purged and purged <= archived:
            raise ValueError("purge_after_days must be more than archive_after_days")
        return self


class Retention(Part):
    """What is kept how long; the loaded table is as old as its source, for each `etl` makes it anew."""

    predictions: Keep = Keep()
    rejected: Keep = Keep()
    raw: Keep = Keep()
    versions: Keep = Keep()
    replays: Keep = Keep()


NAME = "retention"
SECTION = Retention
SECRETS: dict[str, object] = {}
