"""Compare what is live with what is expected; raise alerts."""

import json
import sys
from argparse import ArgumentParser, Namespace
from datetime import date
from typing import TYPE_CHECKING

from handrail.config.settings import Settings

if TYPE_CHECKING:
    from handrail.monitoring.monitoring_run import MonitoringRun

ALERT = 3


def add_arguments(parser: ArgumentParser) -> None:
    """Take the window; by default, the last 30 days of predictions."""
    parser.add_argument("--from", dest="start", type=date.fromisoformat, metavar="DATE", help="first day")
    parser.add_argument("--to", dest="end", type=date.fromisoformat, metavar="DATE", help="first day after")
    parser.add_argument(
        "--relive", action="store_true", help="live the months since live_from again, until the first alert"
    )


def run(options: Namespace, settings: Settings) -> int:
    """Show every reading; exit with 3 where there is an alert."""
    from handrail.monitoring.backtest import backtest
    from handrail.monitoring.monitoring_run import run_monitoring

    looks = (
        backtest(settings) if options.relive else iter([run_monitoring(settings, options.start, options.end)])
    )
    for seen in looks:
        if _report(settings, seen):
            return ALERT
    return 0


def _report(settings: Settings, seen: "MonitoringRun") -> bool:
    """Show, keep and act on one look; tell whether it raised an alert."""
    from handrail.console import say, table
    from handrail.files import write_whole
    from handrail.monitoring.alerts import raise_alerts
    from handrail.registry.canary import end_canary
    from handrail.registry.live import use_fallback

    say(f"{seen.start} to {seen.end}: {seen.rows:,} predictions, {seen.outcomes:,} outcomes known")
    rows = [(r.name, r.shown, f"{r.low:g} to {r.high:g}", r.state) for r in seen.readings]
    table(("", "is", "expected", ""), rows)
    report = settings.workspace / "reports" / "monitoring" / f"{seen.start}-{seen.end}.json"
    write_whole(report, json.dumps(seen.record(), indent=1, default=str) + "\n")
    for line in raise_alerts(settings, seen):
        print(f"alert: {line}", file=sys.stderr)
    if seen.baseline_better:
        use_fallback(settings, f"the baseline did better from {seen.start} to {seen.end}")
        say("the baseline did better: the fallback answers until the next promotion or rollback")
    if seen.canary_worse:
        withdrawn = end_canary(settings, f"the canary did worse from {seen.start} to {seen.end}")
        say(f"the canary did worse: {withdrawn} is withdrawn, the live version answers everything")
    return bool(seen.alerts)
