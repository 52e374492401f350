"""Does every feature help? Some say the same as others, so each is judged alone and left out.

A feature has to tell more of the target than its own shuffled copies do, as in Kursa and Rudnicki, Feature
Selection with the Boruta Package (2010), or to be missed when it is left out. And the model must not
be better without it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext, narrowed
from handrail.readiness.paired_bootstrap import Difference, Scored, better_by
from handrail.registry.drift_reference import Bins
from handrail.training.encoding import Encoding

SHUFFLES = 99  # better than all of them: by chance once in a hundred
SEEDS = 4


def benefit(context: ReadinessContext) -> str:
    """Judge every feature of the live version on small trainings."""
    names = context.version.encoding.features
    metric = context.metric.name
    losses = _losses(context)
    looks = len(names)  # looking at many features, one is clear by chance
    costs = [name for name in names if losses[name].clearly_above(0, looks)]
    telling = _telling(context)
    problems = [
        f"{name}: tells no more of the target than its shuffled copies, and without it {metric} is as good "
        f"({-losses[name].value:+.4f}); take it out of contract.py"
        for name in names
        if name not in telling and name not in costs
    ]
    for name in telling:
        gain = losses[name].reversed
        if gain.clearly_above(0, looks):
            gain = _on_more_rows(context, name, gain)
        if gain.clearly_above(0, looks):
            better = f"{metric} is clearly better, by {gain.value:.4f}"
            problems.append(f"{name}: without it {better}; take it out of contract.py")
    if problems:
        raise ProjectError(problems)
    most = max(names, key=lambda name: losses[name].value)
    return (
        f"{len(telling)} of {len(names)} features tell more than their shuffled copies; left out, "
        f"{len(costs)} cost clearly (the most: {most}, {metric} {abs(losses[most].value):.3f}), none helps"
    )


def _losses(context: ReadinessContext) -> Mapping[str, Difference]:
    """Return what the metric loses without each feature, all of them trained on the same small rows."""
    training = context.small.training
    whole = [context.score_learnt(training, seed=seed) for seed in range(SEEDS)]
    values = [each.value for each in whole]
    mean = Scored(float(np.mean(values)), np.mean([each.drawn for each in whole], axis=0), whole[0].groups)
    by_seed = float(np.std(values, ddof=1)) * (1 + 1 / SEEDS) ** 0.5
    names = context.version.encoding.features
    return {name: better_by(mean, context.score_without(name, training), by_seed) for name in names}


def _on_more_rows(context: ReadinessContext, name: str, on_few: Difference) -> Difference:
    """Return how much better it is without a feature where there is more to learn from it."""
    training = context.more_training
    gain = context.score_without(name, training).value - context.score_learnt(training).value
    return replace(on_few, value=gain)


def _telling(context: ReadinessContext) -> list[str]:
    """Return the features whose values go with the target more than any of their shuffled copies."""
    training, encoding = context.more_training, context.version.encoding
    rng = np.random.default_rng(0)
    bins = {item.column: item for item in context.version.bins}
    places = {
        name: _places(training.features[:, number], name, bins[name], encoding)
        for number, name in enumerate(encoding.features)
    }
    best = dict.fromkeys(places, 0.0)
    for _ in range(SHUFFLES):
        shuffled = rng.permutation(training.target)
        best = {name: max(best[name], _explained(places[name], shuffled)) for name in places}
    return [name for name in places if _explained(places[name], training.target) > best[name]]


def _places(values: Floats, name: str, item: Bins, encoding: Encoding) -> NDArray[np.int64]:
    """Return the bin of each value, as it is encoded; codes of names are bins already."""
    if name in encoding.categories:
        known = np.nan_to_num(values, nan=-1.0).astype(np.int64)
    else:
        only, _ = narrowed(encoding, [name])
        edges = only.matrix([{name: edge} for edge in item.edges])[:, 0]
        known = np.digitize(values, edges, right=True)
    return np.where(np.isnan(values), 0, known + 1)


def _explained(places: NDArray[np.int64], target: Floats) -> float:
    """Return the variance of the target's mean between bins."""
    counts = np.bincount(places)
    sums = np.bincount(places, weights=target)
    filled = counts > 0
    means = sums[filled] / counts[filled]
    return float(np.average((means - target.mean(dtype=np.float64)) ** 2, weights=counts[filled]))
