"""What the months after the launch show in the example."""

import re

from .lived import promoted, run


def test_the_autumn_raises_an_alert(project, monkeypatch, capsys):
    assert run(monkeypatch, promoted(project), "monitor", "--relive") == 3
    first = capsys.readouterr().err.splitlines()[0]
    assert re.fullmatch(r"alert: 2013-09-01 to 2013-10-01: mean_error is [6-9]\.\d+, expected -6 to 6", first)
