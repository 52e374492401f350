"""The script by which a shell completes verbs, options and choices."""

import click

COMPLETION = "completion"
SUMMARY = "Print the script by which a shell completes verbs, options and choices"
SHELLS = ("bash", "zsh", "fish")


def completion_command(program: str) -> click.Command:
    """Return the command `completion SHELL` of a program."""
    help_text = f"""{SUMMARY}.

    \b
    bash: eval "$({program} completion bash)" in ~/.bashrc
    zsh:  eval "$({program} completion zsh)" in ~/.zshrc, after compinit
    fish: {program} completion fish | source, in ~/.config/fish/config.fish
    """
    shell = click.Argument(["shell"], type=click.Choice(SHELLS))
    return click.Command(COMPLETION, params=[shell], callback=print_script, help=help_text)


@click.pass_context
def print_script(ctx: click.Context, shell: str) -> None:
    """Print the script of `shell` for the program that is running."""
    from click.shell_completion import get_completion_class

    program = ctx.find_root().command
    kind = get_completion_class(shell)
    if kind is None or program.name is None:
        raise click.UsageError(f"{shell}: there is no completion for it", ctx)
    variable = f"_{program.name}_COMPLETE".replace("-", "_").upper()
    click.echo(kind(program, {}, program.name, variable).source(), nl=False)
