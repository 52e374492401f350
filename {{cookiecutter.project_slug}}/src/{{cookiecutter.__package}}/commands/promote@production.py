"""Put a trained version into staging, or what is in staging live, if it passes the gate."""

from argparse import ArgumentParser, Namespace

from ..errors import ProjectError
from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take the version, or whether to launch."""
    parser.add_argument("version", nargs="?", help="the version to promote (default: the one trained last)")
    parser.add_argument("--live", action="store_true", help="launch what is in staging, once that is signed")


def run(options: Namespace, settings: Settings) -> int:
    """Promote or launch, or refuse with every reason."""
    if options.live:
        return _launch(options, settings)
    from ..console import say
    from ..model.gate import objections
    from ..model.registry import make_live, read_live
    from ..model.versions import load_version, newest_version

    version = load_version(settings, options.version or newest_version(settings))
    found = objections(settings, version)
    if found:
        raise ProjectError(found)
    make_live(settings, version.name)
    live = read_live(settings)
    say(f"{version.name} is live" if live and live.launched else f"{version.name} is in staging")
    return 0


def _launch(options: Namespace, settings: Settings) -> int:
    from ..console import say
    from ..model.registry import launch
    from ..stages.production import require_launch

    if options.version:
        raise ProjectError(f"--live: launches what was tried in staging; leave out {options.version}")
    require_launch(settings)
    say(f"{launch(settings)} is live")
    return 0
