"""Whether a version may go live: better than the baseline, at least the minimum, no worse than the live."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from math import isnan, nan
from typing import Any

import numpy as np

from handrail.arrays import Floats
from handrail.compute.duckdb import connect
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.etl.load import require_table
from handrail.number_format import figure
from handrail.predictor import Predictor
from handrail.registry.live import load_live, read_live
from handrail.registry.versions import Version
from handrail.tasks.metric import Decision, Metric, Metrics
from handrail.training.dataset import Dataset, read_dataset
from handrail.training.evaluation import compare
from handrail.training.intervals import drawn_by, format_gain
from handrail.training.splits import Period, periods, rows_of, split_of, told_by

log = logging.getLogger(__name__)
MINIMUM_NOT_AGREED = (
    "project.yaml: accuracy.minimum: nobody has said how good a model has to be; agree on it with the sponsor"
)
COSTS_NOT_AGREED = (
    "project.yaml: error_costs: nobody has said what an error costs; agree on it with those who bear it"
)
MINIMUM_BORROWED, COSTS_BORROWED = (
    f"project.yaml: {name}: that of the worked example, not of your data; agree on your own, then take "
    "`example: true` out"
    for name in ("accuracy.minimum", "error_costs")
)


def not_agreed(settings: Settings) -> list[str]:
    """Return a sentence for each figure that people have to agree on, and have not.

    What was agreed for the worked example counts for nothing where the data is one's own.
    """
    if settings.borrowed:
        return [MINIMUM_BORROWED, COSTS_BORROWED]
    found = [] if settings.error_costs.agreed else [COSTS_NOT_AGREED]
    return found if settings.accuracy.minimum is not None else [MINIMUM_NOT_AGREED, *found]


def against_baseline(
    settings: Settings, version: Version, evaluation: Mapping[str, Any] | None = None
) -> list[str]:
    """Return why `version` is not clearly better than the baseline; an empty list if it is.

    `evaluation`: what was measured of it; by default, on the test period.
    """
    metric, evaluation = agreed_metric(settings), evaluation or version.info["evaluation"]
    if metric not in evaluation["gain"]:
        return [_not_measured(version, metric)]
    gain = evaluation["gain"][metric]
    model, baseline = (evaluation[name][metric] for name in ("model", "baseline"))
    if clearly_better(gain):
        return []
    return [
        f"{version.name}: {metric} {model['value']:.3f} does not clearly beat the baseline's "
        f"{baseline['value']:.3f}: {format_gain(gain)}"
        + (f". {drawn_by(evaluation.get('drawn'))}" if isnan(gain["low"]) else "")
    ]


def against_minimum(
    settings: Settings, version: Version, evaluation: Mapping[str, Any] | None = None
) -> list[str]:
    """Return why `version` misses the minimum of project.yaml; an empty list if it doesn't.

    `evaluation` as above.
    """
    metric, measured = agreed_metric(settings), (evaluation or version.info["evaluation"])["model"]
    if metric not in measured:
        return [_not_measured(version, metric)]
    value, minimum = measured[metric]["value"], settings.accuracy.minimum
    if minimum is None:
        return [MINIMUM_NOT_AGREED]
    if not settings.project.metrics[metric].worse(value, minimum):
        return []
    return [f"{version.name}: {metric} {value:.3f} misses the minimum {minimum:g} of project.yaml"]


def _not_measured(version: Version, metric: str) -> str:
    return f"{version.name}: {metric} was not measured yet when it was trained; train again"


def clearly_better(gain: Mapping[str, float]) -> bool:
    """Return whether even the low end of the gain's interval is one."""
    return gain["low"] > 0


def agreed_metric(settings: Settings) -> str:
    """Return the metric that decides; raises ProjectError where project.yaml names none that is known."""
    metric = settings.accuracy.metric
    goals = settings.project.metrics.goals
    if metric not in goals:
        raise ProjectError(
            f"project.yaml: accuracy.metric: {metric} is unknown; known are {', '.join(goals)}"
        )
    return metric


def objections(settings: Settings, version: Version, compared: "BesideLive | None" = None) -> list[str]:
    """Return every reason against making `version` live; an empty list lets it pass.

    compared: what compare_with_live has found, where that was asked already. Raises ProjectError where the
    metric of project.yaml is unknown.
    """
    found = (
        *against_baseline(settings, version),
        *against_minimum(settings, version),
        *not_agreed(settings),
        *_against_live(settings, version, compared or compare_with_live(settings, version)),
    )
    return [*dict.fromkeys(found)]


def _against_live(settings: Settings, version: Version, compared: "BesideLive | None") -> list[str]:
    if compared is None or compared.holds:
        return []
    tolerance = settings.accuracy.tolerance
    allowed = f"; accuracy.tolerance is {tolerance:g}" if compared.measured and tolerance else ""
    return [f"{version.name}: {compared.said}{allowed}"]


@dataclass(frozen=True)
class BesideLive:
    """A comparison with the live version: whether it was measured, and lets the other pass.

    tell: says what came out, with the interval of the difference, which is drawn then · figures: what was
    measured: `rows`, and of the metric `candidate`, `live` and `gain` with their intervals; without, nothing
    """

    tell: Callable[[], str]
    measured: bool = False
    holds: bool = False
    figures: Callable[[], Mapping[str, Any]] = dict

    @cached_property
    def said(self) -> str:
        """What came out, in words."""
        return self.tell()


def compare_with_live(settings: Settings, version: Version) -> BesideLive | None:
    """Compare with the live version on the latest rows of known outcome that neither has learnt from.

    None where nothing is live, or it is the same version. A live version that is broken, or has learnt from
    columns no longer in the contract, can answer for nothing any more: whatever passes the rest of the gate
    may take its place.
    """
    if read_live(settings) is None:
        return None
    try:
        live, state = load_live(settings)
    except ProjectError as error:  # a live version that answers no more can only be left
        log.warning("%s; nothing is compared with it", "; ".join(error.problems))
        return None
    now = f"the {'live' if state.stage == 'live' else 'staged'} {live.name}"
    known = {column.name for column in of_role(settings.project.contract, Role.FEATURE)}
    if live.name == version.name or not known.issuperset(live.encoding.features):
        return None
    which, source = _compared_on(settings, version, live)
    if source is None:
        return BesideLive(lambda: f"older than {now}; use `rollback` to go back")
    metrics = settings.project.metrics
    metric, both = metrics[agreed_metric(settings)], (version, live)
    rows, predictions = _predicted(settings, both, source)
    decisions = version.decision, live.decision
    candidate, current = (
        _measured(metrics, metric, rows, *each) for each in zip(predictions, decisions, strict=True)
    )
    if isnan(candidate) or isnan(current):
        return BesideLive(
            lambda: (
                f"can't be compared with {now}: too few outcomes of the rows {which} were known then; train "
                "on newer ones"
            )
        )
    worse = metric.worse(candidate, current, settings.accuracy.tolerance)

    @cache
    def drawn() -> Mapping[str, Any]:
        found = compare(metrics, rows.target, *predictions, decisions[0], rows.groups, decisions[1])
        names = ("candidate", "live", "gain")
        return {name: each[metric.name] for name, each in zip(names, found, strict=True)} | {
            "rows": len(rows)
        }

    def tell() -> str:
        joined = "is worse than" if worse else "beside"
        return (
            f"{metric.name} {figure(candidate)} on the {len(rows):,} rows {which} {joined} {now}'s "
            f"{figure(current)} on the same rows: {format_gain(drawn()['gain'])}"
        )

    return BesideLive(tell, measured=True, holds=not worse, figures=drawn)


def _compared_on(settings: Settings, version: Version, live: Version) -> tuple[str, str | None]:
    """Return which rows two versions are compared on, in words and as the FROM item; None: there are none.

    They are the latest that neither has learnt from. Where chance has parted the rows of the candidate, they
    are its test rows: a live version that was parted otherwise may know some, which is in its favour.
    """
    table = require_table(settings, settings.project.table_name)
    split = split_of(version.info["split"])
    if isinstance(split, Shares):
        with connect(settings) as connection:
            source = rows_of(connection, settings, table, split, periods(split)[2])
        return told_by(version.info["split"], "test"), source
    parted = split_of(live.info["split"])
    start = max(split.test_from, parted.test_from) if isinstance(parted, Split) else split.test_from
    which = f"from {start} to {split.live_from}"
    if start >= split.live_from:
        return which, None
    with connect(settings) as connection:
        return which, rows_of(connection, settings, table, split, Period("test", start, split.live_from))


def _predicted(
    settings: Settings, versions: tuple[Version, Version], source: str
) -> tuple[Dataset, tuple[Floats, Floats]]:
    """Return the rows of a FROM item whose outcome is known, and what each of two versions predicts."""
    with connect(settings) as connection:
        read = [read_dataset(connection, source, settings, v.encoding, v.baseline.column) for v in versions]
    one, other = (Predictor(v.model).predict(data.features) for v, data in zip(versions, read, strict=True))
    return read[0], (one, other)


def _measured(
    metrics: Metrics, metric: Metric, rows: Dataset, prediction: Floats, decision: Decision
) -> float:
    """Return the metric of a prediction, NaN where all outcomes are alike."""
    if len(np.unique(rows.target)) < 2:
        return nan
    return metrics.measure(rows.target, prediction, decision)[metric.name]
