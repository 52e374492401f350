"""What the months after the launch show in the example."""

from handrail.monitoring.backtest import backtest
from handrail.testing import small_run

from . import project


def test_december_raises_an_alert():
    month = next(month for month in backtest(small_run(project).live_copy()) if month.alerts)
    assert (month.start.year, month.start.month) == (2013, 12)
    assert month.alerts[0].name in ("mae", "mean_error")
    assert month.alerts[0].value > month.alerts[0].high
