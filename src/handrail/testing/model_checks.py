"""What the model of any project must hold: how it is coded, learnt, exported, measured, and its baseline."""

from collections.abc import Iterator
from math import isfinite, isnan, nan
from typing import Any

import numpy as np

from handrail.arrays import Floats
from handrail.compute.duckdb import connect
from handrail.contract.schema import Role, of_role
from handrail.predictor import Predictor
from handrail.registry.acceptance import agreed_metric
from handrail.testing.made_up_records import made_up_records, records_at_ends
from handrail.testing.made_up_tables import PLACE, table_of
from handrail.testing.requirement import require
from handrail.testing.runs import SmallRun
from handrail.training.splits import Splits

REAL = 500  # rows of the table
MEASURED = 2000
NEAR_SPLITS = 5000
NEVER_SEEN = "never seen before"
TOLERANCE = 1e-5  # of the spread of the predictions
FLOAT32_STEPS = 8  # float32 can tell no less apart, however narrow the spread is


def only_features_reach_the_model(run: SmallRun) -> None:
    """The model sees features of the contract alone: no target, nothing that is forbidden or sensitive."""
    features = {column.name for column in of_role(run.project.contract, Role.FEATURE)}
    for where, seen in (("features", run.project.features), ("train", run.version.encoding.features)):
        other = [name for name in seen if name not in features]
        require(
            not other,
            f"model/{where}.py: {', '.join(other)}: seen by the model, and no feature in contract.py",
        )


def record_and_table_are_coded_alike(run: SmallRun) -> None:
    """A record is coded as the same row of a table: at the contract's ends, with holes, of new names."""
    encoding, records = run.splits.encoding, _records(run)
    coded = [f"{expression} AS f{number}" for number, expression in enumerate(encoding.select())]
    with connect(run.settings) as connection:
        source = table_of(connection, run.project.contract, records)
        by_table = connection.execute(f"SELECT {', '.join(coded)} FROM {source} ORDER BY {PLACE}")
        table = np.column_stack([np.ma.getdata(values) for values in by_table.fetchnumpy().values()])
    matrix = encoding.matrix(records)
    same = np.isclose(matrix, table, rtol=1e-6, atol=0, equal_nan=True)
    for name, one, other, alike in zip(encoding.features, matrix.T, table.T, same.T, strict=True):
        require(
            bool(alike.all()),
            f"model/features.py: {name}: coded as {_first(one[~alike])} in a record, and as "
            f"{_first(other[~alike])} in a table",
        )


def file_agrees_with_the_trainer(run: SmallRun) -> None:
    """The exported file predicts what the library does: with holes, at the contract's ends, near splits."""
    estimator, fitted = run.project.estimator, run.fitted
    served = Predictor(fitted.file)
    expected = estimator.predict(fitted.model, run.splits.test.features)
    spread, largest = float(np.ptp(expected)), float(np.abs(expected).max())
    tolerance = TOLERANCE * spread + FLOAT32_STEPS * float(np.spacing(np.float32(largest)))
    for name, matrix in _matrices(run):
        gap = float(np.abs(served.predict(matrix) - estimator.predict(fitted.model, matrix)).max())
        require(
            gap <= tolerance,
            f"model/estimator.py: export: on {name}, the file predicts up to {gap:g} off what `predict` says "
            f"(predictions spread over {spread:g}, {tolerance:g} is allowed)",
        )


def fitting_twice_gives_the_same_file(run: SmallRun) -> None:
    """The same rows and seed give the same model, to the last bit of its file."""
    if run.fitted.file != run.version.model.read_bytes():  # otherwise `train` has shown it already
        require(
            run.fit().file == run.fitted.file,
            "model/train.py: two fits on the same rows give two files; give every random step the seed",
        )


def nothing_is_learnt_from_later_rows(run: SmallRun) -> None:
    """Other outcomes of later rows, or known later, change what is measured, and nothing that was learnt."""
    here, other = run.version, run.version_of_other_outcomes
    learnt = {
        "the model": (here.model.read_bytes(), other.model.read_bytes()),
        "the baseline": (here.info["baseline"], other.info["baseline"]),
        "the encoding": (here.info["encoding"], other.info["encoding"]),
        "the decision": (here.decision, other.decision),
    }
    differing = [name for name, (before, after) in learnt.items() if before != after]
    require(
        not differing,
        f"model/train.py: {' and '.join(differing)} changed with the outcomes of the test period; learn from "
        "splits.training, decide on splits.validation",
    )
    require(
        here.info["evaluation"]["model"] != other.info["evaluation"]["model"],
        "model/train.py: other outcomes in the test period, and the same figures; measure on splits.test",
    )


def baseline_predicts_for_every_value(run: SmallRun) -> None:
    """The baseline gives a number for values seen, never seen and missing, by record and by SQL alike."""
    baseline, column = run.version.baseline, run.version.baseline.column
    values = [record[column] for record in _records(run)]
    by_record = np.asarray(baseline.predict(values))
    with connect(run.settings) as connection:
        source = table_of(connection, run.project.contract, [{column: value} for value in values])
        found = connection.execute(f"SELECT {baseline.select()} FROM {source} ORDER BY {PLACE}").fetchall()
    by_table = np.array([nan if value is None else value for (value,) in found], dtype=np.float32)
    for value, one, other in zip(values, by_record.tolist(), by_table.tolist(), strict=True):
        said = f"model/baseline.py: of {column} {value!r}, it predicts {one:g} by record and {other:g} by SQL"
        require(isfinite(one) and isfinite(other), f"{said}; an answer is owed for every value")
        require(abs(one - other) <= 1e-6 * max(1.0, abs(one)), said)


def metrics_are_numbers(run: SmallRun) -> None:
    """Every metric of the test rows can be worked out, and the one that decides is a number."""
    training, metrics, deciding = run.training, run.project.metrics, agreed_metric(run.settings)
    for who, prediction in (("model", training.prediction), ("baseline", training.baseline)):
        rows = metrics.outcomes(training.test.target, prediction).weighted()
        for name, metric in metrics.items():
            try:
                value = metric.value(rows, run.version.decision)
            except Exception as error:
                what = f"{type(error).__name__}: {error}"
                raise AssertionError(f"model/metrics.py: {name}: fails on the test rows: {what}") from error
            require(
                name != deciding or not isnan(value),
                f"model/metrics.py: {name}: decides, and is no number for the {who} on the test rows",
            )


def metrics_ignore_the_order_of_rows(run: SmallRun) -> None:
    """Every metric is the same whatever order the rows are in, ties of the prediction included."""
    training, metrics = run.training, run.project.metrics
    target, prediction = training.test.target, np.round(training.prediction, 2)
    order = np.random.default_rng(5).permutation(len(target))
    there = metrics.measure(target[order], prediction[order], run.version.decision)
    _require_same(metrics.measure(target, prediction, run.version.decision), there, "rows in another order")


def metrics_count_weights_as_rows(run: SmallRun) -> None:
    """A row of weight two counts as two rows, and what SQL has counted as its rows: so it is done live."""
    training, metrics, decision = run.training, run.project.metrics, run.version.decision
    target, prediction = training.test.target[:MEASURED], training.prediction[:MEASURED]
    weight = np.random.default_rng(6).integers(0, 3, len(target))
    twice = metrics.measure(np.repeat(target, weight), np.repeat(prediction, weight), decision)
    weighted = metrics.measure_rows(metrics.outcomes(target, prediction), decision, weight.astype(np.float64))
    _require_same(twice, weighted, "rows that count by their weight")
    task = run.project.task
    with connect(run.settings) as connection:
        connection.register("answered", {"prediction": prediction, "target": target})
        found = connection.execute(task.grouped_query("answered", "prediction", "target")).fetchnumpy()
    grouped = metrics.measure_rows(task.grouped_outcomes(found), decision)
    _require_same(metrics.measure(target, prediction, decision), grouped, "rows that SQL has counted")


CHECKS = (
    only_features_reach_the_model,
    record_and_table_are_coded_alike,
    file_agrees_with_the_trainer,
    fitting_twice_gives_the_same_file,
    nothing_is_learnt_from_later_rows,
    baseline_predicts_for_every_value,
    metrics_are_numbers,
    metrics_ignore_the_order_of_rows,
    metrics_count_weights_as_rows,
)


def _records(run: SmallRun) -> list[dict[str, Any]]:
    """Return rows of the table and made-up ones: at the contract's ends, with holes, of names never seen."""
    features = of_role(run.project.contract, Role.FEATURE)
    names = [column.name for column in features]
    made_up = made_up_records(run.project.contract, len(features) + 1, seed=7)
    with_holes = [record | {name: None} for name, record in zip(names, made_up, strict=False)]
    new = [made_up[-1] | {column.name: NEVER_SEEN} for column in features if column.categorical]
    records = [*run.rows(names, REAL), *records_at_ends(run.project.contract, 100, seed=8), *with_holes, *new]
    return [{name: record[name] for name in names} for record in records]


def _matrices(run: SmallRun) -> Iterator[tuple[str, Floats]]:
    """Yield what a model may be asked, coded, and what to call it."""
    splits, rng = run.splits, np.random.default_rng(9)
    rows = splits.test.features
    holes = rng.random(rows.shape) < 0.1
    yield "rows of the test period", rows
    yield "rows with holes", np.where(holes, np.float32(nan), rows)
    yield "rows at the contract's ends", splits.encoding.matrix(records_at_ends(run.project.contract, 500))
    new = rows.copy()
    new[:, splits.encoding.name_places] = nan
    yield "rows of names never seen", new
    yield "values beside those that were learnt", _near_every_split(splits, rng)
    yield "a row of which nothing is known", np.full_like(rows[:1], nan)


def _near_every_split(splits: Splits, rng: np.random.Generator) -> Floats:
    """Return rows of missing values and of amounts midway between two that were learnt, or right beside.

    Names keep the codes that they have: there is none between two of them.
    """
    found = []
    for place, column in enumerate(splits.training.features.T):
        seen = np.unique(column[~np.isnan(column)]).astype(np.float64)
        midway = ((seen[1:] + seen[:-1]) / 2).astype(np.float32)
        beside = [np.nextafter(midway, np.float32(side)) for side in (-np.inf, np.inf)]
        near = [seen] if place in splits.encoding.name_places else [midway, *beside]
        found.append(rng.choice(np.concatenate([*near, [nan]]).astype(np.float32), NEAR_SPLITS))
    return np.column_stack(found)


def _first(values: Floats) -> float:
    return float(next(iter(values), nan))


def _require_same(one: dict[str, float], other: dict[str, float], what: str) -> None:
    for name, value in one.items():
        require(
            bool(np.isclose(value, other[name], rtol=1e-9, atol=1e-12, equal_nan=True)),
            f"model/metrics.py: {name}: {value:.9g}, and {other[name]:.9g} of {what}",
        )
