"""Does the offline metric say what errors cost online? The live version is made worse on purpose.

At each step its metric on the test period and its cost on live rows are measured: the better the one, the
lower the other should be. Worse on purpose: Breck et al., The ML Test Score (2017), Model 2.
"""

import numpy as np

from handrail.arrays import Floats
from handrail.compute.duckdb import connect, identifier
from handrail.errors import ProjectError
from handrail.monitoring.outcomes import join_outcomes
from handrail.readiness.context import ReadinessContext
from handrail.readiness.paired_bootstrap import drawn_days

STEPS = 10
FEWEST_OUTCOMES = 200
MOST_OUTCOMES = 50_000
LOWEST = 0.5  # a rank correlation below says that better offline may well be worse online


def online(context: ReadinessContext) -> str:
    """Correlate the ranks of both over the steps; even the low end of the interval has to be high."""
    target, prediction, times = _live_rows(context)
    rng, shares = np.random.default_rng(0), np.arange(STEPS + 1) / STEPS
    settings, decision, metric = context.settings, context.version.decision, context.metric.name
    tested = context.predictor.predict(context.small.test.features)
    offline = [context.score(_worse(rng, tested, share)).value for share in shares]
    gains = [
        settings.project.task.payoff(target, _worse(rng, prediction, share), decision, settings.error_costs)
        for share in shares
    ]
    drawn = [
        _rank_correlation(offline, [gain @ weight / weight.sum() for gain in gains])
        for weight in drawn_days(times, rng)
    ]
    value, low = _rank_correlation(offline, [gain.mean() for gain in gains]), float(np.quantile(drawn, 0.025))
    figures = (
        f"rank correlation {value:.2f} (at least {low:.2f}) with what {len(target):,} live outcomes cost"
    )
    if low < LOWEST:
        raise ProjectError(
            f"project.yaml: accuracy.metric: {metric}: {figures}; a better figure does not cost less: "
            "choose a metric that follows error_costs, or find out why live rows are other than the test's"
        )
    return f"{metric} of {STEPS + 1} worse and worse versions: {figures}"


def _live_rows(context: ReadinessContext) -> tuple[Floats, Floats, np.ndarray]:
    """Return outcome, prediction and time of what the live version predicted since it learnt."""
    project = context.settings.project
    target, time = identifier(project.target), identifier(project.time)
    with connect(context.settings) as connection:
        source = join_outcomes(connection, context.settings, context.split.live_from, None)
        found = connection.execute(
            f"SELECT CAST({target} AS FLOAT) AS _target, prediction, CAST({time} AS TIMESTAMP) AS _time "
            f"FROM {source} WHERE {target} IS NOT NULL AND source = 'model' "
            f"AND version = '{context.version.name}' "
            f"ORDER BY hash({time}), prediction LIMIT {MOST_OUTCOMES}"
        ).fetchnumpy()
    outcome, prediction, times = (np.ma.getdata(found[name]) for name in ("_target", "prediction", "_time"))
    if len(outcome) < FEWEST_OUTCOMES:
        raise ProjectError(
            f"{len(outcome)} live outcomes of {context.version.name} are known, {FEWEST_OUTCOMES} are "
            "needed; wait, load them with `etl`, or try `monitor --relive`"
        )
    return outcome, prediction, times


def _worse(rng: np.random.Generator, prediction: Floats, share: float) -> Floats:
    """Return the predictions with a share of them dealt out anew among their rows."""
    changed, places = prediction.copy(), rng.permutation(len(prediction))[: round(share * len(prediction))]
    changed[places] = rng.permutation(changed[places])
    return changed


def _rank_correlation(one: list[float], other: list[float]) -> float:
    """Return Spearman's rank correlation of two lists without ties."""
    first, second = (np.argsort(np.argsort(values)) for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])
