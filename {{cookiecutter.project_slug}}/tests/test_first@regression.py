"""The first picture of the report: predictions and what came."""

from {{ cookiecutter.__package }}.report.first import first_picture

from .made_up_training import made_up_training


def test_the_first_picture_says_what_was_predicted_and_came():
    training = made_up_training()
    picture = first_picture(training, "min")
    assert picture.svg.count("predicted, ") >= 10
    assert "predicted, min" in picture.svg
