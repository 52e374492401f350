"""The log of research: one line a round of training, in `2-research/rounds.jsonl`, for everybody to see."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..settings import Settings

CODE = ("src", "project.yaml", "2-research/hyperparameters.yaml")


def describe_round(
    root: Path, version: str, info: Mapping[str, Any], note: str, seconds: float
) -> dict[str, Any]:
    """Return a round: what was tried, what came out by the metric that decides, the cost, the code.

    `info` is the record of the version; `seconds` is the time that the training took.
    """
    metric, evaluation = info["metric"], info["evaluation"]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": note,
        "metric": metric,
        **rounded(evaluation["model"][metric]),
        "baseline": round(evaluation["baseline"][metric]["value"], 6),
        "gain_low": round(evaluation["gain"][metric]["low"], 6),
        "seconds": round(seconds, 1),
        "rows": dict(info["rows"]),
        "version": version,
        **code_state(root),
    }


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    """Return a figure with the ends of its interval, as they are logged."""
    return {name: round(figures[name], 6) + 0.0 for name in ("value", "low", "high")}


def log_round(settings: Settings, described: Mapping[str, Any]) -> Path:
    """Append a round as one line, in one write; return the path of the log."""
    path = settings.root / "2-research" / "rounds.jsonl"
    line = json.dumps(described, ensure_ascii=False) + "\n"
    path.parent.mkdir(exist_ok=True)
    with path.open("ab", buffering=0) as log:
        log.write(line.encode())
    return path


def code_state(root: Path) -> dict[str, Any]:
    """Return the commit and whether what trains a model differs from it; None where git knows no commit."""
    command = ["git", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--", *CODE]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "changed": None}
    first, *rest = done.stdout.splitlines()
    commit = first.removeprefix("# branch.oid ")
    if commit == "(initial)":
        return {"commit": None, "changed": None}
    return {"commit": commit, "changed": any(not line.startswith("#") for line in rest)}
