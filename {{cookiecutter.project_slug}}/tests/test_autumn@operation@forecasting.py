"""What the months after the launch show in the example."""

from handrail.monitoring import backtest
from handrail.testing import small_run

from . import project

EXPECTED = {"mae": (1, 3), "mean_error": (-0.5, 0.5)}  # as project.yaml of the example says


def test_december_raises_an_alert():
    settings = small_run(project).live_copy()
    live = settings.live.model_copy(update={"expected": EXPECTED})
    months = backtest(settings.model_copy(update={"live": live}))
    month = next(month for month in months if month.alerts)
    assert (month.start.year, month.start.month) == (2013, 12)
    assert month.alerts[0].name in ("mae", "mean_error")
    assert month.alerts[0].value > month.alerts[0].high
