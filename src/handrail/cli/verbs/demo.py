"""The verb `demo`."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.sections import Split
    from handrail.config.settings import Settings

ALERT = 3
MONTHS_LATER = timedelta(days=61)
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


@verb()
@click.option("--record", is_flag=True, help="write the result, time and cost into 1-discovery/decision.md")
def demo(settings: "Settings", record: bool) -> None:
    """Do everything once, from the raw data to the last gate of this project."""
    begun = time.perf_counter()
    if record:
        _refuse_record(settings)
    seconds = _run_steps(settings, begun)
    if record:
        _record(settings, seconds)
    _summary(settings, time.perf_counter() - begun)


def _run_steps(settings: "Settings", begun: float) -> dict[str, float]:
    """Run the verbs one after another, and return the seconds of each; stop at the first that fails.

    An alert is what monitoring is for.
    """
    from handrail import cli

    present, seconds = cli.verb_names(settings.project), {}
    for verb_name, *arguments in (step for step in STEPS if step[0] in present):
        line = [verb_name, *arguments, *_small(settings)]
        started = time.perf_counter()
        _headline(settings, line, started - begun)
        status = cli.run(settings.project, line, warned=True)
        if status not in (0, ALERT):
            raise ProjectError(
                f"demo: {verb_name} did not end well (status {status}); mend that and start again"
            )
        seconds[verb_name] = time.perf_counter() - started
    return seconds


def _small(settings: "Settings") -> tuple[str, ...]:
    return ("--sample", str(settings.sample)) if settings.sample else ()


def _refuse_record(settings: "Settings") -> None:
    """Refuse before the run what could not be recorded after it."""
    from handrail.stages.proof_of_concept import halves

    if not settings.sample:
        raise ProjectError("--record: a proof of concept is small; add --sample, as in --sample 20000")
    halves(settings)


def _record(settings: "Settings", seconds: Mapping[str, float]) -> None:
    from handrail.console import say
    from handrail.registry.versions import load_version, newest_version
    from handrail.stages import proof_of_concept

    version = load_version(settings, newest_version(settings))
    proof_of_concept.record(settings, version, seconds, date.today())
    say(f"\nrecorded in {proof_of_concept.FILE}")


def _headline(settings: "Settings", line: Sequence[str], seconds: float) -> None:
    from handrail.console import say

    sys.stderr.flush()
    say(f"\n[{seconds:5.1f} s] {settings.project.program} {' '.join(line)}")


def _summary(settings: "Settings", seconds: float) -> None:
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
    for command in _next_commands(settings):
        say(f"  uv run {command}")


def _next_commands(settings: "Settings") -> list[str]:
    """Return three: learn from newer rows, let the gate or the tests judge, see where the project stands."""
    from handrail.cli import verb_names

    until = newer_end(settings)
    lines = [f"train --until {until}" if until else "rounds"]
    lines += ["promote"] if "promote" in verb_names(settings.project) else []
    own = [" ".join((settings.project.program, line, *_small(settings))) for line in [*lines, "status"]]
    return own if "promote" in lines else [*own, "pytest"]


def newer_end(settings: "Settings") -> date | None:
    """Return a day up to which can be trained on rows newer than those of the split in project.yaml.

    The first of a month, about two months after `live_from`; at most the day after the newest outcome that is
    known. None where the table has nothing newer, or a period would have no two different outcomes.
    """
    from handrail.compute.duckdb import connect, identifier, row
    from handrail.etl.load import require_table

    project, live_from = settings.project, settings.dates.live_from
    table = require_table(settings, project.table_name)
    known = f"(SELECT * FROM {table} WHERE {identifier(project.target)} IS NOT NULL)"
    with connect(settings) as connection:
        latest = f"SELECT CAST(max({identifier(project.time)}) AS DATE) AS day FROM {known}"
        newest = row(connection, latest)["day"]
        if newest is None or newest < live_from:
            return None
        until = min((live_from + MONTHS_LATER).replace(day=1), newest + timedelta(days=1))
        outcomes = row(connection, _outcomes(settings, known, settings.dates.ending(until)))
    return until if all(count > 1 for count in outcomes.values()) else None


def _outcomes(settings: "Settings", known: str, split: "Split") -> str:
    """Return the query for the number of different outcomes in each period of `split`."""
    from handrail.compute.duckdb import identifier
    from handrail.training.dataset import period

    bounds = ((None, split.validation_from), (split.validation_from, split.test_from))
    periods = [
        period(settings.project.contract, start, end)
        for start, end in (*bounds, (split.test_from, split.live_from))
    ]
    target = identifier(settings.project.target)
    counts = [
        f"count(DISTINCT {target}) FILTER ({where}) AS outcomes{number}"
        for number, where in enumerate(periods)
    ]
    return f"SELECT {', '.join(counts)} FROM {known}"
