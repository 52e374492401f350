"""The time of a row that is asked for may lie ahead, but not beyond the horizon; no record moves a window."""

from datetime import UTC, date, datetime, timedelta

import pytest

from handrail.monitoring import run_monitoring
from handrail.serving.batch import score
from handrail.serving.prediction_log import prediction_folder
from tests.engine.serving.test_api import as_json, ask, client_of
from tests.engine.support.lived import (
    KEY,
    TIME,
    first_month_predicted,
    keep,
    live_version,
    promoted,
    rows_asked,
    run,
)

AHEAD = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
FAR = ("9999-12-31T23:59:59", "9999-01-01T00:00:00", str(AHEAD + timedelta(days=400)))
RULE = "more than 366 days ahead"


@pytest.fixture
def live(project):
    """Return settings of a workspace whose version is live."""
    return promoted(project)


@pytest.mark.parametrize("time", FAR, ids=["the last second", "a far year", "a day too far"])
def test_a_request_too_far_ahead_is_refused_with_field_and_rule(live, time):
    (first, second) = map(as_json, rows_asked(live, 2))
    with client_of(live) as client:
        answer = ask(client, first, second | {TIME: time})
        assert (answer.status_code, answer.json()) == (
            422,
            {"errors": [{"field": f"records.1.{TIME}", "rule": RULE}]},
        )
        assert ask(client, first, second | {TIME: str(AHEAD + timedelta(days=300))}).status_code == 200


def test_a_row_too_far_ahead_is_rejected_with_the_reason(live):
    asked = ", ".join(live.project.request.model_fields)
    table = live.workspace / "data" / f"{live.project.table_name}.parquet"
    few = f"SELECT {asked} FROM '{table}' ORDER BY {KEY} LIMIT 2"
    ahead = (
        f"(({few}) UNION ALL SELECT * REPLACE (TIMESTAMP '9999-12-31 23:59:59' AS {TIME}, 'UA' || {KEY}[3:]"
    )
    ahead += f" AS {KEY}) FROM (SELECT {asked} FROM '{table}' WHERE {KEY} LIKE 'B6%' ORDER BY {KEY} LIMIT 1))"
    done = score(live, ahead, "two and one", live.workspace / "out.parquet")
    assert (done.rows, done.rejected) == (2, {f"{TIME}: {RULE}": 1})


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59", "2030-01-01T00:00:00"])
def test_one_record_moves_no_window_and_breaks_nothing(trained, tmp_path, monkeypatch, time):
    month = first_month_predicted(trained, tmp_path)
    before = run_monitoring(month, today=date(2013, 12, 1))
    (first,) = rows_asked(month, 1)
    made = {"version": live_version(month).name, "source": "model", "prediction": 0.5, "baseline": 0.5}
    keep(month, [{**made, **first, KEY: "UA1-EWR-203001010000", TIME: time}])
    after = run_monitoring(month, today=date(2013, 12, 1))
    assert (after.start, after.end, after.rows) == (before.start, before.end, before.rows)
    assert run(monkeypatch, month, "monitor", LIVE__EXPECTED="{}", LIVE__MAXIMUM_AGE_DAYS="9999") == 0


def test_predictions_of_days_to_come_alone_are_no_window(live, monkeypatch, capsys):
    (first,) = rows_asked(live, 1)
    made = {"version": live_version(live).name, "source": "model", "prediction": 0.5, "baseline": 0.5}
    prediction_folder(live).mkdir()
    keep(live, [{**made, **first, TIME: "9999-12-31T23:59:59"}])
    assert run(monkeypatch, live, "monitor") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: all 1 predictions are of rows after ")
    assert said.endswith("; monitoring starts when that day has come\n")
