"""Whether the live model still does what was measured."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.monitoring.backtesting import backtest
    from handrail.monitoring.checks import Check, Look, Reading
    from handrail.monitoring.monitoring_run import MonitoringRun, run_monitoring

__all__ = ["Check", "Look", "MonitoringRun", "Reading", "backtest", "run_monitoring"]

__getattr__ = lazy_names(
    __name__,
    {
        "Check": "checks",
        "Look": "checks",
        "MonitoringRun": "monitoring_run",
        "Reading": "checks",
        "backtest": "backtesting",
        "run_monitoring": "monitoring_run",
    },
)
