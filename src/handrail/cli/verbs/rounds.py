"""The verb `rounds`."""

from typing import TYPE_CHECKING

from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
def rounds(settings: "Settings") -> None:
    """Show the rounds of research, and say whether to go on."""
    from handrail.console import say, table
    from handrail.files import write_whole
    from handrail.reports.experiments import HEADER, looks, mixed, page, periods, rows
    from handrail.stages.research import counted_until
    from handrail.training.experiment_log import read_experiments
    from handrail.training.stopping_rule import recommend

    experiments = read_experiments(settings)
    if experiments:
        say(periods(experiments))
        shown = [place for place, name in enumerate(HEADER) if name != "on" or mixed(experiments)]
        kept = [[row[place] for place in shown] for row in rows(experiments)]
        table([HEADER[place] for place in shown], kept, texts=("on", "note"))
    else:
        whole = "without --sample, " if settings.sample else ""
        say(f"no round is logged yet; {whole}uv run {settings.project.program} train --note TEXT logs one")
    for line in looks(settings):
        say(line)
    until = counted_until(settings)
    advice = recommend(settings, experiments, until)
    say(f"{advice.says}: {advice.because}")
    written = settings.workspace / "reports" / "rounds.html"
    write_whole(written, page(settings, experiments, advice, until))
    say(f"page {settings.shown(written)}")
