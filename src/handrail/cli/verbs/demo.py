"""Do everything once, from the raw data to the last gate of this project."""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from handrail import cli
from handrail.config.settings import Settings
from handrail.errors import ProjectError

ALERT = 3
STEPS: tuple[tuple[str, ...], ...] = (
    ("etl",),
    ("labels",),
    ("train", "--no-round"),
    ("promote",),
    ("serve", "--rehearse"),
    ("score",),
    ("monitor", "--relive"),
    ("status",),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Let the result of a small run be written into the decision page."""
    parser.add_argument(
        "--record", action="store_true", help="write the result, time and cost into 1-discovery/decision.md"
    )


def run(options: Namespace, settings: Settings) -> int:
    """Run the verbs one after another; stop at the first that fails. An alert is what monitoring is for."""
    small = ("--sample", str(settings.sample)) if settings.sample else ()
    if options.record:
        _refuse_record(settings)
    begun, seconds = time.perf_counter(), {}
    for verb, *arguments in (step for step in STEPS if step[0] in cli.verbs(settings.project)):
        _headline(settings, verb, [*arguments, *small], (started := time.perf_counter()) - begun)
        status = cli.run(settings.project, [verb, *arguments, *small], warned=True)
        if status not in (0, ALERT):
            raise ProjectError(f"demo: {verb} did not end well (status {status}); mend that and start again")
        seconds[verb] = time.perf_counter() - started
    if options.record:
        _record(settings, seconds)
    _summary(settings, small, time.perf_counter() - begun)
    return 0


def _refuse_record(settings: Settings) -> None:
    """Refuse before the run what could not be recorded after it."""
    from handrail.stages.proof_of_concept import halves

    if not settings.sample:
        raise ProjectError("--record: a proof of concept is small; add --sample, as in --sample 20000")
    halves(settings)


def _record(settings: Settings, seconds: Mapping[str, float]) -> None:
    from handrail.console import say
    from handrail.registry.versions import load_version, newest_version
    from handrail.stages import proof_of_concept

    version = load_version(settings, newest_version(settings))
    proof_of_concept.record(settings, version, seconds, date.today())
    say(f"\nrecorded in {proof_of_concept.FILE}")


def _headline(settings: Settings, verb: str, arguments: Sequence[str], seconds: float) -> None:
    from handrail.console import say

    sys.stderr.flush()
    say(f"\n[{seconds:5.1f} s] {settings.project.program} {' '.join((verb, *arguments))}")


def _summary(settings: Settings, small: Sequence[str], seconds: float) -> None:
    """Say what was built, what was measured, and what to try next."""
    from handrail.console import say
    from handrail.registry.versions import load_version, newest_version
    from handrail.reports import PAGES

    version = load_version(settings, newest_version(settings))
    evaluation, metric = version.info["evaluation"], version.info["metric"]
    model, baseline = evaluation["model"][metric], evaluation["baseline"][metric]
    say(f"\nDone in {seconds:.0f} s.")
    say(f"Built     {settings.shown(version.path)}, from {version.info['rows']['training']:,} rows")
    say(
        f"Measured  {metric} {model['value']:.3f} ({model['low']:.3f} to {model['high']:.3f}) on "
        f"{evaluation['rows']:,} later rows; the simple technique reaches {baseline['value']:.3f}"
    )
    alerts = settings.workspace / "reports" / "alerts.jsonl"
    if alerts.is_file():
        last = json.loads(alerts.read_text(encoding="utf-8").splitlines()[-1])
        say(f"Alert     {last['alerts'][0]}")
    for page, reader in PAGES.items():
        say(f"Read      {settings.shown(settings.workspace / 'reports' / page)}, {reader}")
    say("\nTry next")
    for command in _next_commands(settings, small):
        say(f"  uv run {command}")


def _next_commands(settings: Settings, small: Sequence[str]) -> list[str]:
    """Return three: learn from newer rows, let the gate or the tests judge, see where the project stands."""
    newer = (settings.dates.live_from + timedelta(days=61)).replace(day=1)
    own = {"train": f"train --until {newer}", "promote": "promote", "status": "status"}
    tries = [
        " ".join((settings.project.program, line, *small))
        for verb, line in own.items()
        if verb in cli.verbs(settings.project)
    ]
    return tries if "promote" in cli.verbs(settings.project) else [*tries, "pytest"]
