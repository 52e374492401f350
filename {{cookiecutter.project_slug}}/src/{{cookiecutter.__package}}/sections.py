"""The sections of `project.yaml` that hold facts of the project; a part's own are in its `section.py`."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


class Part(BaseModel):
    """A section of `project.yaml`: unknown names are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Decision(Part):
    """What is decided with the prediction, for whom, and whether the project may go on."""

    question: str
    sponsor: str
    kpis: tuple[str, ...] = Field(min_length=1)
    go: Literal["go", "no-go", "open"] = Field(description="write go, no-go or open")
    decided_by: str | None = Field(None, description="write who decided, or null while it is open")
    decided_on: date | None = Field(None, description="write the day on which it was decided, as 2026-03-31")

    @field_validator("decided_on")
    @classmethod
    def passed(cls, day: date | None) -> date | None:
        """Refuse a day in the future."""
        if day and day > date.today():
            raise ValueError(f"{day} is in the future")
        return day

    @model_validator(mode="after")
    def signed(self) -> Self:
        """Refuse a decision without a name and a date."""
        if self.go != "open" and not (self.decided_by and self.decided_on):
            raise ValueError("a go or no-go needs decided_by and decided_on")
        return self


class Data(Part):
    """Where raw tables come from (empty: the packaged example), and how much the engine may use.

    `sampled`: raw tables of which a small run reads only some rows.
    """

    source: Path | None = None
    sampled: tuple[str, ...] = ()
    maximum_rejected_share: Share = 0.01
    memory_limit: str = Field("2GB", pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$")


class Split(Part):
    """The time-ordered split: before `validation_from` the model learns, after `live_from` it is live."""

    validation_from: date
    test_from: date
    live_from: date

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """Refuse a split whose dates are out of order."""
        if not self.validation_from < self.test_from < self.live_from:
            raise ValueError("validation_from, test_from and live_from must follow one another")
        return self

    def ending(self, until: date) -> "Split":
        """Return this split moved so that the test period ends at `until`, all lengths kept."""
        moved = until - self.live_from
        return Split(
            validation_from=self.validation_from + moved,
            test_from=self.test_from + moved,
            live_from=until,
        )


class Accuracy(Part):
    """What a model must reach before it may go live."""

    metric: str
    minimum: float
    baseline_by: str
    baseline_takes: Literal["mean", "value"] = "mean"
    tolerance: float = Field(0.0, ge=0)


class ErrorCosts(Part):
    """What an error costs, in the project's currency: per unit too low, and per unit too high.

    In a yes-or-no prediction the unit is the whole case: missed, or a false alarm.
    """

    currency: str
    too_low: float = Field(gt=0)
    too_high: float = Field(gt=0)
    tolerable: float = Field(0.0, ge=0)
