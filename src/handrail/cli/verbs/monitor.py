"""The verb `monitor`."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from handrail.cli.parameters import window
from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.monitoring.checks import Reading
    from handrail.monitoring.monitoring_run import MonitoringRun

ALERT = 3
BY_FEATURE = ("drift of", "missing values of", "new values of")
LONGEST = 3  # readings of features that are ok and shown, of each kind


@verb()
@window()
@click.option("--relive", is_flag=True, help="live the months since live_from again, until the first alert")
@click.option("--html", is_flag=True, help="write every figure over time to reports/monitoring.html, too")
@click.option("--dry-run", is_flag=True, help="only show: keep nothing, tell nobody, change nothing")
def monitor(
    settings: "Settings", start: date | None, end: date | None, relive: bool, html: bool, dry_run: bool
) -> int:
    """Compare what is live with what is expected; raise alerts.

    Without days: the last 30 days of predictions. An alert is exit status 3.
    """
    from handrail.console import progress, say
    from handrail.errors import ProjectError
    from handrail.monitoring.alerts import failure_told
    from handrail.monitoring.backtesting import backtest
    from handrail.monitoring.monitoring_run import run_monitoring
    from handrail.monitoring.series_page import write_series_page
    from handrail.serving.shared_log import fetch

    if dry_run and (relive or html):
        raise ProjectError(f"--dry-run: keeps nothing; leave out {'--relive' if relive else '--html'}")
    if relive and (start or end):
        raise ProjectError("--relive: lives all months since live_from again; leave out --from and --to")
    with failure_told(settings, look_back=relive or dry_run or bool(start or end)):
        fetch(settings, dry_run=dry_run)
        if relive:
            looks = backtest(settings)
        else:
            with progress("monitor"):
                looks = iter([run_monitoring(settings, start, end)])
    status = 0
    for seen in looks:
        _show(settings, seen)
        if not (relive or seen.newest):
            say("a look back: it tells nobody, and switches nothing")
        if _keep_and_act(settings, seen, relived=relive, dry_run=dry_run):
            status = ALERT
            break
        status = 1 if seen.problems else status
    if html:
        say(f"every figure over time: {write_series_page(settings, datetime.now(UTC).date())}")
    return status


def _show(settings: "Settings", seen: "MonitoringRun") -> None:
    """Show the readings of a look, why some are not known, and what has to be said of it."""
    from handrail.console import say, table

    say(f"{seen.start} to {seen.end}: {seen.rows:,} predictions, {seen.outcomes:,} outcomes known")
    shown, rest = in_short(seen.readings)
    table(("", "is", "expected", ""), [(r.name, r.shown, r.expected, r.state) for r in shown])
    for kind, count in rest.items():
        say(f"{kind}: {count} more, all ok")
    for why, names in seen.unknown.items():
        say(f"not known: {', '.join(names)}: {why}")
    if seen.aged:
        say(f"the age of the model counts from {seen.aged[0]}, before which it has learnt, to {seen.aged[1]}")
    for line in seen.notes:
        say(line)


def in_short(readings: "Iterable[Reading]") -> "tuple[list[Reading], dict[str, int]]":
    """Return the readings to show, and how many were left out of each kind, as `drift of`.

    Of a kind with one for each feature, those that are ok are left out but for the first LONGEST.
    """
    shown, left, seen = [], Counter[str](), Counter[str]()
    for each in readings:
        kind = next((name for name in BY_FEATURE if each.name.startswith(name)), None)
        if kind and each.state == "ok" and seen[kind] >= LONGEST:
            left[kind] += 1
            continue
        seen[kind or each.name] += 1
        shown.append(each)
    return shown, dict(left)


def _keep_and_act(settings: "Settings", seen: "MonitoringRun", *, relived: bool, dry_run: bool) -> bool:
    """Keep and act on one look, name the checks that failed, and return whether there is an alert.

    `relived`: a look at the past, once more. `dry_run`: all is only said.
    """
    from handrail.console import say
    from handrail.monitoring.alerts import raise_alerts
    from handrail.monitoring.monitoring_run import act_on

    if not dry_run:
        _keep(settings, seen, relived=relived)
    past = "relived" if relived else None if seen.newest else "back"
    told = raise_alerts(settings, seen, past=past, dry_run=dry_run)
    for line in told.alerts:
        print(f"alert: {line}", file=sys.stderr)
    for line in told.undelivered:
        print(f"error: {line}", file=sys.stderr)
    for line in told.over:
        say(line)
    for line in told.closed:
        say(f"closed by hand, and not over: {line}")
    for problem in seen.problems:
        print(f"error: {problem}", file=sys.stderr)
    for line in act_on(settings, seen, dry_run=dry_run):
        say(line)
    if dry_run:
        say("nothing is kept, told or changed: --dry-run")
    return bool(told.alerts)


def _keep(settings: "Settings", seen: "MonitoringRun", *, relived: bool) -> None:
    from handrail.files import write_whole
    from handrail.monitoring.series import keep_series

    at = datetime.now(UTC)
    kind = "-relived" if relived else "" if seen.newest else "-back"
    report = settings.workspace / "reports" / "monitoring" / f"{seen.start}-{seen.end}{kind}.json"
    record = {"at": at.isoformat(timespec="seconds"), "relived": relived} | seen.record()
    write_whole(report, json.dumps(record, indent=1, default=str) + "\n")
    keep_series(settings, seen, at, relived=relived)
