"""Operation: does it keep working, and who owns it?"""

from datetime import date
from functools import partial

from pydantic import BaseModel, ConfigDict, ValidationError

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.readiness.score_evidence import score_known
from handrail.registry.live import load_live, read_live
from handrail.serving.inference import start_model
from handrail.stages.checklist import read_checklist, signed
from handrail.stages.gates import Finding, command, done, still_open
from handrail.stages.production import LAUNCH

HANDOVER = "4-operation/HANDOVER.md"


class Watched(BaseModel):
    """What is read of a record of `monitor`: the window (end: the first day after it) and its alerts."""

    model_config = ConfigDict(frozen=True)

    start: date
    end: date
    alerts: tuple[str, ...]


def begun(settings: Settings) -> bool:
    """Operation has begun when the launch is signed."""
    items = read_checklist(settings, LAUNCH)
    return bool(items) and all(item.done for item in items)


def monitoring_ran(settings: Settings) -> Finding:
    """Find the record of the latest window; raises ProjectError where it can't be read."""
    records = sorted((settings.workspace / "reports" / "monitoring").glob("*.json"))
    if not records:
        return still_open("no record of it", command(settings, "monitor"))
    try:
        latest = Watched.model_validate_json(records[-1].read_bytes())
    except ValidationError as error:
        raise ProjectError(
            f"reports/monitoring/{records[-1].name}: no record of monitoring ({error.errors()[0]['msg']}); "
            "delete it and run `monitor` again"
        ) from None
    alerts = ", ".join(latest.alerts) or "none"
    return done(f"latest window {latest.start} to {latest.end}, alerts: {alerts}")


def model_answers(settings: Settings) -> Finding:
    """Find the model answering, not the fallback; raises ProjectError where it does not run."""
    live = read_live(settings)
    if live is None:
        return still_open("no model is live", command(settings, "promote"))
    if live.mode == "fallback":
        return still_open(f"the fallback does: {live.reason}", "look into 4-operation/runbook.md")
    version, _ = load_live(settings)
    start_model(version)
    return done(version.name)


CHECKS = {
    "monitoring ran": monitoring_ran,
    "model answers": model_answers,
    "ML Test Score": score_known,
    "handover": partial(signed, name=HANDOVER),
}
BY_PEOPLE = ()
YOURS = {
    "4-operation/README.md": "what it shows is the flights' autumn",
    "4-operation/runbook.md": "its date, columns and seasons are the flights'",
    "tests/test_autumn.py": "delete it; until then it tests the flights' autumn",
}
