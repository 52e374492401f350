"""Is the computation stable: no number that is none, no leap where the input hardly moves?"""

import numpy as np

from ..contract import CONTRACT
from ..errors import ProjectError
from ..model.features import Floats
from ..schema import Role, of_role
from .bench import Bench

NUDGE = 1e-6  # of a feature's size: about what float32 rounds off
FAR = 0.1  # of the spread of the predictions: further than that is a leap
MOST_LEAPS = 0.05


def stable(bench: Bench) -> str:
    """Predict test rows, nudged rows, and rows at the ends of what the contract allows."""
    features = bench.small.test.features
    plain = _finite(bench, features, "test rows")
    rng = np.random.default_rng(0)
    moved = (features * (1 + NUDGE * rng.choice([-1.0, 1.0], size=features.shape))).astype(np.float32)
    whole = features == np.round(features)  # exact in float32: no rounding moves it
    nudged = _finite(bench, np.where(whole, features, moved), "test rows moved by a rounding")
    spread = float(plain.std())
    leaps = float((np.abs(nudged - plain) > FAR * spread).mean())
    if leaps > MOST_LEAPS:
        raise ProjectError(
            f"{bench.version.name}: {leaps:.1%} of the predictions leap where the features move by a "
            "millionth; a model that follows rounding has learnt noise"
        )
    ends = _at_the_ends(bench, features)
    _finite(bench, ends, "rows at the ends of the contract")
    return (
        f"{len(features):,} test rows, the same moved by a rounding and {len(ends):,} rows at the ends of "
        f"the contract: every prediction is a number; {leaps:.2%} leap"
    )


def _finite(bench: Bench, features: Floats, what: str) -> Floats:
    prediction = bench.predictor.predict(features)
    bad = int((~np.isfinite(prediction)).sum())
    if bad:
        raise ProjectError(f"{bench.version.name}: {bad:,} of {len(features):,} {what} give no number")
    return prediction


def _at_the_ends(bench: Bench, features: Floats) -> Floats:
    """Return a row for each end of each amount, and for each feature that may be missing or new."""
    columns = {column.name: column for column in of_role(CONTRACT, Role.FEATURE)}
    found = []
    for place, name in enumerate(bench.version.encoding.features):
        column = columns[name]
        ends = [end for end in (column.ge, column.le) if end is not None]
        missing = [float("nan")] if column.nullable or column.categorical else []
        for value in [*ends, *missing]:
            changed = features[place % len(features)].copy()
            changed[place] = value
            found.append(changed)
    return np.array(found, dtype=np.float32)
