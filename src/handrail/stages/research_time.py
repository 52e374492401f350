"""How long research takes: its days count until its report is agreed."""

from datetime import UTC, date, datetime

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.stages.checklist import read_checklist

REPORT = "2-research/report.md"


def counted_until(settings: Settings) -> date:
    """Return the last day that research costs: that of the last tick, once its report is agreed; else today.

    The worked example's ticks don't count for data of one's own.
    """
    today = datetime.now(UTC).date()
    try:
        items = [] if settings.borrowed else read_checklist(settings, REPORT)
    except ProjectError:  # the gate says what is wrong with it
        return today
    days = [item.date for item in items if item.done and item.date]
    return max(days) if items and len(days) == len(items) else today
