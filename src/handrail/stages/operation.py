"""Operation: does it keep working, and who owns it?"""

import json
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from handrail.config.sections import Live
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.etl.pipeline import refusal_path
from handrail.moments import moment
from handrail.monitoring.checks import canary_reading
from handrail.monitoring.open_alerts import read_open_alerts
from handrail.monitoring.series import read_series
from handrail.number_format import percent
from handrail.project import Project
from handrail.readiness.score_evidence import score_known
from handrail.registry.history import last_promoted, tried_since, withdrawn
from handrail.registry.live import load_live, read_live
from handrail.serving.inference import start_model
from handrail.stages.checklist import missing_items, read_checklist, signed
from handrail.stages.gates import Finding, command, done, still_open
from handrail.stages.production import LAUNCH, STEPS
from handrail.training.retraining_log import last_retraining, retraining_log_path

HANDOVER = "4-operation/HANDOVER.md"
ITEMS = ("Owner named", "Read", "Installed", "Access")
ITEMS_TO_RUN = ("Data loaded", "Model trained", "Model promoted", "Rolled back")
ITEMS_TO_KEEP = (
    "Monitored",
    "Alert rehearsed",
    "Runbook tried",
    "Data kept and deleted",
    "Changed",
    "In use",
)
ITEMS_OF_PARTS = {"batch": ("Batch scored",), "api": ("Service started", "Key changed", "Rules loaded")}
MAXIMUM_AGE_DAYS = 30  # since the last look: each covers as many days of predictions


class Watched(BaseModel):
    """What is read of a record of `monitor`: the window (end: the first day after it) and its alerts.

    at: when that was looked at; of a record that doesn't say, the time of its file. relived: whether it only
    lived a month of the past again, which shows what would have been seen, not that somebody looks; newest:
    whether it was at the latest predictions, and not back at a window that somebody chose.
    """

    model_config = ConfigDict(frozen=True)

    start: date
    end: date
    alerts: tuple[str, ...]
    at: AwareDatetime | None = None
    relived: bool = False
    newest: bool = True


def begun(settings: Settings) -> bool:
    """Operation has begun when the launch is signed."""
    items = read_checklist(settings, LAUNCH)
    return bool(items) and all(item.done for item in items) and not missing_items(settings, LAUNCH, STEPS)


def monitoring_ran(settings: Settings) -> Finding:
    """Find the record of the latest window, not older than it may be; raises ProjectError for a bad one.

    Looks back count as little as months that were lived again.
    """
    records = sorted((settings.workspace / "reports" / "monitoring").glob("*.json"), reverse=True)
    others: set[str] = set()
    for path in records:
        latest = _read_record(path)
        if latest.newest and not latest.relived:
            return _looked_at(settings, path, latest)
        others.add("months that were lived again" if latest.relived else "looks back")
    nothing = f"only of {' and of '.join(sorted(others))}" if others else "no record of it"
    return still_open(nothing, command(settings, "monitor"))


def _looked_at(settings: Settings, path: Path, latest: Watched) -> Finding:
    at = latest.at or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    days, window = (datetime.now(UTC) - at).days, f"latest window {latest.start} to {latest.end}"
    if days > MAXIMUM_AGE_DAYS:
        past = f"{window}, but that was {days} days ago, on {at.date()}; a look covers {MAXIMUM_AGE_DAYS}"
        return still_open(past, command(settings, "monitor"))
    if settings.borrowed or not settings.section(Live).expected:
        agree = "agree with the sponsor on where accuracy has to stay, in project.yaml under live.expected"
        return still_open(f"{window}, but no range is agreed: no accuracy raises an alert", agree)
    return done(f"{window}, alerts: {', '.join(latest.alerts) or 'none'}")


def _read_record(path: Path) -> Watched:
    try:
        return Watched.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ProjectError(
            f"reports/monitoring/{path.name}: no record of monitoring ({error.errors()[0]['msg']}); "
            "delete it and run `monitor` again"
        ) from None


def model_answers(settings: Settings) -> Finding:
    """Find the model answering, not the fallback; raises ProjectError where it does not run."""
    live = read_live(settings)
    if live is None:
        return still_open("no model is live", command(settings, "promote"))
    if live.mode == "fallback":
        look = "look into 4-operation/runbook.md, *the baseline did better*; then "
        return still_open(
            f"the fallback does: {live.reason}", look + command(settings, f"promote {live.versions[-1]}")
        )
    version, _ = load_live(settings)
    start_model(version)
    return done(version.name)


def handover_items(settings: Settings) -> tuple[str, ...]:
    """Return the items that the handover of a project with these parts needs."""
    parts = (item for part, of in ITEMS_OF_PARTS.items() if settings.project.has(part) for item in of)
    return (*ITEMS, *ITEMS_TO_RUN, *parts, *ITEMS_TO_KEEP)


def handed_over(settings: Settings) -> Finding:
    """Find every item of the handover ticked; raises ProjectError where one was taken out."""
    return signed(settings, HANDOVER, handover_items(settings))


def canary_told(settings: Settings) -> str:
    """Return which canary is tried, beside what, since when, and what the last look has found of it."""
    live = read_live(settings)
    if live is None or live.canary is None:
        promoted = last_promoted(settings)
        last = [each for each in withdrawn(settings)[-1:] if each.at >= promoted]
        return "; ".join(["none is tried", *(each.told for each in last)])
    name, since = live.canary.name, tried_since(settings, live.canary.name)
    told = f"{name} answers {percent(live.canary.share)} of what is asked beside {live.versions[-1]}"
    if since is None:
        return told
    began = datetime.fromisoformat(since)
    figure = canary_reading(settings)
    looks = [row for row in read_series(settings).rows if row.figure == figure and row.of == "latest"]
    seen = max((row for row in looks if row.at >= began), key=lambda row: row.at, default=None)
    found = f"no look since then; {command(settings, 'monitor')}"
    if seen:
        why = f" ({seen.why})" if seen.why else ""
        found = f"{figure} {seen.shown}{why}, {seen.expected}: {seen.state}, looked at on {seen.at.date()}"
    return f"{told} since {moment(began)}; {found}"


def etl_told(settings: Settings) -> str:
    """Return when the data was loaded last; or, where that was refused, when and why."""
    path, refused = table_path(settings, settings.project.table_name), refusal_path(settings)
    loaded = "never loaded"
    if path.is_file():
        loaded = f"loaded {moment(datetime.fromtimestamp(path.stat().st_mtime, UTC))}"
    if not refused.is_file():
        return loaded
    try:
        said = json.loads(refused.read_text(encoding="utf-8"))
        first, *more = said["why"]
        others = f" (and {len(more)} more)" if more else ""
        return f"refused {moment(datetime.fromisoformat(said['at']))}: {first}{others}; before that, {loaded}"
    except (KeyError, TypeError, ValueError):
        raise ProjectError(f"{settings.shown(refused)}: can't be read; delete it") from None


def alerts_told(settings: Settings) -> str:
    """Return which alerts are open, since when, and where each is explained."""
    faults = read_open_alerts(settings).faults
    if not faults:
        return "none is open"
    named = "; ".join(f"{each.wrong.name} since {moment(each.since)}" for each in faults)
    return f"{named}; {command(settings, 'alert')} shows them, 4-operation/runbook.md says what to do"


def retraining_told(settings: Settings) -> str:
    """Return when the last retraining was, what came of it, and why."""
    last = last_retraining(settings)
    if last is None:
        return "none yet"
    try:
        why = [*last["why"]]
        of = f" of {last['version']}" if last.get("version") else ""
        more = f" (and {len(why) - 1} more)" if len(why) > 1 else ""
        reason = f": {why[0]}{more}" if why else ""
        return f"{moment(datetime.fromisoformat(last['at']))}, {last['verdict']}{of}{reason}"
    except (KeyError, TypeError, ValueError):
        shown = settings.shown(retraining_log_path(settings))
        raise ProjectError(f"{shown}: its last line can't be read; delete it") from None


CHECKS = {
    "monitoring ran": monitoring_ran,
    "model answers": model_answers,
    "ML Test Score": score_known,
    "handover": handed_over,
}
FACTS = {
    "last etl": etl_told,
    "alerts": alerts_told,
    "canary": canary_told,
    "last retraining": retraining_told,
}
BY_PEOPLE = ()


def yours(project: Project) -> dict[str, str]:
    """Return the files to change for data of one's own, with what to do there."""
    found = {
        "4-operation/runbook.md": "what you know of your alerts",
        "tests/test_autumn.py": "what your months after the launch have shown; or delete it",
    }
    if project.has("dashboard"):
        found[f"src/{project.package}/dashboard/kpis.sql"] = "how each KPI of project.yaml is computed"
    return found
