"""What the months after the launch show in the example."""

import re

from .lived import promoted, run


def test_the_autumn_raises_an_alert(project, monkeypatch, capsys):
    assert run(monkeypatch, promoted(project), "monitor", "--relive") == 3
    first = capsys.readouterr().err.splitlines()[0]
    fallen = r"(roc_auc is 0\.\d+, expected 0\.7|precision is 0\.2\d+, expected 0\.3) to .+"
    assert re.fullmatch(rf"alert: 2013-(09|10|11)-01 to 2013-(10|11|12)-01: {fallen}", first)
