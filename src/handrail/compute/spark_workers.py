"""A cluster that has no worker to spare is told of, and in the end not waited for: Spark waits in silence."""

import logging
import re
import time
from contextlib import suppress
from threading import Thread
from typing import Any

from py4j.protocol import Py4JError

from handrail.errors import ProjectError

log = logging.getLogger(__name__)
POLL_SECONDS, TELL_SECONDS, MOST_SECONDS = 2.0, 20.0, 600.0


def watch_workers(context: Any) -> None:
    """Look after the jobs of a SparkContext at a cluster, from now on until it is stopped.

    Where no worker takes part in them for 20 seconds, that is said; after 10 minutes they are cancelled.
    """
    Thread(target=_watch, args=(context,), name="spark workers", daemon=True).start()


def raise_given_up(said: str) -> None:
    """Raise ProjectError where what Spark said of a job is that `watch_workers` has cancelled it."""
    found = re.search(r"cancelled (compute\.master: .*?)(?: SQLSTATE|\n|$)", said)
    if found:
        raise ProjectError(found[1]) from None


def _watch(context: Any) -> None:
    since, is_told = None, False
    with suppress(Py4JError, OSError, AttributeError):  # Spark has ended, or this process is about to
        scheduler, tracker = context._jsc.sc(), context.statusTracker()
        while not scheduler.isStopped():
            time.sleep(POLL_SECONDS)
            jobs = tracker.getActiveJobsIds()
            if not jobs or scheduler.getExecutorMemoryStatus().size() > 1:  # the driver is one of them
                since, is_told = None, False
                continue
            since = since or time.monotonic()
            waited = time.monotonic() - since
            if waited >= TELL_SECONDS and not is_told:
                log.warning("no worker of %s takes part; waited for, at most %s", context.master, _told())
                is_told = True
            if waited >= MOST_SECONDS:
                for job in jobs:
                    scheduler.cancelJob(job, _given_up(context.master))


def _given_up(master: str) -> str:
    return (
        f"compute.master: no worker of {master} took part for {_told()}; start one, free its cores or memory "
        "of others' work, or ask for less by spark.executor.memory in compute.spark; the last good tables "
        "stay"
    )


def _told() -> str:
    return f"{MOST_SECONDS / 60:g} minutes"
