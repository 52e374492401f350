"""The dashboard of a baked project, in a real browser: it shows what the files say, and asks nobody else."""

import re
from urllib.parse import urlsplit

import duckdb
import pytest

from tests.projects.dashboard_browser import BROWSERS, browser_there, opened, served
from tests.template.baking import bake_new, ran

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("dashboard"),
    pytest.mark.skipif(browser_there() is None, reason=f"none of {', '.join(BROWSERS)} is here"),
]
SAMPLE = ("--sample", "50000")
STRANGE = "<img src=x onerror=alert(1)> **b** [l](http://outside.example) ![p](http://outside.example/p.png)"


@pytest.fixture(scope="module")
def shown(cookies_session):
    """A project in which the demo was run on a sample, with a name that looks like HTML and Markdown."""
    project = bake_new(cookies_session, {"notebooks": "none"})
    ran(project, "uv", "run", "late-flights", "demo", *SAMPLE)
    facts = project.path / "project.yaml"
    text = facts.read_text(encoding="utf-8")
    facts.write_text(text.replace('name: "Late Flights"', f"name: '{STRANGE}'", 1), encoding="utf-8")
    return project


def by_hand(project):
    """Return what the page has to show, computed from the files alone."""
    folder = project.path / "sample" / "50000"
    duckdb.sql(f"CREATE OR REPLACE VIEW told AS FROM '{folder}/data/predictions/*.parquet'")
    duckdb.sql(
        f"CREATE OR REPLACE VIEW came AS SELECT flight_id, late FROM '{folder}/data/departures.parquet'"
    )
    both = "SELECT * FROM told JOIN came USING (flight_id) WHERE late IS NOT NULL"
    week = f"SELECT * FROM ({both}) WHERE date_trunc('week', scheduled_at) = DATE '2013-12-23'"
    ((recall, precision),) = duckdb.sql(
        f"SELECT avg(flagged::INT) FILTER (late = 1), avg(late) FILTER (flagged) FROM ({week})"
    ).fetchall()
    costs = "sum(CASE WHEN flagged AND late = 0 THEN 100 WHEN NOT flagged AND late = 1 THEN 200 ELSE 0 END)"
    ((known, acting, idle),) = duckdb.sql(
        f"SELECT count(*), {costs}, sum(200 * late) FROM ({both})"
    ).fetchall()
    return {
        "recall": f"{recall:.1%}",
        "precision": f"{precision:.1%}",
        "known": f"{known:,} predictions whose outcome is known",
        "acting": f"{acting:,} USD",
        "idle": f"{idle:,} USD",
    }


def test_the_page_shows_the_figures_of_the_files_and_asks_nobody_else(shown):
    with served(shown.path, *SAMPLE) as address, opened(address, "What it costs") as seen:
        text, page = seen.text, seen.page
        charts = page.get_by_test_id("stVegaLiteChart")
        assert charts.count() == 8
        assert all(charts.nth(place).is_visible() for place in range(8))
        assert page.locator("img[src=x], h1 img, h1 b, h1 strong").count() == 0
        links = page.locator("a[href*='//outside']").all()
        assert [link.inner_text() for link in links] == [link.get_attribute("href") for link in links]
    figures = by_hand(shown)
    assert {name: figure for name, figure in figures.items() if figure not in text} == {}
    assert STRANGE in text
    assert text.count("week from 2013-12-23") == 2
    assert len(re.findall(r"goal (?:met|missed): at least \d\d\.0%", text)) == 2
    assert re.search(r"[\d,]+ predictions of 2013-09-01 to 2013-12-31: ", text)
    assert "nobody has looked yet" in text  # months were only lived again
    assert "Budget: 31,000 of 150,000 USD spent, 119,000 left." in text
    assert "Traceback" not in text
    places = {urlsplit(url).hostname for url in seen.requests if not url.startswith(("data:", "blob:"))}
    assert places == {"127.0.0.1"}
    assert len(seen.requests) > 20
    assert seen.errors == []


def test_broken_files_are_told_in_a_line_and_the_rest_is_shown(shown):
    folder = shown.path / "sample" / "50000"
    live, alerts = folder / "models" / "live.json", folder / "reports" / "alerts.jsonl"
    queries = shown.path / "src" / "late_flights" / "dashboard" / "kpis.sql"
    before = {path: path.read_bytes() for path in (live, alerts, queries)}
    live.write_text("{")
    alerts.write_bytes(before[alerts] + b'{"at": "20')
    queries.write_bytes(before[queries].replace(b"avg(late)", b"avg(sick)"))
    try:
        with served(shown.path, *SAMPLE) as address, opened(address, "What it costs") as seen:
            text = seen.text
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    assert "live.json: not readable" in text
    assert f"{shown.path.name}" not in text.partition("What it costs")[2]
    assert "alerts.jsonl, line 2 can't be read, and is left out" in text
    assert "src/late_flights/dashboard/kpis.sql: warnings_right: " in text
    assert by_hand(shown)["recall"] in text
    assert "Traceback" not in text
    assert seen.errors == []
