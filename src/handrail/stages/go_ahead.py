"""Whether work may go on after discovery: until somebody has said go, it is work for nothing."""

from handrail.config.settings import Settings


def missing_go(settings: Settings) -> str | None:
    """Return in one sentence why nothing should be built yet, or None after a go of the team's own."""
    decision = settings.decision
    if settings.borrowed:
        return "project.yaml: the go is that of the worked example, not of your data; decide on your own"
    if decision.go == "no-go":
        return f"project.yaml: {decision.decided_by} said no-go on {decision.decided_on}; stop here"
    if decision.go == "open":
        return (
            f"project.yaml: nobody has said go yet; `{settings.project.program} status` says what is missing"
        )
    return None


def farewell(settings: Settings) -> str | None:
    """Return what there is to say where the answer was no, and None otherwise."""
    decision = settings.decision
    if settings.borrowed or decision.go != "no-go":
        return None
    return (
        f"The answer is no, by {decision.decided_by} on {decision.decided_on}: a good outcome, reached "
        "cheaply. Nothing more is asked of this project; 1-discovery/ keeps the reasons for the next idea."
    )
