"""The tests of the score hold for data of other shapes, and advise only what works there."""

from datetime import UTC, datetime, timedelta

import pytest

from handrail.console import quietly
from handrail.etl.pipeline import run_etl
from handrail.readiness import erasure, expectations, online_metric, release_rehearsals, served, small_runs
from handrail.readiness.context import ReadinessContext
from handrail.readiness.workspaces import live_records
from handrail.registry.live import make_live
from handrail.serving.inference import LiveModel
from handrail.serving.prediction_log import answer_and_log
from handrail.training.run import train
from tests.engine.readiness.made_up_context import refusal
from tests.engine.testing.made_up_projects import Shape, made_up_project

SHAPES = {
    "numbers as keys": Shape(),
    "subjects": Shape(by="subject"),
    "alike": Shape(by="random", timed=False, keyed=False, alike=True),
}


@pytest.fixture(scope="module", params=SHAPES)
def world(request, tmp_path_factory):
    """Return the name of a shape, and the context of a live version of such data."""
    settings = made_up_project(tmp_path_factory.mktemp("made"), SHAPES[request.param]).settings()
    run_etl(settings, quietly)
    make_live(settings, train(settings, settings.parted, quietly).version)
    context = ReadinessContext(settings)
    answer_and_log(settings, LiveModel(settings), [live_records(context, 50)])
    return request.param, context


def test_every_rule_that_is_broken_is_caught(world):
    found = expectations.expectations(world[1])
    assert found.endswith(" rules were broken on purpose, and each was caught")


def test_a_key_is_forgotten_though_its_digits_stand_elsewhere(world):
    assert erasure.rehearse_forgetting(world[1].settings) == 2  # the table and the log


def test_a_canary_answers_whole_subjects(world):
    assert "asked for were 20%; with its file broken it answered none" in release_rehearsals.canaried(
        world[1]
    )


def test_all_that_was_answered_is_seen(world):
    assert " records answered one by one, " in small_runs.integrated(world[1])


def test_months_are_lived_again_only_where_rows_have_some(world):
    (said,) = refusal(online_metric.online, world[1])
    assert said.endswith(
        "wait, load them with `etl`"
        + (", or try `monitor --relive`" if world[0] == "numbers as keys" else "")
    )


def test_where_chance_parts_the_rows_a_model_that_is_too_old_is_trained_again(world):
    name, context = world
    later = ReadinessContext(context.settings)
    vars(later).update(today=datetime.now(UTC).date() + timedelta(days=200))
    (said,) = refusal(served.young_enough, later)
    by_chance = said.endswith(" were agreed; `retrain` learns from what is new")
    assert by_chance == (name != "numbers as keys")
