"""Bring in the raw tables, check and transform them, load the result."""

from argparse import ArgumentParser, Namespace

from handrail.config.settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


def run(options: Namespace, settings: Settings) -> int:
    """Build the table and say what came in, what was loaded and what was not."""
    from handrail.console import progress, table
    from handrail.contract.dictionary import data_dictionary
    from handrail.etl.pipeline import run_etl
    from handrail.files import write_whole

    with progress("etl") as step:
        result = run_etl(settings, step)
    write_whole(
        settings.root / "2-research" / "data-dictionary.md", data_dictionary(settings.project.contract)
    )
    rows = [(name, f"{count:,}", "raw") for name, count in result.raw.items()]
    rows.append((result.path.relative_to(settings.workspace).as_posix(), f"{result.loaded:,}", "loaded"))
    rows += [(reason, f"{count:,}", "rejected") for reason, count in result.rejected.items()]
    rows += [(name, f"{count:,}", what) for name, count, what in result.added]
    table(("", "rows", ""), rows)
    return 0
