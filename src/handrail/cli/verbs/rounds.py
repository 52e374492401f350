"""Show the rounds of research, and say whether to go on."""

from argparse import ArgumentParser, Namespace

from handrail.config.settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


def run(options: Namespace, settings: Settings) -> int:
    """Show every round, what is burnt and what to do now; write the page."""
    from handrail.console import say, table
    from handrail.files import write_whole
    from handrail.reports.experiments import HEADER, page, rows
    from handrail.stages.gates import command
    from handrail.stages.research_time import counted_until
    from handrail.training.experiment_log import read_experiments
    from handrail.training.stopping_rule import recommend

    rounds = read_experiments(settings)
    if rounds:
        table(HEADER, rows(rounds), texts=("note",))
    else:
        say(f"no round is logged yet; {command(settings, 'train')} --note TEXT logs one")
    until = counted_until(settings)
    verdict = recommend(settings, rounds, until)
    say(f"{verdict.says}: {verdict.because}")
    written = settings.workspace / "reports" / "rounds.html"
    write_whole(written, page(settings, rounds, verdict, until))
    say(f"page {settings.shown(written)}")
    return 0
