"""Put a trained version into staging, or what is in staging live, if it passes the gate."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from handrail.config.settings import Settings
from handrail.errors import ProjectError


def add_arguments(parser: ArgumentParser) -> None:
    """Take the version, how much it answers, or whether to launch."""
    parser.add_argument("version", nargs="?", help="the version to promote (default: the one trained last)")
    parser.add_argument(
        "--canary", type=_share, metavar="SHARE", help="let it answer a share (0.1) beside the live version"
    )
    parser.add_argument("--live", action="store_true", help="launch what is in staging, once that is signed")


def run(options: Namespace, settings: Settings) -> int:
    """Promote or launch, or refuse with every reason."""
    if options.live:
        return _launch(options, settings)
    from handrail.console import say
    from handrail.registry.acceptance import objections
    from handrail.registry.live import make_live, read_live
    from handrail.registry.versions import load_version, newest_version

    version = load_version(settings, options.version or newest_version(settings))
    found = objections(settings, version)
    if found:
        raise ProjectError(found)
    if options.canary:
        return _try_beside(version.name, options.canary, settings)
    make_live(settings, version.name)
    live = read_live(settings)
    say(f"{version.name} is live" if live and live.launched else f"{version.name} is in staging")
    return 0


def _try_beside(name: str, share: float, settings: Settings) -> int:
    from handrail.console import say
    from handrail.registry.canary import start_canary
    from handrail.registry.live import load_live

    start_canary(settings, name, share)
    beside = load_live(settings)[0].name
    say(f"{name} answers {share:g} of all beside {beside}; `promote {name}` takes all, `rollback` none")
    return 0


def _launch(options: Namespace, settings: Settings) -> int:
    from handrail.console import say
    from handrail.registry.live import launch
    from handrail.stages.production import require_launch

    if options.version or options.canary:
        other = options.version or "--canary"
        raise ProjectError(f"--live: launches what was tried in staging; leave out {other}")
    require_launch(settings)
    say(f"{launch(settings)} is live")
    return 0


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise ArgumentTypeError(f"{text}: a share is more than 0 and less than 1, such as 0.1")
    return share
