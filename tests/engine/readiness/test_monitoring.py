"""The tests of what watches the live model: each passes as it stands, fails where it should."""

from datetime import timedelta

import numpy as np
import pytest

from handrail.compute import duckdb as engine
from handrail.config.sections import Live, Readiness
from handrail.contract.schema import Role, columns
from handrail.errors import ProjectError
from handrail.etl import load
from handrail.etl.raw_files import RawRows, RawTable
from handrail.readiness import dependencies, numerical_stability, served, speed
from handrail.readiness.context import ReadinessContext
from handrail.registry import live as registry
from handrail.serving import inference, prediction_log
from tests.engine.readiness import made_up_context
from tests.engine.support.lived import (
    ASKED,
    CONTRACT,
    NAN_WHERE_MISSING,
    TIME,
    first_month,
    first_month_predicted,
    keep,
    predict,
    promoted,
    variant,
    with_model,
)
from tests.engine.support.workspaces import ANY, METRIC, NONE, PROJECT, copied, with_given

AMOUNT = next(c for c in columns(CONTRACT) if c.role is Role.FEATURE and None not in (c.ge, c.le))
LEAPING = """
<ir_version: 10, opset_import: ["" : 18]>
leaping (float[N, WIDTH] x) => (float[N, 1] y)
{
    axes = Constant <value = int64[1] {1}> ()
    gap = IsNaN (x)
    zero = Constant <value = float[1] {0.0}> ()
    whole = Where (gap, zero, x)
    sum = ReduceSum <keepdims = 1> (whole, axes)
    factor = Constant <value = float[1] {1e7}> ()
    far = Mul (sum, factor)
    y = Sin (far)
}
"""
SLOW = """
<ir_version: 10, opset_import: ["" : 18]>
slow (float[N, WIDTH] x) => (float[N, 1] y)
{
    axes = Constant <value = int64[1] {1}> ()
    x0 = Identity (x)
TURNS
    y = ReduceMean <keepdims = 1> (x400, axes)
}
""".replace("TURNS", "\n".join(f"    x{n + 1} = Sin (x{n})" for n in range(400)))


@pytest.fixture(scope="module")
def month(trained, tmp_path_factory):
    """Return settings of a workspace whose live version has predicted its first month; read only."""
    return first_month_predicted(trained, tmp_path_factory.mktemp("month"))


@pytest.fixture
def world(month, tmp_path):
    """Return settings of a copy of it, with small trainings and wide limits."""
    few = Readiness(training_rows=2000, test_rows=500)
    return limited(copied(month, tmp_path).model_copy(update={"readiness": few}))


def limited(settings, **limits):
    """Return the settings with these limits of `live`, and all others wide."""
    wide = {"expected": {METRIC: ANY}, "maximum_age_days": 1000, "minimum_outcomes": 100}
    return settings.model_copy(update={"live": Live(**wide | limits)})


def refusal(check, settings):
    """Return why a test of the score fails, in one text."""
    return "\n".join(made_up_context.refusal(check, ReadinessContext(settings)))


def test_each_raw_table_is_changed_and_refused(world):
    found = dependencies.dependencies_watched(ReadinessContext(world))
    assert f"were refused in {len(PROJECT.raw_tables)} raw tables; " in found


def test_a_raw_table_that_nobody_checks_fails(world, monkeypatch):
    monkeypatch.setattr(dependencies, "read_raw", lambda *_: 1)
    said = refusal(dependencies.dependencies_watched, world).splitlines()
    assert len(said) >= 2 * len(PROJECT.raw_tables)
    assert all(line.startswith("handrail.etl.raw_files: ") for line in said)
    assert all(line.endswith(", and nothing was said") for line in said)


def test_a_raw_table_that_is_refused_whatever_it_holds_fails(world, monkeypatch):
    """That the changed ones are refused shows nothing then."""

    def refuse(*_):
        raise ProjectError("no table today")

    monkeypatch.setattr(dependencies, "read_raw", refuse)
    said = refusal(dependencies.dependencies_watched, world).splitlines()
    refused = "as it came in, and it was refused: no table today"
    assert said == [f"handrail.etl.raw_files: {name}: {refused}" for name in PROJECT.raw_tables]


KINDS = {
    "separated otherwise": RawTable(
        "airlines.csv", {"carrier": "VARCHAR", "name": "VARCHAR"}, 5, separator=";"
    ),
    "in columns of blanks": RawTable(
        "airlines.txt", {"carrier": "VARCHAR", "name": "VARCHAR"}, 5, separator="whitespace"
    ),
    "without a line of names": RawTable(
        "airlines.csv", {"carrier": "VARCHAR", "name": "VARCHAR"}, 5, header=False
    ),
    "utf-16": RawTable("airlines.csv", {"carrier": "VARCHAR", "name": "VARCHAR"}, 5, encoding="utf-16"),
    "parquet": RawTable("planes.parquet", {"tailnum": "VARCHAR", "seats": "INTEGER"}, 100),
    "a function": RawRows(lambda settings: [], {"tailnum": "VARCHAR", "seats": "INTEGER"}, 100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_raw_tables_of_every_kind_are_changed_and_refused(world, kind):
    table = KINDS[kind]
    name = "planes" if "seats" in table.columns else "airlines"
    other = with_given(world, raw_tables={name: table})
    found = dependencies.dependencies_watched(ReadinessContext(other))
    assert "were refused in 1 raw tables; " in found


def test_a_function_of_which_nobody_checks_the_rows_fails(world):
    """It may give no row, and nothing in it is an amount: only another name of a column is noticed."""
    table = RawRows(lambda settings: [], {"tailnum": "VARCHAR", "model": "VARCHAR"}, minimum_rows=0)
    said = refusal(dependencies.dependencies_watched, with_given(world, raw_tables={"planes": table}))
    assert said == "handrail.etl.raw_files: planes: cut off, and nothing was said"


def test_another_version_of_a_library_fails(world):
    registry.make_live(world, variant(world, lambda info: info["libraries"].update(numpy="1.0.0")))
    said = refusal(dependencies.dependencies_watched, world)
    assert said.startswith("numpy: 1.0.0 when the model was trained, ")


def test_inputs_that_keep_the_contract_pass(world):
    count = len(first_month(world))
    assert served.inputs_hold(ReadinessContext(world)).startswith(f"{count:,} records asked from ")


def test_an_input_that_was_answered_against_the_contract_fails(world):
    record = first_month(world)[0]
    answer = inference.LiveModel(world).answer([record])
    (row,) = prediction_log.log_rows([record], answer)
    keep(world, [row | {AMOUNT.name: AMOUNT.le + 1}])
    said = f"data/predictions/: 1 records were answered though {AMOUNT.name}: above {AMOUNT.le:g}"
    assert refusal(served.inputs_hold, world) == said


def test_too_many_refused_inputs_fail(world):
    start, path = world.dates.live_from, load.rejected_path(world, "scored-month")
    with engine.connect(world) as connection:
        table = load.require_table(world, PROJECT.table_name)
        query = f"SELECT {', '.join(ASKED)}, 'x: missing' AS reason FROM {table} WHERE {TIME} >= '{start}'"
        engine.write_parquet(connection, query, path)
    said = refusal(served.inputs_hold, world)
    assert said.endswith(" of what was asked was refused, at most 1.0% may; see data/rejected/")


def test_what_was_served_comes_out_again(world):
    found = served.not_skewed(ReadinessContext(world))
    assert f"{len(first_month(world)):,} predictions from " in found
    assert found.endswith(" come out again; what was asked is what the table has")


def test_a_prediction_that_does_not_come_out_again_fails(world):
    record = first_month(world)[0]
    (row,) = prediction_log.log_rows([record], inference.LiveModel(world).answer([record]))
    keep(world, [row | {"prediction": row["prediction"] + 0.5}])
    said = refusal(served.not_skewed, world)
    assert said.startswith("1 of ")
    assert "do not come out again, off by up to 0.5" in said


def test_a_feature_that_is_another_in_the_table_fails(world):
    end = AMOUNT.ge if AMOUNT.kind is int else float(AMOUNT.ge)
    predict(world, [record | {AMOUNT.name: end} for record in first_month(world)])
    said = refusal(served.not_skewed, world)
    assert said.startswith(f"{AMOUNT.name}: in ")
    assert said.endswith("; what asks and the table take it from different places")


def test_age_is_compared_with_what_was_agreed(world):
    last = world.dates.live_from + timedelta(days=29)
    context = ReadinessContext(world)
    vars(context).update(today=last)
    assert served.young_enough(context) == f"30 days old on {last}, at most 1000 were agreed"
    old = ReadinessContext(limited(world, maximum_age_days=10))
    vars(old).update(today=last)
    (said,) = made_up_context.refusal(served.young_enough, old)
    until = last + timedelta(days=1)
    assert said == f"30 days old on {last}, at most 10 were agreed; `retrain --until {until}`"
    vars(old).pop("today")
    assert refusal(served.young_enough, old.settings).endswith("; load newer outcomes with `etl` first")


def test_a_model_of_numbers_passes(world):
    assert "every prediction is a number" in numerical_stability.stable(ReadinessContext(world))


def test_the_ends_of_the_contract_are_coded_as_the_model_reads_them(world):
    name = variant(world, lambda info: info["encoding"].update(logarithms=[AMOUNT.name]))
    registry.make_live(world, name)
    context = ReadinessContext(world)
    features = context.small.test.features
    ends = numerical_stability._at_the_ends(context, features)
    place = context.version.encoding.features.index(AMOUNT.name)
    found, coded = set(ends[:, place]), {np.float32(np.log(1 + end)) for end in (AMOUNT.ge, AMOUNT.le)}
    assert coded <= found
    assert np.float32(AMOUNT.le) not in found


def test_a_model_that_gives_no_number_fails(world):
    name = with_model(world, NAN_WHERE_MISSING)
    said = refusal(numerical_stability.stable, world)
    assert said.startswith(f"{name}: ")
    assert said.endswith(" give no number")


def test_a_model_that_follows_rounding_fails(world):
    with_model(world, LEAPING)
    said = refusal(numerical_stability.stable, world)
    assert " of the predictions leap where the features move by a millionth; " in said


def test_the_version_before_is_timed_beside_it(world):
    before = registry.read_live(world).versions[-1]
    registry.make_live(world, variant(world, lambda info: info.update(seed=1)))
    assert f" times as long as {before} for 500 rows at once, " in speed.as_fast_as_before(
        ReadinessContext(world)
    )


def test_a_model_that_takes_much_longer_than_the_one_before_fails(world):
    name = with_model(world, SLOW)
    said = refusal(speed.as_fast_as_before, world)
    assert said.startswith(f"{name} takes ")
    assert said.endswith("; at most 3 times may be")


def test_quality_is_compared_with_what_was_agreed(world):
    assert f": {METRIC} " in served.quality_holds(ReadinessContext(world))
    said = refusal(served.quality_holds, limited(world, expected={METRIC: NONE}))
    assert said.endswith("; see 4-operation/runbook.md")
    few = refusal(served.quality_holds, limited(world, minimum_outcomes=1_000_000))
    assert few.startswith(f"{METRIC}: not known from ")


def test_without_predictions_nothing_passes(project):
    settings = promoted(project)
    for check in (served.inputs_hold, served.not_skewed, served.quality_holds):
        assert "no prediction yet" in refusal(check, settings)
