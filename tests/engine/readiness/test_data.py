"""The tests of features and data: each passes as it stands, and fails with its reason where it should."""

import json
import os
import re
import shutil
import time

import duckdb
import pytest
from pydantic import create_model

from handrail.compute.duckdb import connect
from handrail.config.sections import Keep, Readiness, Retention
from handrail.contract import table_check
from handrail.contract.schema import Record, Role, column, columns
from handrail.etl import load, run_etl
from handrail.etl.pipeline import transform
from handrail.monitoring import replay
from handrail.project import Project
from handrail.readiness import (
    erasure,
    expectations,
    feature_addition,
    feature_benefit,
    feature_cost,
    leakage,
    mutation_tests,
    privacy,
)
from handrail.readiness.context import ReadinessContext
from handrail.readiness.workspaces import copy_code
from handrail.registry import live as registry
from handrail.registry.drift_reference import Bins
from handrail.serving.prediction_log import prediction_folder
from handrail.training.encoding import Encoding
from tests.engine.readiness.made_up_context import answered, made_up_context, refusal
from tests.engine.support.evidence import write, write_facts
from tests.engine.support.lived import CONTRACT, KEY, TARGET, TIME, promoted, variant
from tests.engine.support.workspaces import METRIC, PROJECT, ROOT, in_workspace, with_given

TABLE = PROJECT.table_name
FEATURES = [each for each in columns(CONTRACT) if each.role is Role.FEATURE]
FEATURE, OTHER, *_ = (each for each in FEATURES if not each.categorical)
NAMED = next(each for each in FEATURES if each.categorical)
FORBIDDEN = next(each for each in columns(CONTRACT) if each.role is Role.FORBIDDEN)


@pytest.fixture
def served(project):
    """Return settings of a project whose live model was asked and has answered."""
    return answered(project)


def rewrite(project, query):
    """Write the live table anew from a query of it, named `old`."""
    path = load.table_path(project, TABLE)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE old AS SELECT * FROM '{path}'").fetchall()
        connection.sql(query).write_parquet(str(path))


def test_expectations_hold_and_every_rule_of_them_is_caught(trained):
    found = expectations.expectations(ReadinessContext(trained))
    assert found.endswith(" rules were broken on purpose, and each was caught")
    assert int(found.split("; ")[1].split()[0]) > len(columns(CONTRACT))


def test_rows_that_break_an_expectation_fail(project):
    rewrite(project, f"SELECT * REPLACE ({FEATURE.le + 1} AS {FEATURE.name}) FROM old")
    (said,) = refusal(expectations.expectations, ReadinessContext(project))
    assert said.endswith(f" rows: {FEATURE.name}: above {FEATURE.le:g}; run `etl` again")


def test_an_expectation_that_the_check_of_tables_forgets_fails(trained, monkeypatch):
    known = table_check.rules(CONTRACT)
    kept = tuple(rule for rule in known if not rule.text.startswith(f"{FEATURE.name}: above"))
    monkeypatch.setattr(table_check, "rules", lambda contract, present: kept)
    assert refusal(expectations.expectations, ReadinessContext(trained)) == (
        f"handrail.contract.table_check: {FEATURE.name}: a value that is above {FEATURE.le:g} is not caught "
        "in a table",
    )


def test_a_feature_without_expectations_fails(trained):
    class Loose(CONTRACT):
        luck: float | None = column(Role.FEATURE, "Any number")

    loose = with_given(trained, contract=Loose)
    assert refusal(expectations.expectations, ReadinessContext(loose)) == (
        "contract.py: luck: any value passes; give it ge and le, a pattern, or a Literal of names",
    )


def test_a_feature_that_tells_nothing_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_benefit, "SEEDS", 2)
    (noise,) = refusal(feature_benefit.benefit, made_up_context(tmp_path))
    assert noise.startswith("noise: tells no more of the target than its shuffled copies, and without it ")
    assert noise.endswith("; take it out of contract.py")


def test_a_feature_that_misleads_fails(tmp_path, monkeypatch):
    """The third feature is the outcome itself while the model learns, and luck afterwards."""
    monkeypatch.setattr(feature_benefit, "SEEDS", 2)
    context = made_up_context(
        tmp_path,
        names=("noise", "signal", "outcome"),
        others=(
            (lambda rng, target: target + rng.normal(size=len(target)) / 10,),
            (lambda rng, target: rng.permutation(target),),
        ),
    )
    (outcome,) = (each for each in refusal(feature_benefit.benefit, context) if each.startswith("outcome"))
    assert outcome.startswith(f"outcome: without it {METRIC} is clearly better, by 0.")


def test_features_that_tell_something_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_benefit, "SEEDS", 2)
    context = made_up_context(
        tmp_path, names=("hint", "signal"), first=lambda rng, target: target + rng.normal(size=len(target))
    )
    found = feature_benefit.benefit(context)
    assert found.startswith(
        "2 of 2 features tell more than their shuffled copies; left out, 2 cost clearly ("
    )
    assert found.endswith("), none helps")


def test_values_are_put_in_the_bins_of_the_reference_however_they_are_coded():
    encoding = Encoding(("size", "day"), {"day": ("1", "2", "3")}, ("size",))
    sizes, days = (0, 1, 5, 10, 11, None), (1, 2, 3, 1, 4, None)
    matrix = encoding.matrix([{"size": size, "day": day} for size, day in zip(sizes, days, strict=True)])
    bins = {"size": Bins("size", edges=(1.0, 10.0)), "day": Bins("day", edges=(2.0,))}
    found = {
        name: feature_benefit._places(matrix[:, place], name, bins[name], encoding).tolist()
        for place, name in enumerate(encoding.features)
    }
    assert found == {"size": [1, 1, 2, 2, 3, 0], "day": [1, 2, 3, 1, 0, 0]}


def limited(project, **limits):
    """Return a context with other limits, of the newest version."""
    context = ReadinessContext(promoted(project))
    vars(context)["limits"] = Readiness(**limits)
    return context


def test_features_cost_little(project):
    found = feature_cost.cost(limited(project, maximum_feature_seconds=1000))
    assert found.startswith("a million rows take at most ")
    assert "; most often missing is " in found


@pytest.mark.slow
def test_a_feature_that_takes_long_fails(project):
    slow = f"{FEATURE.name} + list_sum(list_transform(range(500), lambda i: sin(i + random())))"
    query = f"SELECT * REPLACE ({slow} AS {FEATURE.name}) FROM ({PROJECT.transform})"
    slowed = with_given(project, transform=query)
    said = refusal(feature_cost.cost, limited(slowed, maximum_feature_seconds=2))
    assert [each.partition(":")[0] for each in said] == [FEATURE.name]
    assert (
        " s for a million rows in transform.sql, at most 2 are agreed (readiness in project.yaml)" in said[0]
    )


def test_a_feature_that_is_mostly_missing_fails(project):
    rewrite(project, f"SELECT * REPLACE (NULL AS {FEATURE.name}) FROM old")
    (said,) = refusal(feature_cost.cost, limited(project, maximum_feature_seconds=1000))
    assert said.startswith(f"{FEATURE.name}: missing in 100% of the rows, at most 50% are agreed")


def test_only_features_are_used(project):
    found = leakage.no_leakage(ReadinessContext(promoted(project)))
    assert " inputs are features, and none of them a copy of what is kept from it (" in found


def test_a_model_that_learnt_from_what_it_may_not_use_fails(project):
    def change(info):
        info["encoding"]["features"][0] = TARGET

    name = variant(promoted(project), change)
    registry.make_live(project, name)
    assert refusal(leakage.no_leakage, ReadinessContext(project)) == (
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
    name = FEATURE.name if copied == TARGET else NAMED.name
    rewrite(project, f"SELECT * REPLACE ({copied} AS {name}) FROM old WHERE {TARGET} IS NOT NULL")
    (said,) = refusal(leakage.no_leakage, ReadinessContext(promoted(project)))
    assert said.startswith(f"contract.py: {name}")
    assert sentence in said


def test_what_is_stored_is_private(served):
    found = privacy.privacy(ReadinessContext(served))
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
    assert refusal(privacy.privacy, ReadinessContext(told)) == (
        f"reports/notes.md: holds {what}; find out how it came there, and delete it",
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+49 170 1234567.", True),
        ("+49.170.123.4567", True),
        ("+1 (212) 555-0199", True),
        ("+441632960961", True),
        ("worse by +456.789 of 12", False),
        ("+45.6789", False),
        ("+123456.78", False),
        ("+12", False),
    ],
)
def test_a_figure_is_no_telephone_number(text, found):
    assert bool(re.search(privacy.PERSONAL["a telephone number"], text)) is found
    ((same,),) = duckdb.execute(
        "SELECT regexp_matches(?, ?)", [text, privacy.PERSONAL["a telephone number"]]
    ).fetchall()
    assert same is found


def test_a_mail_address_in_a_table_fails(served):
    path = load.rejected_path(served, "scored-x")
    duckdb.sql("SELECT 'write to eve@example.org' AS remark").write_parquet(str(path))
    (said,) = refusal(privacy.privacy, ReadinessContext(served))
    assert said.startswith("data/rejected/scored-x.parquet: holds a mail address; ")


def test_a_sensitive_column_in_the_log_fails(served):
    class Known(CONTRACT):
        religion: str | None = column(Role.SENSITIVE, "What nobody has to tell", examples=["?"])

    (log,) = prediction_folder(served).glob("*.jsonl")
    line = json.loads(log.read_text(encoding="utf-8").splitlines()[0])
    log.write_text(json.dumps(line | {"religion": "some"}) + "\n", encoding="utf-8")
    (said,) = refusal(privacy.privacy, ReadinessContext(with_given(served, contract=Known)))
    assert said == f"data/predictions/{log.name}: holds religion, which is sensitive; leave it out"


def test_the_table_of_a_replay_may_hold_what_the_table_holds(served):
    fields = {FORBIDDEN.name: (int | None, column(Role.SENSITIVE, FORBIDDEN.description, ge=-120, le=3000))}
    known = create_model("Known", __base__=CONTRACT, **fields)
    replay.replay(served, None, None)
    found = privacy.privacy(ReadinessContext(with_given(served, contract=known)))
    assert " sensitive column; " in found


def test_data_that_is_kept_too_long_fails(served):
    old = time.time() - 400 * 86400
    os.utime(load.rejected_path(served, TABLE), (old, old))
    (said,) = refusal(privacy.privacy, ReadinessContext(served))
    assert said.endswith(" days old, retention in project.yaml allows less; run `purge --really`")


def test_predictions_that_are_kept_for_ever_fail(served):
    endless = served.model_copy(update={"retention": Retention(rejected=Keep(purge_after_days=180))})
    assert refusal(privacy.privacy, ReadinessContext(endless)) == (
        "project.yaml: retention.predictions.purge_after_days is not set: they are kept for ever",
    )


@pytest.mark.parametrize("place", [0, 1])
def test_a_key_that_is_not_forgotten_everywhere_fails(served, monkeypatch, place):
    def leave_one(there, key, traces):
        return erase(there, key, [*traces[:place], *traces[place + 1 :]])

    erase = erasure.erase
    monkeypatch.setattr(erasure, "erase", leave_one)
    said = refusal(privacy.privacy, ReadinessContext(served))
    assert len(said) == 1
    assert said[0].endswith(" after `purge --key`; see handrail.retention.erasure")


def test_a_key_that_another_column_holds_fails(served):
    table = load.require_table(served, TABLE)
    path = load.rejected_path(served, "noted")
    duckdb.sql(f"SELECT 1 AS number, 'see ' || {KEY} AS remark FROM {table} LIMIT 1").write_parquet(str(path))
    ((key,),) = duckdb.sql(f"SELECT {KEY} FROM {table} LIMIT 1").fetchall()
    assert refusal(privacy.privacy, ReadinessContext(served)) == (
        f"data/rejected/noted.parquet: still holds {key} after `purge --key`; see handrail.retention.erasure",
    )


@pytest.fixture
def copied(trained, tmp_path):
    """Return a context of a project whose code is a copy, to be changed."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "project.yaml", tmp_path)
    return ReadinessContext(trained.model_copy(update={"root": tmp_path}))


def in_package(name):
    """Return where a file of the package stands in its project."""
    return f"src/{PROJECT.package}/{name}"


@pytest.mark.slow
def test_a_feature_more_is_learnt_from_and_predicted_with(copied):
    """Also where the contract begins otherwise than the example's."""
    path = copied.settings.root / in_package("contract.py")
    text = path.read_text(encoding="utf-8").replace(
        "from handrail.contract import Record, Role, column", HEAD
    )
    path.write_text(f"from __future__ import annotations\n\n{text}".rstrip(), encoding="utf-8")
    found = feature_addition.feature_added(copied)
    assert found.startswith("a feature more in 2 files, contract.py and transform.sql: loaded in ")
    assert " rows, learnt from and predicted with after " in found
    assert path.read_text(encoding="utf-8").count(feature_addition.NAME) == 0


HEAD = "from handrail.contract import Record\nfrom handrail.contract import Role, column"
LISTED = """
from handrail.training import features_of

from ..contract import CONTRACT

FEATURES = {name: coding for name, coding in features_of(CONTRACT).items() if not name.endswith("_tried")}
"""


@pytest.mark.slow
def test_a_list_of_features_that_takes_no_new_one_fails(copied):
    write(copied.settings.root, in_package("model/features.py"), LISTED)
    (said,) = refusal(feature_addition.feature_added, copied)
    assert said == f"{in_package('model/features.py')}: a new feature of the contract is not learnt from"


@pytest.mark.slow
def test_a_transformation_that_takes_no_new_feature_fails(copied):
    write(copied.settings.root, in_package("etl/transform.sql"), "SELECT 1 AS one")
    (said,) = refusal(feature_addition.feature_added, copied)
    assert said.startswith(f"a feature more, {feature_addition.NAME}, was declared and selected; then: ")
    assert "etl/transform.sql: Binder Error" in said


def test_a_contract_that_takes_no_new_feature_fails(copied):
    write(copied.settings.root, in_package("contract.py"), "CONTRACT = None\n")
    (said,) = refusal(feature_addition.feature_added, copied)
    assert said.startswith(in_package("contract.py"))
    assert said.endswith(f"no class {CONTRACT.__name__} in it; CONTRACT has to be a class of that file")


def with_two_features(settings):
    """Return the settings of a project that has two features only."""
    kept = (KEY, TIME, FEATURE.name, OTHER.name, TARGET)
    fields = {name: (CONTRACT.model_fields[name].annotation, CONTRACT.model_fields[name]) for name in kept}
    return with_given(settings, contract=create_model("Small", __base__=Record, **fields))


def refused_tests(copied, text):
    """Write the tests of a project that has two features, and return why they are not enough."""
    write(copied.settings.root, mutation_tests.TESTS, text)
    return refusal(mutation_tests.mutants_noticed, ReadinessContext(with_two_features(copied.settings)))


LOOKING = f"""
from {PROJECT.package} import project


def test_query():
    assert 'END AS "{OTHER.name}")' not in project.transform
"""


@pytest.mark.slow
def test_tests_that_do_not_look_at_a_feature_fail(copied):
    """They look at the other one, so that is not complained of."""
    assert refused_tests(copied, LOOKING) == (
        f"{mutation_tests.TESTS}: {FEATURE.name} was made wrong in every row, and no test failed; test it on "
        "a row that you know",
    )


AVERAGED = f"""
from {PROJECT.package} import project
from handrail.compute.duckdb import connect, parquet, row
from handrail.etl import run_etl, table_path


def test_table(tmp_path):
    own = project.settings().model_copy(update=dict(workspace=tmp_path))
    path = run_etl(own, lambda step: None).path
    assert path == table_path(own, project.table_name)
    with connect(own) as connection:
        found = row(connection, "SELECT avg({FEATURE.name}) AS mean FROM " + parquet(path))
    assert abs(found["mean"] - MEAN) < 1e-6 * (1 + abs(MEAN))
"""


def mean_of(path):
    """Return the mean of a feature in a table."""
    ((mean,),) = duckdb.sql(f"SELECT avg({FEATURE.name}) FROM '{path}'").fetchall()
    return repr(mean)


@pytest.mark.slow
def test_a_table_is_made_wrong_in_one_feature_at_a_time(copied, tmp_path):
    whole = in_workspace(tmp_path / "whole", sample=None)
    path = run_etl(whole, lambda step: None).path
    (said,) = refused_tests(copied, AVERAGED.replace("MEAN", mean_of(path)))
    assert said.startswith(
        f"{mutation_tests.TESTS}: {OTHER.name} was made wrong in every row, and no test failed"
    )


LOADED = f"""
from {PROJECT.package} import project
from handrail.compute.duckdb import connect, row
from handrail.etl.load import require_table

settings = project.settings()
with connect(settings) as connection:
    table = require_table(settings, project.table_name)
    found = row(connection, "SELECT avg({FEATURE.name}) AS mean FROM " + table)


def test_table():
    assert abs(found["mean"] - MEAN) < 1e-6 * (1 + abs(MEAN))
"""


@pytest.mark.slow
def test_tests_of_the_loaded_table_see_a_wrong_one_and_the_true_one_stays(copied):
    """Also where a test module has read it before the first test runs."""
    path = load.table_path(copied.settings, TABLE)
    content = path.read_bytes()
    (said,) = refused_tests(copied, LOADED.replace("MEAN", mean_of(path)))
    assert said.startswith(f"{mutation_tests.TESTS}: {OTHER.name} was made wrong")
    assert path.read_bytes() == content


@pytest.mark.slow
def test_tests_that_fail_anyway_show_nothing(copied):
    text = "def test_all():\n    raise ValueError\n"
    assert refused_tests(copied, text) == (
        f"{mutation_tests.TESTS}: the tests fail as it is; run `uv run pytest {mutation_tests.TESTS}`",
    )


@pytest.mark.slow
def test_no_test_at_all_shows_nothing(copied):
    assert refused_tests(copied, '"""None yet."""\n') == (
        f"{mutation_tests.TESTS}: there is no test in it; write one of what each feature has to be",
    )


@pytest.mark.slow
def test_tests_that_notice_every_feature_pass(copied):
    looking = LOOKING + f"    assert 'END AS \"{FEATURE.name}\")' not in project.transform\n"
    write(copied.settings.root, mutation_tests.TESTS, looking)
    found = mutation_tests.mutants_noticed(ReadinessContext(with_two_features(copied.settings)))
    assert found == f"2 features were made wrong one by one, and {mutation_tests.TESTS} failed each time"


def test_a_project_without_tests_of_its_features_fails(copied):
    (said,) = refusal(mutation_tests.mutants_noticed, copied)
    assert said == f"{mutation_tests.TESTS}: no such file; write down what you know of your data for certain"


def test_a_copy_works_in_itself_and_brings_in_the_same(tmp_path):
    root, copy = tmp_path / "project", tmp_path / "copy"
    write_facts(root, data={"source": "../raw"})
    facts = (root / "project.yaml").read_text(encoding="utf-8")
    write(root, "project.yaml", f"{facts}workspace: {(tmp_path / 'work').as_posix()}\n")
    write(root, "tests/test_example.py", "")
    write(root, "data/x.csv", "")
    copy.mkdir()
    settings = PROJECT.at(root).settings()
    environment = copy_code(settings, copy)
    there = PROJECT.at(copy).settings()
    assert (settings.workspace, there.workspace) == (tmp_path / "work", copy)
    assert there.source == settings.source == root / "../raw"
    assert sorted(path.name for path in copy.iterdir()) == ["project.yaml", "tests"]
    assert environment["PYTHONPATH"].startswith(str(copy / "src"))
    assert environment[f"{PROJECT.env_prefix}WORKSPACE"] is None


def test_all_rows_are_loaded_once_and_spoilt_afterwards(tmp_path):
    extracted = []

    def extract(connection, settings):
        extracted.append(settings.sample)
        return PROJECT.extract(connection, settings.model_copy(update={"sample": 2000}))

    given = {"extract": extract}
    project = Project(PROJECT.package, given=given, root=ROOT)
    right = PROJECT.transform.rstrip()
    with mutation_tests.all_rows_once(project, tmp_path / "kept") as spoil:
        means = {}
        for turn, feature in enumerate(("", FEATURE.name, OTHER.name, "")):
            spoil(feature)
            settings = in_workspace(tmp_path / str(turn), project.at(ROOT), sample=None)
            result = run_etl(settings, lambda step: None)
            assert result.path == load.table_path(settings, TABLE)
            assert (result.raw["flights"], result.loaded) == (2000, 2000)
            means[turn] = mean_of(result.path)
            assert (project.transform == right) is (feature == "")
        assert means[0] == means[2] == means[3] != means[1]
        assert extracted == [None]
        spoil(FEATURE.name)
        small = in_workspace(tmp_path / "small", project, sample=2000)
        assert mean_of(run_etl(small, lambda step: None).path) == means[1]
        assert extracted == [None, 2000]
        with connect(small) as connection:
            transform(connection, small)
            found = connection.execute(f"SELECT avg({FEATURE.name}) FROM checked").fetchall()
        assert repr(found[0][0]) == means[1]
    assert project.given == given
