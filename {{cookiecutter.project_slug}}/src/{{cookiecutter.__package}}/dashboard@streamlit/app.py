"""The dashboard, for the sponsor first, then for the team. `show` lists the sections: move, drop or add one.

A section is Streamlit on what the engine reads. What is missing or broken is told in a sentence, and the
other sections are shown. Texts go through `plain`: what looks like Markdown in a name is none.
"""

import streamlit as st
from handrail import dashboard
from handrail.config import Settings
from handrail.dashboard import bars, over_time, plain, told


def show(settings: Settings) -> None:
    """Show the page."""
    st.title(plain(settings.name))
    for section in (standing, kpis, predictions, accuracy, drift, alerts, costs):
        with told():
            section(settings)


def standing(settings: Settings) -> None:
    """Show how far each stage is, what is live, and what comes next."""
    found = dashboard.read_standing(settings)
    st.markdown(plain(found.lead))
    for column, stage in zip(st.columns(len(found.stages)), found.stages, strict=True):
        column.metric(plain(stage.name), stage.reached)
    for line in (*found.live, found.next):
        st.markdown(plain(line))


def kpis(settings: Settings) -> None:
    """Show each business KPI: the newest figure, its goal, how it went. kpis.sql says how it is computed."""
    st.header("Business KPIs")
    found = dashboard.read_kpis(settings)
    for each in found.kpis:
        st.subheader(plain(each.kpi.text))
        if each.problem:
            st.info(plain(each.problem))
            continue
        figure, chart = st.columns([1, 3])
        figure.metric(plain(each.when), plain(each.shown))
        figure.markdown(f":{each.colour}[{plain(each.goal)}]")
        chart.vega_lite_chart(over_time({each.kpi.name: each.points}, *each.ends, unit=each.kpi.unit))
    for note in found.notes:
        st.info(plain(note))


def predictions(settings: Settings) -> None:
    """Show how many predictions there are by day and by whom, and what follows from them."""
    st.header("Predictions")
    found = dashboard.read_volume(settings)
    st.markdown(plain(found.told))
    left, right = st.columns(2)
    left.vega_lite_chart(bars(found.by_day, title="predictions of a day"))
    right.vega_lite_chart(over_time({found.acted: found.acted_by_day}, title=found.acted, unit=found.unit))


def accuracy(settings: Settings) -> None:
    """Show every live metric at each look, beside the range in which it is expected."""
    st.header("Live accuracy")
    found = dashboard.read_monitored(settings)
    for each in found.accuracy:
        st.subheader(plain(each.name))
        st.markdown(plain(each.told))
        st.vega_lite_chart(over_time(each.lines, each.newest.low, each.newest.high))
    for note in found.notes:
        st.info(plain(note))


def drift(settings: Settings) -> None:
    """Show how far the prediction and the features have moved, and the last reading of every figure."""
    st.header("Drift, and what else is watched")
    found = dashboard.read_monitored(settings)
    names = st.multiselect("Drift of", list(found.drift), found.furthest)
    lines = {name: found.drift[name].points for name in names}
    st.vega_lite_chart(over_time(lines, high=found.drift_limit, title="population stability index"))
    st.dataframe(found.table, hide_index=True)


def alerts(settings: Settings) -> None:
    """Show what the last look has found, and what was raised before."""
    st.header("Alerts")
    found = dashboard.read_alerts(settings)
    st.markdown(plain(found.told))
    st.dataframe(found.table, hide_index=True)
    for note in found.notes:
        st.info(plain(note))


def costs(settings: Settings) -> None:
    """Show what is spent of the budget, and what errors have cost where the outcome is known."""
    st.header("What it costs")
    with told():
        for line in dashboard.read_budget(settings).told:
            st.markdown(plain(line))
    found = dashboard.read_error_costs(settings)
    st.markdown(plain(found.told))
    for column, (name, total) in zip(st.columns(len(found.totals)), found.totals.items(), strict=True):
        column.metric(plain(name), f"{total:,.0f} {plain(found.currency)}")
    st.vega_lite_chart(bars(found.by_month, title=found.currency, by="month"))
