"""Discovery: what should be built, and is it worth it?"""

from functools import partial

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.project import Project
from handrail.stages.documents import UNANSWERED, read_text, written
from handrail.stages.gates import GO, Finding, State, done, still_open
from handrail.stages.ideas import FILE, read_ideas


def begun(settings: Settings) -> bool:
    """Every project begins here."""
    return True


def ideas_ranked(settings: Settings) -> Finding:
    """Find ideas, and the chosen one first by expected return; raises ProjectError where another is."""
    if not read_text(settings, FILE):
        return still_open(f"no {FILE}", "write down the ideas, each with its value, cost and chance")
    shortlist = read_ideas(settings)
    if len(shortlist.ideas) < 2:
        return still_open(
            f"{'one idea' if shortlist.ideas else 'no idea'} in {FILE}",
            "write down two or more, to have a choice",
        )
    if not shortlist.chosen:
        return still_open(f"no idea is chosen in {FILE}", f"choose; {shortlist.ranked()[0].name} ranks first")
    first, *_ = shortlist.ranked()
    chosen = next(idea for idea in shortlist.ideas if idea.name == shortlist.chosen)
    amounts = {idea: f"{idea.expected_return:,.0f} {shortlist.currency}" for idea in (first, chosen)}
    if chosen.expected_return < first.expected_return:
        raise ProjectError(
            f"{FILE}: {chosen.name} is chosen and returns {amounts[chosen]}, but {first.name} returns "
            f"{amounts[first]}; choose that one, or put its figures right"
        )
    if chosen.expected_return <= 0 and settings.decision.go == "no-go":
        return done(f"{chosen.name} returns {amounts[chosen]}, and the answer is no")
    if chosen.expected_return <= 0:
        raise ProjectError(f"{FILE}: {chosen.name} is chosen but returns {amounts[chosen]}; say no-go")
    return done(
        f"{chosen.name} is first of {len(shortlist.ideas)}, expected return {amounts[chosen]}", source=FILE
    )


def decision_made(settings: Settings) -> Finding:
    """Find go or no-go, with a name and a date, and the reasons written down."""
    decision, name = settings.decision, "1-discovery/decision.md"
    reasons = written(settings, name)
    if UNANSWERED in (decision.question, decision.sponsor, *map(str, decision.kpis)):
        return still_open("project.yaml leaves a ? under decision", "say there what is decided, and for whom")
    if settings.description == UNANSWERED:
        return still_open("project.yaml leaves a ? as description", "say there what is predicted, for whom")
    if decision.go == "open":
        return still_open("neither go nor no-go", "decide, with name and date, in project.yaml")
    if reasons.state is not State.DONE:
        return reasons
    return done(f"{decision.go}, {decision.decided_on}", by=decision.decided_by or "")


CHECKS = {
    "ideas ranked": ideas_ranked,
    "problem stated": partial(written, name="1-discovery/problem.md"),
    "data understood": partial(written, name="1-discovery/data.md"),
    GO: decision_made,
}
BY_PEOPLE = tuple(CHECKS)


def yours(project: Project) -> dict[str, str]:
    """Return the files to change for data of one's own, with what to do there."""
    return {"1-discovery": "the texts, and ideas.yaml", "project.yaml": _facts(project)}


def _facts(project: Project) -> str:
    """Return what project.yaml says that is the example's: start-over can empty only a part of it."""
    facts = [
        "its name and description",
        "the decision",
        "the budget",
        "the accuracy needed",
        "what errors cost",
    ]
    facts += ["the split, what the baseline goes by"] if project.has("research") else []
    facts += (
        ["what is expected live, from how many outcomes on", "what inclusion means"]
        if project.has("operation")
        else []
    )
    return ", ".join(facts)
