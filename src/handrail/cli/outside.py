"""The program `handrail`, for what is done outside a project."""

import click


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(None, "-V", "--version", package_name="handrail", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Tell of the library that projects made with Handrail stand on.

    In a project, its own program has the verbs: `uv run <project> --help` lists them.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
