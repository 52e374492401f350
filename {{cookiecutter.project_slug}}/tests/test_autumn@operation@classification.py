"""What the months after the launch show in the example."""

from handrail.monitoring import backtest
from handrail.testing import small_run

from . import project

EXPECTED = {"roc_auc": (0.70, 0.90), "precision": (0.30, 0.60)}  # as project.yaml of the example says


def test_the_autumn_raises_an_alert():
    settings = small_run(project).live_copy()
    live = settings.live.model_copy(update={"expected": EXPECTED})
    months = backtest(settings.model_copy(update={"live": live}))
    month = next(month for month in months if month.alerts)
    assert (month.start.year, month.start.month) in [(2013, 9), (2013, 10), (2013, 11)]
    assert month.alerts[0].name in ("roc_auc", "precision")
    assert month.alerts[0].value < month.alerts[0].low
