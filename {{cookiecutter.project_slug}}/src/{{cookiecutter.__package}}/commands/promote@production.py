"""Make a trained version live, if it passes the gate."""

from argparse import ArgumentParser, Namespace

from ..errors import ProjectError
from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take the version."""
    parser.add_argument("version", nargs="?", help="the version to promote (default: the one trained last)")


def run(options: Namespace, settings: Settings) -> int:
    """Promote, or refuse with every reason."""
    from ..console import say
    from ..model.gate import objections
    from ..model.registry import make_live
    from ..model.versions import load_version, newest_version

    version = load_version(settings, options.version or newest_version(settings))
    found = objections(settings, version)
    if found:
        raise ProjectError(found)
    make_live(settings, version.name)
    say(f"{version.name} is live")
    return 0
