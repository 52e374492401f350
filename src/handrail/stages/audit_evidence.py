"""What people's work for the handover has left behind: in the history of versions, in the logs."""

import json
from pathlib import Path

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.versions import model_folder
from handrail.retention.audit_log import audit_log_path
from handrail.stages.gates import Finding, command, done, still_open


def trained_again(settings: Settings) -> Finding:
    """Find a second version that was promoted."""
    history = _lines(model_folder(settings) / "history.jsonl")
    promoted = [line for line in history if line["reason"] == "promoted"]
    count = len({line["live"] for line in promoted})
    if count < 2:
        return still_open("no second version was ever promoted", command(settings, "train"))
    return done(f"{count} versions promoted, the last on {promoted[-1]['at'][:10]}")


def alert_rehearsed(settings: Settings) -> Finding:
    """Find an alert that was raised."""
    last = _last(settings.workspace / "reports" / "alerts.jsonl")
    if last is None:
        return still_open("no alert was ever raised", "narrow a range in project.yaml, then `monitor`")
    return done(f"an alert on {last['at'][:10]}")


def rolled_back(settings: Settings) -> Finding:
    """Find a rollback, and that a version was promoted afterwards."""
    history = _lines(model_folder(settings) / "history.jsonl")
    places = [number for number, line in enumerate(history) if line["reason"] == "rolled back"]
    if not places:
        return still_open("no version was ever rolled back", command(settings, "rollback"))
    after = [line for line in history[places[-1] :] if line["reason"] == "promoted"]
    if not after:
        return still_open("nothing was promoted after the rollback", command(settings, "promote"))
    return done(f"back on {history[places[-1]]['at'][:10]}, forward on {after[-1]['at'][:10]}")


def data_deleted(settings: Settings) -> Finding:
    """Find data that was archived or deleted."""
    last = _last(audit_log_path(settings))
    if last is None:
        return still_open("nothing was ever archived or deleted", command(settings, "purge"))
    return done(f"{last['action']} on {last['at'][:10]}", by=last["by"])


def _last(path: Path) -> dict[str, str] | None:
    return (_lines(path) or [None])[-1]


def _lines(path: Path) -> list[dict[str, str]]:
    """Return the records of a log, none where there is no file; raises ProjectError where it is broken."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        raise ProjectError(f"{path}: not readable; mend the line that is no JSON") from None
