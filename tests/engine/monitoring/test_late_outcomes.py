"""Outcomes that come late: a panel of customers and months, of which the truth is known by hand."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

import duckdb
import numpy as np
import pytest
import yaml

from handrail import cli
from handrail.compute import connect
from handrail.compute.duckdb import parquet
from handrail.config.sections import Shares, Split
from handrail.console import quietly
from handrail.contract import Record, Role, column
from handrail.errors import ProjectError
from handrail.etl import RawTable, bring_in
from handrail.etl.load import table_path
from handrail.etl.pipeline import run_etl
from handrail.monitoring import backtest, checks, monitoring_run, run_monitoring
from handrail.readiness.context import ReadinessContext
from handrail.readiness.served import quality_holds, young_enough
from handrail.registry import live as registry
from handrail.registry.acceptance import objections
from handrail.registry.live import make_live, read_live
from handrail.registry.versions import load_version
from handrail.serving import batch
from handrail.training.retraining import newer_end, newest_end
from handrail.training.run import train
from handrail.training.split_advice import split_until
from handrail.training.splits import read_splits
from handrail.tuning.tuning_data import read_tuning_data
from tests.engine.testing.made_up_projects import made_up_project, write_csv

CUSTOMERS, MONTHS = 200, 24
NEW_FROM = date(2019, 2, 1)  # from here on, where it is said so, what was a good sign is a bad one
SPLIT = {"validation_from": "2019-03-01", "test_from": "2019-06-01", "live_from": "2019-09-01"}
LIVE_FROM, AGAIN = date(2019, 9, 1), date(2019, 12, 1)
TODAY = date(2019, 12, 20)
DAY = timedelta(days=1)


class Offer(Record):
    """A customer in a month, and whether she has bought."""

    offer_id: str = column(Role.KEY, "Customer and month", pattern=r"^C[0-9]+-[0-9]+$", examples=["C1-1"])
    offered_at: datetime = column(Role.TIME, "Offered", examples=[datetime(2018, 1, 1)])
    liking: float = column(Role.FEATURE, "How much she likes it", ge=0, le=1)
    tariff: Literal["old", "new"] = column(Role.FEATURE, "Which one")
    settled_at: datetime | None = column(Role.KNOWN, "When it was known", examples=[datetime(2018, 3, 1)])
    bought: int | None = column(Role.TARGET, "1 = has bought", ge=0, le=1)


def panel_rows(*, turns: bool) -> list[dict]:
    """Return a row for each customer and month; the outcome is known 30 to 60 days after.

    turns: whether those who liked it are the ones who buy no more from NEW_FROM on, at another tariff
    """
    rng, rows = np.random.default_rng(2), []
    for month in range(MONTHS):
        for customer in range(CUSTOMERS):
            at = datetime(2018 + month // 12, 1 + month % 12, 1 + customer % 28)
            liking, new = round(float(rng.random()), 3), turns and at.date() >= NEW_FROM
            chance = 1 / (1 + np.exp((6 if new else -6) * (liking - 0.5)))
            rows.append(
                {
                    "offer_id": f"C{customer}-{month}",
                    "offered_at": at,
                    "liking": liking,
                    "tariff": "new" if new else "old",
                    "settled_at": at + timedelta(days=30 + customer % 31),
                    "bought": int(rng.random() < chance),
                }
            )
    return rows


def panel(
    folder, *, turns=False, days=60, says_when=True, split=SPLIT, undecided=None, until=None, early=False
):
    """Return settings of a panel that is loaded as it was on `until`: nothing was known that came later.

    says_when: whether a column says when the outcome was known · days: `outcome.known_after_days`
    undecided: what the table says where nothing is known yet
    early: whether it says at once who has bought, and only after the days who has not
    """
    rows = panel_rows(turns=turns)
    if until:
        rows = [row for row in rows if row["offered_at"].date() < until]
        for row in rows:
            if row["settled_at"] > datetime(until.year, until.month, until.day):
                row |= {"settled_at": None, "bought": undecided}
    if early:
        rows = [row for row in panel_rows(turns=turns) if row["offered_at"].date() < until]
        for row in rows:
            if (row["offered_at"] + timedelta(days=days)).date() > until and not row["bought"]:
                row["bought"] = None
    kinds = dict.fromkeys(("offer_id", "tariff"), "VARCHAR") | {"liking": "DOUBLE", "bought": "INTEGER"}
    raw = RawTable("offers.csv", kinds | dict.fromkeys(("offered_at", "settled_at"), "TIMESTAMP"), 100)
    (folder / "raw").mkdir(parents=True)
    write_csv(folder / "raw" / raw.file, rows)
    when = "settled_at" if says_when else "CAST(NULL AS TIMESTAMP) AS settled_at"
    tables = {"offers_raw": raw}

    def extract(connection, settings):
        return bring_in(connection, settings, tables, folder / "raw")

    watched = (checks.metrics_in_range, checks.outcomes_in_time, checks.young_enough, checks.no_drift)
    project = made_up_project(
        folder / "made",
        contract=Offer,
        table_name="offers",
        transform=f"SELECT offer_id, offered_at, liking, tariff, {when}, bought FROM offers_raw",
        raw_tables=tables,
        extract=extract,
        checks=watched,
    )
    path = folder / "made" / "project.yaml"
    facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    facts["accuracy"] |= {"baseline_by": "tariff", "minimum": 0.6, "tolerance": 0.01}
    facts |= {"split": split, "outcome": {"known_after_days": days}}
    facts["live"] = {"minimum_outcomes": 50, "expected": {"roc_auc": [0.7, 0.95]}, "maximum_age_days": 120}
    path.write_text(yaml.safe_dump(facts), encoding="utf-8")
    settings = project.settings()
    run_etl(settings, quietly)
    return settings


def learnt(settings, until=LIVE_FROM):
    """Train up to a day, and return the version."""
    return load_version(settings, train(settings, settings.dates.ending(until), quietly).version)


def known_rows(start, end, on):
    """Return how many rows of a period had an outcome when the day `on` began, counted by hand."""
    return sum(
        start <= row["offered_at"].date() < end and row["settled_at"] <= datetime(on.year, on.month, on.day)
        for row in panel_rows(turns=False)
    )


def auc(version):
    return version.info["evaluation"]["model"]["roc_auc"]["value"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return the settings of a panel with a live version, all of whose rows from live_from on are scored."""
    settings = panel(tmp_path_factory.mktemp("panel"))
    make_live(settings, learnt(settings).name)
    scored(settings)
    return settings


def scored(settings):
    rows = batch.rows_to_score(settings, None, None, None)
    return batch.score(settings, rows.source, rows.origin, batch.output_path(settings, rows.name))


def test_each_period_holds_what_was_known_when_it_was_over(world):
    begin = date(2018, 1, 1)
    validation, test, live = (date.fromisoformat(day) for day in SPLIT.values())
    assert load_version(world, read_live(world).versions[0]).info["rows"] == {
        "training": known_rows(begin, validation, validation),
        "validation": known_rows(validation, test, test),
        "test": known_rows(test, live, live),
    }
    assert known_rows(test, live, live) == 330  # of 600


def test_a_model_does_not_see_what_was_not_known_though_it_would_score_better(tmp_path):
    honest = learnt(panel(tmp_path / "honest", turns=True))
    seeing = learnt(panel(tmp_path / "seeing", turns=True, says_when=False, days=0))
    assert auc(honest) < 0.3  # it has met no new tariff of known outcome
    assert auc(seeing) > 0.7


def test_a_number_of_days_stands_in_for_a_column_that_says_when(tmp_path):
    version = learnt(panel(tmp_path, turns=True, says_when=False, days=60))
    assert version.info["rows"]["training"] == sum(
        row["offered_at"] + timedelta(days=60) <= datetime(2019, 3, 1) for row in panel_rows(turns=True)
    )
    assert auc(version) < 0.3


def test_what_is_not_decided_yet_is_no_negative_case(tmp_path):
    until = date(2019, 9, 1)
    left_out = learnt(panel(tmp_path / "null", until=until))
    settings = panel(tmp_path / "zero", until=until, undecided=0)
    assert learnt(settings).info["rows"] == left_out.info["rows"]
    # A table that is wrong about the newest rows is not believed before they are due.
    context = ReadinessContext(settings)
    vars(context).update(today=until - DAY, version=learnt(settings))
    assert len(context.known) == known_rows(date(2018, 1, 1), until, until)


def test_tuning_learns_from_what_was_known_when_the_later_rows_began(tmp_path):
    settings = panel(tmp_path)
    for earlier, later in read_tuning_data(settings, settings.dates).folds:
        assert earlier.known_from.max() <= later.times.min()
        assert earlier.times.max() < later.times.min() - np.timedelta64(29, "D")


def test_a_period_shorter_than_outcomes_take_says_what_to_change(tmp_path):
    split = SPLIT | {"validation_from": "2019-05-10"}
    with pytest.raises(ProjectError) as refused:
        learnt(panel(tmp_path, split=split))
    assert refused.value.problems == (
        "validation period: of its 133 rows before 2019-06-01, 0 had a known outcome by then (0 different "
        "outcomes), as it takes 60 days; let it begin on 2019-05-01 or before, as no later row's was known, "
        "or end later: see split and outcome.known_after_days in project.yaml",
        "the rows are from 2018-01-01 to 2019-12-28; a split that would do, in project.yaml: "
        "validation_from: 2018-12-01, test_from: 2019-05-01, live_from: 2019-10-01",
    )


def test_a_training_period_that_ends_before_anything_is_known_cannot_begin_earlier(tmp_path):
    split = SPLIT | {"validation_from": "2018-01-20"}
    with pytest.raises(ProjectError) as refused:
        learnt(panel(tmp_path, split=split))
    said = "training period: of its 137 rows before 2018-01-20, 0 had a known outcome by then (0 different "
    assert refused.value.problems[0] == (
        f"{said}outcomes), as it takes 60 days; let it end later: see split and outcome.known_after_days in "
        "project.yaml"
    )


@pytest.mark.parametrize(
    ("until", "begun"),
    [
        (date(2019, 9, 1), ("2019-04-01", "2019-06-01")),  # as in project.yaml
        (date(2019, 8, 1), ("2019-03-01", "2019-05-01")),
        (date(2019, 6, 1), ("2018-12-01", "2019-03-01")),  # January and February have 59 days, one too few
        (date(2019, 6, 15), ("2019-01-13", "2019-03-15")),
    ],
)
def test_a_period_that_a_short_month_leaves_without_outcomes_begins_earlier(tmp_path, until, begun):
    split = SPLIT | {"validation_from": "2019-04-01"}
    settings = panel(tmp_path, split=split, says_when=False)
    found = split_until(settings, until)
    assert (str(found.validation_from), str(found.test_from), found.live_from) == (*begun, until)
    assert set(load_version(settings, train(settings, found, quietly).version).info["rows"]) == {
        "training",
        "validation",
        "test",
    }


def test_the_split_that_is_named_as_one_that_would_do_does(tmp_path):
    beside = {"validation_from": "2013-06-01", "test_from": "2013-07-01", "live_from": "2013-09-01"}
    for days, named in ((60, True), (90, True), (300, False)):
        settings = panel(tmp_path / str(days), split=beside, says_when=False, days=days)
        with pytest.raises(ProjectError) as refused:
            train(settings, settings.dates, quietly)
        *_, advice = refused.value.problems
        days_said = dict(re.findall(r"(\w+_from): (\S+?)(?:,|$)", advice))
        if named:
            assert train(settings, Split.model_validate(days_said), quietly).version
        else:
            assert advice == (
                "the rows are from 2018-01-01 to 2019-12-28: too few days for three periods, each with "
                "outcomes that are known after 300 days"
            )


HALF_TOLD = {"early": True, "until": date(2019, 11, 1), "says_when": False}  # from 3 September on


def decided_rows(start):
    """Return how many rows from `start` on had their days over when the half told table ended."""
    return sum(
        start <= row["offered_at"].date() and row["offered_at"] + timedelta(days=60) <= datetime(2019, 11, 1)
        for row in panel_rows(turns=False)
    )


def test_outcomes_that_are_half_told_are_not_measured_on(tmp_path, caplog):
    """Known are those who have bought: nobody else's days were over when the table ended."""
    settings = panel(tmp_path, **HALF_TOLD)
    version = learnt(settings, AGAIN)
    assert version.info["rows"]["test"] == decided_rows(LIVE_FROM) == 16
    assert version.info["unknown"]["test"] == 2 * CUSTOMERS - 16
    assert "test period: outcomes of rows from 2019-09-03 on were known only where they were" in caplog.text
    assert "without 384 whose outcome was not known then." in (version.path / "card.md").read_text("utf-8")


def test_of_rows_that_chance_parts_half_told_ones_are_left_out_too(tmp_path):
    settings = panel(tmp_path, **HALF_TOLD)
    shares = Shares(by="random", validation_share=0.2, test_share=0.2)
    version = load_version(settings, train(settings, shares, quietly).version)
    assert sum(version.info["rows"].values()) == decided_rows(date(2018, 1, 1))


def test_half_told_outcomes_are_no_live_accuracy(tmp_path):
    settings = panel(tmp_path, **HALF_TOLD)
    make_live(settings, learnt(settings).name)
    scored(settings)
    seen = run_monitoring(settings, LIVE_FROM, date(2019, 11, 1), today=date(2020, 2, 1))
    assert (seen.rows, seen.outcomes) == (2 * CUSTOMERS, 16)
    found = {reading.name: reading for reading in seen.readings}["outcomes overdue"]
    assert (found.value, found.state) == ((2 * CUSTOMERS - 16) / (2 * CUSTOMERS), "alert")
    (look,) = backtest(settings, today=date(2020, 2, 1))
    assert look.start == LIVE_FROM
    assert 16 <= look.outcomes < 24  # a few of the day on which the table ended


def test_a_fold_learns_nothing_from_half_told_outcomes(tmp_path):
    """Who has bought is known at once, the others' days are over long after."""
    settings = panel(tmp_path)
    with connect(settings) as connection:
        training = read_splits(
            connection, settings, parquet(table_path(settings, "offers")), settings.dates, "tariff"
        ).training
    at = np.where(training.target == 1, training.times, training.times + np.timedelta64(60, "D"))
    moment = np.datetime64("2019-01-01")
    told = replace(training, known_from=at).known_on(moment)
    assert told.times.max() < np.datetime64("2018-11-04")
    both = training.rows(training.times + np.timedelta64(60, "D") <= moment)
    assert len(told) == len(both)


def test_a_retraining_on_the_first_of_a_month_learns_what_was_known_by_then(world):
    again = learnt(world, AGAIN)
    moved = world.dates.ending(AGAIN)
    assert again.info["rows"]["test"] == known_rows(moved.test_from, AGAIN, AGAIN)
    assert objections(world, again) == []


def test_a_version_that_shares_no_known_outcome_with_the_live_one_is_not_let_past(tmp_path):
    settings = panel(tmp_path)
    make_live(settings, learnt(settings).name)
    # Its test period ends a month after the live version's has begun: nothing of both is known by then.
    older = learnt(settings, date(2019, 6, 20))
    (said,) = objections(settings, older)
    assert said.endswith(
        "too few outcomes of the rows from 2019-06-01 to 2019-06-20 were known then; train on newer ones"
    )


def test_scoring_begins_where_the_live_version_s_split_ends(world):
    rows = scored(world)
    name = read_live(world).versions[0]
    assert rows.path.name == f"scored-2019-09-01-end-{name}.parquet"
    assert rows.rows == 4 * CUSTOMERS


def test_the_newest_window_whose_outcomes_are_due_is_looked_at(world):
    seen = run_monitoring(world, today=TODAY)
    assert (seen.start, seen.end) == (date(2019, 9, 22), date(2019, 10, 22))  # sixty days before
    rows = [r for r in panel_rows(turns=False) if seen.start <= r["offered_at"].date() < seen.end]
    assert (seen.rows, seen.outcomes) == (len(rows), len(rows))
    found = {reading.name: reading for reading in seen.readings}
    assert (found["outcomes overdue"].value, found["outcomes overdue"].state) == (0.0, "ok")
    assert found["roc_auc"].state == "ok"
    assert found["age of the model in days"].value == (TODAY + DAY - LIVE_FROM).days
    said = "outcomes come later: drift, traffic and broken rows are of 2019-11-21 to 2019-12-21, the latest"
    assert seen.notes == (said,)


def test_before_the_first_outcome_is_due_the_latest_predictions_are_looked_at(world):
    seen = run_monitoring(world, today=date(2019, 9, 20))
    assert (seen.start, seen.end, seen.outcomes) == (date(2019, 8, 22), date(2019, 9, 21), 0)
    found = {reading.name: reading.state for reading in seen.readings}
    assert (found["roc_auc"], found["outcomes overdue"]) == ("unknown", "unknown")
    assert found["drift of liking"] == "ok"


def test_an_outcome_that_should_be_known_and_is_not_is_overdue(tmp_path):
    settings = panel(tmp_path, days=30)  # and half of them take longer
    make_live(settings, learnt(settings).name)
    scored(settings)
    seen = run_monitoring(settings, today=TODAY)
    inside = [r for r in panel_rows(turns=False) if seen.start <= r["offered_at"].date() < seen.end]
    late = sum(row["settled_at"] > datetime(2019, 12, 21) for row in inside)
    found = {reading.name: reading for reading in seen.readings}["outcomes overdue"]
    assert found.value == pytest.approx(late / len(inside))
    assert (found.state, found.high) == ("alert", 0.1)
    assert 0.3 < found.value < 0.7


def test_what_was_not_loaded_for_months_is_overdue(tmp_path):
    settings = panel(tmp_path, until=date(2019, 11, 1))
    make_live(settings, learnt(settings).name)
    scored(settings)
    seen = run_monitoring(settings, today=date(2020, 2, 1))
    assert (seen.start, seen.end, seen.outcomes) == (date(2019, 9, 29), date(2019, 10, 29), 1)
    found = {reading.name: reading for reading in seen.readings}
    assert found["outcomes overdue"].value == 0.995
    assert found["outcomes overdue"].state == "alert"
    assert found["age of the model in days"].state == "alert"


def test_months_lived_again_meet_outcomes_when_they_came(tmp_path):
    settings = panel(tmp_path, days=30)
    make_live(settings, learnt(settings).name)
    looks = list(backtest(settings, today=date(2019, 12, 31)))
    months = [(date(2019, n, 1), date(2019, n + 1, 1)) for n in (9, 10, 11)]
    assert [(seen.start, seen.end) for seen in looks][:3] == months
    for seen in looks[:3]:
        due = seen.end + timedelta(days=30)
        assert seen.rows == CUSTOMERS
        assert seen.outcomes == known_rows(seen.start, seen.end, due)
        age = {reading.name: reading.value for reading in seen.readings}["age of the model in days"]
        assert age == (seen.end - LIVE_FROM).days  # when it answered, and not when it was known how well


def test_months_are_lived_again_as_far_as_the_table_tells(tmp_path):
    """What comes after is not overdue: of that time nothing was loaded."""
    settings = panel(tmp_path, until=date(2019, 12, 10))
    make_live(settings, learnt(settings).name)
    looks = list(backtest(settings, today=date(2026, 1, 1)))
    assert [(seen.start, seen.rows) for seen in looks] == [(date(2019, n, 1), CUSTOMERS) for n in (9, 10)]
    for seen in looks:
        found = {reading.name: reading for reading in seen.readings}
        assert found["outcomes overdue"].state == "ok"
        assert found["age of the model in days"].state == "ok"


def test_where_nothing_came_due_no_month_is_lived_again(tmp_path):
    settings = panel(tmp_path, until=date(2019, 9, 20))
    make_live(settings, learnt(settings).name)
    with pytest.raises(
        ProjectError, match=r"^--relive: of no row from 2019-09-01 on was the outcome due by "
    ):
        list(backtest(settings, today=date(2026, 1, 1)))


def forget_outcomes(settings, day):
    """Load the table again as if no outcome of a row from `day` on were known."""
    path = table_path(settings, "offers")
    known = f"CASE WHEN offered_at < '{day}' THEN bought END AS bought"
    new = path.with_suffix(".new.parquet")
    duckdb.execute(f"COPY (SELECT * REPLACE ({known}) FROM '{path}') TO '{new}'")
    new.replace(path)


def test_where_no_outcome_is_loaded_is_told_with_a_window_that_has_some(tmp_path):
    settings = panel(tmp_path, until=date(2019, 11, 1))
    make_live(settings, learnt(settings).name)
    scored(settings)
    forget_outcomes(settings, "2019-09-15")
    seen = run_monitoring(settings, today=date(2020, 2, 1))
    assert (seen.start, seen.outcomes) == (date(2019, 9, 29), 0)
    assert (
        "no outcome is loaded from 2019-09-15 on: `monitor --to 2019-09-15` looks at the days before"
        in seen.notes
    )
    assert run_monitoring(settings, None, date(2019, 9, 15), today=date(2020, 2, 1)).outcomes > 50
    forget_outcomes(settings, "2019-08-15")
    assert (
        "no outcome is loaded from 2019-08-15 on, nor of any row that was predicted before"
        in run_monitoring(settings, today=date(2020, 2, 1)).notes
    )


def test_what_a_version_has_learnt_from_is_no_live_accuracy(tmp_path):
    settings = panel(tmp_path, says_when=False, days=0)
    first, second = learnt(settings), learnt(settings, AGAIN)
    make_live(settings, first.name)
    scored(settings)
    before = run_monitoring(settings, LIVE_FROM, AGAIN, today=TODAY)
    make_live(settings, second.name)
    scored_by_first = sorted(path.name for path in (settings.workspace / "data/predictions").iterdir())
    source = f"(SELECT * FROM '{table_path(settings, 'offers')}' WHERE offered_at >= '2019-09-01')"
    batch.score(settings, source, "all", batch.output_path(settings, "all"))
    after = run_monitoring(settings, LIVE_FROM, AGAIN, today=TODAY)
    assert after.rows == before.rows == 3 * CUSTOMERS
    assert after.metrics["roc_auc"] == before.metrics["roc_auc"]  # of the first version, as it was
    measured, left_out = after.notes
    assert measured.startswith(f"the metrics are of {first.name}, which answered then; of {second.name}, ")
    assert left_out.startswith("600 predictions are left out: ")
    assert scored_by_first[0] in {path.name for path in (settings.workspace / "data/predictions").iterdir()}
    only = run_monitoring(settings, AGAIN, date(2020, 1, 1), today=date(2019, 12, 31))
    assert (only.version, only.rows, only.notes) == (second.name, CUSTOMERS, ())


def test_of_several_predictions_that_of_the_version_under_watch_counts(tmp_path):
    settings = panel(tmp_path, says_when=False, days=0)
    first, second = learnt(settings), learnt(settings, AGAIN)
    for version in (second, first):  # the earlier version predicts last
        make_live(settings, version.name)
        scored(settings)
    december = (AGAIN, date(2020, 1, 1), date(2019, 12, 31))
    by_first = run_monitoring(settings, *december).metrics
    make_live(settings, second.name)
    by_second = run_monitoring(settings, *december).metrics
    assert by_first["roc_auc"] != by_second["roc_auc"]
    files = (settings.workspace / "data" / "predictions").glob(f"*-{first.name}.parquet")
    next(files).unlink()
    assert run_monitoring(settings, *december).metrics == by_second


def decided(version, threshold):
    """Return the version with another threshold."""
    evaluation = version.info["evaluation"] | {"decision": {"threshold": threshold}}
    return replace(version, info=version.info | {"evaluation": evaluation})


@pytest.fixture
def promoted_unseen(tmp_path, monkeypatch):
    """Return settings with a version that has predicted and one that has not, at other thresholds."""
    settings = panel(tmp_path)
    versions = [decided(learnt(settings), 0.3), decided(learnt(settings, AGAIN), 0.9)]
    by_name = {version.name: version for version in versions}
    for module in (monitoring_run, registry):
        monkeypatch.setattr(module, "load_version", lambda settings, name, *pinned: by_name[name])
    make_live(settings, versions[0].name)
    scored(settings)
    return settings, *versions


def test_what_a_version_has_predicted_is_measured_by_its_own_threshold(promoted_unseen):
    """A version that was promoted and has not answered yet changes no figure of what was answered."""
    settings, first, second = promoted_unseen
    before = run_monitoring(settings, today=TODAY)
    make_live(settings, second.name)
    after = run_monitoring(settings, today=TODAY)
    assert (before.version, after.version) == (first.name, first.name)
    assert after.metrics == before.metrics
    flagged = before.metrics["flagged_share"]
    assert flagged > 0.5  # at 0.3; at 0.9, that of the version which is live now, hardly any is
    note = f"the metrics are of {first.name}, which answered then; of {second.name}, which is in staging, "
    assert after.notes[0].startswith(note)
    drift, age = (
        [{reading.name: reading.value for reading in seen.readings}[name] for seen in (before, after)]
        for name in ("drift of prediction", "age of the model in days")
    )
    assert drift[0] == drift[1]
    assert age == [(TODAY + DAY - LIVE_FROM).days, (TODAY + DAY - AGAIN).days]
    context = ReadinessContext(settings)
    vars(context).update(version=second, today=TODAY)
    said = f"{first.name}, from 2019-09-22 to 2019-10-22 (of {second.name}, which is live, too few outcomes"
    assert quality_holds(context).startswith(said)


def test_the_live_version_is_measured_as_soon_as_it_has_enough_outcomes(promoted_unseen):
    settings, first, second = promoted_unseen
    make_live(settings, second.name)
    scored(settings)
    quarter = date(2019, 10, 1), date(2020, 1, 1), date(2020, 3, 1)
    seen = run_monitoring(settings, *quarter)
    assert (seen.version, seen.rows) == (second.name, 3 * CUSTOMERS)
    assert seen.metrics["flagged_share"] < 0.3
    said = f"{2 * CUSTOMERS} of {seen.rows} predictions are of other versions; the metrics leave them out"
    assert said in seen.notes
    more = settings.live.model_copy(update={"minimum_outcomes": CUSTOMERS + 1})
    seen = run_monitoring(settings.model_copy(update={"live": more}), *quarter)
    assert (seen.version, seen.metrics["flagged_share"] > 0.5) == (first.name, True)


def test_of_a_version_that_is_kept_no_more_nothing_is_measured(promoted_unseen, monkeypatch):
    settings, first, second = promoted_unseen

    def load(settings, name, *pinned):
        if name == first.name:
            raise ProjectError("its folder is gone")
        return second

    make_live(settings, second.name)
    for module in (monitoring_run, registry):
        monkeypatch.setattr(module, "load_version", load)
    seen = run_monitoring(settings, today=TODAY)
    assert seen.version == second.name
    assert np.isnan([np.nan if value is None else value for value in seen.metrics.values()]).all()
    found = {reading.name: reading.state for reading in seen.readings}
    assert (found["roc_auc"], found["drift of prediction"]) == ("unknown", "unknown")


def test_only_what_works_is_advised(tmp_path):
    settings = panel(tmp_path, until=date(2019, 10, 20))
    today = date(2019, 10, 20)
    last = newest_end(settings, today)
    assert last == date(2019, 10, 21)  # the newest outcome came the day before
    assert newer_end(settings, today) == last
    learnt(settings, last)
    beyond = newest_end(settings, date(2020, 6, 1))
    assert beyond == last


def test_a_model_that_is_too_old_is_told_what_works(tmp_path):
    settings = panel(tmp_path, until=date(2019, 12, 30))
    context = ReadinessContext(settings)
    vars(context).update(version=learnt(settings), today=date(2019, 12, 30))
    with pytest.raises(ProjectError, match=r"121 days old on .*; `retrain --until 2019-12-31`"):
        young_enough(context)
    vars(context).update(today=date(2020, 12, 30))
    with pytest.raises(ProjectError, match=r"load newer outcomes with `etl` first$"):
        young_enough(context)


@pytest.mark.slow
def test_the_verbs_go_all_the_way(tmp_path, monkeypatch, capsys):
    settings = panel(tmp_path)
    project = settings.project
    monkeypatch.chdir(project.root)
    for line, status in {
        "etl": 0,
        "train --no-round": 0,
        "promote": 0,
        "score": 0,
        "monitor --from 2019-09-01 --to 2019-10-01": 0,
        "monitor --relive": 3,  # in December, the model is older than was agreed
        "train --no-round --test --until 2019-12-01": 0,
    }.items():
        assert cli.run(project, line.split()) == status, (line, capsys.readouterr())
    said = capsys.readouterr().out
    months = re.findall(r"^(2019-\d\d-01) to \S+: 200 predictions, 200 outcomes known", said, re.MULTILINE)
    assert Counter(months) == {"2019-09-01": 2, "2019-10-01": 1, "2019-11-01": 1, "2019-12-01": 1}
    assert "rows from 2019-09-01 on and before 2019-12-01" in said
    (alert,) = (project.root / "reports" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(alert)["alerts"] == [
        "2019-12-01 to 2020-01-01: age of the model in days is 122, expected 0 to 120"
    ]
    found = duckdb.sql(f"SELECT count(*) FROM '{table_path(settings, 'offers')}'").fetchall()
    assert found == [(CUSTOMERS * MONTHS,)]


def test_a_training_up_to_a_day_to_come_is_refused(tmp_path, monkeypatch, capsys):
    settings = panel(tmp_path)
    monkeypatch.chdir(settings.root)
    assert cli.run(settings.project, ["train", "--until", "9999-01-01"]) == 1
    said = "error: --until 9999-01-01: lies in the future; what will be known then is not known yet\n"
    assert capsys.readouterr().err.endswith(said)


def test_two_columns_that_say_when_are_one_too_many(tmp_path):
    class Twice(Offer):
        paid_at: datetime | None = column(Role.KNOWN, "When it was paid", examples=[datetime(2018, 3, 1)])

    settings = panel(tmp_path)
    vars(settings.project)["contract"] = Twice
    with pytest.raises(ProjectError, match="settled_at and paid_at are both known; one column can say when"):
        learnt(settings)
