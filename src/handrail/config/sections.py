"""The sections of `project.yaml`; each part of a project brings those that can be set for it."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


BY_TIME, BY_CHANCE = "_by_time", "_by_chance"  # the two kinds of split, where mistakes in one are told
UNSAID = ("", "?")  # "?" is what start-over leaves in place of a text


def said(text: str) -> str:
    """Return a text of project.yaml as people are told it, or that nobody has said it yet."""
    return "not said yet" if text.strip() in UNSAID else text


class Section(BaseModel):
    """A section of `project.yaml`: unknown names are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kpi(Section):
    """A figure by which the sponsor sees whether it pays; a plain text is one without a name or a goal.

    text: what it is, in words · at_least or at_most: the goal · unit: what it counts, such as USD; a `share`
    (0 to 1) is told in percent · name: what its query is called, where one computes it
    """

    text: str = Field(description="write in words what it is, as: share of the warnings that were right")
    name: str = Field("", pattern=r"^([a-z][a-z0-9_]*)?$", description="write small letters, digits and _")
    unit: str = ""
    at_least: float | None = Field(None, allow_inf_nan=False, description="write the goal as a number")
    at_most: float | None = Field(None, allow_inf_nan=False, description="write the goal as a number")

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, given: Any) -> Any:
        """Take a plain text, too."""
        return {"text": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def one_goal(self) -> Self:
        """Refuse two goals."""
        if self.at_least is not None and self.at_most is not None:
            raise ValueError("at_least and at_most are both given; take the one that is the goal")
        return self

    def __str__(self) -> str:
        return self.text

    def met(self, value: float) -> bool | None:
        """Return whether a figure reaches the goal, None where none is agreed."""
        if self.at_least is not None:
            return value >= self.at_least
        return None if self.at_most is None else value <= self.at_most


class Decision(Section):
    """What is decided with the prediction, for whom, and whether the project may go on."""

    question: str
    sponsor: str
    kpis: tuple[Kpi, ...]
    go: Literal["go", "no-go", "open"] = Field(description="write go, no-go or open")
    decided_by: str | None = Field(None, description="write who decided, or null while it is open")
    decided_on: date | None = Field(None, description="write the day on which it was decided, as 2026-03-31")

    @field_validator("kpis")
    @classmethod
    def some(cls, kpis: tuple[Kpi, ...]) -> tuple[Kpi, ...]:
        """Refuse a project of which nobody says by what it is measured."""
        if not kpis:
            raise ValueError("is empty; write one at least")
        return kpis

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


class Query(Section):
    """What is asked of a database for a raw table; a plain text is the query alone.

    sql: a SELECT · watermark: a column of it that grows, by which only newer rows are fetched; without one,
    all are each time · overlap: how far behind the newest row others may come late, in days, or in the unit
    of a watermark that is a number · key: the columns that tell rows apart, where rows may be changed later
    """

    sql: str = Field(description="write a SELECT, as: select * from flights")
    watermark: str | None = None
    overlap: float = Field(1.0, ge=0, allow_inf_nan=False)
    key: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, given: Any) -> Any:
        """Take a plain text, too."""
        return {"sql": given} if isinstance(given, str) else given


class Data(Section):
    """Where raw tables come from (empty: the packaged example), and how much memory a command may take.

    source: a folder, or the address of a bucket or a database · queries: of a database, one for each raw
    table · sampled: raw tables of which a small run reads only some rows · memory_limit: of etl, score and
    monitor; what does not fit is put on the disk
    """

    source: str | None = Field(None, repr=False)  # the address of a database may hold a password
    queries: dict[str, Query] = Field(default_factory=dict)
    sampled: tuple[str, ...] = ()
    maximum_rejected_share: Share = 0.01
    memory_limit: str = Field("2GB", pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$")


class Storage(Section):
    """What machines share; each an address of a bucket, or a folder.

    registry: of the versions and of what is live · predictions: of what was predicted, and what services did
    (`none`: not this one, whatever project.yaml says) · look_seconds: how soon a service notices what another
    machine has made live · ship_seconds: how soon what it has predicted is there
    """

    registry: str | None = None
    predictions: str | None = None
    look_seconds: float = Field(5.0, gt=0, le=3600)
    ship_seconds: float = Field(60.0, gt=0, le=3600)

    @field_validator("registry", "predictions")
    @classmethod
    def or_none(cls, place: str | None) -> str | None:
        """Take the word for no place, as a variable of the environment can't be empty."""
        return None if place == "none" else place


class Compute(Section):
    """Where the data is processed, and how much of it is learnt from on this machine.

    engine: DuckDB inside this process, a PostgreSQL server or Spark · training_rows: about how many rows
    come to this machine for training, at most · training_takes: if there are more, a sample by key or the
    newest · schema_name: of PostgreSQL; by default the package's · master: of Spark · storage: the folder or
    URL of Spark's tables, by default data/spark in the workspace · spark: settings of Spark's own, as
    spark.executor.memory
    """

    engine: Literal["duckdb", "postgres", "spark"] = Field(
        "duckdb", description="write duckdb, postgres or spark"
    )
    training_rows: int = Field(5_000_000, ge=1000)
    training_takes: Literal["sample", "newest"] = Field("sample", description="write sample or newest")
    schema_name: str | None = Field(
        None, pattern=r"^[a-z_][a-z0-9_]{0,39}$", description="write small letters, digits and _, at most 40"
    )
    master: str = Field(
        "local[*]",
        pattern=r"^(local(\[[^]]+\])?|(spark|k8s|yarn)(://.+)?)$",
        description="write local[*] or spark://host:7077",
    )
    storage: str | None = None
    spark: dict[str, str] = Field(default_factory=dict)

    @field_validator("spark", mode="before")
    @classmethod
    def as_text(cls, given: Any) -> Any:
        """Take numbers, true and false as Spark writes them."""
        if not isinstance(given, dict):
            return given
        return {
            name: json.dumps(value) if isinstance(value, bool | int | float) else value
            for name, value in given.items()
        }


class Split(Section):
    """The time-ordered split: before `validation_from` the model learns, after `live_from` it is live."""

    by: Literal["time"] = Field("time", exclude=True, description="write time, subject or random")
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
        """Return this split moved so that the test period ends at `until`, all lengths kept.

        Where all days are firsts of a month these are whole months: moved by days, a period of monthly rows
        would lose one.
        """
        begun = (self.validation_from, self.test_from)
        if all(day.day == 1 for day in (*begun, self.live_from, until)):
            months = _months(until) - _months(self.live_from)
            moved = [_first_after(_months(day) + months) for day in begun]
        else:
            moved = [day + (until - self.live_from) for day in begun]
        return Split(validation_from=moved[0], test_from=moved[1], live_from=until)


def _months(day: date) -> int:
    """Return how many months lie before that of a day."""
    return 12 * day.year + day.month - 1


def _first_after(months: int) -> date:
    """Return the first day of the month before which so many lie."""
    return date(months // 12, months % 12 + 1, 1)


class Shares(Section):
    """The split by chance: each row, or each subject with all of its rows, is always in the same part.

    validation_share, test_share: of all rows or subjects (0 to 1); the model learns from the rest
    """

    by: Literal["subject", "random"]
    validation_share: float = Field(0.2, gt=0, lt=1, description="write a share below 1, as 0.2")
    test_share: float = Field(0.2, gt=0, lt=1, description="write a share below 1, as 0.2")

    @model_validator(mode="after")
    def leave_rows_to_learn_from(self) -> Self:
        """Refuse shares that leave nothing to learn from."""
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share and test_share have to leave rows to learn from")
        return self


def kind_of_split(value: Any) -> str:
    """Return which of the two a split is, read or about to be."""
    by = value.get("by", "time") if isinstance(value, Mapping) else getattr(value, "by", "time")
    return BY_CHANCE if by in ("subject", "random") else BY_TIME


class Outcome(Section):
    """When it is known what came of a row, and how far ahead a row may be asked for.

    known_after_days: after the time of the row; where a column of the contract says when (`Role.KNOWN`), this
    is when it is due · horizon_days: how many days ahead the time of a row may lie that is predicted
    """

    known_after_days: int = Field(0, ge=0, le=3650)
    horizon_days: int = Field(366, ge=0, le=36_500)


class Accuracy(Section):
    """What a model must reach before it may go live; `minimum` is None until it is agreed.

    range_level: of amounts, the share of outcomes that are to lie in the range beside a prediction
    """

    metric: str
    minimum: float | None = None
    baseline_by: str
    baseline_takes: Literal["mean", "value"] = "mean"
    tolerance: float = Field(0.0, ge=0)
    range_level: float = Field(0.9, gt=0, lt=1, description="write a share below 1, as 0.9")


class ErrorCosts(Section):
    """What an error costs, in the project's currency: per unit too low, and per unit too high.

    In a yes-or-no prediction the unit is the whole case: missed, or a false alarm.
    """

    NOT_AGREED: ClassVar[str] = "units"  # the currency where nobody has said what an error costs

    currency: str
    too_low: float = Field(gt=0)
    too_high: float = Field(gt=0)
    tolerable: float = Field(0.0, ge=0)

    @property
    def agreed(self) -> bool:
        """Whether somebody has said what an error costs."""
        return self.currency != self.NOT_AGREED


class Words(Section):
    """What the reports call things, for readers who know the work and not the data; each a plural.

    rows: what is predicted one by one (without it, the name of the table) · users: who acts on it.
    """

    rows: str = "rows"
    users: str = "those who use it"


class CaseWords(Words):
    """The words where it is yes or no; cases: those whose outcome is yes.

    action: what a likely case gets, such as offer or visit, one of them · actions: several of them, where
    that is not an `s` more.
    """

    cases: str = "cases"
    action: str = "warning"
    actions: str = ""

    @model_validator(mode="before")
    @classmethod
    def in_the_plural(cls, given: Any) -> Any:
        """Add the plural of the action; `warnings` is what it was called up to version 0.2."""
        if not isinstance(given, Mapping):
            return given
        words = dict(given)
        former = words.pop("warnings", None)
        if isinstance(former, str):
            words = {"actions": former, "action": former.removesuffix("s")} | words
        action = words.get("action", cls.model_fields["action"].default)
        return words | {"actions": words.get("actions") or f"{action}s"}


class AmountWords(Words):
    """The words where it is an amount; units: what it counts (without it, the contract's unit or column)."""

    units: str | None = None
    unit_of_contract: ClassVar[str] = ""

    @property
    def counted(self) -> str:
        """What the amounts count: as set, or the unit that the contract names, or the column."""
        return self.units or self.unit_of_contract


class Serving(Section):
    """Limits of the HTTP service."""

    require_api_key: bool = True
    key_also_for: tuple[Literal["docs", "metrics", "version"], ...] = ()
    maximum_records: int = Field(1000, ge=1)
    maximum_body_bytes: int = Field(1_000_000, ge=1000)
    budget_seconds: float = Field(1.0, gt=0, le=60)
    maximum_connections: int = Field(1000, ge=1)
    arrival_seconds: float = Field(10.0, gt=0, le=600)
    idle_seconds: int = Field(75, ge=1, le=600)
    logs: Literal["text", "json"] = "text"


class Live(Section):
    """The range in which live figures are expected; outside it, an alert."""

    expected: dict[str, Range] = Field(default_factory=dict)
    drift_limit: float = Field(0.25, gt=0)
    maximum_age_days: int = Field(120, gt=0)
    maximum_violation_share: Share = 0.01
    maximum_overdue_share: Share = 0.1
    maximum_new_share: Share = 0.1
    maximum_repeated_share: Share = 0.2
    minimum_traffic_share: Share = 0.6
    maximum_error_share: Share = 0.01
    maximum_seconds: float = Field(0.3, gt=0)
    minimum_outcomes: int = Field(500, ge=1)

    @field_validator("expected")
    @classmethod
    def ordered(cls, expected: dict[str, Range]) -> dict[str, Range]:
        """Refuse a range that nothing lies in."""
        wrong = [name for name, (low, high) in expected.items() if low > high]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: the lower end comes first")
        return expected


class Retraining(Section):
    """What a model that `retrain` has made becomes by itself, and what a person has to look at before it.

    goes_live: a canary that answers `canary_share` of what is asked, the live version, or nothing by itself ·
    maximum_changed_share: of the outcomes that the live version was decided and tested on, that may read
    otherwise now · maximum_lost_share: of the rows that it has learnt from, whose names may occur no more ·
    minimum_rows_share: of the usual number of rows a day · minimum_order_share: of how well the live version
    has put the rows of its test period into order · usual_outcome: in which range the mean outcome of a month
    is nothing to look at; by default one somewhat wider than that of the months before
    """

    goes_live: Literal["canary", "promotion", "nobody"] = Field(
        "canary", description="write canary, promotion or nobody"
    )
    canary_share: float = Field(0.1, gt=0, lt=1, description="write a share below 1, as 0.1")
    maximum_changed_share: Share = 0.01
    maximum_lost_share: Share = 0.02
    minimum_rows_share: Share = 0.6
    minimum_order_share: Share = 0.6
    usual_outcome: Range | None = None

    @field_validator("usual_outcome")
    @classmethod
    def ordered(cls, usual: Range | None) -> Range | None:
        """Refuse a range that nothing lies in."""
        if usual and usual[0] > usual[1]:
            raise ValueError("the lower end comes first")
        return usual


Address = Annotated[str, Field(pattern=r'^[^@\s<>,;:"()]+@[^@\s<>,;:"()]+$')]


class Alerts(Section):
    """How people are told of a fault; where to is a secret, in the environment of the machine that watches.

    remind_after_hours: after which a fault that is still there is told again; by default a week, less what a
    weekly look may come early · webhook_form: every figure as JSON, or the text that Slack takes ·
    email_encrypted: false for a server inside that knows no encryption, and takes no password then
    """

    remind_after_hours: float = Field(160.0, gt=0, le=87_600)
    webhook_form: Literal["generic", "slack"] = Field("generic", description="write generic or slack")
    email_from: Address | None = Field(None, description="write one address, as ops@example.com")
    email_to: tuple[Address, ...] = Field((), description="write a list of addresses, as [ops@example.com]")
    email_encrypted: bool = True


class Keep(Section):
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


class Retention(Section):
    """What is kept how long; the loaded table is as old as its source, for each `etl` makes it anew.

    not_accepted: what `retrain` has built and refused, until the next is built
    """

    predictions: Keep = Keep()
    rejected: Keep = Keep()
    not_accepted: Keep = Keep(purge_after_days=30)
    raw: Keep = Keep()
    versions: Keep = Keep()
    replays: Keep = Keep()
    service: Keep = Keep(purge_after_days=400)


class Readiness(Section):
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
