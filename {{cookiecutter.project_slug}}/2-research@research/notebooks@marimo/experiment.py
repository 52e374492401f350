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

    Old rows are more rows, and they are from another world. So train on the last quarter of the
    history, on half of it and on all of it, and compare. Training, baseline and measuring are those of
    the project; only the rows differ.

    The months that the report measures on stay untouched: who looks at them again and again ends up
    fitting them. The whole split is moved to end where they begin.
    """)
    return


@app.cell
def _():
    import os

    # Threads that wait leave the processor to others; this is read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from datetime import date, timedelta
    from pathlib import Path
    from tempfile import TemporaryDirectory
    from typing import Any

    import matplotlib.pyplot as plt

    from {{ cookiecutter.__package }}.console import figure as shown
    from {{ cookiecutter.__package }}.console import table as show
    from {{ cookiecutter.__package }}.contract import CONTRACT, TABLE
    from {{ cookiecutter.__package }}.engine import connect, row, write_parquet
    from {{ cookiecutter.__package }}.etl.load import require_table, table_path
    from {{ cookiecutter.__package }}.model.metrics import EXPLAINED
    from {{ cookiecutter.__package }}.model.train import train
    from {{ cookiecutter.__package }}.schema import Role, one_of_role
    from {{ cookiecutter.__package }}.settings import read_settings

    return (
        date,
        timedelta,
        Path,
        TemporaryDirectory,
        Any,
        plt,
        shown,
        show,
        CONTRACT,
        TABLE,
        connect,
        row,
        write_parquet,
        require_table,
        table_path,
        EXPLAINED,
        train,
        Role,
        one_of_role,
        read_settings,
    )


@app.cell
def _(CONTRACT, TABLE, connect, row, require_table, EXPLAINED, Role, one_of_role, read_settings):
    settings = read_settings()
    split = settings.dates.ending(settings.dates.test_from)
    metric = settings.accuracy.metric
    table = require_table(settings, TABLE)
    time = one_of_role(CONTRACT, Role.TIME).name
    with connect(settings) as _connection:
        first = row(_connection, f"SELECT min({time}) AS time FROM {table}")["time"]
    history_days = (split.validation_from - first.date()).days
    print(f"{history_days} days of history, measured by {metric}: {EXPLAINED[metric]}")
    return (
        settings,
        split,
        metric,
        table,
        time,
        history_days,
    )


@app.cell
def _(mo):
    mo.md(r"""
    ## Try

    Each training has a workspace of its own that is thrown away, so no version is kept and nothing is
    logged.
    """)
    return


@app.cell
def _(
    date,
    timedelta,
    Path,
    TemporaryDirectory,
    Any,
    TABLE,
    connect,
    write_parquet,
    table_path,
    train,
    settings,
    split,
    metric,
    table,
    time,
    history_days,
):
    def learnt_from(start: date) -> dict[str, Any]:
        """Train on rows from `start` on, and return the record of the version."""
        with TemporaryDirectory() as folder:
            scratch = settings.model_copy(update={"workspace": Path(folder)})
            with connect(settings) as _connection:
                recent = f"SELECT * FROM {table} WHERE {time} >= TIMESTAMP '{start}'"
                write_parquet(_connection, recent, table_path(scratch, TABLE))
            return train(scratch, split, lambda step: None).info

    def days_before(days: float) -> date:
        """Return the day so many days before the validation period."""
        return split.validation_from - timedelta(days=round(days))

    names = {"a quarter": 0.25, "half": 0.5, "all": 1.0}
    records = {name: learnt_from(days_before(share * history_days)) for name, share in names.items()}
    measured = {name: record["evaluation"]["model"][metric] for name, record in records.items()}
    baseline = records["all"]["evaluation"]["baseline"][metric]["value"]
    return (
        records,
        measured,
        baseline,
    )


@app.cell
def _(mo):
    mo.md(r"""
    ## Compare
    """)
    return


@app.cell
def _(plt, shown, show, metric, records, measured, baseline):
    show(
        ("history", "rows", metric, "95%"),
        [
            (
                name,
                f"{records[name]['rows']['training']:,}",
                shown(found["value"]),
                f"{shown(found['low'])} to {shown(found['high'])}",
            )
            for name, found in measured.items()
        ],
    )
    print(f"the simple technique: {shown(baseline)}")

    values = [found["value"] for found in measured.values()]
    below = [found["value"] - found["low"] for found in measured.values()]
    above = [found["high"] - found["value"] for found in measured.values()]
    _figure, _axes = plt.subplots(layout="constrained")
    _axes.errorbar(list(measured), values, [below, above], marker="o", capsize=4)
    _axes.axhline(baseline, linestyle="--", label="simple technique")
    _axes.set(xlabel="history learnt from", ylabel=metric)
    _axes.legend()
    _figure
    return


@app.cell
def _(mo):
    mo.md(r"""
    ## What next

    Intervals that overlap say: no difference that could be told. Write what you tried, what it cost and
    what you learnt into `2-research/experiments.md`, also where it led nowhere. What is worth keeping
    goes into the package, and counts with a round: `train --note "what was tried"`.
    """)
    return


if __name__ == "__main__":
    app.run()
