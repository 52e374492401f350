"""The tests of what watches the live model."""

from .numbers import stable
from .rows import Row
from .served import inputs_hold, not_skewed, quality_holds, young_enough
from .sources import dependencies_watched
from .speed import as_fast_as_before

ROWS = (
    Row(
        "a dependency's change notifies",
        "each raw table is changed on purpose; the libraries are compared with the training's",
        dependencies_watched,
    ),
    Row("data invariants hold for inputs", "what was asked is checked against the contract", inputs_hold),
    Row(
        "training and serving are not skewed",
        "what was served is predicted again by the batch's path, its features compared with the table's",
        not_skewed,
    ),
    Row("models are not too stale", "the live model's age is compared with what was agreed", young_enough),
    Row(
        "computation is numerically stable",
        "rows are moved by a rounding, and to the ends of the contract",
        stable,
    ),
    Row(
        "computing performance has not regressed",
        "the live model and the one before it predict in turns",
        as_fast_as_before,
    ),
    Row(
        "prediction quality has not regressed",
        "the metrics of the newest outcomes are compared with what was agreed",
        quality_holds,
    ),
)
