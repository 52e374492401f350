"""The tests of the model."""

from .inclusion import inclusion
from .online import online
from .rows import Row
from .simpler import simpler
from .slices import slices
from .specification import specification
from .staleness import staleness
from .tuning import tuned

ROWS = (
    Row(
        "the specification is reviewed and in the repository",
        "the live version's commit is looked for in the history, and each change to it for a second person",
        specification,
    ),
    Row(
        "the offline metric correlates with the online one",
        "the live version is made worse step by step, and its metric compared with what its live errors cost",
        online,
    ),
    Row(
        "hyperparameters are tuned",
        "others are drawn at random, and compared with the live version's on rows that it did not learn from",
        tuned,
    ),
    Row(
        "the effect of staleness is known",
        "models that stopped learning earlier and earlier are compared on the latest rows",
        staleness,
    ),
    Row(
        "a simpler model is not better",
        "a linear model learns from the same features, and meets the same later rows",
        simpler,
    ),
    Row(
        "quality holds on all important slices",
        "each slice of the test period is compared with the simple technique and with the minimum",
        slices,
    ),
    Row(
        "inclusion has been considered",
        "groups of the sensitive columns, or of their proxies, are held against the four-fifths rule",
        inclusion,
    ),
)
