"""What a person sees while rows are done: on a terminal all the time, elsewhere a line now and then."""

import os
import re
import subprocess
import sys
import time

import pytest

from handrail import console

SHOWS = """
import time
from handrail.console import rows_done
with rows_done("score") as tell:
    for done in (1000, 2000, 3000):
        tell(done, 4000)
        time.sleep(0.3)
print("end")
"""


def test_where_nobody_looks_a_short_run_says_nothing(capsys):
    with console.rows_done("score") as tell:
        tell(1, 2)
        tell(2, 2)
    assert capsys.readouterr() == ("", "")


def test_where_nobody_looks_it_is_a_line_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 10.0, 60.0, 70.0, 119.0, 121.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.rows_done("score") as tell:
        for done in (1_000_000, 6_000_000, 7_000_000, 8_000_000, 9_075_000):
            tell(done, 10_000_000)
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "score: 6,000,000 of 10,000,000 rows, 100,000 a second, 0:00:40 left",
        "score: 9,075,000 of 10,000,000 rows, 75,000 a second, 0:00:12 left",
    ]
    assert captured.out == ""


@pytest.mark.skipif(os.name == "nt", reason="no such terminal")
def test_where_nobody_looks_a_long_step_is_a_line_now_and_then(capsys, monkeypatch):
    with console.progress("etl") as step:
        step("extract")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(console, "LINE_SECONDS", 0.02)
    with console.progress("etl") as step:
        step("extract")
        time.sleep(0.1)
        step("[load]")
        time.sleep(0.1)
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert {re.sub(r"\d:\d\d:\d\d", "TIME", line) for line in lines} == {
        "etl: extract, TIME so far",
        "etl: [load], TIME so far",
    }
    assert 3 <= len(lines) <= 10
    assert said.out == ""


def test_on_a_terminal_rows_speed_and_time_left_are_shown():
    import pty

    parent, child = pty.openpty()
    around = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        [sys.executable, "-c", SHOWS], stdout=subprocess.PIPE, stderr=child, env=around, text=True
    )
    os.close(child)
    seen = b""
    while True:
        try:
            found = os.read(parent, 65536)
        except OSError:  # how a terminal ends
            break
        if not found:
            break
        seen += found
    os.close(parent)
    assert process.communicate()[0] == "end\n"
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert re.search(r"score: 2,000 of 4,000 rows, [\d,]+ a second, \d:\d\d:\d\d left", plain)
