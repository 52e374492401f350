"""How a model is made, and the steps of a training, in their order."""

from typing import Any

from handrail.training import Dataset, Encoding, Predictor, Run, Training

from . import baseline, estimator


def fit(rows: Dataset, encoding: Encoding, seed: int, hyperparameters: Any) -> Any:
    """Return a model that has learnt from `rows`.

    Whatever learns anywhere calls this: training, tuning, the score of readiness, retraining. A step that is
    added here (a calibration, weights, a selection of rows) is part of all of them; `predict` and `export` of
    estimator.py have to understand what it returns.
    """
    return estimator.fit(rows, encoding, seed, hyperparameters)


def train(run: Run) -> Training:
    """Learn, decide, measure, keep: each on rows later than the ones before."""
    splits = run.read_splits()

    run.step("fit the baseline")
    simple = baseline.fit(splits.training, run.settings.accuracy)

    run.step("fit the model")
    model = fit(splits.training, splits.encoding, run.seed, run.hyperparameters)
    file = estimator.export(model, len(splits.encoding.features))
    served = Predictor(file)  # from here on only the file counts: what is measured is what is served

    decision = run.decide(splits.validation, served.predict(splits.validation.features), simple)
    prediction = served.predict(splits.test.features)
    by_baseline = simple.predict(splits.test.baseline_by)
    evaluation = run.evaluate(splits.test, prediction, by_baseline, decision)
    return run.keep(splits, file, simple, prediction=prediction, simple=by_baseline, evaluation=evaluation)
