"""The tests of what watches the live model."""

from handrail.readiness.dependencies import dependencies_watched
from handrail.readiness.numerical_stability import stable
from handrail.readiness.served import inputs_hold, not_skewed, quality_holds, young_enough
from handrail.readiness.speed import as_fast_as_before
from handrail.readiness.test_registry import ReadinessTest

ROWS = (
    ReadinessTest(
        "a dependency's change notifies",
        "each raw table is changed on purpose; the libraries are compared with the training's",
        dependencies_watched,
    ),
    ReadinessTest(
        "data invariants hold for inputs", "what was asked is checked against the contract", inputs_hold
    ),
    ReadinessTest(
        "training and serving are not skewed",
        "what was served is predicted again by the batch's path, its features compared with the table's",
        not_skewed,
    ),
    ReadinessTest(
        "models are not too stale", "the live model's age is compared with what was agreed", young_enough
    ),
    ReadinessTest(
        "computation is numerically stable",
        "rows are moved by a rounding, and to the ends of the contract",
        stable,
    ),
    ReadinessTest(
        "computing performance has not regressed",
        "the live model and the one before it predict in turns",
        as_fast_as_before,
    ),
    ReadinessTest(
        "prediction quality has not regressed",
        "the metrics of the newest outcomes are compared with what was agreed",
        quality_holds,
    ),
)
