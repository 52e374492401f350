"""What the dashboard shows, read from what the service, scoring and monitoring have written.

Each `read_...` is one section: plain data, computed by the engine in memory; nothing is written to the
workspace, and nothing is locked. What is missing or broken is a ProjectError, or a sentence in `notes`.
"""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.dashboard.charts import bars, over_time
    from handrail.dashboard.costs import read_budget, read_error_costs
    from handrail.dashboard.kpis import read_kpis
    from handrail.dashboard.monitored import read_alerts, read_monitored
    from handrail.dashboard.page import plain, told
    from handrail.dashboard.standing import read_standing
    from handrail.dashboard.tables import query
    from handrail.dashboard.volume import read_volume

__all__ = [
    "bars",
    "over_time",
    "plain",
    "query",
    "read_alerts",
    "read_budget",
    "read_error_costs",
    "read_kpis",
    "read_monitored",
    "read_standing",
    "read_volume",
    "told",
]

__getattr__ = lazy_names(
    __name__,
    {
        "bars": "charts",
        "over_time": "charts",
        "plain": "page",
        "query": "tables",
        "read_alerts": "monitored",
        "read_budget": "costs",
        "read_error_costs": "costs",
        "read_kpis": "kpis",
        "read_monitored": "monitored",
        "read_standing": "standing",
        "read_volume": "volume",
        "told": "page",
    },
)
