"""How a moment is told to people: to the minute, with its time zone."""

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """Return a moment that knows its time zone as `2026-03-02 05:17 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
