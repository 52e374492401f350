"""The verb `start-over`."""

from typing import TYPE_CHECKING

from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb(needs_go=False)
def start_over(settings: "Settings") -> None:
    """Empty the worked example's texts into blank forms, and list the files to change for your own data."""
    from handrail.console import say
    from handrail.stages import start_over as begin
    from handrail.stages.gates import command

    emptied = begin.start_over(settings)
    if emptied:
        say("emptied; git keeps what was there")
        for name in emptied:
            say(f"  {name}")
    else:
        say("nothing is emptied: project.yaml has no `example: true` any more, so all texts count as yours")
    say("\nto change for your own data, in this order")
    for name, what in begin.files_to_change(settings).items():
        say(f"  {name}: {what}")
    left = begin.left_behind(settings)
    if left:
        say(f"\nstill the example's, not in git; delete them: {', '.join(left)}")
    opened = "Discovery is open. " if emptied else ""
    say(f"\n{opened}Next: {command(settings, 'status')}")
