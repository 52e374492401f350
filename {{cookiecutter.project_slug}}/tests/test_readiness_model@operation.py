"""The tests of the model: each passes as it stands, and fails with its reason where it should."""

import subprocess
from dataclasses import replace

import duckdb
import numpy as np
import pytest

from {{ cookiecutter.__package }} import contract
from {{ cookiecutter.__package }}.etl import load
from {{ cookiecutter.__package }}.model.hyperparameters import DEFAULTS
from {{ cookiecutter.__package }}.model.rounds import code_state
from {{ cookiecutter.__package }}.monitor.section import Live
from {{ cookiecutter.__package }}.readiness import (
    inclusion,
    online,
    simpler,
    slices,
    specification,
    staleness,
    tuning,
)
from {{ cookiecutter.__package }}.readiness.bench import Bench
from {{ cookiecutter.__package }}.schema import Role, column, columns

from .conftest import METRIC, RISING
from .evidence import HEADER, TICKED, write
from .lived import CONTRACT, promoted
from .made_up_training import Knowing
from .readied import answered, made_up_bench, refusal


def git(root, *arguments, author="Ada"):
    """Run git as somebody, and return what it says."""
    name = ["-c", f"user.name={author}", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *name, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout


def commit(root, text, message):
    """Commit a change to the code."""
    write(root, "src/code.py", text)
    git(root, "add", ".")
    git(root, "commit", "-qm", message)


@pytest.fixture
def reviewed(tmp_path):
    """Return a bench of a live version whose code is committed and reviewed."""
    git(tmp_path, "init", "-q")
    write(tmp_path, specification.REPORT, HEADER + TICKED.replace("Shown", specification.REVIEWED))
    commit(tmp_path, "x = 1\n", "begin")
    bench = made_up_bench(tmp_path)
    bench.version.info["code"] = code_state(tmp_path)
    return bench


def test_a_reviewed_specification_passes(reviewed):
    commit(reviewed.settings.root, "x = 2\n", "model: two\n\nReviewed-by: Grace <g@h.i>")
    reviewed.version.info["code"] = code_state(reviewed.settings.root)
    found = specification.specification(reviewed)
    assert found.endswith("in the history; reviewed on 2026-02-01 by Ada, and so were 1 later changes")


def test_code_that_nobody_can_find_again_fails(reviewed):
    state = reviewed.version.info["code"]
    for changes, sentence in (
        ({"commit": None}, "no commit is known of its code; commit everything, and train again"),
        ({"changed": True}, "with changes that nobody committed; commit them, and train again"),
        ({"commit": "0" * 40}, "its code is 00000000, which is not in the history here; push that commit"),
    ):
        reviewed.version.info["code"] = state | changes
        (said,) = refusal(specification.specification, reviewed)
        assert said.endswith(sentence)


def test_code_that_nobody_reviewed_fails(reviewed):
    commit(reviewed.settings.root, "x = 2\n", "model: two\n\nReviewed-by: Ada <a@b.c>")
    reviewed.version.info["code"] = code_state(reviewed.settings.root)
    (said,) = refusal(specification.specification, reviewed)
    assert said.endswith(
        "of Ada, 'model: two': nobody reviewed it; add a trailer Reviewed-by, or merge a branch"
    )
    write(reviewed.settings.root, specification.REPORT, HEADER + TICKED)
    (said,) = refusal(specification.specification, reviewed)
    assert said.startswith(f"{specification.REPORT}: {specification.REVIEWED} is not ticked")


def live_rows(bench, target):
    """Return what the live version predicted, with outcomes."""
    test = bench.periods.test
    return target, bench.predictor.predict(test.features), test.times.astype("datetime64[D]")


def test_a_metric_that_follows_the_costs_passes(tmp_path, monkeypatch):
    bench = made_up_bench(tmp_path)
    monkeypatch.setattr(online, "_live_rows", lambda bench: live_rows(bench, bench.periods.test.target))
    assert online.online(bench).startswith(f"{METRIC} of 11 worse and worse versions: rank correlation ")


def test_a_metric_that_says_nothing_of_the_costs_fails(tmp_path, monkeypatch):
    """On live rows, what was predicted high comes low."""
    bench = made_up_bench(tmp_path)
    monkeypatch.setattr(online, "_live_rows", lambda bench: live_rows(bench, 1 - bench.periods.test.target))
    (said,) = refusal(online.online, bench)
    assert said.startswith(f"project.yaml: accuracy.metric: {METRIC}: rank correlation -")
    assert "a better figure does not cost less" in said


def test_too_few_live_outcomes_say_nothing(project):
    (said,) = refusal(online.online, Bench(answered(project)))
    assert said.endswith(" are known, 200 are needed; wait, load them with `etl`, or try `monitor --relive`")


def test_hyperparameters_that_chance_beats_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "DRAWS", 1)
    bench = made_up_bench(tmp_path)
    vars(bench)["hyperparameters"] = DEFAULTS.model_copy(update={"learning_rate": 1e-12})
    (said,) = refusal(tuning.tuned, bench)
    assert said.startswith(f"2030-06-01-abc: {METRIC} is clearly better, by 0.")
    assert "learning_rate 0.0" in said
    assert said.endswith("; run `tune`, then train again")


def test_hyperparameters_that_chance_does_not_beat_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "DRAWS", 1)
    monkeypatch.setattr(
        tuning, "_drawn", lambda rng, present: present.model_copy(update={"learning_rate": 1e-12})
    )
    bench = made_up_bench(tmp_path)
    bench.version.info["tuned"] = {"trials": 20, "on": "2030-06-01"}
    assert tuning.tuned(bench).startswith(
        "tuned in 20 trials on 2030-06-01; of 1 others drawn at random, none is "
    )


def aged(bench, days, turned):
    """Let the world be another one before the last `days` of what is learnt from, if it is `turned`."""
    learning, test = bench.periods.learning, bench.periods.test
    features = learning.features.copy()
    before = learning.times < learning.times.max() - np.timedelta64(days, "D")
    features[before, 1] *= -1 if turned else 1
    parts = (replace(learning, features=features), test)
    vars(bench)["known"] = replace(
        test,
        **{
            name: np.concatenate([getattr(each, name) for each in parts])
            for name in ("features", "target", "times")
        },
        baseline_by=np.concatenate([each.baseline_by for each in parts]),
        slices={},
    )
    return bench


def test_a_world_that_stays_the_same_costs_no_age(tmp_path):
    bench = made_up_bench(tmp_path, live=Live(maximum_age_days=12))
    found = staleness.staleness(aged(bench, 20, turned=False))
    assert " at 4 days, " in found
    assert found.endswith(" to spare")


def test_an_age_that_costs_more_than_there_is_to_spare_fails(tmp_path):
    bench = aged(made_up_bench(tmp_path, live=Live(maximum_age_days=24)), 24, turned=True)
    tight = bench.settings.accuracy.model_copy(update={"minimum": abs(bench.live.value)})
    vars(bench).update(settings=bench.settings.model_copy(update={"accuracy": tight}))
    (said,) = refusal(staleness.staleness, bench)
    assert said.startswith("project.yaml: live.maximum_age_days: on the latest ")
    assert said.endswith(" to spare; allow fewer days, and train more often")


def test_an_age_that_nothing_can_be_said_of_fails(tmp_path):
    bench = made_up_bench(tmp_path, live=Live(maximum_age_days=300))
    (said,) = refusal(staleness.staleness, aged(bench, 10, turned=False))
    assert "too few to learn from; allow fewer days, or load earlier rows" in said


class Guessing:
    """A model that looks at the wrong feature."""

    def predict(self, features):
        return Knowing().predict(features[:, ::-1])


def test_a_model_that_is_better_than_a_simple_one_passes(tmp_path):
    bench = made_up_bench(tmp_path)
    bench.periods.learning.target[:] = np.random.default_rng(0).permutation(bench.periods.learning.target)
    assert simpler.simpler(bench).startswith("better than a linear model by 0.")


def test_a_model_that_a_simple_one_beats_fails(tmp_path):
    bench = made_up_bench(tmp_path)
    vars(bench)["predictor"] = Guessing()
    (said,) = refusal(simpler.simpler, bench)
    assert said.startswith(f"2030-06-01-abc: a linear model is no worse, {METRIC} 0.")


def lost_in_the_south(bench):
    """Let the signal mean the contrary in the South, where the model is then wrong."""
    test = bench.periods.test
    test.features[test.slices["region"] == "South", 1] *= -1
    return bench


def test_quality_on_every_slice_passes(tmp_path):
    found = slices.slices(made_up_bench(tmp_path))
    assert found.startswith(f"2 slices, none clearly worse than agreed: {METRIC} is at worst 0.")


def test_a_slice_that_is_lost_fails(tmp_path):
    said = refusal(slices.slices, lost_in_the_south(made_up_bench(tmp_path)))
    assert len(said) == (2 if RISING else 1)
    assert said[0].startswith(f"region South: {METRIC} 0.")
    assert " rows is clearly worse than the simple technique's; " in said[0]


def test_slices_that_nobody_asked_for_fail(tmp_path):
    bench = made_up_bench(tmp_path)
    bench.periods.test.slices.clear()
    (said,) = refusal(slices.slices, bench)
    assert said.startswith("contract.py: no column is sliced, or no slice has 100 rows")


@pytest.fixture
def sensitive(monkeypatch):
    """Return a function that says which columns are sensitive, whatever the contract says."""

    def say(*found):
        monkeypatch.setattr(inclusion, "of_role", lambda contract, role: found)

    return say


def test_proxies_are_compared_where_somebody_thought_of_people(tmp_path, sensitive):
    sensitive()
    bench = made_up_bench(tmp_path, inclusion="nobody is described; regions stand in")
    found = inclusion.inclusion(bench)
    assert found.startswith("nobody is described; regions stand in; the lowest ")
    assert " of 4 compared is that of region " in found


def test_people_nobody_thought_of_fail(tmp_path, sensitive):
    sensitive()
    (said,) = refusal(inclusion.inclusion, made_up_bench(tmp_path))
    assert said.startswith(
        "no column of contract.py is sensitive, and readiness.inclusion in project.yaml does not"
    )


class Known(CONTRACT):
    """The contract with a column that the model may not use, but is judged by."""

    religion: str | None = column(Role.SENSITIVE, "What nobody has to tell", examples=["?"])


def test_a_group_that_is_served_worse_fails(tmp_path, monkeypatch, sensitive):
    sensitive(columns(Known)[-1])
    bench = made_up_bench(tmp_path)
    groups = {"religion": bench.periods.test.slices["region"]}
    monkeypatch.setattr(inclusion, "_sensitive", lambda bench, names: groups)
    assert inclusion.inclusion(bench).startswith("religion: the lowest ")
    said = refusal(inclusion.inclusion, lost_in_the_south(bench))
    assert all(each.startswith("religion South: ") for each in said)
    assert "of what it is for all, at least 80% is fair; " in said[0]


def test_sensitive_columns_are_read_in_the_order_of_the_rows(project, monkeypatch):
    monkeypatch.setattr(inclusion, "CONTRACT", Known)
    promoted(project)
    path = load.table_path(project, contract.TABLE)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE old AS SELECT *, 'none' AS religion FROM '{path}'").fetchall()
        connection.sql("FROM old").write_parquet(str(path))
    bench = Bench(project)
    found = inclusion._sensitive(bench, ["religion"])["religion"]
    assert (len(found), set(found)) == (len(bench.periods.test), {"none"})
