"""The page itself, as Streamlit runs it: every section is there, whatever is missing or broken."""

import re

import pytest

from handrail import Project
from handrail.cli import run
from handrail.config.sections import ErrorCosts
from handrail.config.settings import Settings
from handrail.dashboard import bars, over_time, plain, read_kpis
from handrail.dashboard.server import OPTIONS, command_of, free_port
from handrail.errors import ProjectError
from handrail.testing import dashboard_page
from tests.engine.support.lived import first_month_predicted
from tests.engine.support.workspaces import PROJECT

SECTIONS = ["Business KPIs", "Predictions", "Live accuracy", "Drift, and what else is watched", "Alerts"]
SECTIONS += ["What it costs"]


def said(parts):
    """Return texts of the page as people read them."""
    return [re.sub(r"\\(.)", r"\1", part.value) for part in parts]


def in_place_of(settings, show):
    """Return the same workspace as that of a project with another page."""
    project = Project(settings.project.package, given={"dashboard": show}, root=settings.root)
    return project.settings_type.model_construct(**dict(settings))


def test_where_nothing_was_done_each_section_says_what_brings_it(empty):
    page = dashboard_page(empty)
    program = f"uv run {PROJECT.program}"
    prediction = (
        f"no prediction yet; `{program} promote --sample 20000` puts a model into staging, then "
        f"`{program} score --sample 20000` makes the first"
    )
    look = f"no look at the predictions yet; `{program} monitor --sample 20000` is the first"
    assert [header.value for header in page.header] == SECTIONS
    assert said(page.info) == [prediction, prediction, look, look, prediction]
    assert not page.exception
    assert not page.error
    lines = said(page.markdown)
    assert f"no model is live; `{program} promote --sample 20000` puts one into staging" in lines
    assert "nobody has looked yet" in lines
    assert "Budget: 31,000 of 150,000 USD spent, 119,000 left." in lines


@pytest.fixture(scope="module")
def predicted(trained, tmp_path_factory):
    """Return settings of a workspace whose live version has predicted its first month; read only."""
    return first_month_predicted(trained, tmp_path_factory.mktemp("predicted"))


def test_figures_on_the_page_are_those_that_were_read(predicted):
    page = dashboard_page(predicted)
    assert not page.exception
    assert not page.error
    shown = {metric.label.replace("\\", ""): metric.value.replace("\\", "") for metric in page.metric}
    for kpi in read_kpis(predicted).kpis:
        assert kpi.problem == ""
        assert kpi.newest is not None
        assert f"{kpi.newest[1]:.1%}" in shown.values()
        assert kpi.when in shown
    assert "doing nothing" in shown


def test_a_section_that_fails_is_a_line_and_the_next_is_shown(empty, caplog):
    def show(settings: Settings):
        import streamlit as st

        from handrail.dashboard import told

        for message in ("a_b *c*", "<i>d</i>"):
            with told():
                raise ValueError(message)
        st.header("the end")

    page = dashboard_page(in_place_of(empty, show))
    assert said(page.error) == [
        f"ValueError: {message}; the log of `dashboard` has the place" for message in ("a_b *c*", "<i>d</i>")
    ]
    assert page.header[0].value == "the end"
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "text", ["*a* _b_ [c](http://d) $e$ :red[f] <b>g</b> ~h~ `i` | # - j", "a\n\n    b\n# c"]
)
def test_a_text_is_shown_as_it_stands_on_one_line(text):
    shown = plain(text)
    assert re.sub(r"\\(.)", r"\1", shown) == " ".join(text.split())
    assert re.findall(r"(?<!\\)[*_\[\]()$:<>~`|#]", re.sub(r"\\.", "", shown)) == []


def test_a_day_is_the_same_day_in_every_zone_and_ends_are_drawn():
    from datetime import date

    chart = over_time({"a": [(date(2024, 1, 1), 0.5)]}, low=0.4, unit="share")
    line, limit = chart["layer"]
    assert line["data"]["values"] == [
        {"day": "2024-01-01T00:00:00Z", "on": "2024-01-01", "of": "a", "value": 0.5}
    ]
    assert line["encoding"]["x"]["scale"] == {"type": "utc"}
    assert limit["data"]["values"] == [{"value": 0.4, "of": "at least"}]
    assert bars([(date(2024, 1, 1), "b", 3)], by="month")["encoding"]["x"]["timeUnit"] == "utcyearmonth"


def test_it_is_served_to_this_machine_with_protection_on_and_nothing_told_to_others(empty):
    command, _ = command_of(empty, "127.0.0.1", 8501)
    line = " ".join(command)
    for option in (
        "--browser.gatherUsageStats false",
        "--server.address 127.0.0.1",
        "--server.enableCORS true",
        "--server.enableXsrfProtection true",
        "--server.fileWatcherType none",
        "--server.headless true",
        "--server.showEmailPrompt false",
        "--server.allowedHosts 127.0.0.1 --server.allowedHosts localhost",
    ):
        assert option in line
    assert line.endswith(f"-- {PROJECT.package} {empty.root.as_posix()} 20000")
    assert "allowedHosts" not in " ".join(command_of(empty, "0.0.0.0", 8501)[0])


def test_streamlit_knows_every_option():
    from streamlit import config

    assert OPTIONS.keys() <= config.get_config_options().keys()


def test_a_port_that_is_taken_is_told_in_a_line(empty):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ProjectError, match=rf"can't listen on 127\.0\.0\.1:{port}: .*; see --host and --port"
        ):
            free_port("127.0.0.1", port)
    assert free_port("127.0.0.1", 0) > 0


def test_without_streamlit_the_extra_is_named(empty, monkeypatch):
    monkeypatch.setattr("handrail.dashboard.server.find_spec", lambda name: None)
    with pytest.raises(
        ProjectError, match=r"streamlit is not installed; it comes with handrail\[dashboard\]"
    ):
        command_of(empty, "127.0.0.1", 8501)


def test_a_project_without_the_part_has_no_such_verb(capsys):
    parts = PROJECT.parts - {"dashboard"}
    without = Project(PROJECT.package, given={"parts": parts}, root=PROJECT.root)
    assert run(without, ["dashboard"]) == 2
    assert "it comes with dashboard, and this project has no" in capsys.readouterr().err


def test_costs_that_nobody_agreed_on_are_told(predicted):
    page = dashboard_page(
        predicted.model_copy(update={"error_costs": ErrorCosts(currency="units", too_low=1, too_high=1)})
    )
    assert "nobody has said yet what an error costs; `error_costs` in project.yaml says it" in said(page.info)
