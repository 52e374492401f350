"""The metrics of a set of probabilities, computed by the engine over what was served.

A test holds them equal to scikit-learn's.
"""

from ..model.metrics import Decision


def live_query(source: str, prediction: str, target: str, decision: Decision) -> str:
    """Return a query of one row: `outcomes` and the metrics of `source`, computed by the engine.

    roc_auc is the Mann-Whitney statistic on mid-ranks: Hanley and McNeil, Radiology (1982).
    """
    cut = f"CAST({decision['threshold']!r} AS FLOAT)"
    return f"""
        WITH ranked AS (
            SELECT CAST({target} AS DOUBLE) AS y, {prediction} AS p,
                rank() OVER (ORDER BY {prediction})
                + (count(*) OVER (PARTITION BY {prediction}) - 1) / 2.0 AS mid_rank,
                avg(CAST({target} AS DOUBLE)) OVER (ORDER BY {prediction} DESC) AS precision_from_here
            FROM {source} WHERE {target} IS NOT NULL
        )
        SELECT count(*) AS outcomes,
            (sum(CASE WHEN y = 1 THEN mid_rank END) - sum(y) * (sum(y) + 1) / 2)
                / nullif(sum(y) * (count(*) - sum(y)), 0) AS roc_auc,
            avg(CASE WHEN y = 1 THEN precision_from_here END) AS average_precision,
            avg((p - y) * (p - y)) AS brier,
            avg(CASE WHEN p >= {cut} THEN y END) AS precision,
            avg(CASE WHEN y = 1 THEN CASE WHEN p >= {cut} THEN 1.0 ELSE 0.0 END END) AS recall,
            avg(CASE WHEN p >= {cut} THEN 1.0 ELSE 0.0 END) AS flagged_share,
            avg(y) AS observed_share,
            avg(p) AS mean_prediction
        FROM ranked
    """
