"""Empty the worked example's texts into blank forms, and list the files to change for your own data."""

import subprocess
from argparse import ArgumentParser, Namespace
from pathlib import Path

from handrail.config.settings import Settings
from handrail.errors import ProjectError

NEEDS_GO = False


def add_arguments(parser: ArgumentParser) -> None:
    """Take no options of its own."""


def run(options: Namespace, settings: Settings) -> int:
    """Write the forms where git keeps what was there, and say what is left to do."""
    from handrail.console import say
    from handrail.files import write_whole
    from handrail.stages.gates import command
    from handrail.stages.parts import yours
    from handrail.stages.start_over import FACTS, blank_texts

    _refuse_unsaved(settings.root)
    emptied = blank_texts((settings.root / FACTS).read_text(encoding="utf-8"))
    say("emptied; git keeps what was there")
    for name, text in emptied.items():
        if not text and not (settings.root / name).exists():
            continue
        if text:
            write_whole(settings.root / name, text)
        else:
            (settings.root / name).unlink()
        say(f"  {name}")
    say("\nto change for your own data, in this order")
    for name, what in yours().items():
        if (settings.root / name).exists():
            say(f"  {name}: {what}")
    left = [name for name in ("data", "models", "reports", "sample") if (settings.root / name).exists()]
    if left:
        say(f"\nstill the example's, not in git; delete them: {', '.join(left)}")
    say(f"\nDiscovery is open. Next: {command(settings, 'status')}")
    return 0


def _refuse_unsaved(root: Path) -> None:
    """Raise ProjectError where something is not committed; the lock that `uv run` itself writes may be."""
    status = ["git", "--no-optional-locks", "status", "--porcelain"]
    try:
        done = subprocess.run(status, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        raise ProjectError(
            "start-over: no git here to keep what is emptied; commit everything first"
        ) from None
    unsaved = [line for line in done.stdout.splitlines() if line != "?? uv.lock"]
    if unsaved:
        names = ", ".join(line[3:] for line in unsaved)
        raise ProjectError(f"start-over: not committed: {names}; commit it first, so that nothing is lost")
