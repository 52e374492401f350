"""Withdraw the canary; without one, make the version live again that was live before."""

from argparse import ArgumentParser, Namespace

from handrail.config.settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


def run(options: Namespace, settings: Settings) -> int:
    """Roll back one promotion."""
    from handrail.console import say
    from handrail.registry.canary import end_canary
    from handrail.registry.live import load_live, roll_back
    from handrail.serving.inference import start_model

    withdrawn = end_canary(settings, "canary withdrawn")
    if withdrawn:
        say(f"{withdrawn} answers nothing any more; {load_live(settings)[0].name} answers everything")
        return 0
    say(f"{roll_back(settings, start_model)} answers again")
    return 0
