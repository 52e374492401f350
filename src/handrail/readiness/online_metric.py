"""Does the offline metric say what errors cost online? The live version is made worse on purpose.

At each step its metric on the test period and its cost on live rows are measured: the better the one, the
lower the other should be. Worse on purpose: Breck et al., The ML Test Score (2017), Model 2.

It is made worse in one way only: a share of the predictions is dealt out anew. Most metrics notice that, so a
good figure here does not say that another metric would be a worse choice; which ones cannot be told from it
is part of the evidence.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.compute.duckdb import connect, identifier
from handrail.errors import ProjectError
from handrail.monitoring.outcomes import join_outcomes
from handrail.readiness.context import ReadinessContext
from handrail.training.intervals import FEWEST_GROUPS, Groups, figures, groups_of

STEPS = 10
RESAMPLES = 100
FEWEST_OUTCOMES = 200
MOST_OUTCOMES = 50_000
LOWEST = 0.5  # a rank correlation below says that better offline may well be worse online
CLOSER = 0.1  # by which another metric follows the costs, to be the better choice


def online(context: ReadinessContext) -> str:
    """Correlate the ranks of both over the steps; even the low end of the interval has to be high.

    The other metrics that could decide are held against the same costs: none may follow them clearly closer.
    """
    target, prediction, groups = _live_rows(context)
    rng, shares = np.random.default_rng(0), np.arange(STEPS + 1) / STEPS
    settings, decision, metric = context.settings, context.version.decision, context.metric.name
    offline = _offline(context, rng, shares)
    gains = [
        settings.project.task.payoff(target, _worse(rng, prediction, share), decision, settings.error_costs)
        for share in shares
    ]
    weights = [None, *groups.weights(RESAMPLES)]
    costs = [[float(np.average(gain, weights=weight)) for gain in gains] for weight in weights]
    followed = {
        name: np.array([_rank_correlation(each, cost) for cost in costs]) for name, each in offline.items()
    }
    value, low = followed[metric][0], _low(followed[metric], groups)
    said = f"rank correlation {value:.2f} (at least {low:.2f}) with what {len(target):,} live outcomes cost"
    if not low >= LOWEST:
        raise ProjectError(
            f"project.yaml: accuracy.metric: {metric}: {said}; a better figure does not cost less: "
            "choose a metric that follows error_costs, or find out why live rows are other than the test's"
        )
    closer = [name for name, each in followed.items() if _low(each - followed[metric], groups) > CLOSER]
    if closer:
        raise ProjectError(
            f"project.yaml: accuracy.metric: {metric}: {said}; {' and '.join(closer)} clearly follows "
            "them closer: let that decide"
        )
    told = _told_apart(metric, followed, groups)
    return f"{metric} of {STEPS + 1} worse and worse versions: {said}; {told}"


def _offline(
    context: ReadinessContext, rng: np.random.Generator, shares: Doubles
) -> Mapping[str, Sequence[float]]:
    """Return every metric that could decide at each step, turned so that more is better; those there are."""
    test, metrics = context.small.test, context.settings.project.metrics
    tested = context.predictor.predict(test.features)
    found = [
        metrics.measure(test.target, _worse(rng, tested, share), context.version.decision) for share in shares
    ]
    offline = {name: [goal.sign * each[name] for each in found] for name, goal in metrics.goals.items()}
    return {
        name: each for name, each in offline.items() if name == context.metric.name or np.isfinite(each).all()
    }


def _told_apart(metric: str, followed: Mapping[str, Doubles], groups: Groups) -> str:
    """Say which other metrics follow the costs less closely, and which cannot be told from it here."""
    others = [name for name in followed if name != metric]
    less = [name for name in others if _low(followed[metric] - followed[name], groups) > 0]
    alike = [name for name in others if name not in less]
    said = [f"{', '.join(less)}: less closely"] if less else []
    said += [f"{', '.join(alike)}: no less closely, so this does not choose between them"] if alike else []
    return "; ".join(said) or "there is no other metric to choose"


def _low(measured: Doubles, groups: Groups) -> float:
    """Return the low end of the interval of a figure: on all rows, and then on each draw of groups."""
    return figures(float(measured[0]), measured[1:], groups)["low"]


def _live_rows(context: ReadinessContext) -> tuple[Floats, Floats, Groups]:
    """Return outcome, prediction and groups of the rows that the live version predicted since it learnt."""
    project = context.settings.project
    outcome, time, unit = map(identifier, (project.target, project.window, project.unit))
    with connect(context.settings) as connection:
        source = join_outcomes(
            connection,
            context.settings,
            (context.new_from, None),
            today=context.today,
            watched=(context.version.name,),
        )
        found = connection.execute(
            f"SELECT CAST({outcome} AS FLOAT) AS _target, prediction, CAST({time} AS TIMESTAMP) AS _time, "
            f"CAST({unit} AS VARCHAR) AS _unit FROM {source} "
            f"WHERE {outcome} IS NOT NULL AND source = 'model' AND version = '{context.version.name}' "
            f"ORDER BY hash({time}), prediction LIMIT {MOST_OUTCOMES}"
        ).fetchnumpy()
    target, prediction, times, units = (
        np.ma.getdata(found[name]) for name in ("_target", "prediction", "_time", "_unit")
    )
    if len(target) < FEWEST_OUTCOMES:
        raise ProjectError(
            f"{len(target)} live outcomes of {context.version.name} are known, {FEWEST_OUTCOMES} are "
            f"needed; wait, load them with `etl`{', or try `monitor --relive`' if context.new_from else ''}"
        )
    times = times if project.time else None
    groups = groups_of(times, units.astype(np.str_) if project.subject else None, len(target))
    if not groups.enough:
        raise ProjectError(
            f"the live outcomes of {context.version.name} are of {groups.count} {groups.unit}s, at least "
            f"{FEWEST_GROUPS} are needed to tell anything from chance; wait"
        )
    return target, prediction, groups


def _worse(rng: np.random.Generator, prediction: Floats, share: float) -> Floats:
    """Return the predictions with a share of them dealt out anew among their rows."""
    changed, places = prediction.copy(), rng.permutation(len(prediction))[: round(share * len(prediction))]
    changed[places] = rng.permutation(changed[places])
    return changed


def _rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Spearman's rank correlation, 0 where one never changes; ties share a rank."""
    first, second = _ranks(one), _ranks(other)
    if not (first.std() and second.std()):
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Sequence[float]) -> Doubles:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
