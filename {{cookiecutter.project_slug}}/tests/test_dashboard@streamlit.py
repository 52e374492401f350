"""The dashboard shows every section, and in each what there is or what is missing."""

from handrail.testing import dashboard_page, small_run

from . import project

SECTIONS = [
    "Business KPIs",
    "Predictions",
    "Live accuracy",
    "Drift, and what else is watched",
    "Alerts",
    "What it costs",
]


def test_every_section_is_shown():
    page = dashboard_page(small_run(project).asked_copy(200))
    assert [header.value for header in page.header] == SECTIONS
    assert not page.exception
    assert not page.error
    said = [each.value.replace("\\", "") for each in page.markdown]
    assert any(line.startswith("200 predictions of ") for line in said)
    missing = [each.value.replace("\\", "") for each in page.info]
    assert any(line.startswith("no look at the predictions yet; `uv run ") for line in missing)
    assert not [line for line in missing if line.endswith("mend the query")]  # of dashboard/kpis.sql
