"""Every check turns red where a project really is broken in that way, and says what and where."""

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from onnx import parser
from pydantic import create_model, field_validator

from handrail import serving
from handrail.contract import Record, Role, column, table_check
from handrail.errors import ProjectError
from handrail.etl import bring_in
from handrail.serving import prediction_log
from handrail.tasks.metric import Metric
from handrail.testing import batch_checks, checks_of, live_checks
from handrail.testing.made_up_tables import PLACE
from handrail.training import MeanByColumn, amount, features_of
from handrail.training.encoding import Encoding
from tests.engine.labelling.asked import ASKED
from tests.engine.support.evidence import IDEA
from tests.engine.support.lived import NEVER_A_NUMBER
from tests.engine.testing.made_up_projects import (
    Shape,
    changed,
    contract_of,
    like,
    made_up_project,
    train,
    transform_of,
    write,
)

AMOUNTS = Shape("regression")


def said(project, name, **options):
    """Return what the check of this name says of `project`, which it has to refuse."""
    (check,) = [check for check in checks_of(project, **options) if check.name.partition("-")[2] == name]
    with pytest.raises((AssertionError, ProjectError)) as refused:
        check()
    return str(refused.value)


def holds(project, name, **options):
    """Call the check of this name, which has to hold."""
    (check,) = [check for check in checks_of(project, **options) if check.name.partition("-")[2] == name]
    check()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """Return a project in which everything holds, trained once; read only, but for what it is given."""
    return made_up_project(tmp_path_factory.mktemp("healthy"))


# The texts.


def test_a_mistake_in_the_facts_is_noticed(tmp_path):
    project = made_up_project(tmp_path)
    write(tmp_path / "project.yaml", "name: 3\nnonsense: true\n")
    assert "project.yaml, line 2: nonsense: " in said(project, "facts_can_be_read")


def test_a_text_in_another_encoding_is_noticed(tmp_path):
    project = made_up_project(tmp_path)
    write(tmp_path / "1-discovery" / "problem.md", "")
    (tmp_path / "1-discovery" / "problem.md").write_bytes("Verspätung".encode("latin-1"))
    assert (
        said(project, "texts_can_be_read") == "1-discovery/problem.md: not UTF-8 at byte 5; save it as UTF-8"
    )


def test_a_choice_that_does_not_rank_first_is_noticed(tmp_path):
    project = made_up_project(tmp_path)
    ideas = [IDEA, IDEA | {"name": "better", "value": 1000}]
    write(
        tmp_path / "1-discovery" / "ideas.yaml",
        yaml.safe_dump({"currency": "EUR", "chosen": "first", "ideas": ideas}),
    )
    assert "first is chosen and returns 40 EUR, but better returns 490 EUR" in said(
        project, "ideas_and_decision_hold"
    )


# The contract.


def with_contract(folder, **changes):
    """Return a project whose contract has other fields, of which its transformation knows nothing."""
    return made_up_project(folder, contract=contract_of(Shape(), **changes))


def test_a_contract_that_says_too_little_is_noticed(tmp_path):
    project = with_contract(tmp_path, load=(float, column(Role.FEATURE, "How much", ge=0)))
    assert said(project, "contract_says_enough") == "contract.py: load needs both ge and le"


def test_a_contract_with_two_keys_is_noticed(tmp_path):
    project = with_contract(tmp_path, kind=(str, column(Role.KEY, "Which", examples=["A"])))
    assert said(project, "contract_says_enough") == (
        "contract.py: one column has to be the key, found visit_id, kind"
    )


def test_an_example_that_breaks_its_own_pattern_is_noticed(tmp_path):
    project = with_contract(
        tmp_path, kind=(str, column(Role.FEATURE, "Which", pattern="^[AB][0-3]$", examples=["C9"]))
    )
    assert said(project, "good_records_are_accepted").startswith("contract.py: kind: refused though it keeps")


class Forgiving(Record):
    """A record that puts right what breaks its rules: in tables nothing does so."""

    @field_validator("load", mode="before", check_fields=False)
    @classmethod
    def at_most(cls, value):
        return min(value, 100) if isinstance(value, float) else value


class Strict(Record):
    """A record that refuses what the contract's rules allow."""

    @field_validator("load", check_fields=False)
    @classmethod
    def small(cls, value):
        if value > 50:
            raise ValueError("too much")
        return value


class Careless(Record, extra="ignore"):
    """A record that takes columns which nobody knows."""


def based_on(base):
    """Return the contract of a made-up project on another base."""
    whole = contract_of(Shape())
    return create_model(
        "Visit",
        __base__=base,
        **{name: (field.annotation, field) for name, field in whole.model_fields.items()},
    )


def test_a_rule_that_holds_in_tables_only_is_noticed(tmp_path):
    project = made_up_project(tmp_path, contract=based_on(Forgiving))
    assert said(project, "each_rule_refuses") == (
        "contract.py: load: a value that is above 100 passes in a record"
    )


def test_a_rule_that_a_table_does_not_know_is_noticed(healthy, monkeypatch):
    monkeypatch.setattr(table_check, "check", without_reasons)
    assert said(healthy, "each_rule_refuses").startswith(
        "contract.py: visit_id: a value that is missing passes in a table"
    )


def without_reasons(connection, table, contract, also):
    """Check a table as if everything was good in it."""
    place = f"'#' || {PLACE} AS reason"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW checked AS SELECT *, {place} FROM {table}")


def test_a_key_that_may_repeat_is_noticed(healthy, monkeypatch):
    monkeypatch.setattr(table_check, "check", without_reasons)
    assert said(healthy, "repeated_key_is_kept_once") == (
        "contract.py: visit_id: twice in a table, and it says [None, None]"
    )


def test_a_record_that_takes_any_column_is_noticed(tmp_path):
    project = made_up_project(tmp_path, contract=based_on(Careless))
    assert "a column that the contract does not have is accepted" in said(
        project, "strange_columns_are_refused"
    )


def test_rows_that_no_record_may_have_are_noticed(tmp_path):
    project = made_up_project(tmp_path, contract=based_on(Strict))
    found = said(project, "rows_are_accepted_as_records")
    assert found.startswith("contract.py: load: {'visit_id': ")
    assert found.endswith("is in the table, and refused as a record")


def test_an_old_data_dictionary_is_noticed(tmp_path):
    project = made_up_project(tmp_path)
    write(tmp_path / "2-research" / "data-dictionary.md", "# Data dictionary\n")
    assert said(project, "dictionary_names_every_column") == (
        "2-research/data-dictionary.md: not that of contract.py; run `etl`, and commit it"
    )


# The raw tables and the transformation.


def test_a_table_that_comes_out_otherwise_each_time_is_noticed(tmp_path):
    query = f"SELECT * REPLACE (random() * 100 AS load) FROM ({transform_of(Shape())})"
    project = made_up_project(tmp_path, transform=query)
    assert said(project, "etl_gives_the_same_table").startswith(
        "etl/transform.sql: load: not the same when run"
    )


def test_a_path_that_depends_on_the_working_folder_is_noticed(tmp_path, monkeypatch):
    tables = made_up_project(tmp_path).raw_tables

    def extract(connection, settings):
        return bring_in(connection, settings, tables, Path("raw"))

    monkeypatch.chdir(tmp_path)
    project = made_up_project(tmp_path / "there", raw_tables=tables, extract=extract)
    assert "visits.csv: no such file" in said(project, "etl_runs_from_any_folder")


@pytest.mark.parametrize(
    "name",
    [
        "missing_file_is_named",
        "empty_file_is_named",
        "renamed_column_is_named",
        "text_among_amounts_is_named",
        "file_cut_off_is_named",
    ],
)
def test_an_extract_that_goes_on_with_bad_files_is_noticed(name, tmp_path):
    whole = made_up_project(tmp_path / "whole")
    before = {}

    def extract(connection, settings):
        with suppress(ProjectError):  # the rows of the last time will do
            before.update(whole.extract(connection, settings))
        return dict(before)

    project = made_up_project(tmp_path / "lenient", raw_tables=whole.raw_tables, extract=extract)
    assert said(project, name) == "etl/extract.py: visits.csv: not refused by its name; said is ()"


def test_a_refusal_that_does_not_name_the_file_is_noticed(tmp_path):
    whole = made_up_project(tmp_path / "whole")

    def extract(connection, settings):
        try:
            return whole.extract(connection, settings)
        except ProjectError:
            raise ProjectError("something is wrong with a file") from None

    project = made_up_project(tmp_path / "vague", raw_tables=whole.raw_tables, extract=extract)
    assert said(project, "empty_file_is_named").startswith(
        "etl/extract.py: visits.csv: not refused by its name"
    )


# What people are asked.


def asking(folder, **items):
    """Return a project that asks people of which kind the visits are."""
    write(
        folder / "2-research/labelling/labelling.yaml",
        yaml.safe_dump(ASKED | {"items": {"table": "raw_visits", "column": "kind", "seed": 1, **items}}),
    )
    return made_up_project(folder)


def test_a_question_that_shows_the_outcome_is_noticed(tmp_path):
    holds(asking(tmp_path / "open", show=["town"]), "question_and_answers_can_be_read")
    found = said(asking(tmp_path / "telling", show=["outcome"]), "question_and_answers_can_be_read")
    assert "items.show: outcome must not be shown: " in found


def test_an_answer_that_cannot_be_read_is_noticed(tmp_path):
    project = asking(tmp_path, show=["town"])
    write(tmp_path / "2-research/labelling/received/ada.csv", "nonsense\n1\n")
    assert "ada.csv" in said(project, "question_and_answers_can_be_read")


def test_a_blank_form_asks_nothing(tmp_path):
    write(tmp_path / "2-research/labelling/labelling.yaml", 'question: "?"\n')
    holds(made_up_project(tmp_path), "question_and_answers_can_be_read")


# The model.


def with_estimator(folder, shape=None, **functions):
    """Return a project whose estimator does something else."""
    shape = shape or Shape()
    return made_up_project(folder, shape, estimator=changed(like(shape.problem).estimator, **functions))


def test_a_model_that_sees_the_target_is_noticed(tmp_path):
    features = features_of(contract_of(Shape())) | {"outcome": amount()}
    project = made_up_project(tmp_path, features=features)
    assert said(project, "only_features_reach_the_model").startswith(
        "model/features.py: outcome: seen by the "
    )


def test_a_record_that_is_coded_unlike_a_table_is_noticed(healthy, monkeypatch):
    right = Encoding.matrix

    def matrix(self, records):
        found = right(self, records)
        found[np.isnan(found)] = 0
        return found

    monkeypatch.setattr(Encoding, "matrix", matrix)
    assert said(healthy, "record_and_table_are_coded_alike") == (
        "model/features.py: town: coded as 0.0 in a record, and as nan in a table"
    )


def test_a_file_that_predicts_something_else_is_noticed(tmp_path):
    estimator, first = like("classification").estimator, []

    def export(model, features):
        first.append(estimator.export(model, features))
        return first[0]  # of whatever was learnt before

    def fit(rows, encoding, seed, hyperparameters):
        less = hyperparameters.model_copy(update={"learning_rate": 0.05 + len(first) / 10})
        return estimator.fit(rows, encoding, seed, less)

    project = with_estimator(tmp_path, export=export, fit=fit)
    holds(project, "metrics_are_numbers")
    found = said(project, "file_agrees_with_the_trainer")
    assert found.startswith(
        "model/estimator.py: export: on rows of the test period, the file predicts up to "
    )


def test_a_file_that_goes_wrong_only_where_something_is_missing_is_noticed(tmp_path):
    estimator = like("regression").estimator

    def predict(model, features):
        whole = estimator.predict(model, features)
        return np.where(np.isnan(features).any(axis=1), whole + np.float32(0.001), whole)

    project = with_estimator(tmp_path, AMOUNTS, predict=predict)
    assert "export: on rows " in said(project, "file_agrees_with_the_trainer")


def test_a_fit_that_is_another_each_time_is_noticed(tmp_path):
    estimator, times = like("regression").estimator, iter(range(100))

    def fit(rows, encoding, seed, hyperparameters):
        few = rows.rows(np.random.default_rng(next(times)).permutation(len(rows))[: len(rows) // 2])
        return estimator.fit(few, encoding, seed, hyperparameters)

    assert said(with_estimator(tmp_path, AMOUNTS, fit=fit), "fitting_twice_gives_the_same_file") == (
        "model/train.py: two fits on the same rows give two files; give every random step the seed"
    )


def test_a_model_that_learns_from_later_rows_is_noticed(tmp_path):
    def leaking(run):
        return train(WithSplits(run, lambda splits: replace(splits, training=splits.test)))

    found = said(made_up_project(tmp_path, train=leaking), "nothing_is_learnt_from_later_rows")
    assert found == (
        "model/train.py: the model and the baseline and the decision changed with the outcomes of the test "
        "period; learn from splits.training, decide on splits.validation"
    )


def test_a_decision_on_the_test_rows_is_noticed(tmp_path):
    def leaking(run):
        return train(WithSplits(run, lambda splits: replace(splits, validation=splits.test)))

    found = said(made_up_project(tmp_path, train=leaking), "nothing_is_learnt_from_later_rows")
    assert found.startswith("model/train.py: the decision changed with the outcomes of the test period; ")


def test_figures_of_other_rows_than_the_test_rows_are_noticed(tmp_path):
    def flattering(run):
        return train(WithSplits(run, lambda splits: replace(splits, test=splits.validation)))

    found = said(made_up_project(tmp_path, train=flattering), "nothing_is_learnt_from_later_rows")
    assert found.endswith("in the test period, and the same figures; measure on splits.test")


class WithSplits:
    """A training under way that gives other splits."""

    def __init__(self, run, changes):
        self._run, self._changes = run, changes

    def read_splits(self):
        return self._changes(self._run.read_splits())

    def __getattr__(self, name):
        return getattr(self._run, name)


@dataclass(frozen=True)
class Forgetful(MeanByColumn):
    """A baseline whose SQL knows nothing of values that were never seen."""

    def select(self):
        return super().select().replace(f" ELSE CAST('{self.overall!r}' AS DOUBLE)", "")


def test_a_baseline_whose_sql_differs_is_noticed(tmp_path):
    own = changed(like("classification").baseline, Baseline=Forgetful)
    found = said(made_up_project(tmp_path, baseline=own), "baseline_predicts_for_every_value")
    assert found.startswith("model/baseline.py: of town None, it predicts 0.")
    assert found.endswith("by record and nan by SQL; an answer is owed for every value")


def with_metric(folder, function, shape=AMOUNTS, **facts):
    """Return a project with a metric of its own."""
    own = Metric("own", function, "of one's own", greater_is_better=True)
    project = made_up_project(folder, shape, metrics=(*like(shape.problem).task.metrics, own))
    if facts:
        known = yaml.safe_load((folder / "project.yaml").read_text(encoding="utf-8"))
        known["accuracy"] |= facts
        write(folder / "project.yaml", yaml.safe_dump(known))
    return project


def test_a_metric_that_fails_is_noticed(tmp_path):
    project = with_metric(tmp_path, lambda target, prediction, weight: None)
    with pytest.raises(ProjectError, match=r"^model/metrics\.py: own can't be computed \(TypeError: float"):
        holds(project, "metrics_are_numbers")


def test_a_metric_that_decides_and_is_no_number_is_noticed(tmp_path):
    project = with_metric(tmp_path, lambda target, prediction, weight: float("nan"), metric="own")
    assert said(project, "metrics_are_numbers") == (
        "model/metrics.py: own: decides, and is no number for the model on the test rows"
    )


def test_a_metric_that_goes_by_the_order_of_rows_is_noticed(tmp_path):
    project = with_metric(tmp_path, lambda target, prediction, weight: float(target[0]))
    found = said(project, "metrics_ignore_the_order_of_rows")
    assert found.startswith("model/metrics.py: own: ")
    assert found.endswith(" of rows in another order")


def test_a_metric_that_knows_no_weights_is_noticed(tmp_path):
    project = with_metric(tmp_path, lambda target, prediction, weight: float(np.median(prediction - target)))
    found = said(project, "metrics_count_weights_as_rows")
    assert found.startswith("model/metrics.py: own: ")
    assert found.endswith(" of rows that count by their weight")


def test_a_good_metric_of_ones_own_is_taken(tmp_path):
    project = with_metric(tmp_path, lambda target, prediction, weight: float(weight @ (prediction > target)))
    for name in ("metrics_are_numbers", "metrics_ignore_the_order_of_rows", "metrics_count_weights_as_rows"):
        holds(project, name)


# What is live.


def test_a_version_that_is_loaded_unchecked_is_noticed(healthy, monkeypatch):
    monkeypatch.setattr(live_checks, "load_version", lambda settings, name: None)
    assert said(healthy, "changed_version_is_refused") == (
        "models: card.md: a byte of it was changed, and the version is not refused"
    )


def test_a_model_that_gives_no_number_is_noticed(tmp_path):
    def export(model, features):
        return parser.parse_model(NEVER_A_NUMBER.replace("WIDTH", str(features))).SerializeToString()

    found = said(with_estimator(tmp_path, export=export), "live_model_answers")
    assert found.endswith("the fallback answers, though nothing is missing; see the log for what failed")


def everything_goes(settings):
    """Return a service that answers whoever asks whatever."""
    app = FastAPI()

    @app.post("/predict")
    def predict():
        return {"predictions": []}

    return app


def test_a_service_that_answers_for_other_records_is_noticed(healthy, monkeypatch):
    monkeypatch.setitem(healthy.given, "create_app", everything_goes)
    assert said(healthy, "service_answers_records") == (
        "serve/api.py: the answers are not for the visit_id asked, in their order"
    )


def test_a_service_that_refuses_nothing_is_noticed(healthy, monkeypatch):
    monkeypatch.setitem(healthy.given, "create_app", everything_goes)
    assert said(healthy, "service_refuses_bad_records") == (
        "serve/api.py: visit_id: a value that is missing is answered with 200"
    )


def test_a_service_without_a_key_is_noticed(healthy, monkeypatch):
    monkeypatch.setitem(healthy.given, "create_app", everything_goes)
    assert said(healthy, "service_asks_for_the_key") == (
        "serve/api.py: /predict answers 200 to a request with no key"
    )


def test_a_service_that_does_not_tell_of_itself_is_noticed(healthy, monkeypatch):
    monkeypatch.setitem(healthy.given, "create_app", everything_goes)
    assert said(healthy, "service_tells_of_itself") == "serve/api.py: /health answers 404"


def test_a_service_with_a_sign_in_of_its_own_holds_with_what_it_asks_for(healthy, monkeypatch):
    def create_app(settings):
        app = serving.create_app(settings)

        @app.middleware("http")
        async def signed_in(request, go_on):
            if request.headers.get("X-Who") != "Ada":
                return JSONResponse({"errors": []}, status_code=403)
            return await go_on(request)

        return app

    monkeypatch.setitem(healthy.given, "create_app", create_app)
    names = ("service_answers_records", "service_refuses_bad_records", "service_tells_of_itself")
    for name in names:
        assert re.search(r" 403( |$)", said(healthy, name))
        holds(healthy, name, headers={"X-Who": "Ada"})
    holds(healthy, "service_asks_for_the_key", headers={"X-Who": "Ada"})


def test_scoring_that_writes_something_else_is_noticed(healthy, monkeypatch):
    def columns(batch):
        return {**batch.needed, "prediction": batch.prediction + np.float32(0.1)}

    monkeypatch.setitem(healthy.given, "scored_columns", columns)
    assert said(healthy, "scoring_agrees_with_answers").startswith("serve/batch.py: ")


def test_bad_rows_that_are_forgotten_are_noticed(healthy, monkeypatch):
    right = batch_checks.score
    monkeypatch.setattr(batch_checks, "score", lambda *given: replace(right(*given), rejected={}))
    assert re.fullmatch(
        r"serve/batch\.py: 0 of \d+ bad rows are kept", said(healthy, "bad_rows_are_kept_with_their_reason")
    )


# Monitoring.


def test_a_prediction_that_is_not_looked_at_is_noticed(healthy, monkeypatch):
    right = prediction_log.log_rows
    first = []

    def log_once(asked, answer):
        first.extend(right(asked, answer)[: 1 - len(first)])
        return first

    monkeypatch.setattr(prediction_log, "log_rows", log_once)
    assert said(healthy, "monitoring_sees_what_was_answered") == (
        "monitor: 300 records were answered, 1 are looked at"
    )


def silent(look):
    """Tell nothing."""
    return ()


def failing(look):
    """Ask for a column that there is not."""
    yield look.reading("nights", look.value("avg(nights)"), low=0.0, high=1.0)


def telling(look):
    """Tell the mean load."""
    yield look.reading("mean load", look.value("avg(load)"), low=0.0, high=100.0)


@pytest.fixture
def watching(healthy, monkeypatch):
    """Return a function that lets the project watch one thing more."""

    def watch(check):
        monkeypatch.setitem(healthy.given, "checks", (*healthy.given["checks"], check))
        return healthy

    return watch


def test_a_check_that_tells_nothing_is_noticed(watching):
    assert said(watching(silent), "every_check_gives_a_reading") == ("monitor/checks.py: silent: no reading")


def test_a_check_that_fails_is_noticed(watching):
    found = said(watching(failing), "every_check_gives_a_reading")
    assert found.startswith("monitor/checks.py: failing: Binder Error: ")
    assert "nights" in found


def test_a_good_check_of_ones_own_is_taken(watching):
    holds(watching(telling), "every_check_gives_a_reading")
