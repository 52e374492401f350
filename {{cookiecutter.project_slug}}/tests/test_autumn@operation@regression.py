"""What the months after the launch show in the example."""

from handrail.monitoring.backtest import backtest
from handrail.testing import small_run

from . import project


def test_the_autumn_raises_an_alert():
    month = next(month for month in backtest(small_run(project).live_copy()) if month.alerts)
    assert (month.start.year, month.start.month) == (2013, 9)
    assert month.alerts[0].name == "mean_error"
    assert 6 < month.alerts[0].value < 10  # too late, as the summer was
