"""A retraining goes live on honest data; on bad data nothing changes, and it says why."""

import json
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from handrail.config.sections import Retraining
from handrail.errors import ProjectError
from handrail.etl import load
from handrail.etl.pipeline import run_etl
from handrail.registry import canary, versions
from handrail.registry import live as registry
from handrail.training import retraining_run
from handrail.training.retraining_log import last_retraining, retraining_log_path
from handrail.training.retraining_run import run_retraining
from tests.engine.support.lived import promoted, run
from tests.engine.support.workspaces import copied, with_given

UNTIL = date(2013, 12, 1)
TODAY = datetime.now(UTC).date()
CHANCE = "hash({key} || 'drawn') % 1000 / 1000.0"  # of a row, always the same


def quietly(step):
    """Show nothing."""


def goes_live(settings, **changes):
    """Return the settings with another section `retraining`."""
    return settings.model_copy(update={"retraining": Retraining(**changes)})


def loading(settings, change=None):
    """Return the settings of a project whose etl loads the table that is there, or what `change` makes of it.

    `change`: a query of `{table}`, with `{key}`, `{time}`, `{target}` and `{chance}` of a row.
    """
    its = settings.project
    loaded = load.table_path(settings, its.table_name)
    honest = shutil.copy(loaded, loaded.with_name("honest.parquet"))

    def run_etl(there, on_step):
        names = {"key": its.key, "time": its.time, "target": its.target}
        names |= {"table": f"'{honest}'", "chance": CHANCE.format(key=its.key)}
        query = (change or "SELECT * FROM {table}").format(**names)
        path = load.table_path(there, its.table_name)
        path.parent.mkdir(exist_ok=True)
        duckdb.sql(f"SELECT * FROM ({query}) ORDER BY {its.time}, {its.key}").write_parquet(str(path))

    return with_given(settings, run_etl=run_etl)


def outcomes(which, other="1 - {target}"):
    """Return the change that gives the rows `which` another outcome."""
    return (
        f"SELECT * REPLACE (CASE WHEN {which} THEN {other} ELSE {{target}} END AS {{target}}) FROM {{table}}"
    )


def values(name, which, other):
    """Return the change that gives the rows `which` another value of a column."""
    return f"SELECT * REPLACE (CASE WHEN {which} THEN {other} ELSE {name} END AS {name}) FROM {{table}}"


def without(which):
    """Return the change that leaves the rows `which` out."""
    return f"SELECT * FROM {{table}} WHERE ({which}) IS NOT TRUE"


def at_sample(settings, folder):
    """Return the settings of a copy where the command line finds it with `--sample`."""
    shutil.copytree(settings.workspace, folder / "sample" / str(settings.sample))
    return settings.model_copy(update={"workspace": folder})


def retrain(monkeypatch, settings, *arguments, **environment):
    """Run the verb on the sample, and return its exit status."""
    sample = ("--sample", str(settings.sample))
    return run(monkeypatch, settings, "retrain", *arguments, *sample, **environment)


def changed_nothing(settings, live):
    """Return whether what is live is as it was, to the byte."""
    return registry.live_path(settings).read_bytes() == live


@pytest.fixture
def live(trained, tmp_path):
    """Return settings of a copy in which a version is live."""
    return promoted(copied(trained, tmp_path))


@pytest.mark.parametrize("becomes", ["canary", "promotion", "nobody"])
def test_an_honest_retraining_becomes_what_the_setting_says(live, becomes):
    before = registry.read_live(live)
    settings = goes_live(loading(live), goes_live=becomes, canary_share=0.2)
    done = run_retraining(settings, UNTIL, quietly)
    now, name = registry.read_live(live), done.version
    (old,) = before.versions
    assert name.startswith("2013-12-01-")
    assert (done.verdict, now.versions, now.canary and (now.canary.name, now.canary.share)) == {
        "canary": ("canary", (old,), (name, 0.2)),
        "promotion": ("live", (old, name), None),
        "nobody": ("kept", (old,), None),
    }[becomes]
    figures, rows = done.figures, done.figures["rows"]
    assert figures["candidate"]["low"] < figures["candidate"]["value"] < figures["candidate"]["high"]
    assert f"on the {rows:,} rows from 2013-10-01 to 2013-12-01 beside the staged {old}'s" in done.why[0]
    line = last_retraining(live)
    assert (line["verdict"], line["version"], line["until"]) == (done.verdict, name, "2013-12-01")
    assert line["figures"]["live"]["value"] == pytest.approx(figures["live"]["value"])


POISONS = {
    "a tenth of all outcomes swapped": (outcomes("{chance} < 0.1"), "rows are not what they were when"),
    "three tenths swapped": (outcomes("{chance} < 0.3"), "rows are not what they were when"),
    "three tenths of the late ones on time": (
        outcomes("{target} = 1 AND {chance} < 0.3", "0"),
        "rows are not what they were when",
    ),
    "as many late ones on time as the other way round": (
        outcomes(
            "origin = 'EWR' AND (({target} = 1 AND {chance} < 0.3) OR ({target} = 0 AND {chance} < 0.09))"
        ),
        "rows are not what they were when",
    ),
    "outcomes of the new rows drawn by chance": (
        outcomes("{time} >= '2013-09-01'", "CAST({chance} < 0.2 AS BIGINT)"),
        "puts them into the order of their outcomes by",
    ),
    "a third of the new outcomes swapped": (
        outcomes("{time} >= '2013-09-01' AND {chance} < 0.34"),
        "puts them into the order of their outcomes by",
    ),
    "a tenth of the new outcomes swapped": (
        outcomes("{time} >= '2013-09-01' AND {chance} < 0.15"),
        "puts them into the order of their outcomes by",
    ),
    "one month swapped": (
        outcomes("month({time}) = 11"),
        "2013-11: late is 0.",
    ),
    "nearly no late one among the new rows": (
        outcomes("{time} >= '2013-09-01' AND {chance} < 0.7", "0"),
        "2013-09: late is 0.",
    ),
    "one airport never late any more": (
        outcomes("{time} >= '2013-09-01' AND origin = 'EWR'", "0"),
        "2013-09, origin EWR: late is 0",
    ),
    "half of all rows": (without("{chance} < 0.5"), "rows where"),
    "half of the new rows": (
        without("{time} >= '2013-09-01' AND {chance} < 0.5"),
        "rows a day, ",
    ),
    "half of the late ones missing": (without("{target} = 1 AND {chance} < 0.5"), "rows where"),
    "half of the new late ones missing": (
        without("{time} >= '2013-09-01' AND {target} = 1 AND {chance} < 0.6"),
        "2013-09: late is 0.",
    ),
    "an airport missing": (
        without("{time} >= '2013-11-01' AND origin = 'EWR'"),
        "2013-11: origin: EWR, ",
    ),
    "a name changed everywhere": (
        values("carrier", "carrier = 'UA'", "'United'"),
        "occur no more; new are United: renamed?",
    ),
    "a name changed in the last month": (
        values("carrier", "carrier = '9E' AND {time} >= '2013-11-01'", "'Endeavor'"),
        "occur no more; new are Endeavor: renamed?",
    ),
    "a temperature in Fahrenheit": (
        values("temperature_c", "TRUE", "temperature_c * 1.8 + 32"),
        "temperature_c: 9",
    ),
    "a column empty": (
        values("humidity_percent", "{time} >= '2013-10-01'", "NULL"),
        "2013-10: humidity_percent: 100.0% of the values are missing, ",
    ),
    "a third of the new outcomes not known": (
        outcomes("{time} >= '2013-09-01' AND {chance} < 0.3", "NULL"),
        "of the rows the outcome is due and not known",
    ),
}


@pytest.mark.parametrize("poison", POISONS)
def test_of_bad_data_nothing_is_learnt_and_what_is_live_stays(live, poison):
    change, reason = POISONS[poison]
    settings, before = goes_live(loading(live, change), goes_live="promotion"), registry.live_path(live)
    was, names = before.read_bytes(), {path.name for path in versions.model_folder(live).glob("2*")}
    table, refused = (
        load.table_path(live.with_table(accepted=accepted), live.project.table_name)
        for accepted in (True, False)
    )
    loaded = table.read_bytes()
    done = run_retraining(settings, UNTIL, quietly)
    assert (done.verdict, done.version, done.needs_somebody) == ("refused", None, True)
    assert reason in " | ".join(done.why), done.why
    assert changed_nothing(live, was)
    assert {path.name for path in versions.model_folder(live).glob("2*")} == names
    line = last_retraining(live)
    assert (line["why"], line["not_accepted"]) == (list(done.why), str(refused))
    assert table.read_bytes() == loaded
    both = [f"FROM '{path}'" for path in (refused, table)]
    assert any(duckdb.sql(f"{one} EXCEPT ALL {other}").fetchall() for one, other in (both, both[::-1]))


def test_what_was_refused_is_kept_until_the_next_is_built(live):
    settings = loading(live, outcomes("{chance} < 0.3"))
    folder = load.not_accepted_folder(live)
    assert run_retraining(settings, UNTIL, quietly).verdict == "refused"
    assert [path.name for path in folder.iterdir()] == [f"{live.project.table_name}.parquet"]
    table = load.table_path(live, live.project.table_name)
    before = table.stat().st_mtime_ns
    settings.project.given["run_etl"] = loading(live).project.given["run_etl"]
    assert run_retraining(settings, date(2013, 9, 1), quietly).verdict == "nothing new"
    assert (list(folder.iterdir()), table.stat().st_mtime_ns) == ([], before)  # nobody has looked at it
    done = run_retraining(settings, UNTIL, quietly)
    assert (done.verdict, done.not_accepted, list(folder.iterdir())) == ("canary", None, [])
    assert table.stat().st_mtime_ns > before


def test_a_table_that_was_loaded_while_another_was_looked_at_stays(live, monkeypatch):
    settings, looked = loading(live), retraining_run.look_at_data
    table = load.table_path(live, live.project.table_name)

    def meanwhile(*given):
        duckdb.sql(f"SELECT * FROM '{table}' LIMIT 1000").write_parquet(str(table.with_name("few.parquet")))
        table.with_name("few.parquet").replace(table)
        return looked(*given)

    monkeypatch.setattr(retraining_run, "look_at_data", meanwhile)
    done = run_retraining(settings, UNTIL, quietly)
    assert (done.verdict, done.why[-1]) == (
        "refused",
        "the table was loaded anew while it was learnt from; run it again",
    )
    assert duckdb.sql(f"SELECT count(*) FROM '{table}'").fetchall() == [(1000,)]


@pytest.mark.parametrize("steps", [0, 1])
def test_killed_while_the_table_is_replaced_it_is_the_old_or_the_new_one(live, monkeypatch, steps):
    its, replace, done = live.project.table_name, Path.replace, []
    old, new = (live.with_table(accepted=accepted) for accepted in (True, False))
    run_etl(new, quietly)
    rejected, table = load.rejected_path(old, its), load.table_path(old, its)
    built = (load.rejected_path(new, its).read_bytes(), load.table_path(new, its).read_bytes())
    rejected.write_bytes(b"old")
    table.write_bytes(b"old")

    def killed(self, target):
        if len(done) == steps:
            raise KeyboardInterrupt
        done.append(target)
        return replace(self, target)

    with monkeypatch.context() as there:
        there.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            load.accept(live, its)
    assert (rejected.read_bytes(), table.read_bytes()) == (built[0] if steps else b"old", b"old")
    load.accept(live, its)
    assert (rejected.read_bytes(), table.read_bytes()) == built


def test_what_was_learnt_from_poisoned_outcomes_is_worse_on_the_rows_that_were_not(live):
    """Those of old rows that nobody was tested on are not compared: the gate sees what comes of them."""
    change = outcomes("{time} < '2013-07-01'", "CAST({chance} < 0.2 AS BIGINT)")
    settings = goes_live(loading(live, change), goes_live="promotion", maximum_changed_share=1)
    was = registry.live_path(live).read_bytes()
    done = run_retraining(settings, UNTIL, quietly)
    assert (done.verdict, changed_nothing(live, was)) == ("refused", True)
    assert "is worse than the staged" in " | ".join(done.why)
    assert versions.load_version(live, done.version).name == done.version


@pytest.mark.slow
def test_months_of_honest_data_follow_one_another(live):
    settings = goes_live(loading(live), goes_live="promotion")
    for month in (10, 11, 12):
        assert run_retraining(settings, date(2013, month, 1), quietly).verdict == "live"
    assert len(registry.read_live(live).versions) == 4


def test_where_nothing_is_newer_nothing_is_done(live, tmp_path, monkeypatch, capsys):
    was, name = registry.live_path(live).read_bytes(), registry.read_live(live).versions[-1]
    there = at_sample(live, tmp_path / "whole")
    assert retrain(monkeypatch, there, "--until", "2013-09-01") == 0
    assert capsys.readouterr().out == (
        f"{name} has learnt from all before 2013-09-01, and --until is 2013-09-01\n"
        f"nothing to do: {name} stays as it is\n"
    )
    assert (there.workspace / "sample" / "20000" / "models" / "live.json").read_bytes() == was


def test_the_newest_day_is_the_first_of_a_month_where_all_days_of_the_split_are(live):
    done = run_retraining(goes_live(loading(live), maximum_lost_share=0, minimum_rows_share=1), None, quietly)
    assert done.until == date(2014, 1, 1)


def test_as_long_as_a_canary_is_tried_nothing_is_done(live):
    settings = loading(live)
    name = run_retraining(settings, date(2013, 11, 1), quietly).version
    done = run_retraining(settings, UNTIL, quietly)
    assert (done.verdict, done.needs_somebody) == ("waiting", False)
    assert done.why == (f"{name} is tried as a canary; `promote {name}` or `rollback` first",)


def test_a_fallback_is_ended_by_a_promotion_and_by_no_canary(live):
    registry.use_fallback(live, "the baseline did better")
    was = registry.live_path(live).read_bytes()
    done = run_retraining(loading(live), UNTIL, quietly)
    said = (
        f"the fallback answers (the baseline did better): `promote {done.version}` ends that, no canary does"
    )
    assert (done.verdict, done.why[-1], changed_nothing(live, was)) == ("refused", said, True)
    done = run_retraining(goes_live(loading(live), goes_live="promotion"), UNTIL, quietly)
    assert (done.verdict, registry.read_live(live).mode) == ("live", "model")


def test_without_a_live_version_there_is_nothing_to_hold_a_new_one_against(trained, tmp_path):
    settings = copied(trained, tmp_path)
    with pytest.raises(ProjectError, match="no model is live yet; run `train`, then `promote`"):
        run_retraining(loading(settings), UNTIL, quietly)
    assert last_retraining(settings)["verdict"] == "failed"


def test_a_live_version_that_was_changed_is_replaced_by_no_machine(live):
    name = registry.read_live(live).versions[-1]
    with (versions.version_folder(live, name) / "card.md").open("a") as card:
        card.write("changed")
    was = registry.live_path(live).read_bytes()
    with pytest.raises(ProjectError, match="the version is refused; train it again or roll back"):
        run_retraining(loading(live), UNTIL, quietly)
    assert changed_nothing(live, was)


def test_a_second_one_at_a_time_says_since_when_the_first_runs(live):
    with (
        retraining_run.one_at_a_time(live),
        pytest.raises(
            ProjectError, match=r"another retraining runs since 20\d\d-.*; one at a time: try again"
        ),
    ):
        run_retraining(loading(live), UNTIL, quietly)


def test_what_a_killed_one_has_said_stops_nobody(live):
    folder = versions.model_folder(live)
    (folder / retraining_run.SINCE).write_text("{")
    with FileLock(folder / retraining_run.LOCK), pytest.raises(ProjectError, match="runs since a moment ago"):
        run_retraining(loading(live), UNTIL, quietly)
    assert run_retraining(loading(live), date(2013, 9, 1), quietly).verdict == "nothing new"


@pytest.mark.parametrize("becomes", ["canary", "promotion"])
def test_what_somebody_makes_live_meanwhile_stays(live, monkeypatch, becomes):
    settings = goes_live(loading(live), goes_live=becomes)
    judged = retraining_run.objections

    def meanwhile(*given):
        registry.use_fallback(live, "somebody was faster")
        return judged(*given)

    monkeypatch.setattr(retraining_run, "objections", meanwhile)
    with pytest.raises(
        ProjectError, match=r"was changed meanwhile, .* is live and not what was compared with"
    ):
        run_retraining(settings, UNTIL, quietly)
    assert registry.read_live(live).reason == "somebody was faster"


def test_a_table_that_is_loaded_anew_meanwhile_is_not_what_was_looked_at(live, monkeypatch):
    settings, was = goes_live(loading(live), goes_live="promotion"), registry.live_path(live).read_bytes()
    trained = retraining_run.train

    def meanwhile(*given):
        made = trained(*given)
        path = load.table_path(live, live.project.table_name)
        duckdb.sql(f"SELECT * FROM '{path}' LIMIT 1000").write_parquet(str(path.with_name("few.parquet")))
        path.with_name("few.parquet").replace(path)
        return made

    monkeypatch.setattr(retraining_run, "train", meanwhile)
    done = run_retraining(settings, UNTIL, quietly)
    assert "the table was loaded anew while it was learnt from; run it again" in done.why
    assert changed_nothing(live, was)


def test_a_range_that_people_agreed_on_counts_in_place_of_what_was_usual(live):
    settings = goes_live(loading(live), goes_live="promotion", usual_outcome=(0.2, 0.3))
    done = run_retraining(settings, UNTIL, quietly)
    assert any(each.startswith("2013-09: late is 0.") for each in done.why)


def test_the_command_tells_figures_and_verdict(live, tmp_path, monkeypatch, capsys):
    there, name = at_sample(live, tmp_path / "whole"), registry.read_live(live).versions[-1]
    assert retrain(monkeypatch, there, "--until", "2013-12-01") == 0
    told, work = capsys.readouterr().out, tmp_path / "whole" / "sample" / "20000"
    tried = json.loads((work / "models" / "live.json").read_text())["canary"]["name"]
    assert f"new to {name}\n" in told
    assert (
        f"{tried} answers 10% of what is asked beside {name}; `promote {tried}` lets it answer everything"
        in told
    )
    assert "At what errors cost" not in told
    assert tried in (work / "reports" / "research.html").read_text()
    assert not (live.root / "2-research" / "rounds.jsonl").exists()


def test_the_command_says_where_acting_on_the_new_version_saves_nothing(live, tmp_path, monkeypatch, capsys):
    there = at_sample(live, tmp_path / "whole")
    dear = {"ERROR_COSTS__TOO_LOW": "1", "ERROR_COSTS__TOO_HIGH": "1000"}
    assert retrain(monkeypatch, there, "--until", "2013-12-01", **dear) == 0
    assert "At what errors cost, acting on it saves nothing against" in capsys.readouterr().out


def test_a_refusal_is_an_alert_and_exit_status_3(live, tmp_path, monkeypatch, capsys):
    there, name = at_sample(live, tmp_path / "whole"), registry.read_live(live).versions[-1]
    limit = {"RETRAINING__USUAL_OUTCOME": "[0.5, 0.6]"}
    assert retrain(monkeypatch, there, "--until", "2013-12-01", **limit) == 3
    told = capsys.readouterr()
    assert re.match(
        r"alert: 2013-09: late is 0.\d+ on the whole, .* \(retraining.usual_outcome\)\n", told.err
    )
    by_hand = "`etl`, `train --no-round --until 2013-12-01`, then `promote`"
    work = tmp_path / "whole" / "sample" / "20000"
    refused = work / "data" / "not-accepted" / f"{there.project.table_name}.parquet"
    assert refused.is_file()
    assert told.out.endswith(
        f"{name} stays as it is, and so does the table; what was refused lies in {refused}; whoever knows "
        f"better: {by_hand}\n"
    )
    assert (work / "models" / "live.json").read_bytes() == registry.live_path(live).read_bytes()


def test_a_day_to_come_is_refused(live, monkeypatch, capsys):
    assert run(monkeypatch, live, "retrain", "--until", "2999-01-01") == 1
    assert "error: --until 2999-01-01: lies in the future" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fixture", "change", "reason"),
    [
        ("trained_amounts", None, None),
        ("trained_amounts", outcomes("{time} >= '2013-09-01'", "100 - {target}"), "on the whole"),
        (
            "trained_amounts",
            outcomes("TRUE", "{target} * (CASE WHEN {chance} < .1 THEN 5 ELSE 1 END)"),
            "not what",
        ),
        ("trained_forecast", None, None),
        ("trained_forecast", outcomes("{time} >= '2013-09-01'", "{target} // 2"), "on the whole"),
        ("trained_forecast", without("{chance} < 0.5"), "rows where"),
    ],
    ids=[
        "amounts",
        "amounts mirrored",
        "amounts of the past",
        "forecast",
        "half of the counts",
        "half missing",
    ],
)
def test_amounts_and_forecasts_are_retrained_and_refused_alike(request, tmp_path, fixture, change, reason):
    live = promoted(copied(request.getfixturevalue(fixture), tmp_path))
    was = registry.live_path(live).read_bytes()
    done = run_retraining(goes_live(loading(live, change), goes_live="promotion"), UNTIL, quietly)
    if reason is None:
        assert (done.verdict, registry.read_live(live).versions[-1]) == ("live", done.version), done.why
    else:
        assert (done.verdict, changed_nothing(live, was)) == ("refused", True)
        assert reason in " | ".join(done.why)


def test_a_canary_that_was_judged_beside_another_live_version_is_not_started(live):
    judged = registry.read_live(live)
    registry.use_fallback(live, "changed")
    with pytest.raises(ProjectError, match="was changed meanwhile"):
        canary.start_canary(live, versions.newest_version(live), 0.1, judged)


def test_a_line_that_a_kill_has_cut_off_says_nothing(live):
    run_retraining(loading(live), date(2013, 9, 1), quietly)
    path = retraining_log_path(live)
    with path.open("a") as log:
        log.write('{"at": ')
    assert last_retraining(live)["verdict"] == "nothing new"
    assert json.loads(path.read_text().splitlines()[0])["verdict"] == "nothing new"


@pytest.mark.parametrize("by", ["rollback", "monitor", "a live version"])
def test_what_was_taken_back_is_not_tried_again_by_a_machine_until_newer_outcomes_have_come(live, by):
    settings, month = loading(live), date(2013, 11, 1)
    settings = goes_live(settings, goes_live="promotion" if by == "a live version" else "canary")
    name, before = run_retraining(settings, month, quietly).version, registry.read_live(live).versions[0]
    if by == "a live version":
        assert registry.roll_back(live, quietly) == before
        how = f"{name} was live and was rolled back on {TODAY} (rolled back), "
    else:
        reason = "canary withdrawn" if by == "rollback" else "the canary did worse from 2013-10-01"
        assert canary.end_canary(live, reason) == name
        how = f"{name} was tried as a canary and withdrawn on {TODAY} ({reason}), "
    was, names = (
        registry.live_path(live).read_bytes(),
        {path.name for path in versions.model_folder(live).iterdir()},
    )
    table = load.table_path(live, live.project.table_name).read_bytes()
    done = run_retraining(settings, month, quietly)
    assert (done.verdict, done.needs_somebody, done.version) == ("withdrawn", True, None)
    assert done.why == (
        f"{how}and this run would learn nothing that it did not know (it learns from rows before 2013-11-01, "
        "and outcomes are known before 2014-01-01: `retrain --until 2014-01-01` learns from them, too): no "
        f"machine tries the same again. Look why; `promote {name}` by hand, or a run with newer outcomes, "
        "ends that",
    )
    assert changed_nothing(live, was)
    assert {path.name for path in versions.model_folder(live).iterdir()} == names
    assert load.table_path(live, live.project.table_name).read_bytes() == table
    assert run_retraining(goes_live(settings, goes_live="nobody"), month, quietly).verdict == "kept"
    newer = run_retraining(settings, UNTIL, quietly)
    assert newer.verdict == ("live" if by == "a live version" else "canary")


def test_what_a_person_has_promoted_after_all_stops_nobody(live):
    settings, month = loading(live), date(2013, 11, 1)
    name = run_retraining(settings, month, quietly).version
    canary.end_canary(live, "canary withdrawn")
    registry.make_live(live, name)
    assert run_retraining(settings, month, quietly).verdict == "nothing new"


def test_exit_status_3_says_that_nothing_is_tried(live, tmp_path, monkeypatch, capsys):
    there = at_sample(live, tmp_path / "whole")
    assert retrain(monkeypatch, there, "--until", "2013-11-01") == 0
    name = registry.read_live(live).versions[-1]
    assert retrain(monkeypatch, there, "--until", "2013-11-01") == 0  # it is tried
    capsys.readouterr()
    assert run(monkeypatch, there, "rollback", "--sample", str(live.sample)) == 0
    capsys.readouterr()
    assert retrain(monkeypatch, there, "--until", "2013-11-01") == 3
    told = capsys.readouterr()
    assert "(canary withdrawn), and this run would learn nothing that it did not know (" in told.err
    assert told.out.endswith(f"nothing is tried: {name} stays as it is\n")
