"""Faults: when one begins, is told again, and is over; and what does neither."""

from datetime import UTC, date, datetime, timedelta
from math import inf, nan

from handrail.monitoring.checks import Reading
from handrail.monitoring.faults import duration, follow, found_wrong, one_line, verdict_of
from handrail.monitoring.monitoring_run import MonitoringRun
from handrail.registry.live import Live

START = datetime(2026, 3, 2, 5, 17, tzinfo=UTC)
WEEK, PAUSE = timedelta(days=7), timedelta(hours=160)
LIVE = Live(("v1",), ("sum",), "model", "promoted")
CANARY = "roc_auc gained by the canary"


def reading(name, state, value=0.65, low=0.7, high=0.9):
    return Reading(name, nan if state == "unknown" else value, low, high, state)


def look(*readings, **changed):
    plain = {"version": "v1", "rows": 1000, "outcomes": 1000, "metrics": {}, "newest": True}
    plain |= {
        "start": date(2026, 2, 1),
        "end": date(2026, 3, 1),
        "baseline_better": False,
        "canary_worse": False,
    }
    return MonitoringRun(readings=readings, **plain | changed)


class Watch:
    """What is open after some looks, one a week."""

    def __init__(self):
        self.faults, self.now = (), START

    def __call__(self, seen, live=LIVE, after=WEEK):
        """Return what is told of a look, as (state, text)."""
        found = found_wrong(seen, live, CANARY)
        self.faults, events = follow(self.faults, found, verdict_of(seen, live), self.now, PAUSE)
        self.now += after
        return [(event.state, event.text) for event in events]


BAD, GOOD = reading("roc_auc", "alert"), reading("roc_auc", "ok", 0.75)
FIRING = ("firing", "2026-02-01 to 2026-03-01: roc_auc is 0.650, expected 0.7 to 0.9")


def test_a_fault_is_told_once_then_after_the_pause_and_when_it_is_over():
    watch = Watch()
    assert watch(look(BAD), after=timedelta(days=3)) == [FIRING]
    worse = reading("roc_auc", "alert", 0.4)
    assert watch(look(worse), after=timedelta(days=4)) == []
    again = "2026-02-01 to 2026-03-01: roc_auc is 0.400, expected 0.7 to 0.9; since 2026-03-02 05:17 UTC"
    assert watch(look(worse)) == [("reminder", again)]
    assert watch(look(GOOD)) == [("over", "over after 14 days: roc_auc is 0.750, expected 0.7 to 0.9")]
    assert watch.faults == ()
    assert watch(look(GOOD)) == []
    assert watch(look(BAD)) == [FIRING]


def test_what_is_over_has_the_figure_and_range_at_which_it_is():
    now = START
    faults, _ = follow((), found_wrong(look(BAD), LIVE, CANARY), verdict_of(look(BAD), LIVE), now, PAUSE)
    good = look(reading("roc_auc", "ok", 0.75, low=0.6, high=0.8))
    _, (event,) = follow(faults, [], verdict_of(good, LIVE), now + WEEK, PAUSE)
    last = event.fault.wrong
    assert (event.state, last.value, last.low, last.high) == ("over", 0.75, 0.6, 0.8)
    assert event.fault.id == faults[0].id
    second = Reading(CANARY, -0.1, -0.01, inf, "alert")
    found = found_wrong(look(second, canary="v2"), LIVE, CANARY)
    faults, _ = follow((), found, verdict_of(look(second, canary="v2"), LIVE), now, PAUSE)
    _, (event,) = follow(faults, [], verdict_of(look(), LIVE), now + WEEK, PAUSE)
    last = event.fault.wrong
    assert (last.value, last.low, last.high) == (None, None, None)  # it is tried no more


def test_a_weekly_look_that_comes_some_hours_early_reminds():
    watch = Watch()
    watch(look(BAD), after=WEEK - timedelta(hours=5))
    assert [state for state, _ in watch(look(BAD))] == ["reminder"]


def test_what_the_look_can_not_tell_ends_nothing_and_reminds():
    watch = Watch()
    watch(look(BAD), after=timedelta(hours=1))
    for seen in (look(reading("roc_auc", "unknown")), look()):
        assert watch(seen, after=timedelta(hours=1)) == []
        assert [fault.wrong.name for fault in watch.faults] == ["roc_auc"]
    watch.now += WEEK
    assert watch(look()) == [
        (
            "reminder",
            "roc_auc: open since 2026-03-02 05:17 UTC, and not known at this look; `alert --close` ends what "
            "is watched no more",
        )
    ]
    assert [state for state, _ in watch(look(GOOD))] == ["over"]


def test_what_is_a_warning_now_is_an_alert_no_more():
    watch = Watch()
    drift = Reading("drift of temp", 3.1, 0.0, 0.25, "alert", alert_above=2.5)
    said = "2026-02-01 to 2026-03-01: drift of temp is 3.100, expected 0 to 0.25, an alert above 2.5"
    assert watch(look(drift)) == [("firing", said)]
    assert (watch.faults[0].wrong.low, watch.faults[0].wrong.high) == (0.0, 2.5)
    less = Reading("drift of temp", 1.233, 0.0, 0.25, "warning", alert_above=2.5)
    told = "drift of temp is 1.233, expected 0 to 0.25, an alert above 2.5; a warning now"
    assert watch(look(less)) == [("over", f"over after 7 days: {told}")]
    assert watch.faults == ()


def test_too_high_is_another_fault_than_too_low():
    watch = Watch()
    watch(look(reading("roc_auc", "alert", 0.4)))
    assert watch(look(reading("roc_auc", "alert", 0.99))) == [
        ("firing", "2026-02-01 to 2026-03-01: roc_auc is 0.990, expected 0.7 to 0.9"),
        ("over", "over after 7 days: roc_auc is 0.990, expected 0.7 to 0.9; beyond the other end now"),
    ]
    assert [fault.wrong.side for fault in watch.faults] == ["high"]


def test_two_faults_are_two():
    watch = Watch()
    other = reading("precision", "alert", 0.2)
    watch(look(BAD), after=timedelta(hours=1))
    (told,) = watch(look(BAD, other), after=timedelta(hours=1))
    assert told[1].startswith("2026-02-01 to 2026-03-01: precision is 0.200")
    assert watch(look(GOOD, other))[0][1].startswith("over after 2 hours: roc_auc")
    assert [fault.wrong.name for fault in watch.faults] == ["precision"]


def test_a_promotion_in_between_changes_nothing():
    watch = Watch()
    watch(look(BAD), after=timedelta(hours=1))
    second = Live(("v1", "v2"), ("sum", "sum"), "model", "promoted")
    assert watch(look(BAD, version="v2"), second, after=timedelta(hours=1)) == []
    assert [state for state, _ in watch(look(GOOD, version="v2"), second)] == ["over"]


def test_the_reading_of_a_group_ends_each_of_it():
    watch = Watch()
    watch(look(reading("missing values of temp", "alert", 0.5, 0, 0.1)))
    (begun, *_) = watch(look(reading("missing values of seats", "alert", 0.5, 0, 0.1)))
    assert "missing values of seats" in begun[1]
    assert len(watch.faults) == 2
    ended = watch(look(reading("missing values", "ok", 0, 0, 0.1)))
    assert ended == [
        ("over", "over after 14 days: missing values of temp: missing values is 0.000, expected 0 to 0.1"),
        ("over", "over after 7 days: missing values of seats: missing values is 0.000, expected 0 to 0.1"),
    ]


def test_a_reading_of_its_own_speaks_before_that_of_the_group():
    watch = Watch()
    watch(look(reading("errors of b", "alert")))
    told = watch(look(reading("errors", "ok"), reading("errors of b", "unknown")))
    assert [state for state, _ in told] == ["reminder"]


def test_a_canary_that_is_not_tried_any_more_is_over():
    watch = Watch()
    bad = Reading(CANARY, -0.1, -0.01, inf, "alert")
    assert len(watch(look(bad, canary="v2"))) == 1
    (told,) = watch(look())
    assert told == ("over", "over after 7 days: v2 is not tried any more")


def test_the_next_canary_is_another_fault():
    watch = Watch()
    bad = Reading(CANARY, -0.1, -0.01, inf, "alert")
    watch(look(bad, canary="v2"))
    assert [state for state, _ in watch(look(bad, canary="v3"))] == ["firing", "over"]
    assert [fault.wrong.of for fault in watch.faults] == ["v3"]


def test_the_fallback_is_over_when_the_model_answers():
    watch = Watch()
    assert watch(look(baseline_better=True)) == [
        ("firing", "2026-02-01 to 2026-03-01: the baseline did better than v1; the fallback answers")
    ]
    fallback = Live(("v1",), ("sum",), "fallback", "the baseline did better")
    assert watch(look(), fallback) == [
        (
            "reminder",
            "the fallback still answers (the baseline did better); where what was wrong is mended, `promote "
            "v1` lets the model answer again; since 2026-03-02 05:17 UTC",
        )
    ]
    assert watch(look(), LIVE) == [("over", "over after 14 days: the model answers")]


def test_outcomes_in_doubt_are_a_fault_of_their_own_until_nothing_speaks_against_them():
    watch = Watch()
    doubted = look(baseline_better=True, doubts=("2026-02: late is 0.800 on the whole", "and another"))
    assert watch(doubted) == [
        (
            "firing",
            "2026-02-01 to 2026-03-01: the baseline did better than v1, by outcomes that are in doubt: "
            "nothing is switched; 2026-02: late is 0.800 on the whole",
        )
    ]
    assert [state for state, _ in watch(doubted)] == ["reminder"]
    assert watch(look()) == [
        ("over", "over after 14 days: nothing speaks for the fallback, or nothing against the outcomes")
    ]


def test_of_a_version_that_is_not_live_any_more_no_fallback_is_told():
    second = Live(("v1", "v2"), ("sum", "sum"), "model", "promoted")
    assert Watch()(look(baseline_better=True), second) == []


def test_a_check_that_fails_is_a_fault_and_its_exception_stays_here():
    watch = Watch()
    failed = "monitor/checks.py: share_of_night: ConversionException: 'Ada Lovelace' is no number"
    unknown = Reading("share_of_night", nan, -inf, inf, "unknown")
    assert watch(look(unknown, problems=(failed,))) == [
        ("firing", "the check share_of_night could not be run; what `monitor` printed says why")
    ]
    assert [f.wrong.key for f in watch.faults] == [("check", "share_of_night", "", "")]
    other = "monitor/checks.py: share_of_night: ValueError: something else"
    assert [state for state, _ in watch(look(unknown, problems=(other,)))] == ["reminder"]
    assert watch(look()) == [("over", "over after 14 days: the check share_of_night runs again")]


def test_a_name_from_data_stays_in_its_line():
    name = "share of \x1b[31mred\r\nalert: all is well\u202e\u2028" + "x" * 1000
    watch = Watch()
    ((_, told),) = watch(look(reading(name, "alert")))
    assert told.isprintable()
    assert len(told) == 400
    assert "red alert: all is well" in told
    assert watch(look(reading(name, "ok")))[0][0] == "over"


def test_a_range_without_an_end_is_kept():
    (found,) = found_wrong(look(Reading("rows", 3, 10, inf, "alert")), LIVE, CANARY)
    assert (found.value, found.low, found.high) == (3, 10, None)


def test_one_line():
    assert one_line("a\tb\n\nc\x00 d\u200be") == "a b c d e"


def test_durations():
    said = [
        duration(timedelta(**each)) for each in ({"days": 2}, {"hours": 47}, {"minutes": 119}, {"seconds": 5})
    ]
    assert said == ["2 days", "47 hours", "119 minutes", "a minute"]
    assert duration(timedelta(days=-1)) == "a minute"  # a clock was set back
