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
    data too. The engine does the work; only its answers come here.
    """)
    return


@app.cell
def _():
    import matplotlib.pyplot as plt

    from {{ cookiecutter.__package }}.console import table as show
    from {{ cookiecutter.__package }}.contract import CONTRACT, TABLE
    from {{ cookiecutter.__package }}.engine import connect, rows
    from {{ cookiecutter.__package }}.etl.load import require_table
    from {{ cookiecutter.__package }}.schema import Column, Role, columns, of_role, one_of_role
    from {{ cookiecutter.__package }}.settings import read_settings

    return (
        plt,
        show,
        CONTRACT,
        TABLE,
        connect,
        rows,
        require_table,
        Column,
        Role,
        columns,
        of_role,
        one_of_role,
        read_settings,
    )


@app.cell
def _(CONTRACT, TABLE, connect, rows, require_table, Role, one_of_role, read_settings):
    settings = read_settings()
    table = require_table(settings, TABLE)
    time, target = (one_of_role(CONTRACT, role).name for role in (Role.TIME, Role.TARGET))

    def ask(query: str) -> list[dict]:
        """Return the rows of a query."""
        with connect(settings) as _connection:
            return rows(_connection, query)

    return (
        table,
        time,
        target,
        ask,
    )


@app.cell
def _(mo):
    mo.md(r"""
    ## The columns

    How much is missing of each? A feature that is mostly empty costs more than it brings.
    """)
    return


@app.cell
def _(show, CONTRACT, TABLE, columns, table, ask):
    counts = ", ".join(f"count({column.name}) AS {column.name}" for column in columns(CONTRACT))
    (known,) = ask(f"SELECT count(*) AS every_row, {counts} FROM {table}")
    total = known["every_row"]
    show(
        ("column", "role", "unit", "missing"),
        [(c.name, c.role.value, c.unit, f"{1 - known[c.name] / total:.1%}") for c in columns(CONTRACT)],
    )
    print(f"{total:,} {TABLE}")
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
def _(plt, table, time, target, ask):
    months = ask(
        f"SELECT strftime({time}, '%Y-%m') AS month, count(*) AS n, avg({target}) AS mean "
        f"FROM {table} GROUP BY 1 ORDER BY 1"
    )

    names = [month["month"] for month in months]
    _figure, (_upper, _lower) = plt.subplots(2, 1, sharex=True, layout="constrained")
    _upper.bar(names, [month["n"] for month in months])
    _upper.set_ylabel("rows")
    _lower.plot(names, [month["mean"] for month in months], marker="o")
    _lower.set_ylabel(f"mean of {target}")
    _lower.tick_params(axis="x", rotation=45)
    _figure
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
def _(plt, CONTRACT, Column, Role, of_role, table, target, ask):
    def spread(column: Column) -> float:
        """Return the standard deviation, over rows, of the mean of the target in the row's group."""
        group = column.name if column.categorical else f"ntile(10) OVER (ORDER BY {column.name})"
        grouped = (
            f"SELECT {group} AS part, {target} AS outcome FROM {table} "
            f"WHERE {column.name} IS NOT NULL AND {target} IS NOT NULL"
        )
        means = f"SELECT avg(outcome) OVER (PARTITION BY part) AS mean FROM ({grouped}) AS grouped"
        return ask(f"SELECT stddev_pop(mean) AS spread FROM ({means}) AS means")[0]["spread"]

    spreads = sorted((spread(column), column.name) for column in of_role(CONTRACT, Role.FEATURE))

    _figure, _axes = plt.subplots(figsize=(6, 0.8 + 0.25 * len(spreads)), layout="constrained")
    _axes.barh([name for _, name in spreads], [value for value, _ in spreads])
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
