"""Whether a version may go live."""

from datetime import date

from ..contract import CONTRACT, TABLE
from ..engine import connect
from ..etl.load import require_table
from ..schema import Role, of_role
from ..settings import Settings
from .features import period, read_dataset
from .metrics import measure, rows_of
from .predictor import Predictor
from .registry import load_live, read_live
from .requirements import against_baseline, against_minimum, worse
from .versions import Version


def objections(settings: Settings, version: Version) -> list[str]:
    """Return every reason against making `version` live; an empty list lets it pass.

    Raises ProjectError where the metric of project.yaml is unknown.
    """
    return [
        *against_baseline(settings, version),
        *against_minimum(settings, version),
        *_against_live(settings, version),
    ]


def _against_live(settings: Settings, version: Version) -> list[str]:
    """Compare with the live version on the latest rows that neither has learnt from.

    A live version that learnt from columns no longer in the contract can answer for nothing any more:
    whatever passes the rest of the gate may take its place.
    """
    if read_live(settings) is None:
        return []
    live, _ = load_live(settings)
    known = {column.name for column in of_role(CONTRACT, Role.FEATURE)}
    if live.name == version.name or not known.issuperset(live.encoding.features):
        return []
    start = max(date.fromisoformat(each.info["split"]["test_from"]) for each in (version, live))
    end = date.fromisoformat(version.info["split"]["live_from"])
    if start >= end:
        return [f"{version.name}: older than the live {live.name}; use `rollback` to go back"]
    metric = settings.accuracy.metric
    candidate, current = (_measured_between(settings, each, start, end)[metric] for each in (version, live))
    if not worse(metric, candidate, current, settings.accuracy.tolerance):
        return []
    return [
        f"{version.name}: {metric} {candidate:.3f} from {start} to {end} is worse than the live "
        f"{live.name}'s {current:.3f} on the same rows"
    ]


def _measured_between(settings: Settings, version: Version, start: date, end: date) -> dict[str, float]:
    with connect(settings) as connection:
        source = f"(SELECT * FROM {require_table(settings, TABLE)} WHERE {period(CONTRACT, start, end)})"
        data = read_dataset(connection, source, CONTRACT, version.encoding, version.baseline.column)
    prediction = Predictor(version.model).predict(data.features)
    return measure(rows_of(data.target, prediction), version.decision)
