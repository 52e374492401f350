"""Writes the result of a small run of everything into the decision page, between two marks."""

from collections.abc import Mapping
from datetime import date
from math import ceil

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.registry.acceptance import against_minimum
from handrail.registry.versions import Version
from handrail.stages.documents import read_text
from handrail.training.intervals import format_interval

FILE = "1-discovery/decision.md"
BEGIN, END = "<!-- proof of concept -->", "<!-- end of the proof of concept -->"


def halves(settings: Settings) -> tuple[str, str]:
    """Return the decision page before and after the place of the result; raises ProjectError without one."""
    text = read_text(settings, FILE)
    before, opened, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (opened and closed):
        raise ProjectError(
            f"{FILE}: no place for the result; write these two lines under a heading: {BEGIN} and {END}"
        )
    return before, after


def record(settings: Settings, version: Version, seconds: Mapping[str, float], today: date) -> None:
    """Replace what stands between the marks by this run: metric, time of each step and cost."""
    before, after = halves(settings)
    lines = "\n".join(describe(settings, version, seconds, today))
    write_whole(settings.root / FILE, f"{before}{BEGIN}\n{lines}\n{END}{after}")


def describe(settings: Settings, version: Version, seconds: Mapping[str, float], today: date) -> list[str]:
    """Return the lines on a run of all steps; `seconds` per step."""
    metric, evaluation = version.info["metric"], version.info["evaluation"]
    model, baseline = evaluation["model"][metric], evaluation["baseline"][metric]
    reached, minimum = against_minimum(settings, version), settings.accuracy.minimum
    needed = "not agreed" if minimum is None else f"{minimum:g}: {'not reached' if reached else 'reached'}"
    total = sum(seconds.values())
    steps = ", ".join(f"{verb} {spent:.1f} s" for verb, spent in seconds.items())
    return [
        f"Every step of the real thing on {settings.sample:,} rows, by `{settings.project.program} demo "
        f"--sample {settings.sample} --record` on {today}:",
        "",
        "| what | result |",
        "|---|---|",
        f"| {metric} of the model | {model['value']:.3f} ({format_interval(model)}), "
        f"on {evaluation['rows']:,} rows that it has not learnt from |",
        f"| {metric} of the simple technique | {baseline['value']:.3f} |",
        f"| {metric} needed | {needed} |",
        f"| time | {total:.0f} s: {steps} |",
        f"| cost | {cost(settings, total)} |",
    ]


def cost(settings: Settings, seconds: float) -> str:
    """Return what the machine cost, rounded up to a cent."""
    budget = settings.budget
    if not (budget and budget.research and budget.research.cost_per_hour):
        return "not known: project.yaml has no budget.research.cost_per_hour"
    price = budget.research.cost_per_hour
    return f"{ceil(price * seconds / 36) / 100:.2f} {budget.currency}, at {price:g} an hour"
