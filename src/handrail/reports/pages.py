"""The reports of a training: three HTML files that need nothing else, one each for three kinds of readers."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from handrail.config.sections import Words, said
from handrail.config.settings import Settings
from handrail.files import write_whole
from handrail.reports import PAGES, wording
from handrail.reports.choice import choosing
from handrail.reports.company import company
from handrail.reports.research import research
from handrail.reports.tradeoff import Tradeoff
from handrail.training.intervals import drawn_by, source_of
from handrail.training.run import Training
from handrail.training.splits import told_by


def write_reports(settings: Settings, training: Training) -> list[Path]:
    """Write every page to reports/, each whole or not at all, and return their paths."""
    tradeoff = settings.project.task.tradeoff(settings, training)
    paths = [settings.workspace / "reports" / name for name in PAGES]
    for path in paths:
        write_whole(path, render(path.name, settings, training, tradeoff))
    return paths


def render(name: str, settings: Settings, training: Training, tradeoff: Tradeoff) -> str:
    """Return a page of PAGES; the same model, rows and settings give the same text."""
    contents = {
        "company.html": lambda: {"company": company(settings, training, tradeoff)},
        "choice.html": lambda: choosing(settings, training.info["evaluation"], tradeoff),
        "research.html": lambda: research(settings, training),
    }
    words = settings.section(Words)
    shown = {"version": training.version, "measured": wording.measured_on(training, words.rows)}
    drawn = training.info["evaluation"]["drawn"]
    method = f"{drawn_by(drawn)} {source_of(drawn)}".strip()
    shown |= {"measured_period": training.period, "drawn": method}
    return fill(name, settings=settings, words=words, **shown, **contents[name]())


def fill(template: str, **contents: Any) -> str:
    """Return a page made of a file in templates/; texts are escaped, a name that it lacks is an error."""
    return _environment().get_template(template).render(contents)


@cache
def _environment() -> Environment:
    folder = files("handrail.reports").joinpath("templates")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.number,
        "loss": wording.loss,
        "interval": wording.interval,
        "money": wording.money,
        "told_by": told_by,
        "as_written": wording.as_written,
        "said": said,
    }
    return environment
