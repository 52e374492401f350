"""The first picture of the report: the latest days, forecast and come."""

from dataclasses import replace

import numpy as np
import pytest

from {{ cookiecutter.__package }}.report.first import first_picture, latest

from .made_up_training import made_up_training


@pytest.fixture(scope="module")
def training():
    """Return a training with two rows of each time: two series."""
    made_up = made_up_training()
    times = np.datetime64("2030-01-01", "s") + np.arange(600).repeat(2) * np.timedelta64(3600, "s")
    return replace(made_up, test=replace(made_up.test, times=times))


def test_the_latest_days_are_the_sums_of_all_series(training):
    series = latest(training)
    assert len(series.times) == 7 * 24
    assert series.times[-1] == training.test.times[-1]
    assert series.came[-1] == training.test.target[-2:].sum()
    assert series.model[0] == pytest.approx(training.prediction[-2 * 7 * 24 :][:2].sum())
    assert series.simple == pytest.approx(0.6)


def test_the_first_picture_says_how_far_off_the_forecast_was(training):
    series = latest(training)
    error = np.abs(series.model - series.came).mean()
    picture = first_picture(training, "")
    assert f"2030-01-19 to 2030-01-25, all series together: off by {error:.1f} on average" in picture.caption
    assert picture.caption in picture.svg
