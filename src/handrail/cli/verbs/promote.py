"""The verb `promote`."""

import sys
from typing import TYPE_CHECKING, Any

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.registry.versions import Version


class Share(click.ParamType):
    """A share of all requests: more than none and less than all."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share; a text that is none is wrong usage."""
        try:
            share = float(value)
        except ValueError:
            share = 0.0
        if not 0 < share < 1:
            self.fail(f"{value}: a share is more than 0 and less than 1, such as 0.1", param, ctx)
        return share


@verb()
@click.argument("version", required=False, help="the version to promote (default: the one trained last)")
@click.option(
    "--canary",
    type=Share(),
    metavar="SHARE",
    help="let it answer a share (0.1) beside the live version",
)
@click.option("--live", is_flag=True, help="launch what is in staging, once that is signed")
def promote(settings: "Settings", version: str | None, canary: float | None, live: bool) -> None:
    """Put a trained version into staging, or what is in staging live, if it passes the gate."""
    from handrail.console import say
    from handrail.registry.acceptance import compare_with_live, objections
    from handrail.registry.versions import load_version, newest_version

    if live:
        _launch(settings, other=version or ("--canary" if canary else None))
        return
    chosen = load_version(settings, newest_version(settings) if version is None else version)
    _look_at_test(settings, chosen)
    compared = compare_with_live(settings, chosen)
    found = objections(settings, chosen, compared)
    if found:
        raise ProjectError(found)
    if compared:  # it was measured: of what was not, there is an objection
        say(compared.said)
    if canary:
        _try_beside(settings, chosen.name, canary)
    else:
        _make_live(settings, chosen.name)
    if chosen.note:
        say(chosen.note)


def _look_at_test(settings: "Settings", version: "Version") -> None:
    """Show the figure that decides on the test period, and count that it was looked at."""
    from handrail.console import say
    from handrail.registry.acceptance import agreed_metric
    from handrail.reports.wording import interval, looked_at, not_worth_it, number
    from handrail.training.experiment_log import log_look
    from handrail.training.splits import the_period, told_by

    metric, info = agreed_metric(settings), version.info
    if metric in info["evaluation"]["model"]:
        figures = info["evaluation"]["model"][metric]
        say(
            f"{metric} {number(figures['value'])} ({interval(figures)}) on "
            f"{the_period(info['split'], 'test')}, {told_by(info['split'], 'test', info.get('unknown'))}"
        )
    dear = not_worth_it(settings, info["evaluation"])
    if dear:
        say(dear)
    try:
        looks = log_look(settings, version.name, info)
    except OSError as error:  # promoted where the texts can't be written to
        print(f"warning: 2-research/rounds.jsonl: the look is not counted ({error})", file=sys.stderr)
        return
    if looks:
        say(looked_at(info["split"], looks))


def _make_live(settings: "Settings", name: str) -> None:
    from handrail.console import say
    from handrail.registry.live import make_live, read_live

    make_live(settings, name)
    now = read_live(settings)
    say(f"{name} is live" if now and now.launched else f"{name} is in staging")


def _try_beside(settings: "Settings", name: str, share: float) -> None:
    from handrail.console import say
    from handrail.number_format import percent
    from handrail.registry.canary import start_canary
    from handrail.registry.live import load_live

    start_canary(settings, name, share)
    beside = load_live(settings)[0].name
    say(
        f"{name} answers {percent(share)} of what is asked beside {beside}; `promote {name}` lets it answer "
        "everything, `rollback` nothing"
    )


def _launch(settings: "Settings", other: str | None) -> None:
    from handrail.console import say
    from handrail.registry.live import launch
    from handrail.stages.production import require_launch

    if other:
        raise ProjectError(f"--live: launches what was tried in staging; leave out {other}")
    require_launch(settings)
    say(f"{launch(settings)} is live")
