"""A first look at the data."""

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
    # A first look at the data

    What is in the table that the model learns from, how it changes with time, and which columns say
    something about the target. Names, units and roles come from the contract, so this holds for other
    data too.

    `project.table()` is the whole table as a pandas DataFrame. `project.frame("SELECT ...")` is what a
    query finds in it and in the raw tables: DuckDB does the work, and only the answer comes here.
    """)
    return


@app.cell
def _():
    import matplotlib.pyplot as plt
    import pandas as pd
    from handrail.contract import Column, Role, columns, of_role

    from {{ cookiecutter.__package }} import project

    table = project.table()
    time, target = project.time, project.target

    return (plt, pd, Column, Role, columns, of_role, project, table, time, target)


@app.cell
def _(mo):
    mo.md(r"""
    ## The columns

    How much is missing of each? A feature that is mostly empty costs more than it brings.
    """)
    return


@app.cell
def _(pd, columns, project, table):
    overview = pd.DataFrame(
        [(column.name, column.role.value, column.unit) for column in columns(project.contract)],
        columns=["column", "role", "unit"],
    ).set_index("column")
    overview["missing"] = table.isna().mean().map("{:.1%}".format)
    print(f"{len(table):,} {project.table_name}")
    overview
    return


@app.cell
def _(mo):
    mo.md(r"""
    ## The months

    Does the target change with time? Where it does, a model grows old, and a split by chance would
    flatter it.
    """)
    return


@app.cell
def _(project, time, target, plt):
    if time:
        months = project.frame(
            f"SELECT strftime({time}, '%Y-%m') AS month, count(*) AS n, avg({target}) AS mean "
            f"FROM {project.table_name} GROUP BY month ORDER BY month"
        )
        _figure, (_upper, _lower) = plt.subplots(2, 1, sharex=True, layout="constrained")
        _upper.bar(months["month"], months["n"])
        _upper.set_ylabel("rows")
        _lower.plot(months["month"], months["mean"], marker="o")
        _lower.set_ylabel(f"mean of {target}")
        _lower.tick_params(axis="x", rotation=45)
    _figure if time else "Rows have no time: nothing tells whether the target changes with it."
    return


@app.cell
def _(mo):
    mo.md(r"""
    ## The features

    Sort the rows by a feature into ten groups of equal size, or by name: how far apart are the groups
    in the mean of the target? A feature whose groups are all alike says nothing by itself. It may still
    do so together with another.
    """)
    return


@app.cell
def _(Column, table, pd, target, of_role, project, Role, plt):
    def spread(column: Column) -> float:
        """Return the standard deviation, over rows, of the mean of the target in the row's group."""
        values = table[column.name]
        group = values if column.categorical else pd.qcut(values, 10, duplicates="drop")
        return float(table.groupby(group, observed=True)[target].transform("mean").std(ddof=0))

    spreads = pd.Series({each.name: spread(each) for each in of_role(project.contract, Role.FEATURE)})

    _figure, _axes = plt.subplots(figsize=(6, 0.8 + 0.25 * len(spreads)), layout="constrained")
    spreads.sort_values().plot.barh(ax=_axes)
    _axes.set_xlabel(f"spread of the mean of {target}")
    _figure
    return


@app.cell
def _(mo):
    mo.md(r"""
    ## What next

    Write what you saw into `1-discovery/data.md`. What looks too good is often known only afterwards:
    give such a column the role *forbidden* in the contract. Then try the simple technique and a model:
    `experiment` beside this one shows how.
    """)
    return


if __name__ == "__main__":
    app.run()
