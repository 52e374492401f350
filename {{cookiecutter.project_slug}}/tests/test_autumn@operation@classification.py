"""What the months after the launch show in the example."""

from handrail.monitoring.backtest import backtest
from handrail.testing import small_run

from . import project


def test_the_autumn_raises_an_alert():
    month = next(month for month in backtest(small_run(project).live_copy()) if month.alerts)
    assert (month.start.year, month.start.month) in [(2013, 9), (2013, 10), (2013, 11)]
    assert month.alerts[0].name in ("roc_auc", "precision")
    assert month.alerts[0].value < month.alerts[0].low
