"""What monitoring has found, figure by figure over time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from handrail.config.sections import Live as Limits
from handrail.config.settings import Settings
from handrail.dashboard.alert_log import Alerts, open_now, raised
from handrail.errors import ProjectError
from handrail.monitoring.series import SeriesRow, newest_row, newest_rows, read_series, series_path
from handrail.registry.drift_reference import PREDICTION
from handrail.stages.gates import command
from handrail.training.known_outcomes import DAY

DRIFT = "drift of "
MOST_DRIFTS = 4  # columns that are drawn at first


@dataclass(frozen=True)
class Watched:
    """A figure at each look, in order."""

    name: str
    looks: tuple[SeriesRow, ...]

    @property
    def points(self) -> list[tuple[date, float]]:
        """The figure by the last day of the window, where it is known; a window that was looked at counts."""
        return [(look.end - DAY, look.value) for look in self.looks if look.value is not None]

    @property
    def lines(self) -> dict[str, list[tuple[date, float]]]:
        """The same in two lines: of looks, and of a past that was lived again, as far as there are such."""
        parts = {
            "looked at": [look for look in self.looks if look.of != "relived"],
            "lived again": [look for look in self.looks if look.of == "relived"],
        }
        return {name: Watched(self.name, tuple(looks)).points for name, looks in parts.items() if looks}

    @property
    def newest(self) -> SeriesRow:
        """The last look; one at the past that was lived again only where there is no other."""
        return newest_row(self.looks)

    @property
    def expected(self) -> str:
        """The range in which the newest is expected, in words."""
        return self.newest.expected or "any"

    @property
    def told(self) -> str:
        """The newest reading, in a sentence."""
        now = self.newest
        why = f" ({now.why})" if now.why else ""
        again = "; lived again, with nobody alarmed" if now.of == "relived" else ""
        return (
            f"{now.shown}{why}, expected {self.expected}: {now.state}. {now.start} to {now.end}, "
            f"{now.outcomes:,} of {now.rows:,} outcomes known{again}"
        )


@dataclass(frozen=True)
class Monitored:
    """Every figure by its name; notes: what is broken.

    accuracy: the metrics of the predictions whose outcome is known · drift: how far columns have moved
    """

    all: Mapping[str, Watched]
    accuracy: tuple[Watched, ...]
    drift: Mapping[str, Watched]
    notes: tuple[str, ...] = ()

    @property
    def furthest(self) -> list[str]:
        """The names of what has drifted: of the prediction, and of the columns that have moved furthest."""
        by_value = sorted(self.drift, key=lambda name: -(self.drift[name].newest.value or 0.0))
        prediction = [name for name in self.drift if name == f"{DRIFT}{PREDICTION}"]
        return [*prediction, *[name for name in by_value if name not in prediction][:MOST_DRIFTS]]

    @property
    def drift_limit(self) -> float | None:
        """What drift may be at most; None where none was looked at."""
        return max((each.newest.high for each in self.drift.values() if each.newest.high), default=None)

    @property
    def table(self) -> list[dict[str, object]]:
        """The newest reading of every figure, a row each."""
        return [
            {
                "figure": name,
                "is": watched.newest.shown,
                "expected": watched.expected,
                "state": watched.newest.state,
                "from": watched.newest.start,
                "before": watched.newest.end,
                "predictions": watched.newest.rows,
            }
            for name, watched in self.all.items()
        ]


def read_monitored(settings: Settings) -> Monitored:
    """Return every figure that monitoring has read; raises ProjectError where it has never looked.

    A look back is at a window that somebody chose, and no point of it.
    """
    series = read_series(settings)
    kept = newest_rows(series.rows)
    if not kept and not series.broken:
        raise ProjectError(f"no look at the predictions yet; `{command(settings, 'monitor')}` is the first")
    by_name: dict[str, list[SeriesRow]] = {each.figure: [] for each in series.rows if each.of != "back"}
    for each in kept:
        by_name[each.figure].append(each)
    watched = {name: Watched(name, tuple(looks)) for name, looks in by_name.items()}
    metrics = {*settings.project.metrics, *settings.section(Limits).expected}
    accuracy = tuple(each for name, each in watched.items() if name in metrics)
    drift = {name: each for name, each in watched.items() if name.startswith(DRIFT)}
    name = settings.shown(series_path(settings))
    notes = tuple(f"{name}, line {number} can't be read, and is left out" for number in series.broken)
    return Monitored(watched, accuracy, drift, notes)


def read_alerts(settings: Settings) -> Alerts:
    """Return the alerts that were raised, and what is wrong now; raises ProjectError for a broken file."""
    found = raised(settings)
    looked = any(row.of == "latest" for row in read_series(settings).rows)
    return replace(found, open=open_now(settings)) if looked else found
