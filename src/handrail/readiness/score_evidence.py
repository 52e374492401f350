"""What `status` finds of the score: the record of the last whole run."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.live import read_live
from handrail.stages.gates import Finding, command, done, still_open

RECORD = "readiness.json"  # in reports/
ENOUGH = 5  # above it, "exceptional levels of automated testing and monitoring" in the authors' words
ALL = 7


class Recorded(BaseModel):
    """What is read of the record."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    version: str
    score: int = Field(ge=0, le=ALL)
    sections: dict[str, int] = Field(min_length=1)
    failed: tuple[str, ...]
    rows: tuple[Any, ...] = ()

    @property
    def passing(self) -> str:
        """How many tests pass, in words; empty where the record doesn't say."""
        return f"; {len(self.rows) - len(self.failed)} of {len(self.rows)} tests pass" if self.rows else ""


def score_known(settings: Settings) -> Finding:
    """Find the score of the live version; raises ProjectError where it is too low or can't be read."""
    path = settings.workspace / "reports" / RECORD
    live = read_live(settings)
    again = command(settings, "readiness")
    if not path.is_file():
        return still_open("not computed yet", again)
    try:
        found = Recorded.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ProjectError(
            f"reports/{RECORD}: no record of the score ({error.errors()[0]['msg']}); run `readiness` again"
        ) from None
    if live is None or found.version != live.versions[-1]:
        return still_open(f"only that of {found.version}, which is not live", again)
    sections = ", ".join(f"{name} {passed}" for name, passed in found.sections.items())
    if found.score < ENOUGH:
        raise ProjectError(
            f"{found.score} of {ALL}, at least {ENOUGH} are needed: {sections}{found.passing}; {again}"
        )
    if found.failed:
        failed = ", ".join(found.failed)
        raise ProjectError(f"{found.score} of {ALL}, but failed: {failed}{found.passing}; {again}")
    return done(f"{found.score} of {ALL}: {sections}{found.passing}; on {found.at.date()}")
