"""What the months after the launch show in the example."""

import re

import pytest

from tests.engine.support.lived import promoted, run
from tests.engine.support.workspaces import copied

pytestmark = pytest.mark.slow
FALLEN = r"(roc_auc is 0\.\d+, expected 0\.7|precision is 0\.2\d+, expected 0\.3) to .+"
LATER = r"mean_error is [6-9]\.\d+, expected -6 to 6"
WORSE = r"(mae is 3\.\d+, expected 1 to 3|mean_error is 0\.\d+, expected -0\.5 to 0\.5)"
ALERTS = {
    "trained": rf"alert: 2013-(09|10|11)-01 to 2013-(10|11|12)-01: {FALLEN}",
    "trained_amounts": rf"alert: 2013-09-01 to 2013-10-01: {LATER}",
    "trained_forecast": rf"alert: 2013-12-01 to 2014-01-01: {WORSE}",
}


@pytest.mark.parametrize("example", ALERTS)
def test_a_month_of_autumn_raises_an_alert(example, request, tmp_path, monkeypatch, capsys):
    project = promoted(copied(request.getfixturevalue(example), tmp_path))
    assert run(monkeypatch, project, "monitor", "--relive") == 3
    assert re.fullmatch(ALERTS[example], capsys.readouterr().err.splitlines()[0])
