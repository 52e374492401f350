"""Withdraw the canary; without one, make the version live again that was live before."""

from argparse import ArgumentParser, Namespace

from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


def run(options: Namespace, settings: Settings) -> int:
    """Roll back one promotion."""
    from ..console import say
    from ..model.canary import end_canary
    from ..model.registry import load_live, roll_back
    from ..serve.answer import start_model

    withdrawn = end_canary(settings, "canary withdrawn")
    if withdrawn:
        say(f"{withdrawn} answers nothing any more; {load_live(settings)[0].name} answers everything")
        return 0
    say(f"{roll_back(settings, start_model)} answers again")
    return 0
