"""What the months after the launch show in the example."""

from handrail.monitoring import backtest
from handrail.testing import small_run

from . import project

EXPECTED = {"rmse": (20, 40), "mean_error": (-6, 6)}  # as project.yaml of the example says


def test_the_autumn_raises_an_alert():
    settings = small_run(project).live_copy()
    live = settings.live.model_copy(update={"expected": EXPECTED})
    months = backtest(settings.model_copy(update={"live": live}))
    month = next(month for month in months if month.alerts)
    assert (month.start.year, month.start.month) == (2013, 9)
    assert month.alerts[0].name == "mean_error"
    assert 6 < month.alerts[0].value < 10  # too late, as the summer was
