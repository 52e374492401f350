"""The shortlist of ideas: all in the same terms, and for what is not certain a range."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from handrail.config.settings import Settings
from handrail.stages.documents import read_yaml

FILE = "1-discovery/ideas.yaml"
SCHEMA = "1-discovery/ideas.schema.json"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Chance = Annotated[float, Field(strict=True, ge=0, le=1)]
MONEY = "an amount in the file's currency, without separators, as 150000"
RANGE = "write [lowest, highest], with the {} between them"


class Idea(BaseModel):
    """One idea. Money is in the currency of the file, for the first year. A description is also a remedy."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Idea")

    name: Text = Field(description="write a short name, unlike the others', as late-departures")
    title: Text = Field(description="say in one sentence what would be built, and for whom")
    value: Amount = Field(description=f"write what the first year is worth if it works, {MONEY}")
    value_range: tuple[Amount, Amount] | None = Field(None, description=RANGE.format("value"))
    cost: Amount = Field(description=f"write what it costs to build it and run it for a year, {MONEY}")
    cost_range: tuple[Amount, Amount] | None = Field(None, description=RANGE.format("cost"))
    effort_weeks: float = Field(
        strict=True, gt=0, allow_inf_nan=False, description="write the weeks of work of one person, as 12"
    )
    chance: Chance = Field(
        description="write how likely it reaches the accuracy it needs, from 0 to 1: 0.7 for 70%"
    )
    chance_range: tuple[Chance, Chance] | None = Field(None, description=RANGE.format("chance"))
    accuracy_needed: Text = Field(description="say how good it must be to be of use, and in which measure")
    data_at_hand: Text = Field(description="say which data there is, and which is missing")
    error_tolerance: Text = Field(description="say what an error costs, and who notices it")
    risks: tuple[Text, ...] = Field(min_length=1, description="write a list of one risk or more")

    @field_validator("value_range", "cost_range", "chance_range")
    @classmethod
    def around(cls, bounds: tuple[float, float] | None, info: ValidationInfo) -> tuple[float, float] | None:
        """Refuse a range that the number itself is not in."""
        likely = info.data.get((info.field_name or "").removesuffix("_range"))
        if bounds and likely is not None and not bounds[0] <= likely <= bounds[1]:
            raise ValueError(f"{likely:g} is not between {bounds[0]:g} and {bounds[1]:g}")
        return bounds

    @property
    def expected_return(self) -> float:
        """What the idea brings on average: its value as often as it succeeds, its cost in any case."""
        return self.value * self.chance - self.cost

    def bounds(self, field: str) -> tuple[float, float]:
        """Return the ends of the range of `value`, `cost` or `chance`; twice the number if it is certain."""
        likely = getattr(self, field)
        return getattr(self, f"{field}_range") or (likely, likely)


class Shortlist(BaseModel):
    """All ideas, and the name of the one that is chosen, if any is."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Shortlist of ideas")

    currency: Text = Field(description="write the currency of all amounts, as EUR")
    ideas: tuple[Idea, ...] = Field(description="write a list of ideas, each beginning with `- name:`")
    chosen: Text | None = Field(None, description="write the name of one idea, or null while it is open")

    @field_validator("chosen")
    @classmethod
    def known(cls, chosen: str | None, info: ValidationInfo) -> str | None:
        """Refuse a choice that is not on the list."""
        names = [idea.name for idea in info.data.get("ideas", ())]
        if chosen and names and chosen not in names:
            raise ValueError(f"{chosen} is none of the ideas; take one of {', '.join(names)}")
        return chosen

    def ranked(self) -> list[Idea]:
        """Return the ideas, the greatest expected return first."""
        return sorted(self.ideas, key=lambda idea: -idea.expected_return)


def read_ideas(settings: Settings) -> Shortlist:
    """Return the shortlist; raises ProjectError naming the line of every mistake."""
    return read_yaml(settings, FILE, Shortlist)


def schema() -> dict[str, Any]:
    """Return the JSON schema that editors check ideas.yaml by."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Shortlist.model_json_schema()}
