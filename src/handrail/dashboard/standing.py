"""Where the project stands: its stages, by the evidence that `status` finds, and what is live since when."""

from dataclasses import dataclass

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import read_taken
from handrail.registry.history import read_history
from handrail.registry.live import Live, read_live
from handrail.stages.gates import State, command, read_stages
from handrail.stages.go_ahead import farewell
from handrail.stages.status import count, lead, next_step


@dataclass(frozen=True)
class StageStanding:
    """A stage: what is done of it; open: what isn't, and why, a line each."""

    name: str
    reached: str
    open: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """lead: what it is for, and for whom · next: what to do now · live: a line each of what is live."""

    lead: str
    stages: tuple[StageStanding, ...]
    next: str
    live: tuple[str, ...]


def read_standing(settings: Settings) -> Standing:
    """Return what `status` finds, and what is live."""
    found = read_stages(settings)
    stages = tuple(
        StageStanding(
            stage.folder.partition("-")[2].capitalize(),
            count(stage),
            tuple(
                f"{title}: {finding.evidence}"
                for title, finding in stage.findings.items()
                if finding.state in (State.OPEN, State.FAILED)
            ),
        )
        for stage in found
    )
    live = (*_live(settings), *_part(settings))
    return Standing(lead(settings), stages, farewell(settings) or next_step(found), live)


def _part(settings: Settings) -> list[str]:
    """Return that only a part of the rows is here, where the data is processed elsewhere."""
    taken = read_taken(settings)
    return [f"{taken}; outcomes, KPIs and costs on this page are of those alone"] if taken else []


def _live(settings: Settings) -> list[str]:
    """Return what is live in a few sentences, or what is wrong with the file that says it."""
    try:
        live = read_live(settings)
    except ProjectError as error:
        return list(error.problems)
    if live is None:
        return [f"no model is live; `{command(settings, 'promote')}` puts one into staging"]
    since = _since(settings, live)
    place = "live" if live.launched else "in staging, which is a trial"
    lines = [f"{live.versions[-1]} is {place}{f', since {since}' if since else ''}"]
    if live.mode == "fallback":
        lines.append(f"the fallback answers in place of the model: {live.reason}")
    if live.canary:
        lines.append(f"the canary {live.canary.name} answers {live.canary.share:.0%} of what is asked")
    return lines


def _since(settings: Settings, live: Live) -> str:
    """Return the day since which the version is where it is; empty where the history does not say."""
    since = ""
    for event in reversed(read_history(settings)):
        if (event.live, event.stage) != (live.versions[-1], live.stage):
            break
        since = event.at[:10]
    return since
