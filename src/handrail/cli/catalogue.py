"""Every verb of the library: its stage, the part that brings it, and what it does in a line.

A static table, so that the help and the completion import no verb; a test compares it with the docstrings.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from handrail.config.root import find_root
from handrail.errors import ProjectError
from handrail.labelling import FOLDER as LABELLING
from handrail.labelling import is_asked_for
from handrail.project import SHOWN_BY

if TYPE_CHECKING:
    from handrail.project import Project


class Entry(NamedTuple):
    """A verb: the stage under which it is shown, the part of a project that has it, what it does."""

    stage: str
    part: str
    summary: str


VERBS: Mapping[str, Entry] = {
    "ideas": Entry(
        "discovery",
        "discovery",
        "Rank the ideas by expected return, say what would have to be true, draw them",
    ),
    "status": Entry(
        "discovery", "discovery", "Say what is done, what is missing and what comes next, from the evidence"
    ),
    "start-over": Entry(
        "discovery",
        "discovery",
        "Empty the worked example's texts into blank forms, and list the files to change for your own data",
    ),
    "demo": Entry(
        "research", "research", "Do everything once, from the raw data to the last gate of this project"
    ),
    "etl": Entry(
        "research", "research", "Bring in the raw tables, check and transform them, load the result"
    ),
    "labels": Entry(
        "research",
        "labelling",
        "Ask people about the data: send out forms, judge what comes back, join the labels",
    ),
    "train": Entry(
        "research", "research", "Train a model, measure it beside the baseline, write the reports"
    ),
    "tune": Entry(
        "research",
        "research",
        "Look for better hyperparameters within the research budget; killed, it goes on where it was",
    ),
    "rounds": Entry("research", "research", "Show the rounds of research, and say whether to go on"),
    "tracking": Entry("research", "tracking", "Show every run of training in MLflow's own pages"),
    "promote": Entry(
        "production",
        "production",
        "Put a trained version into staging, or what is in staging live, if it passes the gate",
    ),
    "rollback": Entry(
        "production",
        "production",
        "Withdraw the canary; without one, make the version live again that was live before",
    ),
    "serve": Entry("production", "api", "Serve predictions over HTTP"),
    "score": Entry("production", "batch", "Score many rows into a Parquet file"),
    "monitor": Entry("operation", "operation", "Compare what is live with what is expected; raise alerts"),
    "retrain": Entry(
        "operation",
        "operation",
        "Load newer data, train on it, and let the model go live if nothing speaks against it",
    ),
    "alert": Entry(
        "operation",
        "operation",
        "Show which faults are open and since when, and deliver what was not delivered yet",
    ),
    "dashboard": Entry(
        "operation",
        "dashboard",
        "Show the KPIs, predictions, live accuracy, drift, alerts and costs on a page",
    ),
    "replay": Entry("operation", "operation", "Rebuild what production saw in a window, and show what moved"),
    "refused": Entry(
        "operation",
        "operation",
        "Show which rules of the contract were broken, in how many rows and since when",
    ),
    "readiness": Entry(
        "operation",
        "operation",
        "Compute the ML Test Score: 28 tests of data, model, infrastructure and monitoring",
    ),
    "handover": Entry(
        "operation",
        "operation",
        "Check the handover: what a machine finds of it, beside who has ticked it",
    ),
    "archive": Entry(
        "operation",
        "operation",
        "Move old data to the archive, by the retention in project.yaml; show it first",
    ),
    "purge": Entry(
        "operation", "operation", "Delete old data, or all that is kept of one key; show it first"
    ),
}


def is_there(project: "Project", verb: str) -> bool:
    """Return whether a project has a verb of the library."""
    part = VERBS[verb].part
    if part == "labelling":
        return _has_labelling(project)
    return part == "discovery" or project.has(part)


def why_not(project: "Project", verb: str) -> str:
    """Return what would have to be there for a verb of the library that a project does not have."""
    part = VERBS[verb].part
    if part == "tracking":
        return "mlflow is not installed; it comes with handrail[mlflow]"
    file = LABELLING if part == "labelling" else f"src/{project.package}/{SHOWN_BY[part]}"
    return f"it comes with {part}, and this project has no {file}"


def _has_labelling(project: "Project") -> bool:
    try:
        root = project.root or find_root()
    except ProjectError:
        return False
    return is_asked_for(root)
