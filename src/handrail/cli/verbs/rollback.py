"""The verb `rollback`."""

from typing import TYPE_CHECKING

from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
def rollback(settings: "Settings") -> None:
    """Withdraw the canary; without one, make the version live again that was live before."""
    from handrail.console import say
    from handrail.registry.canary import end_canary
    from handrail.registry.live import read_live, roll_back
    from handrail.serving.inference import start_model

    withdrawn = end_canary(settings, "canary withdrawn")
    if withdrawn:
        live = read_live(settings)
        say(f"{withdrawn} answers nothing any more; {live.versions[-1] if live else ''} answers everything")
    else:
        say(f"{roll_back(settings, start_model)} answers again")
