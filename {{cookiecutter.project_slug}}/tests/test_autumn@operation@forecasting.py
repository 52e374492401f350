"""What the months after the launch show in the example."""

import re

from .lived import promoted, run


def test_december_raises_an_alert(project, monkeypatch, capsys):
    assert run(monkeypatch, promoted(project), "monitor", "--relive") == 3
    first = capsys.readouterr().err.splitlines()[0]
    worse = r"(mae is 3\.\d+, expected 1 to 3|mean_error is 0\.\d+, expected -0\.5 to 0\.5)"
    assert re.fullmatch(rf"alert: 2013-12-01 to 2014-01-01: {worse}", first)
