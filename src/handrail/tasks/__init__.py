"""The kinds of problems: what is predicted, how it is measured, decided on and told of.

`Classification` predicts the chance that something is so, `Regression` an amount, `Forecasting` an amount of
a time to come. A contract names one: `TASK = Classification()`. `Metric` is a figure of predictions, of a
task's or of a project's own.
"""

from handrail.tasks.amounts import Forecasting, Regression
from handrail.tasks.classification import Classification
from handrail.tasks.metric import Metric

__all__ = ["Classification", "Forecasting", "Metric", "Regression"]
