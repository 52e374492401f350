"""Show the rounds of research, and say whether to go on."""

from argparse import ArgumentParser, Namespace

from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


def run(options: Namespace, settings: Settings) -> int:
    """Show every round, what is burnt and what to do now; write the page."""
    from ..console import say, table
    from ..files import write_whole
    from ..model.history import read_rounds
    from ..model.verdict import judge
    from ..report.rounds_page import HEADER, page, rows
    from ..stages.gates import command
    from ..stages.research_time import counted_until

    rounds = read_rounds(settings)
    if rounds:
        table(HEADER, rows(rounds), texts=("note",))
    else:
        say(f"no round is logged yet; {command(settings, 'train')} --note TEXT logs one")
    until = counted_until(settings)
    verdict = judge(settings, rounds, until)
    say(f"{verdict.says}: {verdict.because}")
    written = settings.workspace / "reports" / "rounds.html"
    write_whole(written, page(settings, rounds, verdict, until))
    say(f"page {settings.shown(written)}")
    return 0
