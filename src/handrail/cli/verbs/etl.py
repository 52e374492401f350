"""The verb `etl`."""

import sys
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
@click.option("--check", is_flag=True, help="load nothing; see whether transform.sql always gives the same")
@click.option(
    "--reload", is_flag=True, help="fetch all of a bucket or a database anew, not what is new alone"
)
def etl(settings: "Settings", check: bool, reload: bool) -> None:
    """Bring in the raw tables, check and transform them, load the result."""
    if reload and settings.source_address is None:
        raise ProjectError("--reload: data.source is no bucket and no database; all is read each time")
    settings = settings.reloading() if reload else settings
    if check:
        _check(settings)
        return
    from handrail.console import progress, say, table
    from handrail.contract.dictionary import data_dictionary
    from handrail.contract.gaps import gaps
    from handrail.contract.table_check import duplicate_reason
    from handrail.etl.pipeline import run_etl
    from handrail.files import write_whole

    with progress("etl") as step:
        result = run_etl(settings, step)
    write_whole(
        settings.root / "2-research" / "data-dictionary.md", data_dictionary(settings.project.contract)
    )
    rows = [(name, f"{count:,}", "raw") for name, count in result.raw.items()]
    rows.append((result.path.relative_to(settings.workspace).as_posix(), f"{result.loaded:,}", "loaded"))
    again = duplicate_reason(settings.project.key)
    rows += [
        (reason, f"{count:,}", "duplicates left out" if reason == again else "rejected")
        for reason, count in result.rejected.items()
    ]
    rows += [(name, f"{count:,}", what) for name, count, what in result.added]
    table(("", "rows", ""), rows)
    if result.taken:
        say(result.taken)
    for gap in gaps(settings.project.contract):
        print(f"warning: {gap}; until it says so, `uv run pytest` is red", file=sys.stderr)


def _check(settings: "Settings") -> None:
    """Run the transformation several times, and say that each gave the same table."""
    from handrail.console import progress, say
    from handrail.etl.reproducibility import THREADS, check_reproducibility

    with progress("etl --check"):
        count = check_reproducibility(settings)
    say(f"{count:,} rows: the same table each of {len(THREADS)} times, by 1 to {max(THREADS)} threads")
