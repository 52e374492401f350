"""The tests of the model."""

from handrail.readiness.inclusion import inclusion
from handrail.readiness.online_metric import online
from handrail.readiness.simpler_model import simpler
from handrail.readiness.slices import slices
from handrail.readiness.specification import specification
from handrail.readiness.staleness import staleness
from handrail.readiness.test_registry import ReadinessTest
from handrail.readiness.tuned import tuned

ROWS = (
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
