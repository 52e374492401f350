"""Which figures say how good the model is; one of them decides, `accuracy.metric` of project.yaml.

What is listed here is measured everywhere: in training, gate, tuning, reports and monitoring. One's own is
a function of counts by distinct prediction, the highest first (`prediction`, `cases`, `rows`: arrays), and
of the decision where it needs the threshold:

    def lift(counts): ...
    METRICS = (*TASK.metrics, Metric("lift", lift, "times more cases at the top", greater_is_better=True))
"""

from ..contract import TASK

METRICS = TASK.metrics
