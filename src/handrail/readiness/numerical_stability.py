"""Is the computation stable: no number that is none, no leap where the input hardly moves?"""

import numpy as np

from handrail.arrays import Floats
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext, narrowed

NUDGE = 1e-6  # of a feature's size: about what float32 rounds off
FAR = 0.1  # of the spread of the predictions: further than that is a leap
MOST_LEAPS = 0.05


def stable(context: ReadinessContext) -> str:
    """Predict test rows, nudged rows, and rows at the ends of what the contract allows."""
    features = context.small.test.features
    plain = _finite(context, features, "test rows")
    rng = np.random.default_rng(0)
    moved = (features * (1 + NUDGE * rng.choice([-1.0, 1.0], size=features.shape))).astype(np.float32)
    whole = features == np.round(features)  # exact in float32: no rounding moves it
    nudged = _finite(context, np.where(whole, features, moved), "test rows moved by a rounding")
    spread = float(plain.std())
    leaps = float((np.abs(nudged - plain) > FAR * spread).mean())
    if leaps > MOST_LEAPS:
        raise ProjectError(
            f"{context.version.name}: {leaps:.1%} of the predictions leap where the features move by a "
            "millionth; a model that follows rounding has learnt noise"
        )
    ends = _at_the_ends(context, features)
    _finite(context, ends, "rows at the ends of the contract")
    return (
        f"{len(features):,} test rows, the same moved by a rounding and {len(ends):,} rows at the ends of "
        f"the contract: every prediction is a number; {leaps:.2%} leap"
    )


def _finite(context: ReadinessContext, features: Floats, what: str) -> Floats:
    prediction = context.predictor.predict(features)
    bad = int((~np.isfinite(prediction)).sum())
    if bad:
        raise ProjectError(f"{context.version.name}: {bad:,} of {len(features):,} {what} give no number")
    return prediction


def _at_the_ends(context: ReadinessContext, features: Floats) -> Floats:
    """Return a row for each end of each amount, and for each feature that may be missing or new."""
    columns = {column.name: column for column in of_role(context.settings.project.contract, Role.FEATURE)}
    encoding, found = context.version.encoding, []
    for place, name in enumerate(encoding.features):
        column, (only, _) = columns[name], narrowed(encoding, [name])
        ends = [end for end in (column.ge, column.le) if end is not None]
        missing = [None] if column.nullable or column.categorical else []
        for value in [*ends, *missing]:
            changed = features[place % len(features)].copy()
            changed[place] = only.matrix([{name: value}])[0, 0]
            found.append(changed)
    return np.array(found, dtype=np.float32)
