"""The tests of what trains, checks and serves the model."""

from handrail.readiness.one_example import followed
from handrail.readiness.own_tests import unit_tested
from handrail.readiness.release_rehearsals import canaried, rolled_back
from handrail.readiness.small_runs import integrated, reproducible, validated
from handrail.readiness.test_registry import ReadinessTest

ROWS = (
    ReadinessTest(
        "training is reproducible", "two trainings on the same rows are compared byte by byte", reproducible
    ),
    ReadinessTest(
        "the specification is unit-tested", "the tests of contract, features and model are run", unit_tested
    ),
    ReadinessTest(
        "the whole pipeline is integration-tested",
        "all of it runs on few rows: sources, table, training, answers, monitoring",
        integrated,
    ),
    ReadinessTest(
        "quality is validated before serving",
        "the gate is tried on the live version, on one that learnt nothing and on changed files",
        validated,
    ),
    ReadinessTest(
        "one example can be followed step by step",
        "one record goes through each step, as it is answered and by the engine",
        followed,
    ),
    ReadinessTest(
        "models are canaried before serving",
        "a canary answers its share of real records, is broken and withdrawn, in a copy",
        canaried,
    ),
    ReadinessTest(
        "a served model can be rolled back",
        "a promotion and a rollback in a copy; the answers are compared",
        rolled_back,
    ),
)
