"""Features, baseline, metrics and training: right by hand, without leaks, the same every time."""

import dataclasses
import json
import shutil
from dataclasses import replace
from datetime import date
from itertools import pairwise
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest

from handrail import errors, predictor
from handrail.compute import duckdb as engine
from handrail.compute.duckdb import literal
from handrail.config.sections import Accuracy
from handrail.contract import schema
from handrail.etl import load, pipeline
from handrail.registry import drift_reference as reference
from handrail.registry import versions
from handrail.tasks.amounts.ranges import radius
from handrail.tasks.classification import metrics
from handrail.tasks.metric import of_baseline
from handrail.training import baseline, splits
from handrail.training import evaluation as evaluate
from handrail.training import run as train
from handrail.training.dataset import Dataset, read_dataset
from handrail.training.encoding import (
    Coding,
    Encoding,
    calendar_features,
    features_of,
    learn_encoding,
    logarithm,
    names,
)
from tests.engine.support.example import example
from tests.engine.support.names import contract
from tests.engine.support.workspaces import KNOWN, METRIC, PROJECT, RISING, with_given
from tests.engine.testing import made_up_projects
from tests.lanes import slow_but

CONTRACT, TABLE = contract.CONTRACT, contract.TABLE
HANDMADE = Encoding(("size", "colour"), {"colour": ("blue", "red")})


def silent(step):
    """Show nothing."""


def retrain(settings):
    """Train again and return the result."""
    return train.train(settings, settings.dates, silent)


def periods(settings):
    """Return the three periods of a workspace."""
    with engine.connect(settings) as connection:
        table = load.require_table(settings, TABLE)
        return splits.read_splits(connection, settings, table, settings.dates, settings.accuracy.baseline_by)


@pytest.fixture(scope="module")
def read(trained):
    """Return the three periods of the trained workspace."""
    return periods(trained)


@pytest.fixture(scope="module")
def version(trained):
    """Return the trained version."""
    return versions.load_version(trained, versions.newest_version(trained))


def test_amounts_stay_names_become_codes_and_the_unknown_is_nan():
    records = [{"size": 2, "colour": "red"}, {"size": None, "colour": "green"}]
    matrix = HANDMADE.matrix(records)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, [[2.0, 1.0], [np.nan, np.nan]])


def test_whole_numbers_that_the_model_cannot_tell_apart_are_said(tmp_path, caplog):
    feature = schema.Role.FEATURE
    fields = {
        "load": (int, schema.column(feature, "Cents", ge=0, le=2**24 + 1)),
        "rain": (int | None, schema.column(feature, "Drops", ge=-(2**24), le=2**24)),
        "visits": (int, schema.column(feature, "Machine", ge=0, le=10**12)),
    }
    shape = made_up_projects.Shape()
    contract_of_cents = made_up_projects.contract_of(shape, **fields)
    coded = features_of(contract_of_cents, visits=names())
    changed = {
        "contract": contract_of_cents,
        "features": coded,
        "transform": "SELECT id AS visit_id, visited_at, town, kind, CAST(1e5 * load AS BIGINT) AS load, "
        "CAST(rain AS BIGINT) AS rain, 7 * visits AS visits, outcome FROM raw_visits",
    }
    settings = made_up_projects.made_up_project(tmp_path, shape, **changed).settings()
    pipeline.run_etl(settings, str)
    train.train(settings, settings.dates, str)
    assert caplog.messages == [
        "contract.py: load: from 16,777,216 on, the model can't tell neighbouring numbers apart; if it is a "
        "name, code it with names() in model/features.py or make it a text, if it is an amount, take a "
        "larger unit"
    ]


def test_a_row_and_a_table_give_the_same_features(trained, version):
    asked = ", ".join(schema.request_model(CONTRACT).model_fields)
    encoded = ", ".join(version.encoding.select())
    with engine.connect(trained) as connection:
        source = load.require_table(trained, TABLE)
        records = engine.rows(connection, f"SELECT {asked} FROM {source} ORDER BY 1")
        key = schema.one_of_role(CONTRACT, schema.Role.KEY).name
        by_engine = connection.execute(f"SELECT {encoded} FROM {source} ORDER BY {key}").fetchall()
    np.testing.assert_array_equal(version.encoding.matrix(records), np.array(by_engine, dtype=np.float32))


def test_only_features_reach_the_model(version):
    expected = [column.name for column in schema.of_role(CONTRACT, schema.Role.FEATURE)]
    assert list(version.encoding.features) == expected
    forbidden = schema.of_role(CONTRACT, schema.Role.FORBIDDEN, schema.Role.SENSITIVE, schema.Role.TARGET)
    assert not {column.name for column in forbidden} & set(expected)


def test_the_periods_follow_one_another(read):
    months = [set(each.months) for each in (read.training, read.validation, read.test)]
    assert [max(each) <= min(later) for each, later in pairwise(months)] == [True, True]


def rows_by(values, target):
    """Return rows of which only the baseline's column and the target matter."""
    count = len(target)
    times = np.full(count, np.datetime64("2013-01-01", "s"))
    return Dataset(np.zeros((count, 1), np.float32), np.float32(target), times, {}, np.array(values))


def by(column, takes):
    """Return what project.yaml says of the baseline."""
    return Accuracy(metric="roc_auc", minimum=0.7, baseline_by=column, baseline_takes=takes)


def test_the_baseline_is_the_shrunken_mean_by_hand():
    simple = baseline.fit_by_column(rows_by(["a"] * 50 + ["b"] * 50, [1] * 50 + [0] * 50), by("kind", "mean"))
    high, low = round((50 + 20 * 0.5) / 70, 6), round(20 * 0.5 / 70, 6)
    assert simple.means == {"a": high, "b": low}
    np.testing.assert_array_equal(
        simple.predict(["a", "b", "c"]), np.array([high, low, 0.5], dtype=np.float32)
    )
    found = duckdb.sql(f"SELECT {simple.select()} FROM (VALUES ('a'), ('b'), (NULL)) AS t(kind)").fetchall()
    assert np.float32([value for (value,) in found]).tolist() == np.float32([high, low, 0.5]).tolist()


def both_forms(simple, column, values):
    """Return what a baseline predicts for `values` as the service asks it, and as SQL does, in their bits."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE rows (place INTEGER, {column} DOUBLE)")
        connection.executemany("INSERT INTO rows VALUES (?, ?)", list(enumerate(values)))
        found = connection.execute(f"SELECT {simple.select()} FROM rows ORDER BY place").fetchall()
    by_sql = np.array([value for (value,) in found], dtype=np.float32)
    return simple.predict(values).view(np.int32).tolist(), by_sql.view(np.int32).tolist()


def test_the_baseline_may_be_a_value_as_it_stands():
    values = np.array(["3", "unknown"])
    simple = baseline.fit_by_column(rows_by(values, [2, 6]), by("last", "value"))
    assert simple.predict(values).tolist() == simple.predict([3, None]).tolist() == [3, 4]
    one, other = both_forms(simple, "last", [3, 0.1, -0.0, 0.0, None, float("nan"), 1e-30])
    assert one == other
    assert simple.predict([float("nan")]) == [4]


def amounts_by(amounts, target):
    """Return rows whose baseline goes by amounts; None is missing."""
    texts = ["unknown" if amount is None else str(amount) for amount in amounts]
    return replace(rows_by(texts, target), baseline_is_amount=True)


def test_the_baseline_by_a_few_amounts_has_a_bin_for_each():
    rows = amounts_by([-0.0] * 25 + [0.0] * 25 + [2.0] * 50, [1] * 50 + [0] * 50)
    simple = baseline.fit_by_column(rows, by("load", "mean"))
    high, low = round((50 + 20 * 0.5) / 70, 6), round(20 * 0.5 / 70, 6)
    assert (simple.edges, simple.means) == ((0.0,), {"0": high, "1": low})
    found = simple.predict([-9, -0.0, 0, 1e-9, 2, 99])
    assert found.tolist() == np.float32([high] * 3 + [low] * 3).tolist()


def test_a_rare_amount_shares_the_mean_of_those_beside_it():
    """Orders one to sixty, ever fewer of each, ever more of them repeated: no mean is drawn to the middle."""
    rng = np.random.default_rng(5)
    number = np.minimum(rng.geometric(0.25, 20_000), 60)
    again = rng.random(len(number)) < 1 - 0.7**number
    simple = baseline.fit_by_column(amounts_by(number, again), by("order", "mean"))
    assert (np.diff(simple.predict(range(1, 61))) > -0.05).all()  # as the truth rises, but for chance
    assert simple.wide
    later = np.minimum(rng.geometric(0.25, 20_000), 60)
    came = (rng.random(len(later)) < 1 - 0.7**later).astype(np.float32)
    ranked = [metrics.Cases.of_rows(came, each) for each in (simple.predict(later), np.float32(later))]
    by_baseline, by_truth = (metrics.roc_auc(*each.weighted()) for each in ranked)
    assert by_truth - 0.003 < by_baseline <= by_truth


def test_the_baseline_by_many_amounts_has_bins_of_as_many_rows():
    amounts = np.random.default_rng(1).permutation(1000) / 8
    simple = baseline.fit_by_column(amounts_by(amounts, amounts >= 62.5), by("load", "mean"))
    assert simple.edges == tuple(100 * number / 8 - 1 / 8 for number in range(1, 10))
    low, high = round((0 + 20 * 0.5) / 120, 6), round((100 + 20 * 0.5) / 120, 6)
    assert simple.means == {str(place): low if place < 5 else high for place in range(10)}
    few = baseline.fit_by_column(amounts_by(amounts[:199], amounts[:199] >= 62.5), by("load", "mean"))
    assert few.edges == ()


def test_a_missing_amount_or_name_meets_one_baseline_in_test_and_in_service():
    amounts = baseline.fit_by_column(
        amounts_by([None] * 50 + [1, 2] * 25, [1] * 50 + [0] * 50), by("x", "mean")
    )
    texts = ["unknown"] * 50 + ["a"] * 50
    names = baseline.fit_by_column(rows_by(texts, [1] * 50 + [0] * 50), by("x", "mean"))
    known = float(np.float32(round((50 + 20 * 0.5) / 70, 6)))
    for simple, missing in ((amounts, ["unknown", None, float("nan")]), (names, ["unknown", None])):
        assert simple.predict(missing).tolist() == [known] * len(missing)
        assert duckdb.sql(f"SELECT {simple.select()} FROM (SELECT NULL AS x)").fetchall() == [(known,)]


def test_what_was_never_missing_is_the_mean_of_all():
    simple = baseline.fit_by_column(amounts_by([1, 2] * 25, [1, 0] * 25), by("load", "mean"))
    assert simple.predict([None, float("nan")]).tolist() == [0.5, 0.5]


def test_both_forms_of_a_binned_baseline_agree_to_the_bit():
    rng = np.random.default_rng(3)
    amounts = np.append(rng.normal(0, 1, 5000), [None] * 60)
    target = rng.gamma(2, 1e3, len(amounts))
    simple = baseline.fit_by_column(amounts_by(amounts, target), by("load", "mean"))
    assert len(simple.edges) == 19
    ends = [end for edge in simple.edges for end in (edge, np.nextafter(edge, -9), np.nextafter(edge, 9))]
    odd = [None, float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 5e-324]
    one, other = both_forms(simple, "load", [*map(float, ends), *odd, *amounts[:1000]])
    assert one == other
    assert len(set(one)) == 21


def test_both_forms_of_a_baseline_by_names_agree_to_the_bit():
    rng = np.random.default_rng(4)
    texts = rng.choice(["it's", "a", "B", "unknown"], 2000)
    simple = baseline.fit_by_column(rows_by(texts, rng.gamma(2, 1e4, 2000)), by("order", "mean"))
    values = ["it's", "a", "B", "b", "unknown", None, ""]
    rows = ", ".join(f"({place}, {literal(value)})" for place, value in enumerate(values))
    query = f'SELECT {simple.select()} FROM (VALUES {rows}) AS t(place, "order") ORDER BY place'
    found = np.array([value for (value,) in duckdb.sql(query).fetchall()], dtype=np.float32)
    assert found.view(np.int32).tolist() == simple.predict(values).view(np.int32).tolist()


@pytest.mark.parametrize(
    ("column", "coded", "expected"),
    [
        ("carrier", {}, False),
        ("scheduled_hour", {}, True),
        ("temperature_c", {}, True),
        ("scheduled_hour", {"scheduled_hour": names()}, False),
        ("scheduled_hour", None, True),
    ],
)
def test_a_whole_number_is_an_amount_unless_it_is_coded_as_a_name(trained, column, coded, expected):
    features = features_of(CONTRACT, [] if coded is not None else [column], **(coded or {}))
    settings = with_given(trained, features=features)
    with engine.connect(settings) as connection:
        table = load.require_table(settings, PROJECT.table_name)
        few = f"(SELECT * FROM {table} LIMIT 10)"
        encoding = learn_encoding(connection, few, settings.project)
        assert read_dataset(connection, few, settings, encoding, column).baseline_is_amount is expected


@pytest.mark.parametrize("which", ["trained", "trained_amounts"])
def test_the_baseline_is_acted_on_by_what_suits_itself_on_the_same_rows(which, request):
    settings = request.getfixturevalue(which)
    task, costs = settings.project.task, settings.error_costs
    with engine.connect(settings) as connection:
        run = train.Run(settings, settings.dates, silent, connection)
        validation = (found := run.read_splits()).validation
    simple = baseline.fit_by_column(found.training, settings.accuracy)
    prediction = validation.target * np.float32(0.6)
    decision, guessed = run.decide(validation, prediction, simple), simple.predict(validation.baseline_by)
    name = "threshold" if task.predicts == "chance" else "margin"
    assert decision[name] == task.decide(validation.target, prediction, costs)[name]
    assert of_baseline(decision)[name] == task.decide(validation.target, guessed, costs)[name]
    assert of_baseline(decision)[name] != decision[name]

    def earned(by):
        return task.payoff(validation.target, guessed, by, costs).sum()

    assert earned(of_baseline(decision)) > earned(decision)


@pytest.mark.slow
def test_ranges_are_those_of_the_validation_rows_whoever_fits_the_baseline(trained_amounts):
    settings = trained_amounts
    with engine.connect(settings) as connection:
        run = train.Run(settings, settings.dates, silent, connection)
        validation = (found := run.read_splits()).validation
        simple = baseline.fit_by_column(found.training, settings.accuracy)
        prediction = np.full(len(validation), 7, dtype=np.float32)
        decision = run.decide(validation, prediction, simple)
        assert run.decide(validation, prediction) == decision
    place = int(np.ceil(0.9 * (len(validation) + 1))) - 1
    assert decision["range_from"] == []  # all are predicted alike
    assert decision["range"] == [np.sort(np.abs(prediction - validation.target))[place]]
    column = schema.one_of_role(settings.project.contract, schema.Role.TARGET)
    guessed = simple.predict(validation.baseline_by).astype(float)
    far = decision["baseline_range"]
    size = np.searchsorted(decision["baseline_range_from"], guessed, side="right")
    assert len(far) == size.max() + 1 > 1
    for number, reach in enumerate(far):
        rows = size == number
        assert reach == radius(validation.target[rows], guessed[rows], 0.9)
    assert (decision["range_level"], decision["lowest"], decision["highest"]) == (0.9, column.ge, column.le)


def test_a_version_that_grouped_amounts_as_text_still_answers():
    old = baseline.MeanByColumn(column="hour", means={"5": 0.1, "unknown": 0.3}, overall=0.2)
    assert old.predict([5, 6, None]).tolist() == pytest.approx([0.1, 0.2, 0.3])
    found = duckdb.sql(f"SELECT {old.select()} FROM (VALUES (5), (6), (NULL)) AS t(hour)").fetchall()
    assert [value for (value,) in found] == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize("edges", [None, (4.5, 5.5)], ids=["names", "bins"])
def test_values_that_come_again_have_the_baseline_that_each_has_alone(edges):
    means = {"5": 0.1, "0": 0.4, "1": 0.5, "unknown": 0.3}
    simple = baseline.MeanByColumn("hour", means, 0.2, edges)
    values = [5, 6, None, 4, float("nan"), "unknown"] * 4
    alone = [simple.predict([value]).tolist()[0] for value in values]
    assert simple.predict(values).tolist() == alone
    assert len(set(alone)) == (3 if edges is None else 4)


def test_a_gain_is_measured_on_the_same_rows(version):
    found = version.info["evaluation"]
    model, simple, gain = (found[name][METRIC] for name in ("model", "baseline", "gain"))
    sign = 1 if RISING else -1
    assert gain["value"] == pytest.approx(sign * (model["value"] - simple["value"]))
    assert gain["low"] < gain["value"] < gain["high"]
    apart = (model["high"] - model["low"]) + (simple["high"] - simple["low"])
    assert gain["high"] - gain["low"] < apart


def test_small_parts_are_left_out(read, version):
    few = Dataset(
        read.test.features[:150],
        np.resize(np.float32([0, 1]), 150),
        np.array(["2013-07-31"] * 120 + ["2013-08-01"] * 30, dtype="datetime64[s]"),
        {},
        read.test.baseline_by[:150],
    )
    score = np.linspace(0, 1, 150, dtype=np.float32)
    parts = evaluate.evaluate(PROJECT.metrics, few, score, score, version.decision, silent)["parts"]
    assert set(parts["month"]) == {"2013-07"}


def test_the_model_beats_the_baseline(version):
    assert version.info["evaluation"]["gain"][METRIC]["low"] > 0


def near_every_split(learning, rows):
    """Return rows of missing values and of values midway between two that were learnt, or right beside."""
    rng, columns = np.random.default_rng(3), []
    for column in learning.features.T:
        seen = np.unique(column[~np.isnan(column)]).astype(np.float64)
        midway = ((seen[1:] + seen[:-1]) / 2).astype(np.float32)
        beside = [np.nextafter(midway, np.float32(side)) for side in (-np.inf, np.inf)]
        columns.append(rng.choice(np.concatenate([midway, *beside, np.float32([np.nan])]), rows))
    return np.column_stack(columns)


def as_if(kind, target, unit):
    """Return the target as one of `kind`: above its median or not, or an amount that varies by `unit`."""
    if kind == "classification":
        return (target > np.median(target)).astype(np.float32)
    return ((target - target.mean()) / target.std() * unit).astype(np.float32)


@pytest.mark.parametrize("library", slow_but({"sklearn"}, ["sklearn", "lightgbm", "xgboost"]))
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_file_agrees_with_the_library_that_made_it(kind, library, read):
    estimator = example(kind, library, stage="research").estimator
    usual = estimator.Hyperparameters()
    unit = 1 if kind == "classification" else 100
    learning = dataclasses.replace(read.training, target=as_if(kind, read.training.target, unit))
    width = learning.features.shape[1]
    fitted = estimator.fit(learning, read.encoding, 0, usual)
    content = estimator.export(fitted, width)
    served = predictor.Predictor(content)
    holes = np.random.default_rng(4).random(read.test.features.shape) < 0.1
    for matrix in (
        read.test.features,
        np.where(holes, np.float32(np.nan), read.test.features),
        near_every_split(learning, 20_000),
        np.full_like(read.test.features[:1], np.nan),
    ):
        expected = estimator.predict(fitted, matrix)
        np.testing.assert_allclose(served.predict(matrix), expected, rtol=0, atol=2e-6 * unit)
    error = np.square(served.predict(learning.features) - learning.target).mean()
    assert error < 0.95 * np.var(learning.target)
    again = estimator.fit(learning, read.encoding, 0, usual)
    assert estimator.export(again, width) == content


def test_a_rounding_does_not_move_what_is_predicted(version, read):
    rows, served = read.test.features, predictor.Predictor(version.model)
    below = np.where(rows == np.round(rows), rows, rows * np.float32(1 - 1e-6))
    plain = served.predict(rows)
    np.testing.assert_allclose(served.predict(below), plain, rtol=0, atol=0.01 * plain.std())


def test_the_same_data_give_the_same_version_to_the_last_bit(project, version):
    fresh = project.model_copy(update={"workspace": project.workspace / "fresh"})
    shutil.copytree(project.workspace / "data", fresh.workspace / "data")
    assert retrain(fresh).version == version.name
    model = versions.load_version(fresh, version.name).model
    assert model.read_bytes() == version.model.read_bytes()


def test_the_future_changes_nothing_that_was_learnt(project, version):
    path = load.table_path(project, TABLE)
    time = schema.one_of_role(CONTRACT, schema.Role.TIME).name
    target = schema.one_of_role(CONTRACT, schema.Role.TARGET).name
    changed = path.with_name("changed.parquet")
    mirrored = f"(SELECT max({target}) + min({target}) FROM '{path}') - {target}"
    later = f"{time} >= TIMESTAMP '{project.dates.test_from}'"
    turned = f"CASE WHEN {later} THEN {mirrored} ELSE {target} END"
    query = f"SELECT * REPLACE ({turned} AS {target}) FROM '{path}'"
    duckdb.sql(f"COPY ({query}) TO '{changed}' (FORMAT parquet)")
    changed.replace(path)
    training = retrain(project)
    other = versions.load_version(project, training.version)
    assert other.model.read_bytes() == version.model.read_bytes()
    assert other.decision == version.decision
    before, after = (each.info["evaluation"]["model"][METRIC]["value"] for each in (version, training))
    assert PROJECT.metrics[METRIC].worse(after, than=before, tolerance=0.2 * before)


def test_a_period_without_rows_is_refused(project):
    split = project.dates.ending(date(1900, 1, 1))
    with pytest.raises(errors.ProjectError) as refused:
        train.train(project, split, silent)
    assert "training period: 0 rows" in str(refused.value)
    assert len(refused.value.problems) == 4
    assert "a split that would do, in project.yaml: validation_from: 2013-08-01" in str(refused.value)


def test_a_feature_without_a_value_is_refused(project):
    path = load.table_path(project, TABLE)
    name = next(c.name for c in schema.of_role(CONTRACT, schema.Role.FEATURE) if c.nullable)
    emptied = f"SELECT * REPLACE (CAST(NULL AS DOUBLE) AS {name}) FROM '{path}'"
    with engine.connect(project) as connection:
        engine.write_parquet(connection, emptied, path)
    with pytest.raises(errors.ProjectError, match=rf"^training period: no value in {name}: nothing can be"):
        retrain(project)


def test_a_table_without_a_column_of_the_contract_says_what_to_do(project):
    path = load.table_path(project, TABLE)
    name = schema.of_role(CONTRACT, schema.Role.FEATURE)[0].name
    with engine.connect(project) as connection:
        engine.write_parquet(connection, f"SELECT * EXCLUDE ({name}) FROM '{path}'", path)
    said = rf"^the engine stopped: Binder Error: .*{name}.*; run `etl` again if contract\.py has changed$"
    with pytest.raises(errors.ProjectError, match=said):
        retrain(project)


def test_training_without_a_table_says_what_to_do(empty):
    with pytest.raises(errors.ProjectError, match="no such file yet; run `etl --sample 20000` first"):
        retrain(empty)


def test_a_model_of_another_width_is_refused(version):
    with pytest.raises(ValueError, match=r"the model reads \d+ features, got 3"):
        predictor.Predictor(version.model).predict(np.zeros((1, 3), dtype=np.float32))


def test_a_training_that_dies_leaves_no_version(project, monkeypatch):
    before = versions.newest_version(project)
    module = PROJECT.module("model.train")
    other = PROJECT.estimator.fit
    monkeypatch.setattr(module, "fit", lambda rows, encoding, seed, chosen: other(rows, encoding, 7, chosen))

    def fails(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(versions.Path, "rename", fails)
    with pytest.raises(OSError, match="No space left"):
        retrain(project)
    assert versions.newest_version(project) == before
    assert {path.name for path in versions.model_folder(project).iterdir()} == {before, versions.TRAINED}


def test_a_version_records_what_it_is_made_of(version):
    names = {path.name for path in version.path.iterdir()}
    assert names == {"SHA256SUMS", "card.md", "contract.json", "model.json", "model.onnx"}
    card = (version.path / "card.md").read_text(encoding="utf-8")
    value = version.info["evaluation"]["model"][METRIC]["value"]
    assert f"| {METRIC} | {value:.3f} |" in card
    properties = json.loads((version.path / "contract.json").read_text(encoding="utf-8"))["properties"]
    assert list(properties) == list(CONTRACT.model_fields)


def test_reference_shares_are_those_of_the_bins_by_hand():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i AS amount, 'ab'[1 + i % 2] AS name FROM range(10) AS r(i)"
        )
        connection.execute("INSERT INTO t VALUES (NULL, NULL), (100, 'z')")
        bins = [reference.Bins("amount", edges=(3, 6)), reference.Bins("name", names=("a", "b"))]
        found = reference.shares(connection, "t", bins)
    twelfth = pytest.approx(1 / 12, abs=1e-6)
    assert found["amount"] == [
        pytest.approx(4 / 12, abs=1e-6),
        0.25,
        pytest.approx(4 / 12, abs=1e-6),
        twelfth,
    ]
    assert found["name"] == [
        pytest.approx(5 / 12, abs=1e-6),
        pytest.approx(5 / 12, abs=1e-6),
        pytest.approx(2 / 12, abs=1e-6),
    ]


def test_amounts_are_put_into_bins_together_as_each_alone():
    """Ten bins of about equal share, one more below a value that most rows have, and one bin of nothing."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i AS even, CASE WHEN i <= 20 THEN i ELSE 50 END AS mostly, "
            "CAST(NULL AS DOUBLE) AS absent FROM range(1, 101) AS r(i)"
        )
        found = reference.learn_amount_bins(connection, "t", ["even", "absent", "mostly"])
        alone = [reference.learn_amount_bins(connection, "t", [item.column])[0] for item in found]
    tenths = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
    assert [item.column for item in found] == ["even", "absent", "mostly"]
    assert [item.edges for item in found] == [tenths, (), (10.0, 20.0, 50.0)]
    assert alone == found


def test_quantiles_are_asked_of_one_column_at_a_time(monkeypatch):
    """The engine holds all values of a column for them: of ten columns of a large table too much at once."""
    asked = []

    def noted(connection, query):
        asked.append(query)
        return engine.row(connection, query)

    monkeypatch.setattr(reference, "row", noted)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT i AS one, -i AS other FROM range(1, 101) AS r(i)")
        reference.learn_amount_bins(connection, "t", ["one", "other"])
    assert [query.count("quantile") for query in asked if "quantile" in query] == [1, 1]


def test_an_unknown_metric_is_refused_before_training(project):
    accuracy = project.accuracy.model_copy(update={"metric": "charm"})
    with pytest.raises(errors.ProjectError, match=rf"accuracy\.metric: charm is unknown; known are {KNOWN}"):
        retrain(project.model_copy(update={"accuracy": accuracy}))


def test_columns_are_left_out_and_coded_otherwise_as_the_project_says(trained):
    plain = features_of(CONTRACT)
    assert list(plain) == [column.name for column in schema.of_role(CONTRACT, schema.Role.FEATURE)]
    assert (plain["carrier"], plain["distance_km"]) == (Coding("names"), Coding("amount"))
    coded = features_of(CONTRACT, ["origin"], distance_km=logarithm(), day_of_week=names("7", "6"))
    assert "origin" not in coded
    with engine.connect(trained) as connection:
        table = load.require_table(trained, TABLE)
        encoding = learn_encoding(connection, table, with_given(trained, features=coded).project)
        asked = ", ".join(schema.request_model(CONTRACT).model_fields)
        records = engine.rows(connection, f"SELECT {asked} FROM {table} ORDER BY flight_id LIMIT 500")
        query = f"SELECT {', '.join(encoding.select())} FROM {table} ORDER BY flight_id LIMIT 500"
        by_engine = np.array(connection.execute(query).fetchall(), dtype=np.float32)
    by_record = encoding.matrix(records)
    np.testing.assert_array_equal(by_record, by_engine)
    day, distance = (encoding.features.index(name) for name in ("day_of_week", "distance_km"))
    expected = [{7: 0.0, 6: 1.0}.get(record["day_of_week"], np.nan) for record in records]
    np.testing.assert_array_equal(by_record[:, day], np.float32(expected))
    logged = [np.log1p(record["distance_km"]) for record in records]
    np.testing.assert_allclose(by_record[:, distance], logged, rtol=1e-6)


def test_a_coding_of_what_is_no_feature_is_refused():
    said = r"^model/features\.py: late, moons: no feature of contract\.py; features are carrier, origin, "
    with pytest.raises(errors.ProjectError, match=said):
        features_of(CONTRACT, ["late"], moons=logarithm())


def test_a_version_of_another_task_is_refused(project, version):
    other = with_given(project, task=example("regression").task)
    with pytest.raises(errors.ProjectError, match=r"learnt for classification, contract\.py says regression"):
        versions.load_version(other, version.name)


def test_a_feature_of_the_calendar_is_told_once():
    months = np.repeat([f"2020-{month:02d}" for month in range(1, 13)] + ["2021-01"], 5)
    of_the_year = np.repeat([*range(1, 13), 1], 5)
    rng = np.random.default_rng(1)
    features = np.column_stack(
        [of_the_year, np.arange(65), rng.normal(0, 1, 65), np.full(65, 3.0), of_the_year]
    ).astype(np.float32)
    names = ("month", "counter", "own", "constant", "left_alone")

    class Monthly(schema.Record):
        month: int = schema.column(schema.Role.FEATURE, "Month of the year", ge=1, le=12)
        counter: int = schema.column(schema.Role.FEATURE, "Grows", ge=0, le=1000)
        own: float = schema.column(schema.Role.FEATURE, "Each its own", ge=-9, le=9)
        constant: float = schema.column(schema.Role.FEATURE, "Never another", ge=0, le=9)
        left_alone: int = schema.column(schema.Role.FEATURE, "As month", ge=1, le=12, drift=False)

    project = SimpleNamespace(contract=Monthly)
    order = rng.permutation(65)
    (said,) = calendar_features(project, names, features[order], months[order])
    assert said == (
        "contract.py: month: all rows of a month share its value, and the next month has another; say "
        "drift=False so that it raises no warning by itself"
    )


def test_values_that_the_simple_technique_lacks_are_counted():
    assert baseline.without_value(["1.5", "unknown", None, "nan", float("nan"), 3]) == 4
