"""What is read of the history of models: since when a canary is tried, and what was taken back."""

import pytest

from handrail.registry import canary, history
from handrail.registry import live as registry
from tests.engine.support.lived import promoted, variant


@pytest.fixture
def two(project):
    """Return settings in which a version is live, and the name of another one."""
    promoted(project)
    return project, variant(project, lambda info: info.update(seed=1))


def test_a_canary_is_tried_since_it_began_and_as_long_as_it_is(two):
    settings, name = two
    canary.start_canary(settings, name, 0.1)
    first = history.read_history(settings)[-1].at
    registry.launch(settings)
    assert history.tried_since(settings, name) == first
    canary.end_canary(settings, "canary withdrawn")
    assert history.tried_since(settings, name) is None
    path = registry.model_folder(settings) / "history.jsonl"
    before = history.read_history(settings)
    path.write_text(path.read_text() + '{"at": "2026-', encoding="utf-8")  # a kill
    assert history.read_history(settings) == before


def test_withdrawn_is_what_somebody_took_back_and_nobody_has_put_there_since(two):
    settings, name = two
    first = registry.read_live(settings).versions[-1]
    canary.start_canary(settings, name, 0.1)
    assert history.withdrawn(settings) == []
    canary.end_canary(settings, "the canary did worse")
    (found,) = history.withdrawn(settings)
    assert (found.name, found.reason, found.was_live) == (name, "the canary did worse", False)
    registry.make_live(settings, name)
    assert history.withdrawn(settings) == []
    registry.roll_back(settings, lambda version: None)
    (found,) = history.withdrawn(settings)
    assert found.told.startswith(f"{name} was live and was rolled back on 20")
    registry.make_live(settings, name)
    registry.make_live(settings, first)
    assert history.withdrawn(settings) == []  # another was promoted: nothing was taken back


def test_a_canary_that_went_with_the_fallback_or_was_promoted_was_not_taken_back(two):
    settings, name = two
    canary.start_canary(settings, name, 0.1)
    registry.use_fallback(settings, "the baseline did better")
    assert history.withdrawn(settings) == []
    canary.start_canary(settings, name, 0.1)
    registry.make_live(settings, name)
    assert history.withdrawn(settings) == []
