"""What production saw is rebuilt: the same predictions come out again, and what moved is shown."""

import dataclasses
import json
import shutil
from datetime import timedelta

import numpy as np
import pytest

from handrail import Project
from handrail.compute import duckdb as engine
from handrail.contract import schema
from handrail.etl import load
from handrail.monitoring import drift, drift_report, replay
from handrail.monitoring.backtesting import backtest
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.registry import drift_reference as reference
from handrail.registry import live as registry
from handrail.retention import erasure, inventory
from handrail.serving import inference as live
from handrail.serving import prediction_log
from tests.engine.support.lived import (
    ASKED,
    CONTRACT,
    KEY,
    TIME,
    live_version,
    promoted,
    rows_asked,
    run,
    variant,
)
from tests.engine.support.names import contract
from tests.engine.support.workspaces import copied, in_workspace

FEATURES = schema.of_role(CONTRACT, schema.Role.FEATURE)
AMOUNT = next(c for c in FEATURES if not c.categorical and None not in (c.ge, c.le))
SLICE = next(c.name for c in FEATURES if c.sliced)


@pytest.fixture(params=["trained", pytest.param("trained_amounts", marks=pytest.mark.slow)])
def project(request, tmp_path):
    """Return settings of a copy of a trained workspace: of yes or no, and of amounts."""
    return copied(request.getfixturevalue(request.param), tmp_path)


@pytest.fixture
def seen(project):
    """Return settings of a workspace whose live version has predicted its first month."""
    next(backtest(promoted(project)))
    return project


def logged(project):
    """Return the lines of the prediction log, and its file."""
    (file,) = prediction_log.prediction_folder(project).glob("*.jsonl")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()], file


def keep(file, lines):
    """Write the prediction log anew."""
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def agreed(project):
    """Return the metric that decides."""
    return project.project.metrics[project.accuracy.metric]


def first_month(project):
    """Return the window that was predicted."""
    start = project.dates.live_from
    return start, (start.replace(day=1) + timedelta(days=32)).replace(day=1)


def test_every_prediction_comes_out_again(seen):
    lines, _ = logged(seen)
    found = replay.replay(seen, *first_month(seen))
    (again,) = found.again
    assert (again.version, again.predictions, again.others) == (live_version(seen).name, len(lines), 0)
    assert again.furthest < 1e-5


def test_the_folder_is_a_workspace_in_which_monitoring_sees_the_same(seen):
    window = first_month(seen)
    rejected = load.rejected_path(seen, "scored-x")
    with engine.connect(seen) as connection:
        query = f"SELECT *, 'bad' AS reason FROM {load.require_table(seen, contract.TABLE)}"
        engine.write_parquet(connection, f"{query} WHERE {TIME} >= '{window[0]}'", rejected)
    found = replay.replay(seen, *window)
    assert found.folder == seen.workspace / "data" / "replays" / f"{window[0]}-{window[1]}"
    there = seen.model_copy(update={"workspace": found.folder})
    broken = next(r for r in run_monitoring(there, *window).readings if r.name.startswith("rows that break"))
    assert broken.value == 0.5
    assert run_monitoring(there, *window) == run_monitoring(seen, *window)
    lines, _ = logged(seen)
    with engine.connect(there) as connection:
        table = load.require_table(there, contract.TABLE)
        known = engine.rows(
            connection, f"SELECT {', '.join([*ASKED, seen.project.target])} FROM {table} ORDER BY {KEY}"
        )
    expected = [row for row in rows_asked(seen, more=[seen.project.target]) if row[TIME].date() < window[1]]
    assert known == sorted(expected, key=lambda row: row[KEY])
    assert len(lines) == len(known)


def test_a_folder_s_name_is_no_pattern(seen, tmp_path):
    there = seen.model_copy(update={"workspace": tmp_path / "w[1-3]*"})
    shutil.copytree(seen.workspace, there.workspace)
    shutil.copytree(seen.workspace, tmp_path / "w1")
    window = first_month(there)
    rejected = load.rejected_path(there, "scored-x")
    with engine.connect(there) as connection:
        query = f"SELECT *, 'bad' AS reason FROM {load.require_table(there, contract.TABLE)}"
        engine.write_parquet(connection, f"{query} WHERE {TIME} >= '{window[0]}'", rejected)
    found = replay.replay(there, *window)
    again = there.model_copy(update={"workspace": found.folder})
    assert (found.again[0].predictions, found.again[0].others) == (len(logged(seen)[0]), 0)
    assert run_monitoring(again, *window) == run_monitoring(there, *window)
    assert {item.kind for item in inventory.inventory(there)} == {"predictions", "raw", "rejected"}
    key = rows_asked(there, 1)[0][KEY]
    traces = {trace.path for trace in erasure.find_traces(there, key) if trace.rows}
    assert load.table_path(there, contract.TABLE) in traces
    list(erasure.erase(there, key, erasure.find_traces(there, key)))
    assert rows_asked(there, 1)[0][KEY] != key
    assert rows_asked(seen, 1)[0][KEY] == key


def test_a_prediction_that_was_changed_is_found(seen, monkeypatch, capsys):
    lines, file = logged(seen)
    lines[7]["prediction"] += 0.25
    keep(file, lines)
    assert run(monkeypatch, seen, "replay") == 1
    said, version = capsys.readouterr().err, live_version(seen).name
    assert f"error: 1 of {len(lines):,} predictions of {version} do not come out again" in said
    assert "off by up to 0.25" in said


def test_a_prediction_that_is_no_number_is_found(seen):
    lines, file = logged(seen)
    lines[7]["prediction"] = None
    keep(file, lines)
    assert replay.replay(seen, *first_month(seen)).again[0].others == 1


def test_what_the_fallback_answered_is_compared_with_the_baseline(project):
    registry.use_fallback(promoted(project), "a test")
    next(backtest(project))
    lines, _ = logged(project)
    assert {line["source"] for line in lines} == {"fallback"}
    (again,) = replay.replay(project, *first_month(project)).again
    assert (again.predictions, again.others) == (len(lines), 0)


def test_each_version_is_asked_for_its_own(seen):
    lines, file = logged(seen)
    other = variant(seen, lambda info: info.update(note="another"))
    keep(file, [line | {"version": other} if n < 5 else line for n, line in enumerate(lines)])
    found = replay.replay(seen, *first_month(seen))
    assert [(again.version, again.predictions, again.others) for again in found.again] == [
        (live_version(seen).name, len(lines) - 5, 0),
        (other, 5, 0),
    ]
    assert {path.name for path in (found.folder / "models").glob("2*")} == {other, found.version}


def test_a_feature_that_has_moved_comes_first(project):
    promoted(project)
    window = first_month(project)
    rows = [
        row | {AMOUNT.name: AMOUNT.kind(AMOUNT.le)}
        for row in rows_asked(project)
        if row[TIME].date() < window[1]
    ]
    log = prediction_log.PredictionLog(prediction_log.prediction_folder(project))
    log.append(prediction_log.log_rows(rows, live.LiveModel(project).answer(rows)))
    log.close()
    found = replay.replay(project, *window)
    first = found.features[0]
    assert (first.name, first.now) == (AMOUNT.name, 1.0)
    edges = live_version(project).info["reference"][AMOUNT.name]["edges"]
    below = max(edge for edge in edges if edge < AMOUNT.le)
    assert first.bin.startswith(f"above {below:.4g}")
    assert first.stability > 1
    assert found.again[0].others == 0


def test_the_index_is_that_of_monitoring(seen):
    window = first_month(seen)
    readings = {r.name: r.value for r in run_monitoring(seen, *window).readings}
    for feature in replay.replay(seen, *window).features:
        # Monitoring asks whether anything else explains it, such as the test period; a replay tells it all.
        assert feature.stability >= readings[f"drift of {feature.name}"]
        assert feature.stability >= drift.population_stability([feature.before], [feature.before])


def test_a_slice_has_the_figure_of_its_rows(seen):
    window, version = first_month(seen), live_version(seen)
    whole, *parts = replay.replay(seen, *window).parts
    part = next(part for part in parts if part.name.startswith(f"{SLICE}: "))
    known = {row[KEY]: row[seen.project.target] for row in rows_asked(seen, more=[seen.project.target])}
    value = part.name.removeprefix(f"{SLICE}: ")
    for found, chosen in ((whole, lambda row: True), (part, lambda row: str(row[SLICE]) == value)):
        rows = [row for row in logged(seen)[0] if chosen(row) and known[row[KEY]] is not None]
        target = np.float32([known[row[KEY]] for row in rows])
        prediction = np.float32([row["prediction"] for row in rows])
        expected = seen.project.metrics.measure(target, prediction, version.decision)[agreed(seen).name]
        assert (found.rows, found.now) == (len(rows), pytest.approx(expected, rel=1e-6))
    assert part.before == version.info["evaluation"]["parts"][SLICE][value][agreed(seen).name]["value"]
    assert whole.before == version.info["evaluation"]["model"][agreed(seen).name]["value"]


def test_the_slice_that_is_wrong_comes_first_and_is_worse(seen):
    window = first_month(seen)
    names = [part.name for part in replay.replay(seen, *window).parts]
    bad = next(name for name in reversed(names) if name.startswith(f"{SLICE}: ")).removeprefix(f"{SLICE}: ")
    known = {row[KEY]: row[seen.project.target] for row in rows_asked(seen, more=[seen.project.target])}
    lines, file = logged(seen)
    for line in lines:
        if str(line[SLICE]) == bad and known[line[KEY]] is not None:
            line["prediction"] = -1000.0 * known[line[KEY]]
    keep(file, lines)
    whole, first, *_ = replay.replay(seen, *window).parts
    assert (whole.name, first.name, first.worse) == ("all", f"{SLICE}: {bad}", True)
    assert (first.now < first.low) if agreed(seen).greater_is_better else (first.now > first.high)


def test_without_outcomes_features_are_shown_and_slices_are_not(seen, monkeypatch, capsys):
    load.table_path(seen, contract.TABLE).unlink()
    assert run(monkeypatch, seen, "replay") == 0
    said = capsys.readouterr().out
    assert "Too few outcomes are known yet to measure anything" in said
    assert "Features, the furthest moved first" in said


def test_what_is_shown_is_kept_and_made_anew(seen, monkeypatch, capsys):
    start, end = first_month(seen)
    window = ("--from", f"{start}", "--to", f"{end}")
    assert run(monkeypatch, seen, "replay", *window) == 0
    said = capsys.readouterr().out
    folder = seen.workspace / "data" / "replays" / f"{start}-{end}"
    assert f"All of it is in data/replays/{start}-{end}/" in said
    record = json.loads((folder / "replay.json").read_text(encoding="utf-8"))
    assert (record["version"], record["start"]) == (live_version(seen).name, f"{start}")
    assert f"{record['features'][0]['stability']:.3f}" in said
    (folder / "left.txt").write_text("over", encoding="utf-8")
    assert run(monkeypatch, seen, "replay", *window) == 0
    assert not (folder / "left.txt").exists()


def test_a_window_without_predictions_is_refused_in_one_line(seen, monkeypatch, capsys):
    assert run(monkeypatch, seen, "replay", "--from", "2031-01-01", "--to", "2031-02-01") == 1
    said = "no prediction from 2031-01-01 on and before 2031-02-01; choose another window"
    assert capsys.readouterr().err == f"error: {said}\n"
    assert not (seen.workspace / "data" / "replays").exists()


def test_a_version_that_is_gone_is_refused(seen):
    lines, file = logged(seen)
    keep(file, [line | {"version": "2013-gone"} for line in lines])
    with pytest.raises(Exception, match="2013-gone: no such model version"):
        replay.replay(seen, *first_month(seen))


def test_old_data_counts_replays_too(seen, monkeypatch):
    key = rows_asked(seen, 1)[0][KEY]
    assert run(monkeypatch, seen, "replay") == 0
    (folder,) = (seen.workspace / "data" / "replays").iterdir()
    traces = {trace.path.relative_to(seen.workspace).as_posix() for trace in erasure.find_traces(seen, key)}
    here = folder.relative_to(seen.workspace).as_posix()
    assert {f"{here}/data/predictions/seen.parquet", f"{here}/data/{contract.TABLE}.parquet"} <= traces
    assert [item.path for item in inventory.inventory(seen) if item.kind == "replays"] == [folder]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (reference.Bins("x", edges=(1.0, 2.5)), ["up to 1", "above 1 up to 2.5", "above 2.5", "missing"]),
        (reference.Bins("x", names=("a", "b")), ["a", "b", "missing or new"]),
        (reference.Bins("x"), ["any", "missing"]),
    ],
)
def test_a_bin_is_named_in_words(item, words):
    assert [drift_report.label(item, place) for place in range(len(words))] == words


def test_a_metric_that_is_newer_than_the_version_is_shown_as_it_is_now(seen):
    metrics = [*seen.project.task.metrics, dataclasses.replace(agreed(seen), name="newer")]
    own = Project(seen.project.package, given={"metrics": metrics}, root=seen.root)
    accuracy = seen.accuracy.model_copy(update={"metric": "newer"})
    settings = in_workspace(seen.workspace, own, accuracy=accuracy)
    found = replay.replay(settings, *first_month(seen))
    assert {part["before"] for part in found.record()["parts"]} == {None}
    parts, known = found.parts, replay.replay(seen, *first_month(seen)).parts
    assert {part.name: part.now for part in parts} == {part.name: part.now for part in known}
    assert {str(part.before) for part in parts} == {"nan"}
    assert not any(part.worse for part in parts)
