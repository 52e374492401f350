"""The charts of the dashboard, as specifications of Vega-Lite, which Streamlit brings."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from handrail.dashboard.kpis import SHARE

Chart = dict[str, Any]
COLOURS = ("#1f5f99", "#d0812e", "#5a8f4e", "#8a5a9e", "#8a8f98", "#4aa3a0", "#b58900", "#6c71c4", "#a0522d")
LIMIT = "#b3402e"
HEIGHT = 220
PLAIN, PERCENT, WHOLE = ",.4~f", ".1%", ",.0f"


def over_time(
    lines: Mapping[str, Sequence[tuple[date, float]]],
    low: float | None = None,
    high: float | None = None,
    *,
    title: str = "",
    unit: str = "",
) -> Chart:
    """Return a chart of figures by day, one line for each name, and between which ends they should be.

    low, high: drawn as dashed lines; None without · title, unit: what stands above it; figures of the unit
    `share` are told in percent
    """
    style = PERCENT if unit == SHARE else PLAIN
    values = [
        {**_day(day), "of": name, "value": value} for name, points in lines.items() for day, value in points
    ]
    ends = [{"value": end, "of": of} for end, of in ((low, "at least"), (high, "at most")) if end is not None]
    y = {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}}
    y["axis"] = {"format": style}
    line = {
        "data": {"values": values},
        "mark": {"type": "line", "point": True},
        "encoding": {"x": _days(), "y": y, "color": _colours(list(lines)), "tooltip": _told("value", style)},
    }
    limit = {
        "data": {"values": ends},
        "mark": {"type": "rule", "strokeDash": [6, 4], "color": LIMIT, "size": 1.5},
        "encoding": {"y": y, "tooltip": _told("value", style)[::2]},
    }
    said = title or ("" if unit == SHARE else unit)
    return {"height": HEIGHT, "title": _titled(said), "layer": [line, limit]}


def bars(
    rows: Sequence[tuple[date, str, float]], *, title: str = "", by: Literal["day", "month"] = "day"
) -> Chart:
    """Return a chart of amounts, each with its day and its name: of days stacked, of months side by side."""
    names = list(dict.fromkeys(name for _, name, _ in rows))
    encoding: dict[str, Any] = {
        "x": _days() | {"timeUnit": "utcyearmonthdate" if by == "day" else "utcyearmonth"},
        "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"format": PLAIN}},
        "color": _colours(names),
        "tooltip": _told("value", WHOLE),
    }
    if by == "month":
        encoding["xOffset"] = {"field": "of", "sort": names}
    values = [{**_day(day), "of": name, "value": amount} for day, name, amount in rows]
    return {
        "height": HEIGHT,
        "title": _titled(title),
        "data": {"values": values},
        "mark": {"type": "bar", "binSpacing": 0},
        "encoding": encoding,
    }


def _titled(title: str) -> dict[str, Any]:
    return {"text": title, "anchor": "start", "fontSize": 13, "fontWeight": "normal"}


def _day(day: date) -> dict[str, str]:
    """Return a day as an instant that no browser moves to another zone, and as a text."""
    return {"day": f"{day}T00:00:00Z", "on": f"{day}"}


def _days() -> dict[str, Any]:
    axis = {"format": "%Y-%m-%d", "tickCount": 6, "labelOverlap": True}
    return {"field": "day", "type": "temporal", "title": None, "scale": {"type": "utc"}, "axis": axis}


def _told(field: str, style: str) -> list[dict[str, Any]]:
    """Return what is told of a point: of what, of which day, how much."""
    return [
        {"field": "of", "type": "nominal", "title": " "},
        {"field": "on", "type": "nominal", "title": "day"},
        {"field": field, "type": "quantitative", "title": "is", "format": style},
    ]


def _colours(names: Sequence[str]) -> dict[str, Any]:
    """Return one colour for each name, told below the chart where there are several."""
    legend = {"orient": "bottom", "title": None, "labelLimit": 400} if len(names) > 1 else None
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(names))]
    return {
        "field": "of",
        "type": "nominal",
        "scale": {"domain": list(names), "range": colours},
        "legend": legend,
    }
