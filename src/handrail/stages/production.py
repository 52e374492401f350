"""Production: how does it go live?"""

from itertools import pairwise

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.project import Project
from handrail.registry.acceptance import against_baseline, against_minimum
from handrail.registry.live import load_live, read_live
from handrail.stages.checklist import read_checklist, signed
from handrail.stages.gates import Finding, State, command, done, still_open

LAUNCH = "3-production/launch.md"
STEPS = ("Staging", "Trial", "Feedback", "Dashboards", "Way back", "Live")


def begun(settings: Settings) -> bool:
    """Production has begun when a model was promoted."""
    return read_live(settings) is not None


def model_live(settings: Settings) -> Finding:
    """Find a live model whose files are those that were promoted."""
    if read_live(settings) is None:
        return still_open("no model is promoted", command(settings, "promote"))
    version, _ = load_live(settings)
    return done(version.name)


def good_enough(settings: Settings) -> Finding:
    """Find the live model better than the baseline and the minimum; raises ProjectError where it isn't."""
    if read_live(settings) is None:
        return still_open("no model is promoted", command(settings, "promote"))
    version, _ = load_live(settings)
    reasons = [*against_baseline(settings, version), *against_minimum(settings, version)]
    if reasons:
        raise ProjectError(reasons)
    return done("better than the baseline, minimum reached")


def launch_signed(settings: Settings) -> Finding:
    """Find every step of the launch ticked; raises ProjectError where one was skipped or taken out."""
    for earlier, later in pairwise(read_checklist(settings, LAUNCH)):
        if later.done and not earlier.done:
            raise ProjectError(f"{LAUNCH}: {later.item} is ticked, {earlier.item} before it is not")
    return signed(settings, LAUNCH, STEPS)


def gone_live(settings: Settings) -> Finding:
    """Find the launch done, after it was signed."""
    live = read_live(settings)
    if live is None:
        return still_open("no model is promoted", command(settings, "promote"))
    if not live.launched:
        return still_open("in staging", command(settings, "promote --live"))
    return done("live")


def require_launch(settings: Settings) -> None:
    """Raise ProjectError unless the model is good enough and every step of the launch is signed."""
    for check in (good_enough, launch_signed):
        found = check(settings)
        if found.state is not State.DONE:
            raise ProjectError(f"--live: {found.evidence}; next: {found.next_step}")


CHECKS = {
    "model promoted": model_live,
    "model good enough": good_enough,
    "launch signed": launch_signed,
    "gone live": gone_live,
}
BY_PEOPLE = ()


def yours(project: Project) -> dict[str, str]:
    """Return the files to change for data of one's own, with what to do there."""
    return {}
