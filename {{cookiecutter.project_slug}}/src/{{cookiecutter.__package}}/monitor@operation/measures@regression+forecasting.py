"""The metrics of predicted amounts, computed by the engine over what was served.

A test holds them equal to scikit-learn's.
"""

from ..model.metrics import Decision


def live_query(source: str, prediction: str, target: str, decision: Decision) -> str:
    """Return a query of one row: `outcomes` and the metrics of `source`, computed by the engine."""
    margin, tolerable = decision["margin"], decision["tolerable"]
    return f"""
        WITH paired AS (
            SELECT CAST({target} AS DOUBLE) AS y, CAST({prediction} AS DOUBLE) AS p
            FROM {source} WHERE {target} IS NOT NULL
        )
        SELECT count(*) AS outcomes,
            avg(abs(p - y)) AS mae,
            sqrt(avg((p - y) * (p - y))) AS rmse,
            1 - avg((p - y) * (p - y)) / nullif(var_pop(y), 0) AS r2,
            sum(abs(p - y)) / nullif(sum(abs(y)), 0) AS wape,
            avg(CASE WHEN abs(p - y) <= {tolerable!r} THEN 1.0 ELSE 0.0 END) AS within,
            avg(CASE WHEN p + {margin!r} >= y THEN 1.0 ELSE 0.0 END) AS covered,
            avg(p - y) AS mean_error,
            avg(y) AS mean_outcome,
            avg(p) AS mean_prediction
        FROM paired
    """
