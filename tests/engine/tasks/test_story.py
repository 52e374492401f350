"""What people are told of a training in the terms of its problem."""

import pytest

from handrail.tasks.amounts import story as of_amounts
from handrail.tasks.classification import story as of_cases
from tests.engine.support.example import example
from tests.engine.support.made_up_training import made_up_settings, made_up_training
from tests.lanes import slow_but


def told(problem, tmp_path):
    """Return the story of the made-up training, and its evaluation."""
    project = example(problem)
    training = made_up_training(project=project)
    story = project.task.story(made_up_settings(tmp_path, project), training, "calls", "2030-01")
    return story, training.info["evaluation"]


def test_the_story_of_cases_says_what_the_threshold_brings(tmp_path):
    story, evaluation = told("classification", tmp_path)
    assert (f"{evaluation['model']['recall']['value']:.0%}", "of the cases are found") in story.tiles
    assert "Those from 40% on are picked out; what they get is called warnings here." in story.opening
    assert story.choices.title == "The choice: how many warnings?"
    assert story.choices.rows[story.choices.picked][0] == "40%"
    assert story.legend.startswith("A case is a row with late = 1 (1 = arrived more than 30 minutes late")
    assert story.decided == "threshold"


@pytest.mark.parametrize("problem", slow_but({"regression"}, ["regression", "forecasting"]))
def test_the_story_of_amounts_says_what_the_margin_brings(problem, tmp_path):
    story, evaluation = told(problem, tmp_path)
    unit = " min" if problem == "regression" else ""
    covered = f"{evaluation['model']['covered']['value']:.0%}"
    assert (covered, "of the plans with the margin are enough") in story.tiles
    assert (f"+0.25{unit}", "is the margin added to each prediction") in story.tiles
    assert story.sentences[1].startswith(
        f"With a margin of +0.25{unit}, {covered} of the calls stay within the plan. Errors on 1,000 of them "
        "cost EUR "
    )
    assert story.choices.rows[story.choices.picked][0] == "+0.25"
    assert story.decided == "margin and range"
    held = f"{evaluation['model']['coverage']['value']:.0%}"
    meaning = f"of the outcomes lie in the range, 0.75{unit} to either side of the prediction; 90% were meant"
    assert (held, meaning) in story.tiles


def test_the_payoff_is_that_of_the_rows(tmp_path):
    story, evaluation = told("classification", tmp_path)
    cases = 1000 * evaluation["model"]["observed_share"]["value"]
    assert story.sentences[1].startswith(f"Of 1,000 calls, {cases:.0f} turn out to be cases: the model finds")


@pytest.mark.parametrize(("predicted", "found"), [(0.2, "too low"), (0.3, "right"), (0.4, "too high")])
def test_probabilities_that_are_not_right_are_called_so(predicted, found):
    share = {"value": 0.3, "low": 0.29, "high": 0.31}
    model = {"observed_share": share, "mean_prediction": {"value": predicted}}
    assert of_cases.bias(model) == (
        f"its probabilities are {found} on average ({predicted:.1%} predicted, 30.0% observed)"
    )


@pytest.mark.parametrize(
    ("error", "low", "high", "found"),
    [(-1.0, -1.2, -0.8, "too low"), (0.1, -0.1, 0.3, "right"), (1.0, 0.8, 1.2, "too high")],
)
def test_predictions_that_are_not_right_are_called_so(error, low, high, found):
    means = {"mean_outcome": {"value": 3000.0}, "mean_prediction": {"value": 2.0}}
    model = means | {"mean_error": {"value": error, "low": low, "high": high}}
    assert of_amounts.bias(model) == f"its predictions are {found} on average (2.00 predicted, 3,000.00 came)"
