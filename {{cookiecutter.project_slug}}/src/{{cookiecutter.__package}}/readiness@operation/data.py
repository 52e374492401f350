"""The tests of features and data."""

from .benefit import benefit
from .cost import cost
from .expectations import expectations
from .newcomer import newcomer
from .permitted import permitted
from .privacy import privacy
from .rows import Row
from .tested import tested

ROWS = (
    Row(
        "feature expectations are in a schema",
        "the contract is checked on the live table, and each of its rules is broken once on purpose",
        expectations,
    ),
    Row(
        "every feature is beneficial",
        "the model is trained again without each feature, and each is compared with its shuffled copies",
        benefit,
    ),
    Row(
        "no feature costs too much",
        "each feature's time in transform.sql, bytes and missing values are measured against limits",
        cost,
    ),
    Row(
        "features meet meta-level requirements",
        "the live model's inputs are compared with the contract, their values with what is kept from it",
        permitted,
    ),
    Row(
        "the pipeline has privacy controls",
        "what is stored is searched for personal data, its age is checked, and a key is forgotten in a copy",
        privacy,
    ),
    Row(
        "a new feature can be added quickly",
        "one is added to a copy of the project, which loads, learns and predicts with it",
        newcomer,
    ),
    Row(
        "all feature code is tested",
        "each feature is computed wrongly once, and the tests have to fail",
        tested,
    ),
)
