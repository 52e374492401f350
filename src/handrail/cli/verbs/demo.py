"""The verb `demo`."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings

ALERT = 3
STEPS: tuple[tuple[str, ...], ...] = (
    ("etl",),
    ("labels",),
    ("train", "--no-round", "--test"),
    ("promote",),
    ("serve", "--rehearse"),
    ("score",),
    ("monitor", "--relive"),
    ("status",),
)
NEED_AGREEMENT = ("promote", "serve", "score", "monitor")


@verb()
@click.option("--record", is_flag=True, help="write the result, time and cost into 1-discovery/decision.md")
def demo(settings: "Settings", record: bool) -> None:
    """Do everything once, from the raw data to the last gate of this project."""
    begun, alerts = time.perf_counter(), len(_alerts(settings))
    if record:
        _refuse_record(settings)
    seconds = _run_steps(settings, begun)
    if record:
        _record(settings, seconds)
    _summary(settings, time.perf_counter() - begun, alerts)


def _run_steps(settings: "Settings", begun: float) -> dict[str, float]:
    """Run the verbs one after another, and return the seconds of each; stop at the first that fails.

    An alert is what monitoring is for.
    """
    from handrail import cli
    from handrail.console import say

    present, seconds = cli.verb_names(settings.project), {}
    waiting = _waiting(settings, present)
    for verb_name, *arguments in (step for step in _steps(settings) if step[0] in present):
        if verb_name in waiting:
            continue
        if verb_name in ("score", "monitor") and _waits_for_rows(settings):
            say(f"\n{verb_name} is left out: every row has its outcome, so none is left to predict")
            continue
        newer = _newer_that_is_live(settings) if verb_name == "promote" else None
        if newer:
            say(f"\npromote is left out: {newer} is live, and has learnt from newer rows than the demo does")
            continue
        line = [verb_name, *arguments, *_small(settings)]
        started = time.perf_counter()
        _headline(settings, line, started - begun)
        status = cli.run(settings.project, line, warned=True)
        if status not in (0, ALERT):
            proves = settings.sample if verb_name == "promote" else None
            more = f"; {proves:,} rows may prove too little, so try more, as --sample 50000" if proves else ""
            raise ProjectError(
                f"demo: {verb_name} did not end well (status {status}); mend that and start again{more}"
            )
        seconds[verb_name] = time.perf_counter() - started
    return seconds


def _newer_that_is_live(settings: "Settings") -> str | None:
    """Return the live version if its split ends after the one of project.yaml; a demo never goes back."""
    from handrail.config.sections import Split
    from handrail.registry.live import load_live, read_live

    if read_live(settings) is None or not isinstance(settings.parted, Split):
        return None
    version, _ = load_live(settings)
    newer = version.info["split"].get("live_from", "") > str(settings.parted.live_from)
    return version.name if newer else None


def _steps(settings: "Settings") -> tuple[tuple[str, ...], ...]:
    """Return what is done; where chance parts the rows there is no past to live again, only what waits."""
    from handrail.config.sections import Shares

    if not isinstance(settings.split, Shares):
        return STEPS
    return tuple(("monitor",) if step[0] == "monitor" else step for step in STEPS)


def _waits_for_rows(settings: "Settings") -> bool:
    """Return whether nothing is left to predict, as every row that is loaded has its outcome."""
    from handrail.config.sections import Shares

    if not isinstance(settings.split, Shares) or not settings.project.has("batch"):
        return False
    from handrail.serving.batch import rows_to_score  # a library that only this part brings

    try:
        rows_to_score(settings, None, None, None)
    except ProjectError:
        return True
    return False


def _waiting(settings: "Settings", present: Sequence[str]) -> Sequence[str]:
    """Return the verbs that wait for what nobody has agreed on yet, after saying so; none where all is."""
    from handrail.console import say

    open_points = _not_agreed(settings) if "promote" in present else []
    for point in open_points:
        say(point)
    waiting = [name for name in NEED_AGREEMENT if open_points and name in present]
    if waiting:
        say(f"until then the demo leaves out: {', '.join(waiting)}")
    return waiting


def _not_agreed(settings: "Settings") -> list[str]:
    from handrail.registry.acceptance import not_agreed

    return not_agreed(settings)


def _small(settings: "Settings") -> tuple[str, ...]:
    return ("--sample", str(settings.sample)) if settings.sample else ()


def _refuse_record(settings: "Settings") -> None:
    """Refuse before the run what could not be recorded after it."""
    from handrail.stages.proof_of_concept import halves

    if not settings.sample:
        raise ProjectError("--record: a proof of concept is small; add --sample, as in --sample 50000")
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


def _alerts(settings: "Settings") -> list[str]:
    """Return the lines of the log of alerts, without those that only tell what is over."""
    path = settings.workspace / "reports" / "alerts.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in lines if json.loads(line)["alerts"]]


def _summary(settings: "Settings", seconds: float, alerts: int) -> None:
    """Say what was built, what was measured, and what to try next; `alerts`: how many there were before."""
    from handrail.console import say
    from handrail.registry.versions import load_version, newest_version
    from handrail.reports import PAGES
    from handrail.training.intervals import format_interval
    from handrail.training.splits import the_period

    version = load_version(settings, newest_version(settings))
    evaluation, metric = version.info["evaluation"], version.info["metric"]
    model, baseline = evaluation["model"][metric], evaluation["baseline"][metric]
    say(f"\nDone in {seconds:.0f} s.")
    say(f"Built     {settings.shown(version.path)}, from {version.info['rows']['training']:,} rows")
    say(
        f"Measured  {metric} {model['value']:.3f} ({format_interval(model)}) on "
        f"{evaluation['rows']:,} rows of {the_period(version.info['split'], 'test')}; "
        "the simple technique reaches "
        f"{baseline['value']:.3f}"
    )
    raised = _alerts(settings)[alerts:]
    if raised:
        say(f"Alert     {json.loads(raised[-1])['alerts'][0]}")
    for page, reader in PAGES.items():
        say(f"Read      {settings.shown(settings.workspace / 'reports' / page)}, {reader}")
    say("\nTry next")
    for command in _next_commands(settings):
        say(f"  uv run {command}")


def _next_commands(settings: "Settings") -> list[str]:
    """Return three: learn from newer rows, let the gate or the tests judge, see where the project stands."""
    from handrail.cli import verb_names
    from handrail.training.known_outcomes import today_of
    from handrail.training.retraining import newer_end

    until = newer_end(settings, today_of(settings))
    lines = [f"train --until {until}" if until else "rounds"]
    lines += ["promote"] if "promote" in verb_names(settings.project) and not _not_agreed(settings) else []
    own = [" ".join((settings.project.program, line, *_small(settings))) for line in [*lines, "status"]]
    return own if "promote" in lines else [*own, "pytest"]
