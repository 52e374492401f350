"""The verb `monitor`."""

import json
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from handrail.cli.parameters import window
from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.monitoring.monitoring_run import MonitoringRun

ALERT = 3


@verb()
@window()
@click.option("--relive", is_flag=True, help="live the months since live_from again, until the first alert")
def monitor(settings: "Settings", start: date | None, end: date | None, relive: bool) -> int:
    """Compare what is live with what is expected; raise alerts.

    Without days: the last 30 days of predictions. An alert is exit status 3.
    """
    from handrail.monitoring.alerts import failure_told
    from handrail.monitoring.backtesting import backtest
    from handrail.monitoring.monitoring_run import run_monitoring

    with failure_told(settings, look_back=relive or bool(start or end)):
        looks = backtest(settings) if relive else iter([run_monitoring(settings, start, end)])
    status = 0
    for seen in looks:
        _report(settings, seen, relive)
        if seen.alerts:
            return ALERT
        status = 1 if seen.problems else status
    return status


def _report(settings: "Settings", seen: "MonitoringRun", relived: bool) -> None:
    """Show, keep and act on one look, and name the checks that failed; `relived`: at the past, once more."""
    from handrail.config.sections import Live
    from handrail.console import say, table
    from handrail.files import write_whole
    from handrail.monitoring.alerts import raise_alerts
    from handrail.monitoring.monitoring_run import act_on

    say(f"{seen.start} to {seen.end}: {seen.rows:,} predictions, {seen.outcomes:,} outcomes known")
    rows = [(r.name, r.shown, f"{r.low:g} to {r.high:g}", r.state) for r in seen.readings]
    table(("", "is", "expected", ""), rows)
    least = settings.section(Live).minimum_outcomes
    if any(reading.state == "unknown" for reading in seen.readings) and min(seen.rows, seen.outcomes) < least:
        say(f"unknown is what fewer than {least:,} cannot tell: live.minimum_outcomes in project.yaml")
    report = settings.workspace / "reports" / "monitoring" / f"{seen.start}-{seen.end}.json"
    record = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "relived": relived} | seen.record()
    write_whole(report, json.dumps(record, indent=1, default=str) + "\n")
    for line in raise_alerts(settings, seen, relived=relived or not seen.newest):
        print(f"alert: {line}", file=sys.stderr)
    for problem in seen.problems:
        print(f"error: {problem}", file=sys.stderr)
    for line in (*seen.notes, *act_on(settings, seen)):
        say(line)
