"""The tests of features and data: each passes as it stands, and fails with its reason where it should."""

import json
import os
import re
import shutil
import time

import duckdb
import pytest

from {{ cookiecutter.__package }} import contract
from {{ cookiecutter.__package }} import settings as project_settings
from {{ cookiecutter.__package }}.etl import load, pipeline, validate
from {{ cookiecutter.__package }}.lifecycle import forget as lifecycle
from {{ cookiecutter.__package }}.lifecycle.section import Keep, Retention
from {{ cookiecutter.__package }}.model import registry
from {{ cookiecutter.__package }}.monitor import replay
from {{ cookiecutter.__package }}.readiness import (
    benefit,
    cost,
    expectations,
    forgetting,
    newcomer,
    permitted,
    privacy,
    tested,
)
from {{ cookiecutter.__package }}.readiness.bench import Bench
from {{ cookiecutter.__package }}.readiness.section import Readiness
from {{ cookiecutter.__package }}.schema import Role, column, columns
from {{ cookiecutter.__package }}.serve.prediction_log import prediction_folder

from .conftest import METRIC, ROOT, in_workspace
from .evidence import write
from .lived import CONTRACT, KEY, TARGET, promoted, variant
from .readied import answered, made_up_bench, refusal

FEATURE, OTHER, *_ = (c for c in columns(CONTRACT) if c.role is Role.FEATURE and not c.categorical)
pytestmark = pytest.mark.slow


@pytest.fixture
def served(project):
    """Return settings of a project whose live model was asked and has answered."""
    return answered(project)


def rewrite(project, query):
    """Write the live table anew from a query of it, named `old`."""
    path = load.table_path(project, contract.TABLE)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE old AS SELECT * FROM '{path}'").fetchall()
        connection.sql(query).write_parquet(str(path))


def test_expectations_hold_and_every_rule_of_them_is_caught(trained):
    found = expectations.expectations(Bench(trained))
    assert found.endswith(" rules were broken on purpose, and each was caught")
    assert int(found.split("; ")[1].split()[0]) > len(columns(CONTRACT))


def test_rows_that_break_an_expectation_fail(project):
    rewrite(project, f"SELECT * REPLACE ({FEATURE.le + 1} AS {FEATURE.name}) FROM old")
    (said,) = refusal(expectations.expectations, Bench(project))
    assert said.endswith(f" rows: {FEATURE.name}: above {FEATURE.le:g}; run `etl` again")


def test_an_expectation_that_the_check_of_tables_forgets_fails(trained, monkeypatch):
    known = validate.rules(CONTRACT)
    kept = tuple(rule for rule in known if not rule.text.startswith(f"{FEATURE.name}: above"))
    monkeypatch.setattr(validate, "rules", lambda contract: kept)
    assert refusal(expectations.expectations, Bench(trained)) == (
        f"etl/validate.py: {FEATURE.name}: a value that is above {FEATURE.le:g} is not caught in a table",
    )


def test_a_feature_without_expectations_fails(trained, monkeypatch):
    class Loose(CONTRACT):
        luck: float | None = column(Role.FEATURE, "Any number")

    monkeypatch.setattr(expectations, "CONTRACT", Loose)
    assert refusal(expectations.expectations, Bench(trained)) == (
        "contract.py: luck: any value passes; give it ge and le, a pattern, or a Literal of names",
    )


def test_a_feature_that_tells_nothing_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(benefit, "SEEDS", 2)
    (noise,) = refusal(benefit.benefit, made_up_bench(tmp_path))
    assert noise.startswith("noise: tells no more of the target than its shuffled copies, and without it ")
    assert noise.endswith("; take it out of contract.py")


def test_a_feature_that_misleads_fails(tmp_path, monkeypatch):
    """The third feature is the outcome itself while the model learns, and luck afterwards."""
    monkeypatch.setattr(benefit, "SEEDS", 2)
    bench = made_up_bench(
        tmp_path,
        names=("noise", "signal", "outcome"),
        others=(
            (lambda rng, target: target + rng.normal(size=len(target)) / 10,),
            (lambda rng, target: rng.permutation(target),),
        ),
    )
    (outcome,) = (each for each in refusal(benefit.benefit, bench) if each.startswith("outcome"))
    assert outcome.startswith(f"outcome: without it {METRIC} is clearly better, by 0.")


def test_features_that_tell_something_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(benefit, "SEEDS", 2)
    bench = made_up_bench(
        tmp_path, names=("hint", "signal"), first=lambda rng, target: target + rng.normal(size=len(target))
    )
    found = benefit.benefit(bench)
    assert found.startswith(
        "2 of 2 features tell more than their shuffled copies; left out, 2 cost clearly ("
    )
    assert found.endswith("), none helps")


def limited(project, **limits):
    """Return a bench with other limits, of the newest version."""
    bench = Bench(promoted(project))
    vars(bench)["limits"] = Readiness(**limits)
    return bench


def test_features_cost_little(project):
    found = cost.cost(limited(project, maximum_feature_seconds=1000))
    assert found.startswith("a million rows take at most ")
    assert "; most often missing is " in found


def test_a_feature_that_takes_long_fails(project, monkeypatch):
    query = pipeline.read_query()
    slow = f"{FEATURE.name} + list_sum(list_transform(range(1000), lambda i: sin(i + random())))"
    monkeypatch.setattr(
        pipeline, "read_query", lambda: f"SELECT * REPLACE ({slow} AS {FEATURE.name}) FROM ({query})"
    )
    said = refusal(cost.cost, limited(project, maximum_feature_seconds=2))
    assert [each.partition(":")[0] for each in said] == [FEATURE.name]
    assert (
        " s for a million rows in transform.sql, at most 2 are agreed (readiness in project.yaml)" in said[0]
    )


def test_a_feature_that_is_mostly_missing_fails(project):
    rewrite(project, f"SELECT * REPLACE (NULL AS {FEATURE.name}) FROM old")
    (said,) = refusal(cost.cost, limited(project, maximum_feature_seconds=1000))
    assert said.startswith(f"{FEATURE.name}: missing in 100% of the rows, at most 50% are agreed")


def test_only_features_are_used(project):
    found = permitted.permitted(Bench(promoted(project)))
    assert " inputs are features, and none of them a copy of what is kept from it (" in found


def test_a_model_that_learnt_from_what_it_may_not_use_fails(project):
    def change(info):
        info["encoding"]["features"][0] = TARGET

    name = variant(promoted(project), change)
    registry.make_live(project, name)
    assert refusal(permitted.permitted, Bench(project)) == (
        f"{name}: learnt from {TARGET}, in contract.py the target; train again without",
    )


@pytest.mark.parametrize(
    ("copied", "sentence"),
    [
        (TARGET, f"tells 100% of {TARGET}, at most 90% may be (readiness in project.yaml)"),
        (KEY, "a key is no feature"),
    ],
)
def test_a_feature_that_is_a_copy_fails(project, copied, sentence):
    name = (
        FEATURE.name
        if copied == TARGET
        else next(c.name for c in columns(CONTRACT) if c.role is Role.FEATURE and c.categorical)
    )
    rewrite(project, f"SELECT * REPLACE ({copied} AS {name}) FROM old WHERE {TARGET} IS NOT NULL")
    (said,) = refusal(permitted.permitted, Bench(promoted(project)))
    assert said.startswith(f"contract.py: {name}")
    assert sentence in said


def test_what_is_stored_is_private(served):
    found = privacy.privacy(Bench(served))
    kept = r"; nothing is kept too long; a key was forgotten in [2-9] files of a copy$"
    assert re.search(kept, found)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Ada, ada.lovelace@example.org, called", "a mail address"),
        ("call +44 20 7946 0958 in the morning", "a telephone number"),
        ("posted to https://chat.example/very-secret", "the secret webhook_url"),
    ],
)
def test_personal_data_in_what_is_stored_fails(served, text, what):
    write(served.workspace, "reports/notes.md", text)
    told = served.model_copy(update={"webhook_url": "https://chat.example/very-secret"})
    assert refusal(privacy.privacy, Bench(told)) == (
        f"reports/notes.md: holds {what}; find out how it came there, and delete it",
    )


def test_a_mail_address_in_a_table_fails(served):
    path = load.rejected_path(served, "scored-x")
    duckdb.sql("SELECT 'write to eve@example.org' AS remark").write_parquet(str(path))
    (said,) = refusal(privacy.privacy, Bench(served))
    assert said.startswith("data/rejected/scored-x.parquet: holds a mail address; ")


def test_a_sensitive_column_in_the_log_fails(served, monkeypatch):
    class Known(CONTRACT):
        religion: str | None = column(Role.SENSITIVE, "What nobody has to tell", examples=["?"])

    monkeypatch.setattr(privacy, "CONTRACT", Known)
    (log,) = prediction_folder(served).glob("*.jsonl")
    line = json.loads(log.read_text(encoding="utf-8").splitlines()[0])
    log.write_text(json.dumps(line | {"religion": "some"}) + "\n", encoding="utf-8")
    (said,) = refusal(privacy.privacy, Bench(served))
    assert said == f"data/predictions/{log.name}: holds religion, which is sensitive; leave it out"


def test_the_table_of_a_replay_may_hold_what_the_table_holds(served, monkeypatch):
    held = next(c for c in columns(CONTRACT) if c.role is Role.TARGET)
    monkeypatch.setattr(privacy, "of_role", lambda contract, role: (held,))
    replay.replay(served, None, None)
    assert " sensitive column; " in privacy.privacy(Bench(served))


def test_data_that_is_kept_too_long_fails(served):
    old = time.time() - 400 * 86400
    os.utime(load.rejected_path(served, contract.TABLE), (old, old))
    (said,) = refusal(privacy.privacy, Bench(served))
    assert said.endswith(" days old, retention in project.yaml allows less; run `purge --really`")


def test_predictions_that_are_kept_for_ever_fail(served):
    endless = served.model_copy(update={"retention": Retention(rejected=Keep(purge_after_days=180))})
    assert refusal(privacy.privacy, Bench(endless)) == (
        "project.yaml: retention.predictions.purge_after_days is not set: they are kept for ever",
    )


@pytest.mark.parametrize("place", [0, 1])
def test_a_key_that_is_not_forgotten_everywhere_fails(served, monkeypatch, place):
    def leave_one(there, key, traces):
        return lifecycle.forget(there, key, [*traces[:place], *traces[place + 1 :]])

    monkeypatch.setattr(forgetting, "forget", leave_one)
    said = refusal(privacy.privacy, Bench(served))
    assert len(said) == 1
    assert said[0].endswith(" after `purge --key`; see lifecycle/forget.py")


def test_a_key_that_another_column_holds_fails(served):
    table = load.require_table(served, contract.TABLE)
    path = load.rejected_path(served, "noted")
    duckdb.sql(f"SELECT 1 AS number, 'see ' || {KEY} AS remark FROM {table} LIMIT 1").write_parquet(str(path))
    ((key,),) = duckdb.sql(f"SELECT {KEY} FROM {table} LIMIT 1").fetchall()
    assert refusal(privacy.privacy, Bench(served)) == (
        f"data/rejected/noted.parquet: still holds {key} after `purge --key`; see lifecycle/forget.py",
    )


@pytest.fixture
def copied(trained, tmp_path):
    """Return a bench of a project whose code is a copy, to be changed."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "project.yaml", tmp_path)
    return Bench(trained.model_copy(update={"root": tmp_path}))


def test_a_transformation_that_takes_no_new_feature_fails(copied):
    write(copied.settings.root, newcomer.FILES[1], "SELECT 1 AS one")
    (said,) = refusal(newcomer.newcomer, copied)
    assert said.startswith(f"a feature more, {newcomer.NAME}, was declared and selected; then: ")
    assert "etl/transform.sql: Binder Error" in said


def test_a_contract_that_takes_no_new_feature_fails(copied):
    write(copied.settings.root, newcomer.FILES[0], "CONTRACT = None\n")
    (said,) = refusal(newcomer.newcomer, copied)
    assert said.endswith(f"no class {CONTRACT.__name__} in it; CONTRACT has to be a class of that file")


def refused_tests(copied, monkeypatch, text):
    """Write the tests of a project that has two features, and return why they are not enough."""
    monkeypatch.setattr(tested, "of_role", lambda contract, role: (FEATURE, OTHER))
    write(copied.settings.root, tested.TESTS, text)
    return refusal(tested.tested, copied)


LOOKING = f"""
from {project_settings.PACKAGE}.etl import pipeline


def test_query():
    assert "END AS {OTHER.name})" not in pipeline.read_query()
"""


def test_tests_that_do_not_look_at_a_feature_fail(copied, monkeypatch):
    """They look at the other one, so that is not complained of."""
    assert refused_tests(copied, monkeypatch, LOOKING) == (
        f"{tested.TESTS}: {FEATURE.name} was made wrong in every row, and no test failed; test it on a row "
        "that you know",
    )


AVERAGED = f"""
from {project_settings.PACKAGE} import settings
from {project_settings.PACKAGE}.engine import connect, parquet, row
from {project_settings.PACKAGE}.etl import pipeline


def test_table(tmp_path):
    own = settings.read_settings().model_copy(update=dict(workspace=tmp_path))
    path = pipeline.run_etl(own, lambda step: None).path
    with connect(own) as connection:
        found = row(connection, "SELECT avg({FEATURE.name}) AS mean FROM " + parquet(path))
    assert abs(found["mean"] - MEAN) < 1e-6 * (1 + abs(MEAN))
"""


def test_a_table_is_made_wrong_in_one_feature_at_a_time(copied, monkeypatch, tmp_path):
    whole = in_workspace(tmp_path / "whole", sample=None)
    path = pipeline.run_etl(whole, lambda step: None).path
    ((mean,),) = duckdb.sql(f"SELECT avg({FEATURE.name}) FROM '{path}'").fetchall()
    (said,) = refused_tests(copied, monkeypatch, AVERAGED.replace("MEAN", repr(mean)))
    assert said.startswith(f"{tested.TESTS}: {OTHER.name} was made wrong in every row, and no test failed")


def test_tests_that_fail_anyway_show_nothing(copied, monkeypatch):
    text = "def test_all():\n    raise ValueError\n"
    assert refused_tests(copied, monkeypatch, text) == (
        f"{tested.TESTS}: the tests fail as it is; run `uv run pytest {tested.TESTS}`",
    )


def test_a_project_without_tests_of_its_features_fails(copied):
    (said,) = refusal(tested.tested, copied)
    assert said == f"{tested.TESTS}: no such file; write down what you know of your data for certain"
