"""Make the version live again that was live before."""

from argparse import ArgumentParser, Namespace

from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


def run(options: Namespace, settings: Settings) -> int:
    """Roll back one promotion."""
    from ..console import say
    from ..model.registry import roll_back
    from ..serve.live import start_model

    say(f"{roll_back(settings, start_model)} answers again")
    return 0
