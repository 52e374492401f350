"""The reports of a training: three HTML files that need nothing else, one each for three kinds of readers."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from TWIN_report_positions import tradeoff_of

from handrail.config.sections import Words
from handrail.config.settings import Settings
from handrail.files import write_whole
from handrail.reports import PAGES
from handrail.reports import wording as summary
from handrail.reports.choice import choosing
from handrail.reports.company import company
from handrail.reports.research import research
from handrail.reports.tradeoff import Tradeoff
from handrail.training.run import Training

Contents = Callable[[Settings, Training, Tradeoff], dict[str, Any]]


def write_reports(settings: Settings, training: Training) -> list[Path]:
    """Write every page to reports/, each whole or not at all, and return their paths."""
    tradeoff = tradeoff_of(settings, training)
    paths = [settings.workspace / "reports" / name for name in PAGES]
    for path in paths:
        write_whole(path, render(path.name, settings, training, tradeoff))
    return paths


def render(name: str, settings: Settings, training: Training, tradeoff: Tradeoff) -> str:
    """Return a page of PAGES; the same model, rows and settings give the same text."""
    contents: dict[str, Contents] = {
        "company.html": lambda *given: {"company": company(*given)},
        "choice.html": lambda settings, _, tradeoff: choosing(settings, tradeoff),
        "research.html": lambda settings, training, _: research(settings, training),
    }
    return (
        _environment()
        .get_template(name)
        .render(
            settings=settings,
            words=settings.section(Words),
            version=training.version,
            **contents[name](settings, training, tradeoff),
        )
    )


def _environment() -> Environment:
    folder = files(__package__ or "")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "title": summary.title,
        "number": summary.number,
        "interval": summary.interval,
        "money": summary.money,
        "as_written": summary.as_written,
    }
    return environment
