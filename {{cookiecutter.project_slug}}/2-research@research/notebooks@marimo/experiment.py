"""An experiment: how far back is it worth learning from."""

import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def _():
    import marimo as mo

    return (mo,)


@app.cell
def _(mo):
    mo.md(r"""
    # An experiment: how far back is it worth learning from?

    Old rows are more rows, and they are from another world. So learn from the last quarter of the
    rows, from half of them and from all of them, and compare. Model, baseline and measuring are those of
    the project; only the rows differ.

    The test rows stay untouched: who looks at them again and again ends up fitting them. So it is
    measured on the validation rows, as a round of research is. No version is kept, and nothing is logged.
    """)
    return


@app.cell
def _():
    import os

    # Threads that wait leave the processor to others; this is read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    import numpy as np
    import pandas as pd
    from handrail.compute import connect
    from handrail.training import Dataset, Predictor, Run

    from {{ cookiecutter.__package }} import project
    from {{ cookiecutter.__package }}.model import baseline

    settings = project.settings()
    metric = project.metrics[settings.accuracy.metric]
    with connect(settings) as _connection:
        run = Run(settings, settings.parted, lambda step: None, _connection)
        splits = run.read_splits()
    tested = splits.validation  # what `promote` looks at stays unseen
    simple = baseline.fit(splits.training, settings.accuracy).predict(tested.baseline_by)
    print(f"{len(splits.training):,} rows to learn from, measured by {metric.name}: {metric.meaning}")

    return (np, pd, Dataset, Predictor, project, metric, run, splits, tested, simple)


@app.cell
def _(mo):
    mo.md(r"""
    ## Try

    `project.fit` is the function of `model/train.py` that whatever learns calls. What it made is kept as an
    ONNX file, and that is measured, as in every training.
    """)
    return


@app.cell
def _(np, Dataset, Predictor, simple, project, splits, tested, run, metric):
    def measured(rows: Dataset) -> dict[str, dict[str, float]]:
        """Learn from `rows`; return the figures on those tested, of the model and of the baseline."""
        model = project.fit(rows, splits.encoding, run.seed, run.hyperparameters)
        served = Predictor(project.estimator.export(model, len(splits.encoding.features)))
        decision = run.decide(splits.validation, served.predict(splits.validation.features))
        found = run.evaluate(tested, served.predict(tested.features), simple, decision)
        return {name: found[name][metric.name] for name in ("model", "baseline")}

    def latest(share: float) -> Dataset:
        """Return the last `share` of the training rows, in the order of time, or as chance has drawn them."""
        count = len(splits.training)
        return splits.training.rows(np.arange(count) >= (1 - share) * count)

    tried = {name: latest(share) for name, share in {"a quarter": 0.25, "half": 0.5, "all": 1.0}.items()}
    found = {name: measured(rows) for name, rows in tried.items()}

    return (tried, found)


@app.cell
def _(mo):
    mo.md(r"""
    ## Compare
    """)
    return


@app.cell
def _(pd, found, tried, metric):
    compared = pd.DataFrame({name: figures["model"] for name, figures in found.items()}).T
    compared.insert(0, "rows", [len(rows) for rows in tried.values()])
    by_baseline = found["all"]["baseline"]["value"]
    print(f"{metric.name}, with its 95% interval; the simple technique: {by_baseline:.3f}")
    compared.round(3)

    return (compared, by_baseline)


@app.cell
def _(compared, metric, np, by_baseline):
    _axes = compared["value"].plot(
        yerr=np.array([compared["value"] - compared["low"], compared["high"] - compared["value"]]),
        marker="o",
        capsize=4,
        xlabel="rows learnt from",
        ylabel=metric.name,
    )
    _axes.axhline(by_baseline, linestyle="--", label="simple technique")
    _axes.legend()
    _axes
    return


@app.cell
def _(mo):
    mo.md(r"""
    ## What next

    Two intervals that overlap decide nothing either way: on the same rows, the difference is known better
    than either figure, and `promote` measures it. Write what you tried, what it cost and what you learnt into
    `2-research/experiments.md`, also where it led nowhere. What is worth keeping goes into the package, and
    counts with a round: `train --note "what was tried"`.
    """)
    return


if __name__ == "__main__":
    app.run()
