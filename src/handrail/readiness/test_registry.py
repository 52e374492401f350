"""The tests of the score: what each is called, how it is automated here, and what computes it.

They are those of Breck et al., The ML Test Score, IEEE Big Data (2017), in four sections of seven.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from handrail.readiness.context import ReadinessContext
from handrail.readiness.dependencies import dependencies_watched
from handrail.readiness.expectations import expectations
from handrail.readiness.feature_addition import feature_added
from handrail.readiness.feature_benefit import benefit
from handrail.readiness.feature_cost import cost
from handrail.readiness.inclusion import inclusion
from handrail.readiness.leakage import no_leakage
from handrail.readiness.mutation_tests import mutants_noticed
from handrail.readiness.numerical_stability import stable
from handrail.readiness.one_example import followed
from handrail.readiness.online_metric import online
from handrail.readiness.own_tests import unit_tested
from handrail.readiness.privacy import privacy
from handrail.readiness.release_rehearsals import canaried, rolled_back
from handrail.readiness.served import inputs_hold, not_skewed, quality_holds, young_enough
from handrail.readiness.simpler_model import simpler
from handrail.readiness.slices import slices
from handrail.readiness.small_runs import integrated, reproducible, validated
from handrail.readiness.specification import specification
from handrail.readiness.speed import as_fast_as_before
from handrail.readiness.staleness import staleness
from handrail.readiness.tuned import tuned


@dataclass(frozen=True)
class ReadinessTest:
    """A test: its name, how it is automated here, and its check.

    The check returns the evidence, one sentence with figures. It raises ProjectError where the test fails:
    what is wrong, where, and what to do.
    """

    test: str
    how: str
    check: Callable[[ReadinessContext], str]


DATA = (
    ReadinessTest(
        "feature expectations are in a schema",
        "the contract is checked on the live table, and each of its rules is broken once on purpose",
        expectations,
    ),
    ReadinessTest(
        "every feature is beneficial",
        "the model is trained again without each feature, and each is compared with its shuffled copies",
        benefit,
    ),
    ReadinessTest(
        "no feature costs too much",
        "each feature's time in transform.sql, bytes and missing values are measured against limits",
        cost,
    ),
    ReadinessTest(
        "features meet meta-level requirements",
        "the live model's inputs are compared with the contract, their values with what is kept from it",
        no_leakage,
    ),
    ReadinessTest(
        "the pipeline has privacy controls",
        "what is stored is searched for personal data, its age is checked, and a key is forgotten in a copy",
        privacy,
    ),
    ReadinessTest(
        "a new feature can be added quickly",
        "one is added to a copy of the project, which loads, learns and predicts with it",
        feature_added,
    ),
    ReadinessTest(
        "all feature code is tested",
        "each feature is computed wrongly once, and the tests have to fail",
        mutants_noticed,
    ),
)

MODEL = (
    ReadinessTest(
        "the specification is reviewed and in the repository",
        "the live version's commit is looked for in the history, and each change to it for a second person",
        specification,
    ),
    ReadinessTest(
        "the offline metric correlates with the online one",
        "the live version is made worse step by step, and its metric compared with what its live errors cost",
        online,
    ),
    ReadinessTest(
        "hyperparameters are tuned",
        "others are drawn at random, and compared with the live version's on rows that it did not learn from",
        tuned,
    ),
    ReadinessTest(
        "the effect of staleness is known",
        "models that stopped learning earlier and earlier are compared on the latest rows",
        staleness,
    ),
    ReadinessTest(
        "a simpler model is not better",
        "a linear model learns from the same features, and meets the same later rows",
        simpler,
    ),
    ReadinessTest(
        "quality holds on all important slices",
        "each slice of the test period is compared with the simple technique and with the minimum",
        slices,
    ),
    ReadinessTest(
        "inclusion has been considered",
        "groups of the sensitive columns, or of their proxies, are held against the four-fifths rule",
        inclusion,
    ),
)

INFRASTRUCTURE = (
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

MONITORING = (
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


def tests_by_section() -> Mapping[str, tuple[ReadinessTest, ...]]:
    """Return the tests of each section, in their order."""
    return {"data": DATA, "model": MODEL, "infrastructure": INFRASTRUCTURE, "monitoring": MONITORING}
