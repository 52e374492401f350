"""Up to which day can be learnt anew: never beyond the data, nor beyond what is known of its outcomes."""

from datetime import date, timedelta

from handrail.compute.duckdb import connect
from handrail.config.sections import Split
from handrail.config.settings import Settings
from handrail.etl.load import require_table
from handrail.training.known_outcomes import DAY, newest_known
from handrail.training.split_advice import has_outcomes, split_until

MONTHS_LATER = timedelta(days=61)


def newest_end(settings: Settings, today: date) -> date | None:
    """Return the last day up to which can be trained with anything new, as far as outcomes are known `today`.

    None where nothing is known, a period would have no two different outcomes, or chance parts the rows.
    """
    newest = newest_known(settings, today) if isinstance(settings.split, Split) else None
    return _if_it_works(settings, newest + DAY) if newest else None


def newest_whole_end(settings: Settings, today: date) -> date | None:
    """Return the same, and where all days of the split are firsts of a month the last first until then."""
    newest, split = newest_end(settings, today), settings.split
    if newest is None or not isinstance(split, Split):
        return newest
    whole = all(day.day == 1 for day in (split.validation_from, split.test_from, split.live_from))
    return _if_it_works(settings, newest.replace(day=1)) if whole else newest


def newer_end(settings: Settings, today: date) -> date | None:
    """Return a day up to which can be trained on rows newer than those of the split in project.yaml.

    The first of a month, about two months after `live_from`; at most the day after the newest outcome became
    known. None where there is nothing newer, or a period would have no two different outcomes.
    """
    if not isinstance(settings.split, Split):  # whoever trains again learns from all that is loaded by then
        return None
    live_from, newest = settings.split.live_from, newest_known(settings, today)
    if newest is None or newest < live_from:
        return None
    return _if_it_works(settings, min((live_from + MONTHS_LATER).replace(day=1), newest + DAY))


def _if_it_works(settings: Settings, until: date) -> date | None:
    table = require_table(settings, settings.project.table_name)
    split = split_until(settings, until)
    with connect(settings) as connection:
        return until if has_outcomes(connection, settings, table, split) else None
