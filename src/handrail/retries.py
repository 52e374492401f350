"""What is away for a moment is asked again, a few times."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)
TRIES, WAIT_SECONDS = 4, 1.0  # 1, 2 and 4 seconds between them


def asked_again(
    ask: Callable[[], T],
    away: type[Exception],
    told: Callable[[Exception], str],
    *,
    is_final: Callable[[Exception], bool] = lambda error: False,
) -> T:
    """Return what `ask` does; where it raises `away`, it is called again, up to TRIES times in all.

    told: what is logged of it before the next try · is_final: whether another try would change nothing.
    Raises what the last try raised.
    """
    wait = WAIT_SECONDS
    for _ in range(TRIES - 1):
        try:
            return ask()
        except away as error:
            if is_final(error):
                raise
            log.warning("%s; tried again in %g s", told(error), wait)
        time.sleep(wait)
        wait *= 2
    return ask()
