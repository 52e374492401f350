"""The tests of what trains, checks and serves the model."""

from .one_example import followed
from .own_tests import unit_tested
from .rehearsals import canaried, rolled_back
from .rows import Row
from .small_runs import integrated, reproducible, validated

ROWS = (
    Row("training is reproducible", "two trainings on the same rows are compared byte by byte", reproducible),
    Row("the specification is unit-tested", "the tests of contract, features and model are run", unit_tested),
    Row(
        "the whole pipeline is integration-tested",
        "all of it runs on few rows: sources, table, training, answers, monitoring",
        integrated,
    ),
    Row(
        "quality is validated before serving",
        "the gate is tried on the live version, on one that learnt nothing and on changed files",
        validated,
    ),
    Row(
        "one example can be followed step by step",
        "one record goes through each step, as it is answered and by the engine",
        followed,
    ),
    Row(
        "models are canaried before serving",
        "a canary answers its share of real records, is broken and withdrawn, in a copy",
        canaried,
    ),
    Row(
        "a served model can be rolled back",
        "a promotion and a rollback in a copy; the answers are compared",
        rolled_back,
    ),
)
