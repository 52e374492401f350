"""Has computing become slower: the live model beside the one before it, in turns on the same rows."""

import time

import numpy as np

from handrail.arrays import Floats
from handrail.errors import ProjectError
from handrail.predictor import Predictor
from handrail.readiness.context import ReadinessContext
from handrail.registry.live import read_live
from handrail.registry.versions import load_version
from handrail.serving.inference import start_model
from handrail.training.run import SEED

TURNS = 15
SINGLE_ROWS = 200
SLOWEST = 3.0  # times as long as the version before: less may be the machine's other work


def as_fast_as_before(context: ReadinessContext) -> str:
    """Time both on a batch and on single rows, and compare the quickest turn of each.

    Where no version was live before, the other is learnt anew by today's code from few rows.
    """
    name, other, features = _other(context)
    batch = _ratio(context.predictor, other, [features])
    single = _ratio(context.predictor, other, [features[n : n + 1] for n in range(SINGLE_ROWS)])
    at_once = f"{batch:.2f} times as long as {name} for {len(features):,} rows at once"
    said = f"{at_once}, {single:.2f} times one by one"
    if max(batch, single) > SLOWEST:
        raise ProjectError(f"{context.version.name} takes {said}; at most {SLOWEST:g} times may be")
    return said


def _other(context: ReadinessContext) -> tuple[str, Predictor, Floats]:
    live = read_live(context.settings)
    features = context.small.test.features
    earlier = live.versions[-2] if live and len(live.versions) > 1 else None
    if earlier and live:
        version = load_version(context.settings, earlier, live.checksums[-2])
        if version.encoding.features == context.version.encoding.features:
            return earlier, start_model(version), features
    project = context.settings.project
    fitted = project.fit(context.small.training, context.version.encoding, SEED, context.hyperparameters)
    learnt = Predictor(project.estimator.export(fitted, features.shape[1]))
    return "one learnt from few rows", learnt, features


def _ratio(model: Predictor, other: Predictor, parts: list[Floats]) -> float:
    """Return how many times as long `model` takes, by the quickest of TURNS turns of each."""
    quickest = [np.inf, np.inf]
    for _ in range(TURNS):
        for place, each in enumerate((model, other)):
            begun = time.perf_counter()
            for part in parts:
                each.predict(part)
            quickest[place] = min(quickest[place], time.perf_counter() - begun)
    return float(quickest[0] / quickest[1])
