"""The verb `replay`."""

import json
import sys
from datetime import date
from typing import TYPE_CHECKING

from handrail.cli.parameters import window
from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.monitoring.replay import Replay

SHOWN = 12


@verb()
@window()
def replay(settings: "Settings", start: date | None, end: date | None) -> int:
    """Rebuild what production saw in a window, and show what moved.

    Without days: the last 30 days of predictions. A prediction that does not come out again is exit status 1.
    """
    from handrail.config.settings import REPLAY
    from handrail.console import progress, say
    from handrail.files import write_whole
    from handrail.monitoring import replay as monitoring
    from handrail.serving.shared_log import fetch

    with progress("replay"):
        fetch(settings)
        seen = monitoring.replay(settings, start, end)
    write_whole(seen.folder / REPLAY, json.dumps(seen.record(), indent=1, default=str) + "\n")
    say(f"{seen.start} to {seen.end}, mostly answered by {seen.version}")
    same = _say_again(seen)
    _show_features(seen)
    _show_parts(seen, settings.accuracy.metric)
    inside = seen.folder.relative_to(settings.workspace).as_posix()
    variable = f"{settings.project.env_prefix}WORKSPACE={seen.folder}"
    say(f"\nAll of it is in {inside}/. With {variable} any command works there.")
    return 0 if same else 1


def _say_again(seen: "Replay") -> bool:
    """Tell whether every prediction came out again."""
    from handrail.console import say

    for item in seen.again:
        if item.others:
            what = f"{item.others:,} of {item.predictions:,} predictions of {item.version}"
            print(f"error: {what} do not come out again, off by up to {item.furthest:.3g}", file=sys.stderr)
        else:
            say(f"{item.predictions:,} predictions of {item.version} come out again as they were")
    return not any(item.others for item in seen.again)


def _show_features(seen: "Replay") -> None:
    from handrail.console import say, table

    say("\nFeatures, the furthest moved first (population stability index; most in one bin)")
    rows = [
        (item.name, f"{item.stability:.3f}", item.bin, f"{item.before:.1%}", f"{item.now:.1%}")
        for item in seen.features[:SHOWN]
    ]
    table(("", "index", "bin", "learnt from", "now"), rows)


def _show_parts(seen: "Replay", metric: str) -> None:
    from handrail.console import say, table
    from handrail.number_format import figure

    if not seen.parts:
        say("\nToo few outcomes are known yet to measure anything")
        return
    say(f"\nSlices by {metric}, the greatest loss first")
    rows = [
        (
            item.name,
            f"{item.rows:,}",
            f"{figure(item.before)} ({figure(item.low)} to {figure(item.high)})",
            figure(item.now),
            "worse" if item.worse else "",
        )
        for item in seen.parts[:SHOWN]
    ]
    table(("", "outcomes", "in the test", "now", ""), rows)
