"""The shortlist of ideas, ranked by what each is expected to return."""

from collections import Counter
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..settings import Settings
from .documents import read_yaml

FILE = "1-discovery/ideas.yaml"
Text = Annotated[str, Field(min_length=1)]


class Idea(BaseModel):
    """One idea. Money is in the currency of the file, for the first year."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    title: Text
    value: float = Field(ge=0, allow_inf_nan=False)
    cost: float = Field(ge=0, allow_inf_nan=False)
    effort_weeks: float = Field(gt=0, allow_inf_nan=False)
    chance: float = Field(ge=0, le=1, allow_inf_nan=False)
    accuracy_needed: Text
    data_at_hand: Text
    error_tolerance: Text
    risks: tuple[Text, ...] = Field(min_length=1)

    @property
    def expected_return(self) -> float:
        """What the idea brings on average: its value as often as it succeeds, its cost in any case."""
        return self.value * self.chance - self.cost


class Shortlist(BaseModel):
    """All ideas, and the name of the one that is chosen, if any is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Text
    chosen: str | None = None
    ideas: tuple[Idea, ...]

    @model_validator(mode="after")
    def known(self) -> Self:
        """Refuse two ideas of one name, and a choice that is not on the list."""
        names = Counter(idea.name for idea in self.ideas)
        repeated = [name for name, count in names.items() if count > 1]
        if repeated:
            raise ValueError(f"two ideas are called {', '.join(repeated)}; give each its own name")
        if self.chosen and self.chosen not in names:
            raise ValueError(f"chosen: {self.chosen} is none of the ideas; take one of {', '.join(names)}")
        return self

    def ranked(self) -> list[Idea]:
        """Return the ideas, the greatest expected return first."""
        return sorted(self.ideas, key=lambda idea: -idea.expected_return)


def read_ideas(settings: Settings) -> Shortlist:
    """Return the shortlist; raises ProjectError naming the line of every mistake."""
    return read_yaml(settings, FILE, Shortlist)
