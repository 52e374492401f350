"""A training under way: what the steps of a project's model/train.py need, and what they make."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from handrail.arrays import Floats
from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import Connection, connect
from handrail.config.sections import ErrorCosts, Section, Shares, Split
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role, one_of_role
from handrail.errors import ProjectError
from handrail.etl.load import read_taken, require_table
from handrail.predictor import Predictor
from handrail.registry.acceptance import agreed_metric
from handrail.registry.drift_reference import (
    PREDICTION,
    known_ranges,
    known_values,
    learn_amount_bins,
    learn_bins,
    shares,
)
from handrail.registry.learnt_keys import LEARNT, keys_learnt
from handrail.registry.model_card import model_card
from handrail.registry.outcome_sketch import sketch
from handrail.registry.versions import save_version
from handrail.tasks.metric import Decision, with_baseline
from handrail.tasks.task import Task
from handrail.training.baseline import Baseline, without_value
from handrail.training.dataset import Dataset
from handrail.training.encoding import calendar_features, growing_features, inexact_features
from handrail.training.evaluation import evaluate
from handrail.training.experiment_log import code_state
from handrail.training.hyperparameters import TunedParameters, read_parameters
from handrail.training.rolling_origins import expanding_folds
from handrail.training.split_advice import split_advice
from handrail.training.splits import (
    Splits,
    half_told_periods,
    inside,
    periods,
    read_splits,
    rows_in,
    rows_of,
    unknown_outcomes,
)

if TYPE_CHECKING:
    from handrail.project import Project

log = logging.getLogger(__name__)
SEED = 0
LIBRARIES = ("handrail", "numpy", "onnxruntime", "duckdb")


@dataclass(frozen=True)
class Training:
    """What a training made: the version's name, its record, and what its pictures are drawn from.

    test, prediction, baseline: the rows that it was measured on, and what was predicted for them · period:
    which those are · on_validation: the same training, measured on the rows of the validation period. A round
    of research goes by that one, so that the test period stays unseen until a version is to be promoted.
    """

    version: str
    info: dict[str, Any]
    predictor: Predictor
    test: Dataset
    prediction: Floats
    baseline: Floats
    period: Literal["validation", "test"] = "test"
    on_validation: "Training | None" = None


@dataclass
class Run:
    """One training under way, as `train` of model/train.py is given it.

    settings: those of the project · split: the days that part the three periods · step: tells what is being
    done now · seed: what every random step is to begin from
    """

    settings: Settings
    split: Split | Shares
    step: Callable[[str], None]
    connection: Connection
    seed: int = SEED
    _training: Dataset | None = field(default=None, init=False, repr=False)

    @property
    def project(self) -> "Project":
        """The project that is trained."""
        return self.settings.project

    @cached_property
    def parameters(self) -> TunedParameters:
        """The hyperparameters in use, and how they were found."""
        return read_parameters(self.settings)

    @property
    def hyperparameters(self) -> Section:
        """The values of the hyperparameters in use."""
        return self.parameters.hyperparameters

    @cached_property
    def _table(self) -> str:
        return require_table(self.settings, self.project.table_name)

    def read_splits(self) -> Splits:
        """Return the rows of the three periods, encoded; raises ProjectError where one can't be used."""
        self.step("read the table")
        baseline_by = self.settings.accuracy.baseline_by
        try:
            splits = read_splits(self.connection, self.settings, self._table, self.split, baseline_by)
        except ProjectError as error:
            advice = None
            if isinstance(self.split, Split) and self.project.time:
                advice = split_advice(self.connection, self.settings, self._table, self.split)
            raise ProjectError([*error.problems, *([advice] if advice else [])]) from None
        self._training = splits.training
        if isinstance(self.split, Split):
            both = splits.training.features, splits.validation.features
            names, months = splits.encoding.features, splits.training.months
            found = half_told_periods(self.connection, self.settings, self._table, self.split)
            found += growing_features(self.project, names, *both)
            found += [] if months is None else calendar_features(self.project, names, both[0], months)
            for sentence in found:
                log.warning("%s", sentence)
        return splits

    def decide(self, validation: Dataset, prediction: Floats, baseline: Baseline | None = None) -> Decision:
        """Return how predictions are acted on, decided on the validation rows by what errors cost.

        It says the same of `baseline`, the simple technique of this training (without it, the project's is
        fitted to the training rows): its predictions are on another scale than the model's. Where an amount
        is predicted, it also says how far ranges reach, those of both.
        """
        task, settings = self.project.task, self.settings
        column = one_of_role(self.project.contract, Role.TARGET)
        if baseline is None and self._training is not None:
            baseline = self.project.baseline.fit(self._training, settings.accuracy)
        simple = baseline.predict(validation.baseline_by) if baseline else None
        decision = task.decide(validation.target, prediction, settings.error_costs)
        if simple is not None:
            decision = with_baseline(decision, task.decide(validation.target, simple, settings.error_costs))
        level = settings.accuracy.range_level
        return {**decision, **task.ranges(validation.target, prediction, simple, level, column)}

    def evaluate(
        self, test: Dataset, prediction: Floats, baseline: Floats, decision: Decision
    ) -> dict[str, Any]:
        """Return every metric of both on the test rows, with intervals: overall, by month, by slice.

        `errors` has the mean errors to both sides of acting on the predictions, and of doing without them.
        """
        missing = without_value(test.baseline_by) if self.settings.accuracy.baseline_takes == "value" else 0
        if missing:
            log.warning(
                "accuracy.baseline_by: %s is not known in %s of %s rows; the simple technique takes the mean "
                "of all there, and is worse for it",
                self.settings.accuracy.baseline_by,
                f"{missing:,}",
                f"{len(test):,}",
            )
        found = evaluate(self.project.metrics, test, prediction, baseline, decision, self.step)
        task, costs = self.project.task, self.settings.error_costs
        return found | {"errors": mean_errors(task, costs, test.target, prediction, decision)}

    def keep(
        self,
        splits: Splits,
        model: bytes,
        baseline: Any,
        *,
        prediction: Floats,
        simple: Floats,
        evaluation: dict[str, Any],
    ) -> Training:
        """Keep the model's file, the baseline and what was measured as a version; return what was made.

        `prediction` and `simple` are the model's and the baseline's for the test rows. The same content is
        the same version, so training again on the same data changes nothing.

        The version is measured on the validation rows, too, by which rounds of research are scored. The
        threshold or margin was decided on these rows (and tuning compared on them), so figures that depend on
        it are a little too good there; ranks and errors do not. What many rounds have chosen between on them
        is too good as well: the test period tells how much.
        """
        predictor, earlier = Predictor(model), splits.validation
        predicted = predictor.predict(earlier.features), baseline.predict(earlier.baseline_by)
        self.step("measure on the validation rows")
        validation = self.evaluate(earlier, *predicted, evaluation["decision"])
        rolled = self._roll(splits, validation) if self.project.task.kind == "forecasting" else []
        self.step("count the reference")
        reference = self._reference(prediction)
        info = self._describe(splits) | {
            "baseline": asdict(baseline),
            "evaluation": evaluation,
            "validation": validation,
            "reference": reference,
            "outcomes": sketch_outcomes(self.connection, self.settings, self._table, self.split),
        }
        info |= {"rolling_origins": rolled} if rolled else {}
        self.step("keep the version")
        files = version_files(self.settings, model, info)
        if isinstance(self.split, Shares):
            files[LEARNT] = keys_learnt(self.connection, self.project, self._table)
        prefix = str(self.split.live_from) if isinstance(self.split, Split) else self.split.by
        name = save_version(self.settings, files, prefix)
        tested = Training(name, info, predictor, splits.test, prediction, simple)
        scored = Training(
            name, info | {"evaluation": validation}, predictor, earlier, *predicted, period="validation"
        )
        return replace(tested, on_validation=scored)

    def _reference(self, prediction: Floats) -> dict[str, Any]:
        """Return what `count_reference` does, of the whole table where that is elsewhere."""
        counted = self.settings, self._table, self.split, prediction
        if self.settings.compute.engine != "duckdb":
            try:
                with connect_data(self.settings) as connection:
                    return count_reference(connection, *counted)
            except ProjectError as error:  # what was learnt is not lost for it
                log.warning("the reference for drift is of the rows learnt from alone: %s", error)
        return count_reference(self.connection, *counted)

    def _roll(self, splits: Splits, validation: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return how good a model is that learns until one day after another, on what followed each.

        The last of them is this one, on the validation rows. Empty where chance has parted the rows, or the
        training period is too short for more.
        """
        project, metric, training = self.project, agreed_metric(self.settings), splits.training
        if isinstance(self.split, Shares) or training.times is None:
            return []
        try:
            folds = list(expanding_folds(training))
        except ProjectError:
            return []
        found = []
        for number, (earlier, later) in enumerate(folds, start=1):
            self.step(f"learn until an earlier day, {number} of {len(folds)}")
            model = project.fit(earlier, splits.encoding, self.seed, self.hyperparameters)
            simple = project.baseline.fit(earlier, self.settings.accuracy).predict(later.baseline_by)
            prediction = project.estimator.predict(model, later.features)
            measured = [
                project.metrics.measure(
                    later.target,
                    each,
                    project.task.decide(later.target, each, self.settings.error_costs),
                )[metric]
                for each in (prediction, simple)
            ]
            found.append(_origin(str(_first_day(later)), len(later), *measured))
        figures = [validation[name][metric]["value"] for name in ("model", "baseline")]
        return [*found, _origin(str(self.split.validation_from), validation["rows"], *figures)]

    def _describe(self, splits: Splits) -> dict[str, Any]:
        """Return what is known of the training before anything is measured."""
        taken = read_taken(self.settings)
        libraries = (*LIBRARIES, *self.project.estimator.LIBRARIES)
        return {
            "project": self.settings.name,
            "task": self.project.task.kind,
            "metric": agreed_metric(self.settings),
            "split": self.split.model_dump(mode="json"),
            "rows": {
                "training": len(splits.training),
                "validation": len(splits.validation),
                "test": len(splits.test),
            },
            "unknown": unknown_outcomes(self.connection, self.settings, self._table, self.split),
            "encoding": asdict(splits.encoding),
            "hyperparameters": self.hyperparameters.model_dump(),
            "tuned": self.parameters.origin(),
            "seed": self.seed,
            "code": code_state(self.settings.root),
            "libraries": {"python": sys.version.split()[0]} | installed_versions(libraries),
        } | ({"taken": taken} if taken else {})


def mean_errors(
    task: Task, costs: ErrorCosts, target: Floats, prediction: Floats, decision: Decision
) -> dict[str, Any]:
    """Return the mean errors to both sides of acting on predictions (n), and of what is done without them."""
    without = task.errors_without(target, costs)
    return {"acting": task.errors(target, prediction, decision), "without": dict(without)}


def _first_day(rows: Dataset) -> np.datetime64:
    """Return the day from which on rows, which are in time, were predicted."""
    made = rows.times if rows.origins is None else rows.origins
    if made is None or not len(made):
        raise ValueError("rows have no time")
    return made.min().astype("datetime64[D]")


def _origin(day: str, rows: int, model: float, baseline: float) -> dict[str, Any]:
    return {"from": day, "rows": rows, "model": model, "baseline": baseline}


def train(settings: Settings, split: Split | Shares, on_step: Callable[[str], None]) -> Training:
    """Train by the steps of the project's model/train.py on what `split` allows, and keep the version.

    Deterministic: the same table, code and libraries give the same version. Raises ProjectError where a
    period has no rows or only one outcome.
    """
    agreed_metric(settings)
    for sentence in inexact_features(settings.project):
        log.warning("%s", sentence)
    with connect(settings) as connection:
        return settings.project.train(Run(settings, split, on_step, connection))


def count_reference(
    connection: Connection, settings: Settings, table: str, split: Split | Shares, prediction: Floats
) -> dict[str, Any]:
    """Return bins and shares: of the features in the training rows, of the predictions in the test rows.

    Of the features `recent` has the shares in the test rows, the newest that the version knows, and `tested`
    those of an amount in bins of its own there; `range` has the ends of an amount in all of its rows, and
    `values` all of an amount that has few.
    """
    learnt_from = rows_in(settings, table, split, periods(split)[0])
    bins = learn_bins(connection, learnt_from, of_role(settings.project.contract, Role.FEATURE))
    connection.register("predicted", {PREDICTION: prediction})
    (predicted,) = learn_amount_bins(connection, "predicted", [PREDICTION])
    counted = shares(connection, learnt_from, bins) | shares(connection, "predicted", [predicted])
    tested = rows_in(settings, table, split, periods(split)[2])
    every = " OR ".join(f"({inside(settings, split, each)})" for each in periods(split))
    own = learn_amount_bins(connection, tested, [item.column for item in bins if not item.names])
    recent = shares(connection, tested, own)
    more = {
        "recent": shares(connection, tested, bins),
        "tested": {item.column: {"edges": item.edges, "shares": recent[item.column]} for item in own},
        "range": known_ranges(connection, f"(SELECT * FROM {table} WHERE {every})", bins),
        "values": known_values(connection, learnt_from, tested, bins),
    }
    return {
        item.column: {"edges": item.edges, "names": item.names, "shares": counted[item.column]}
        | {kind: found[item.column] for kind, found in more.items() if item.column in found}
        for item in [*bins, predicted]
    }


def sketch_outcomes(
    connection: Connection, settings: Settings, table: str, split: Split | Shares
) -> dict[str, Any]:
    """Return by which a later change of the outcomes is known that a version is decided and tested on."""
    return {
        each.name: sketch(connection, settings.project, rows_of(connection, settings, table, split, each))
        for each in periods(split)[1:]
    }


def installed_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the version of each distribution that is installed; some have another name on some systems."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = installed(name)
    return found


def version_files(settings: Settings, model: bytes, info: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of a version by name."""
    schema = settings.project.contract.model_json_schema()
    texts = {
        "model.json": json.dumps(info, indent=1, ensure_ascii=False) + "\n",
        "contract.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n",
        "card.md": model_card(settings, info),
    }
    return {"model.onnx": model} | {name: text.encode() for name, text in texts.items()}
