"""Each reading of each look is a row over time, and one page shows them all."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from handrail import ProjectError
from handrail.cli.verbs.monitor import in_short
from handrail.monitoring import series
from handrail.monitoring.checks import Reading
from handrail.monitoring.monitoring_run import MonitoringRun
from handrail.monitoring.series_page import write_series_page
from handrail.registry.live import use_fallback
from tests.engine.support.lived import run

AT = datetime(2026, 3, 2, 5, 17, tzinfo=UTC)
QUIET = {"LIVE__DRIFT_LIMIT": "1000", "LIVE__MAXIMUM_AGE_DAYS": "1000"}


def seen(*readings, month=1, newest=True, version="v1"):
    """Return a look at a month of 2026."""
    start, end = date(2026, month, 1), date(2026, month + 1, 1)
    run = MonitoringRun(version, start, end, 1200, 900, {}, readings, False, False)
    return replace(run, newest=newest)


def precision(value, state="ok", why=""):
    return Reading("precision", value, 0.3, 0.6, state, why)


def test_each_reading_is_a_row_with_its_window_and_range(month):
    unknown = Reading("lift", float("nan"), 1.0, float("inf"), "unknown", "12 outcomes are known")
    series.keep_series(month, seen(precision(0.4), unknown), AT)
    first, second = series.read_series(month).rows
    assert (first.at, first.start, first.end) == (AT, date(2026, 1, 1), date(2026, 2, 1))
    assert (first.version, first.rows, first.outcomes, first.of) == ("v1", 1200, 900, "latest")
    assert (first.figure, first.value, first.low, first.high, first.state) == (
        "precision",
        0.4,
        0.3,
        0.6,
        "ok",
    )
    assert (second.value, second.low, second.high, second.state) == (None, 1.0, None, "unknown")
    assert second.why == "12 outcomes are known"


def test_a_line_that_was_left_half_is_skipped_and_the_next_look_stands(month):
    series.keep_series(month, seen(precision(0.4)), AT)
    path = series.series_path(month)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40] + b"\n" + b'{"at": "soon", "figure": 3}\n')
    series.keep_series(month, seen(precision(0.5), month=2), AT)
    found = series.read_series(month)
    assert [row.value for row in found.rows] == [0.4, 0.5]
    assert found.broken == (2, 3)
    path.write_bytes(whole + whole[:40])  # it may be in the making
    assert series.read_series(month).broken == ()


def test_a_look_back_is_kept_and_is_no_point_of_what_happened(month):
    series.keep_series(month, seen(precision(0.1, "alert"), month=3, newest=False), AT)
    with pytest.raises(ProjectError, match="no look at the latest predictions is kept yet; run `monitor`"):
        write_series_page(month, date(2026, 4, 2))
    series.keep_series(month, seen(precision(0.4), month=1), AT)
    series.keep_series(month, seen(precision(0.2, "alert"), month=1, newest=False), AT + timedelta(days=1))
    series.keep_series(
        month, seen(precision(0.5), month=2, newest=False), AT + timedelta(days=2), relived=True
    )
    found = series.read_series(month).rows
    assert [row.of for row in found] == ["back", "latest", "back", "relived"]
    assert [(row.value, row.of) for row in series.newest_rows(found)] == [(0.4, "latest"), (0.5, "relived")]
    assert series.newest_row(series.newest_rows(found)).value == 0.4
    write_series_page(month, date(2026, 4, 2))
    page = Page((month.workspace / "reports" / "monitoring.html").read_text(encoding="utf-8"))
    text = " ".join(page.texts)
    assert "was at 2026-01-01 to 2026-02-01: 1,200 predictions, 900 outcomes known, 0 of 1 figures" in text
    assert "precision 0.400 0.3 to 0.6" in text
    assert "alert" not in text


def test_a_look_back_leaves_the_record_of_the_latest_as_it_was(month, monkeypatch):
    assert run(monkeypatch, month, "monitor", **QUIET) == 0
    folder = month.workspace / "reports" / "monitoring"
    (latest,) = folder.glob("*.json")
    before, window = latest.read_bytes(), latest.stem
    assert run(monkeypatch, month, "monitor", "--from", window[:10], "--to", window[11:], **QUIET) == 0
    assert latest.read_bytes() == before
    assert sorted(path.name for path in folder.glob("*.json")) == [f"{window}-back.json", f"{window}.json"]


def test_the_last_look_at_a_window_counts_and_what_happened_before_what_was_lived_again(month):
    series.keep_series(month, seen(precision(0.40), newest=False), AT)
    series.keep_series(month, seen(precision(0.41)), AT)
    series.keep_series(month, seen(precision(0.99), newest=False), AT, relived=True)
    series.keep_series(month, seen(precision(0.98), month=2, newest=False), AT, relived=True)
    rows = series.newest_rows(series.read_series(month).rows)
    assert [(row.end.month, row.value, row.of) for row in rows] == [(2, 0.41, "latest"), (3, 0.98, "relived")]


class Page(HTMLParser):
    """What a browser would load, and the text of a page."""

    def __init__(self, markup):
        super().__init__()
        self.texts, self.loaded, self.tags = [], [], Counter()
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.loaded += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_data(self, data):
        self.texts.append(" ".join(data.split()))


def test_the_page_shows_every_figure_over_time_and_loads_nothing(month):
    odd = Reading('drift of <script>alert("&")</script>', 0.4, 0.0, 0.25, "warning")
    for number, value in enumerate((0.45, 0.41, 0.22), start=1):
        state = "ok" if value > 0.3 else "alert"
        unknown = Reading("lift", float("nan"), 1.0, float("inf"), "unknown", "12 outcomes are known")
        look = seen(precision(value, state), unknown, odd, month=number, version=f"v{number // 3}")
        series.keep_series(month, look, AT + timedelta(days=number))
    assert write_series_page(month, date(2026, 4, 2)) == "reports/monitoring.html"
    markup = (month.workspace / "reports" / "monitoring.html").read_text(encoding="utf-8")
    page = Page(markup)
    assert page.loaded == []
    assert "url(" not in markup
    assert page.tags["script"] == 0
    assert page.tags["svg"] == 3
    text = " ".join(page.texts)
    assert "was at 2026-03-01 to 2026-04-01: 1,200 predictions, 900 outcomes known, 2 of 3 figures" in text
    outside, unknown = text.index("Outside of the range"), text.index("Not known")
    assert outside < text.index("precision 0.220 0.3 to 0.6") < unknown
    assert unknown < text.index("lift not known: 12 outcomes are known at least 1")
    assert "2026-01-01 to 2026-02-01: 0.450 (0.3 to 0.6, ok), v0" in text
    assert "v1 from here on" in text
    assert 'drift of <script>alert("&")</script> 0.400' in text


def test_a_look_is_on_the_page_with_the_figures_that_it_told(month, monkeypatch, capsys):
    assert run(monkeypatch, month, "monitor", "--html", **QUIET) == 0
    said = capsys.readouterr().out
    assert said.endswith("every figure over time: reports/monitoring.html\n")
    kept = {row.figure: row for row in series.read_series(month).rows}
    page = Page((month.workspace / "reports" / "monitoring.html").read_text(encoding="utf-8"))
    assert page.tags["svg"] == len(kept)
    (record,) = (month.workspace / "reports" / "monitoring").glob("*.json")
    readings = json.loads(record.read_text(encoding="utf-8"))["readings"]
    assert {item["name"]: item["value"] for item in readings} == {n: row.value for n, row in kept.items()}


def test_without_any_look_there_is_no_page(month):
    with pytest.raises(ProjectError, match="no look at the latest predictions is kept yet"):
        write_series_page(month, date(2026, 4, 2))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_dry_run_shows_the_alerts_and_leaves_all_as_it_was(month, monkeypatch, capsys):
    before = contents(month.workspace)
    assert run(monkeypatch, month, "monitor", "--dry-run", **QUIET | {"LIVE__MAXIMUM_AGE_DAYS": "1"}) == 3
    said = capsys.readouterr()
    assert re.search(r"^alert: .*: age of the model in days is \d+, expected 0 to 1$", said.err, re.MULTILINE)
    assert said.out.endswith("nothing is kept, told or changed: --dry-run\n")
    assert contents(month.workspace) == before


def test_a_dry_run_takes_what_was_closed_by_hand_and_a_fallback_that_answers_as_a_look_does(
    month, monkeypatch, capsys
):
    old = QUIET | {"LIVE__MAXIMUM_AGE_DAYS": "1"}
    assert run(monkeypatch, month, "monitor", **old) == 3
    assert run(monkeypatch, month, "alert", "--close", "age of the model in days") == 0
    capsys.readouterr()
    assert run(monkeypatch, month, "monitor", "--dry-run", **old) == 0
    said = capsys.readouterr()
    assert "closed by hand, and not over: " in said.out
    assert "alert: " not in said.err
    use_fallback(month, "the baseline did better")
    before = contents(month.workspace)
    assert run(monkeypatch, month, "monitor", "--dry-run", **old) == 3
    assert "alert: the fallback still answers (the baseline did better); where" in capsys.readouterr().err
    assert contents(month.workspace) == before


@pytest.mark.parametrize("other", ["--relive", "--html"])
def test_a_dry_run_refuses_what_keeps_something(month, monkeypatch, capsys, other):
    before = contents(month.workspace)
    assert run(monkeypatch, month, "monitor", "--dry-run", other) == 1
    assert f"--dry-run: keeps nothing; leave out {other}" in capsys.readouterr().err
    assert contents(month.workspace) == before


def test_living_all_months_again_refuses_a_window(month, monkeypatch, capsys):
    before = contents(month.workspace)
    assert run(monkeypatch, month, "monitor", "--relive", "--from", "2013-11-01") == 1
    said = "--relive: lives all months since live_from again; leave out --from and --to"
    assert said in capsys.readouterr().err
    assert contents(month.workspace) == before


def test_of_many_features_those_that_are_ok_are_shown_in_short():
    drifts = [
        Reading(f"drift of f{n}", 0.9 - n / 10, 0.0, 0.25, "warning" if n < 2 else "ok") for n in range(9)
    ]
    shown, left = in_short([precision(0.4), *drifts, precision(0.5)])
    assert [each.name for each in shown] == ["precision", *(f"drift of f{n}" for n in range(3)), "precision"]
    assert left == {"drift of": 6}
    everything = [replace(each, state="warning") for each in drifts]
    assert in_short(everything) == (everything, {})
