"""What was agreed to be spent, and what is spent so far."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ResearchBudget(BaseModel):
    """The time box and the money of research; what is left out has no limit, or costs nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begins: date = Field(description="write the first day of research, as 2026-01-19")
    days: int | None = Field(None, gt=0, description="write the calendar days agreed, as 28")
    money: Money | None = Field(None, description="write the money agreed for research, as 30000")
    cost_per_day: Money = Field(0.0, description="write what a calendar day of the team costs, as 1000")
    cost_per_hour: Money = Field(0.0, description="write what an hour of training costs, as 2.5")

    @field_validator("begins")
    @classmethod
    def begun(cls, day: date) -> date:
        """Refuse a beginning in the future: nothing can be spent yet."""
        if day > date.today():
            raise ValueError(f"{day} is in the future")
        return day


class Budget(BaseModel):
    """Money for all stages, the first year of operation included; `spent` is kept by hand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field(min_length=1, description="write the currency, as EUR")
    total: Money = Field(gt=0, description="write the money agreed for all stages, as 150000")
    spent: Money = Field(description="write what is spent so far, as 0")
    research: ResearchBudget | None = None

    @property
    def left(self) -> float:
        """What is left; below 0 where more was spent than agreed."""
        return self.total - self.spent

    @property
    def told(self) -> str:
        """What is spent and what is left, in words."""
        rest = f"{self.left:,.0f} left" if self.left >= 0 else f"{-self.left:,.0f} more than agreed"
        return f"{self.spent:,.0f} of {self.total:,.0f} {self.currency} spent, {rest}."
