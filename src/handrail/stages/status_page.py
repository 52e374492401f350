"""Says where the project stands, on one page for the sponsor: to send, to read anywhere, to print."""

from collections.abc import Iterator
from datetime import date
from html import escape

from handrail.config.budget import Budget
from handrail.config.settings import Settings
from handrail.project import STAGES
from handrail.stages.gates import Finding, Stage, State
from handrail.stages.git import last_author
from handrail.stages.go_ahead import farewell
from handrail.stages.html_page import heading, html_page, paragraph
from handrail.stages.status import count, lead, next_step

LATER = "not part of the project yet"


def page(settings: Settings, stages: list[Stage], today: date) -> str:
    """Return the page: four stages, what is done, by whom, what is missing, what it costs."""
    return html_page(
        settings.name, lead(settings), _parts(settings, stages), f"Where the project stands on {today}."
    )


def _parts(settings: Settings, stages: list[Stage]) -> Iterator[str]:
    yield _tiles(stages)
    goodbye = farewell(settings)
    yield paragraph(goodbye or next_step(stages), "note")
    if settings.budget:
        yield from _money(settings.budget)
    for stage in stages[:1] if goodbye else stages:
        yield heading(_title(stage.folder), count(stage))
        yield _table(settings, stage)


def _tiles(stages: list[Stage]) -> str:
    present = {stage.folder: stage for stage in stages}
    folders = [f"{number}-{name}" for number, name in enumerate(STAGES, start=1)]
    tiles = [_tile(folder, present.get(folder)) for folder in folders]
    return f'<dl class="tiles">{"".join(tiles)}</dl>'


def _tile(folder: str, stage: Stage | None) -> str:
    kind = "" if stage is None else "done" if stage.passed else "failed" if stage.failed else ""
    reached = count(stage) if stage else LATER
    return f'<div class="{kind}"><dd>{escape(_title(folder))}</dd><dt>{escape(reached)}</dt></div>'


def _money(budget: Budget) -> Iterator[str]:
    share = budget.spent / budget.total
    kind = "over" if share > 1 else ""
    yield heading("What it costs", f"{share:.0%} spent")
    yield f'<div class="bar"><div class="{kind}" style="width: {min(share, 1):.1%}"></div></div>'
    yield paragraph(budget.told)


def _table(settings: Settings, stage: Stage) -> str:
    found = [_row(settings, title, finding) for title, finding in stage.findings.items()]
    rows = "\n".join([*found, *(_fact(title, said) for title, said in stage.facts.items())])
    head = "<tr><th></th><th>What</th><th>Evidence</th><th>By whom</th></tr>"
    body = f"<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>"
    return f'<div class="scroll"><table class="stage">{body}</table></div>'


def _row(settings: Settings, title: str, finding: Finding) -> str:
    evidence = escape(finding.evidence).replace("\n", "<br>")
    if finding.state is not State.DONE:
        evidence += f'<br><span class="quiet">Next: {escape(finding.next_step)}</span>'
    by = _who(settings, finding) if finding.state is State.DONE else ""
    state = f'<td class="state {finding.state}">{finding.state}</td>'
    return f"<tr>{state}<th>{escape(title)}</th><td>{evidence}</td><td>{escape(by)}</td></tr>"


def _fact(title: str, said: str) -> str:
    return f"<tr><td></td><th>{escape(title)}</th><td>{escape(said)}</td><td></td></tr>"


def _who(settings: Settings, finding: Finding) -> str:
    if finding.source:
        return last_author(settings.root, finding.source) or "not committed yet"
    return finding.by or "computed"


def _title(folder: str) -> str:
    number, _, name = folder.partition("-")
    return f"{number} {name.capitalize()}"
