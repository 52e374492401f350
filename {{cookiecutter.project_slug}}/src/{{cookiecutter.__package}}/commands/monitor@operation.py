"""Compare what is live with what is expected; raise alerts."""

import json
import sys
from argparse import ArgumentParser, Namespace
from datetime import date

from ..settings import Settings

ALERT = 3


def add_arguments(parser: ArgumentParser) -> None:
    """Take the window."""
    parser.add_argument("--from", dest="start", type=date.fromisoformat, metavar="DATE", help="first day")
    parser.add_argument(
        "--to", dest="end", type=date.fromisoformat, metavar="DATE", help="first day after (default: 30 days to the last prediction)"
    )


def run(options: Namespace, settings: Settings) -> int:
    """Show every reading; exit with 3 where there is an alert."""
    from ..console import progress, say, table
    from ..model.registry import use_fallback, write_whole
    from ..monitor.alerts import raise_alerts
    from ..monitor.watch import watch

    with progress("monitor"):
        seen = watch(settings, options.start, options.end)
    rows = [(r.name, f"{r.value:.3f}", f"{r.low:g} to {r.high:g}", r.state) for r in seen.readings]
    title = f"{seen.start} to {seen.end}: {seen.rows:,} predictions, {seen.outcomes:,} outcomes known"
    table(title, ("", "is", "expected", ""), rows)
    report = settings.workspace / "reports" / "monitoring" / f"{seen.start}-{seen.end}.json"
    write_whole(report, json.dumps(seen.record(), indent=1, default=str) + "\n")
    for line in raise_alerts(settings, seen):
        print(f"alert: {line}", file=sys.stderr)
    if seen.baseline_better:
        use_fallback(settings, f"the baseline did better from {seen.start} to {seen.end}")
        say("the baseline did better than the model: the fallback answers until the next promotion or rollback")
    return ALERT if seen.alerts else 0
