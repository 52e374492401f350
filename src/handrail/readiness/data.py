"""The tests of features and data."""

from handrail.readiness.expectations import expectations
from handrail.readiness.feature_addition import feature_added
from handrail.readiness.feature_benefit import benefit
from handrail.readiness.feature_cost import cost
from handrail.readiness.leakage import no_leakage
from handrail.readiness.mutation_tests import mutants_noticed
from handrail.readiness.privacy import privacy
from handrail.readiness.test_registry import ReadinessTest

ROWS = (
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
