"""Does the model use only what it may? Neither a column that is kept from it, nor a near-copy of one.

How much a feature tells of another column is Goodman and Kruskal's tau: how many guesses fewer go wrong if
the feature is known (0 = none, 1 = all). Amounts are guessed in tenths. Goodman and Kruskal, Journal of the
American Statistical Association (1954).
"""

from collections.abc import Iterator
from datetime import datetime

from handrail.compute.duckdb import Connection, connect, identifier, row, rows
from handrail.contract.schema import Column, Record, Role, columns, of_role
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext

KEPT_FROM_IT = (Role.FORBIDDEN, Role.SENSITIVE, Role.TARGET)
MOST_ROWS = 100_000
FEWEST_ROWS_A_VALUE = 5  # with fewer, a name says which row it is, and so tells everything


def no_leakage(context: ReadinessContext) -> str:
    """Compare the live version's inputs with the roles of the contract, and with the values kept from it."""
    version, contract = context.version, context.settings.project.contract
    roles = {column.name: column.role for column in columns(contract)}
    wrong = [
        f"{version.name}: learnt from {name}, in contract.py the {roles[name].value}; train again without"
        for name in version.encoding.features
        if roles[name] is not Role.FEATURE
    ]
    if wrong:
        raise ProjectError(wrong)
    with connect(context.settings) as connection:
        found = dict(_associations(connection, context.table, contract))
    limit = context.limits.maximum_association
    copies = [
        f"contract.py: {feature} tells {share:.0%} of {other}, at most {limit:.0%} may be (readiness in "
        "project.yaml); drop it, or say with the sponsor why it may be used"
        for (feature, other), share in found.items()
        if share > limit
    ]
    if copies:
        raise ProjectError(copies)
    kept = [f"{len(of_role(contract, role))} {role.value}" for role in KEPT_FROM_IT]
    (feature, other), most = max(found.items(), key=lambda item: item[1])
    return (
        f"all {len(version.encoding.features)} inputs are features, and none of them a copy of what is kept "
        f"from it ({', '.join(kept)}): at most it tells {most:.0%}, {feature} of {other}"
    )


def _associations(
    connection: Connection, table: str, contract: type[Record]
) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield how much each feature tells of each column that is kept from the model."""
    features, others = of_role(contract, Role.FEATURE), of_role(contract, *KEPT_FROM_IT)
    chosen = ", ".join(_in_parts(column) for column in (*features, *others) if column.kind is not datetime)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE parts AS SELECT {chosen} "
        f"FROM (SELECT * FROM {table} USING SAMPLE reservoir({MOST_ROWS} ROWS) REPEATABLE (0))"
    ).fetchall()
    for feature in features:
        _refuse_key(connection, feature)
        for other in others:
            if other.kind is not datetime:
                yield (feature.name, other.name), _tau(connection, feature.name, other.name)


def _in_parts(column: Column) -> str:
    """Return the SQL expression of a name, or of the tenth in which an amount lies; missing is a part too."""
    name = identifier(column.name)
    if column.categorical:
        return f"coalesce({name}, '') AS {name}"
    tenth = f"CAST(9.999 * cume_dist() OVER (ORDER BY {name}) AS INTEGER)"
    return f"CASE WHEN {name} IS NULL THEN -1 ELSE {tenth} END AS {name}"


def _refuse_key(connection: Connection, feature: Column) -> None:
    counted = f"SELECT count(DISTINCT {identifier(feature.name)}) AS different, count(*) AS n FROM parts"
    found = row(connection, counted)
    if found["different"] * FEWEST_ROWS_A_VALUE > found["n"]:
        raise ProjectError(
            f"contract.py: {feature.name}: {found['different']:,} different names in {found['n']:,} rows say "
            "which row it is; a key is no feature"
        )


def _tau(connection: Connection, feature: str, other: str) -> float:
    (found,) = rows(
        connection,
        f"""
        WITH pairs AS (
            SELECT {identifier(feature)} AS x, {identifier(other)} AS y, count(*) AS n
            FROM parts GROUP BY 1, 2
        ),
        known AS (SELECT x, sum(n) AS n, sum(n * n) AS squares FROM pairs GROUP BY 1),
        alone AS (SELECT y, sum(n) AS n FROM pairs GROUP BY 1)
        SELECT (SELECT sum(squares / n) / sum(n) FROM known) AS knowing,
            (SELECT sum(n * n) / sum(n) / sum(n) FROM alone) AS guessing
        """,
    )
    guessing = float(found["guessing"])
    return (float(found["knowing"]) - guessing) / (1 - guessing) if guessing < 1 else 0.0
