"""A moment is told to the minute, in UTC."""

from datetime import datetime, timedelta, timezone

from handrail.moments import moment


def test_a_moment_of_another_zone_is_told_in_utc():
    zone = timezone(timedelta(hours=2))
    assert moment(datetime(2026, 3, 2, 1, 17, 59, tzinfo=zone)) == "2026-03-01 23:17 UTC"
