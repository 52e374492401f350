"""Which figures say how good the model is; one of them decides, `accuracy.metric` of project.yaml.

What is listed here is measured everywhere: in training, gate, tuning, reports and monitoring. One's own is a
function of target, prediction and weight (arrays of one length, the weights sum to 1), and of the decision
where it needs the margin or the range:

    def median_error(target, prediction, weight): ...
    METRICS = (*TASK.metrics, Metric("median", median_error, "half are off by less", greater_is_better=False))
"""

from ..contract import TASK

METRICS = TASK.metrics
