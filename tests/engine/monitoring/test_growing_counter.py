"""A feature that only grows drifts by itself: it is told at training, and can be left alone."""

import logging

import pytest

from handrail.compute.duckdb import connect
from handrail.console import quietly
from handrail.contract.dictionary import data_dictionary
from handrail.etl.pipeline import run_etl
from handrail.monitoring.drift_report import feature_drift
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.monitoring.outcomes import join_outcomes
from handrail.registry.live import make_live
from handrail.registry.versions import load_version
from handrail.serving.batch import output_path, rows_to_score, score
from handrail.training.run import train
from tests.engine.testing.made_up_projects import Shape, made_up_project

TOLD = (
    "contract.py: meter: every value of the validation period is above all that were learnt from; if it is a "
    "counter or a date, make a difference of it in transform.sql, or say drift=False so that it raises no "
    "warning by itself"
)


def lived(folder, counter, caplog):
    """Return settings, version and look of a project whose live rows were scored, and what was warned of."""
    settings = made_up_project(folder, Shape(counter=counter)).settings()
    live = settings.model_copy(update={"live": settings.live.model_copy(update={"minimum_outcomes": 50})})
    run_etl(live, quietly)
    with caplog.at_level(logging.WARNING):
        version = load_version(live, train(live, live.dates, quietly).version)
    warned, rows = list(caplog.messages), None
    make_live(live, version.name)
    rows = rows_to_score(live, None, None, None)
    score(live, rows.source, rows.origin, output_path(live, rows.name))
    return live, version, run_monitoring(live), warned


@pytest.mark.parametrize(("counter", "said"), [("watched", [TOLD]), ("left alone", [])])
def test_it_is_watched_unless_the_contract_leaves_it_alone(tmp_path, caplog, counter, said):
    settings, version, seen, warned = lived(tmp_path, counter, caplog)
    assert warned == said
    readings = {reading.name: reading for reading in seen.readings}
    watched = counter == "watched"
    assert ("drift of meter" in readings) == watched
    assert "drift of load" in readings
    if watched:
        assert readings["drift of meter"].state == "alert"  # each month is above all before: as was said
    assert "meter" in version.encoding.features
    with connect(settings) as connection:
        source = join_outcomes(connection, settings, (seen.start, seen.end), today=seen.end)
        names = [each.name for each in feature_drift(connection, source, version)]
    assert ("meter" in names) == watched
    row = next(line for line in data_dictionary(settings.project.contract).splitlines() if "`meter`" in line)
    assert row.endswith("| feature |" if watched else "| feature, not watched for drift |")
