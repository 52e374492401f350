"""What is watched of what is live: each check looks at a window of predictions and tells its readings.

One's own is a function of a `Look` that yields readings, each a figure with the range in which it is
expected; outside it is an alert, told, kept and sent like the others:

    def no_extremes(look):
        highest = look.value("max(prediction)")
        yield look.reading("highest prediction", highest, low=0.0, high=0.99)
"""

from handrail.monitoring import checks

CHECKS = (
    checks.metrics_in_range,  # those of live.expected in project.yaml
    checks.outcomes_in_time,  # at most live.maximum_overdue_share are due and not known
    checks.canary_holds,  # as good as the live version, where one is tried
    checks.contract_kept,  # at most live.maximum_violation_share of what was asked breaks it
    checks.service_answers,  # requests that fail, or take long
    checks.young_enough,  # at most live.maximum_age_days old
    checks.no_drift,  # of the prediction an alert; of a feature a warning, or an alert if it is sudden
    checks.values_known,  # no more are missing or new than usual: live.maximum_new_share
    checks.traffic_as_usual,  # at least live.minimum_traffic_share of what is usual, and something each day
    checks.keys_once,  # at most live.maximum_repeated_share of the answers are for a key once more
    checks.outcomes_vary,  # and are not all the same
)
