"""The tests of the model: each passes as it stands, and fails with its reason where it should."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest

from handrail.config.sections import Live, Readiness, Section
from handrail.config.settings import read_settings as example_settings
from handrail.contract.schema import Role, column
from handrail.errors import ProjectError
from handrail.etl import load
from handrail.readiness import (
    inclusion,
    online_metric,
    paired_bootstrap,
    simpler_model,
    slices,
    specification,
    staleness,
    tuned,
)
from handrail.readiness.context import ReadinessContext, narrowed
from handrail.tasks.classification.metrics import roc_auc
from handrail.tasks.metric import Metric
from handrail.training.encoding import Encoding
from handrail.training.experiment_log import code_state
from tests.engine.readiness.made_up_context import answered, made_up_context, refusal
from tests.engine.support.evidence import HEADER, TICKED, write
from tests.engine.support.example import example
from tests.engine.support.lived import CONTRACT, promoted
from tests.engine.support.made_up_training import METRICS, Knowing
from tests.engine.support.workspaces import copied, with_given

ADDRESSES = {
    "GitHub": "noreply@github.com",
    "renovate[bot]": "29139614+renovate[bot]@users.noreply.github.com",
}


@pytest.fixture(params=["classification", "regression"])
def project(request):
    """Return the example of each kind of prediction: chances and amounts."""
    return example(request.param)


@pytest.fixture
def metric(project):
    """Return the name of the metric that decides."""
    return METRICS[project.task.predicts]


@pytest.fixture
def make(project, tmp_path):
    """Return what makes a context of that kind."""

    def made(**changes):
        return made_up_context(tmp_path, project=project, **changes)

    return made


def git(root, *arguments, author="Ada", committer=None):
    """Run git as somebody, and return what it says."""
    who = {
        f"GIT_{role}_{what}": value
        for role, name in (("AUTHOR", author), ("COMMITTER", committer or author))
        for what, value in (("NAME", name), ("EMAIL", ADDRESSES.get(name, f"{name.lower()}@b.c")))
    }
    done = subprocess.run(
        ["git", "-c", "commit.gpgsign=false", *arguments],
        cwd=root,
        env={**os.environ, **who},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def commit(root, text, message, **who):
    """Commit a change to the code."""
    write(root, "src/code.py", text)
    git(root, "add", ".")
    git(root, "commit", "-qm", message, **who)


def merged(root, *, written_by, merged_by, message="merge", committer=None):
    """Write a change on a branch, and merge it."""
    main = git(root, "branch", "--show-current").strip()
    git(root, "checkout", "-qb", "branch")
    commit(root, "x = 5\n", "model: five", author=written_by)
    git(root, "checkout", "-q", main)
    git(root, "merge", "-q", "--no-ff", "branch", "-m", message, author=merged_by, committer=committer)


@pytest.fixture
def reviewed(tmp_path):
    """Return a context of a live version whose code is committed and reviewed."""
    git(tmp_path, "init", "-q")
    write(tmp_path, specification.REPORT, HEADER + TICKED.replace("Shown", specification.REVIEWED))
    commit(tmp_path, "x = 1\n", "begin")
    context = made_up_context(tmp_path)
    context.version.info["code"] = code_state(tmp_path)
    return context


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


def trained_now(context):
    """Let the live version be trained of what is committed."""
    context.version.info["code"] = code_state(context.settings.root)
    return context


@pytest.mark.parametrize(
    ("message", "who"),
    [
        ("model: two\n\nReviewed-by: Ada <ada@b.c>", {}),
        ("model: two\n\nReviewed-by: Ada L. <ada@b.c>", {}),
        ("model: two (#12)", {"committer": "GitHub"}),
        ("model: two (#12)\n\nCo-authored-by: Grace <grace@b.c>\nReviewed-by: Grace <grace@b.c>", {}),
        ("model: two", {"committer": "renovate[bot]"}),
    ],
)
def test_code_that_nobody_reviewed_fails(reviewed, message, who):
    commit(reviewed.settings.root, "x = 2\n", message, **who)
    (said,) = refusal(specification.specification, trained_now(reviewed))
    assert re.fullmatch(
        r"commit \w+ of ada(, grace)?, 'model: two( \(#12\))?': nobody else has looked at it, as far as git "
        "knows; add a trailer Reviewed-by, or let others merge",
        said,
    )


@pytest.mark.parametrize(
    ("message", "who"),
    [
        ("model: two (#12)\n\nReviewed-by: Grace <grace@b.c>", {"committer": "GitHub"}),
        ("model: two", {"committer": "Grace"}),
        ("model: two\n\nReviewed-by: Adamo <adamo@b.c>", {}),
    ],
)
def test_code_that_somebody_else_put_a_name_to_passes(reviewed, message, who):
    commit(reviewed.settings.root, "x = 2\n", message, **who)
    assert specification.specification(trained_now(reviewed)).endswith("and so were 1 later changes")


def test_a_merge_is_a_review_by_who_has_written_nothing_of_it(reviewed):
    merged(reviewed.settings.root, written_by="Ada", merged_by="Grace", committer="GitHub")
    assert specification.specification(trained_now(reviewed)).endswith("and so were 1 later changes")


@pytest.mark.parametrize(("by", "committer"), [("Ada", None), ("Ada", "GitHub"), ("GitHub", "GitHub")])
def test_a_merge_of_one_s_own_is_no_review(reviewed, by, committer):
    merged(reviewed.settings.root, written_by="Ada", merged_by=by, committer=committer)
    (said,) = refusal(specification.specification, trained_now(reviewed))
    assert "of ada, 'merge': nobody else has looked at it" in said


def test_a_merge_of_one_s_own_may_name_who_reviewed_it(reviewed):
    message = "merge\n\nReviewed-by: Grace <grace@b.c>"
    merged(reviewed.settings.root, written_by="Ada", merged_by="Ada", message=message)
    assert specification.specification(trained_now(reviewed)).endswith("and so were 1 later changes")


def test_a_report_without_a_tick_is_no_review(reviewed):
    write(reviewed.settings.root, specification.REPORT, HEADER + TICKED)
    (said,) = refusal(specification.specification, reviewed)
    assert said.startswith(f"{specification.REPORT}: {specification.REVIEWED} is not ticked")


def live_rows(context, target):
    """Return what the live version predicted, with outcomes."""
    test = context.splits.test
    return target, context.predictor.predict(test.features), test.groups


def test_a_metric_that_follows_the_costs_passes(make, metric, monkeypatch):
    monkeypatch.setattr(online_metric, "_live_rows", lambda it: live_rows(it, it.splits.test.target))
    found = online_metric.online(make())
    assert found.startswith(f"{metric} of 11 worse and worse versions: rank correlation 0.9")
    said, *told = found.split("; ")
    assert said.endswith(") with what 800 live outcomes cost")
    assert any(each.endswith(": no less closely, so this does not choose between them") for each in told)


def of_counts(value, name):
    """Return a metric of yes or no that decides by `value` of the counts."""
    return Metric(name, value, "made up", greater_is_better=True)


def test_a_metric_is_told_from_one_that_does_not_follow_the_costs(tmp_path, monkeypatch):
    own = [*example().task.metrics, of_counts(lambda counts: counts.rows.max() % 7, "luck")]
    monkeypatch.setattr(online_metric, "_live_rows", lambda it: live_rows(it, it.splits.test.target))
    found = online_metric.online(made_up_context(tmp_path, given={"metrics": own}))
    assert "; luck: less closely; " in found
    assert "luck" not in found.rpartition("; ")[2]


def test_a_metric_that_another_follows_closer_than_fails(tmp_path, monkeypatch):
    """It rises with the others, but only in one step of ten."""
    own = [*example().task.metrics, of_counts(lambda counts: float(roc_auc(counts) > 0.83), "coarse")]
    monkeypatch.setattr(online_metric, "_live_rows", lambda it: live_rows(it, it.splits.test.target))
    context = made_up_context(tmp_path, given={"metrics": own})
    accuracy = context.settings.accuracy.model_copy(update={"metric": "coarse"})
    vars(context).update(settings=context.settings.model_copy(update={"accuracy": accuracy}))
    (said,) = refusal(online_metric.online, context)
    assert said.startswith("project.yaml: accuracy.metric: coarse: rank correlation 0.")
    assert said.endswith(" clearly follows them closer: let that decide")
    assert "roc_auc" in said


def test_where_nothing_else_could_decide_it_is_said(tmp_path, monkeypatch):
    own = [metric for metric in example().task.metrics if metric.name == "roc_auc"]
    monkeypatch.setattr(online_metric, "_live_rows", lambda it: live_rows(it, it.splits.test.target))
    found = online_metric.online(made_up_context(tmp_path, given={"metrics": own}))
    assert found.endswith("; there is no other metric to choose")


def test_ties_share_a_rank():
    assert online_metric._rank_correlation([1, 1, 2, 3], [1, 1, 2, 3]) == pytest.approx(1)
    assert online_metric._rank_correlation([1, 1, 1], [1, 2, 3]) == 0
    assert online_metric._ranks([5.0, 1.0, 5.0, 0.0]).tolist() == [3.5, 2.0, 3.5, 1.0]


def test_a_metric_that_says_nothing_of_the_costs_fails(make, metric, monkeypatch):
    """On live rows, what was predicted high comes low."""
    monkeypatch.setattr(online_metric, "_live_rows", lambda it: live_rows(it, 1 - it.splits.test.target))
    (said,) = refusal(online_metric.online, make())
    assert said.startswith(f"project.yaml: accuracy.metric: {metric}: rank correlation -")
    assert "a better figure does not cost less" in said


def test_too_few_live_outcomes_say_nothing(trained, tmp_path):
    (said,) = refusal(online_metric.online, ReadinessContext(answered(copied(trained, tmp_path))))
    assert said.endswith(" are known, 200 are needed; wait, load them with `etl`, or try `monitor --relive`")


def test_hyperparameters_that_chance_beats_fail(make, metric, monkeypatch):
    monkeypatch.setattr(tuned, "DRAWS", 1)
    context = make()
    vars(context)["hyperparameters"] = context.hyperparameters.model_copy(update={"learning_rate": 1e-12})
    (said,) = refusal(tuned.tuned, context)
    assert said.startswith(f"2030-06-01-abc: {metric} is clearly better, by 0.")
    assert "learning_rate 0.0" in said
    assert said.endswith("; run `tune`, then train again")


def test_hyperparameters_that_chance_does_not_beat_pass(make, monkeypatch):
    monkeypatch.setattr(tuned, "DRAWS", 1)
    monkeypatch.setattr(
        tuned, "_drawn", lambda rng, present, space: present.model_copy(update={"learning_rate": 1e-12})
    )
    context = make()
    context.version.info["tuned"] = {"trials": 20, "on": "2030-06-01"}
    assert tuned.tuned(context).startswith(
        "tuned in 20 trials on 2030-06-01; of 1 others drawn at random, none is "
    )


def test_hyperparameters_of_another_estimator_are_named(make):
    context = make()
    del vars(context)["hyperparameters"]
    context.version.info["hyperparameters"] = {"depth": 3, "width": 2}
    assert refusal(tuned.tuned, context) == (
        "model/estimator.py: its hyperparameters are not those of 2030-06-01-abc, depth, width; train again, "
        "then promote",
    )


def test_an_estimator_that_nothing_can_be_tuned_of(make, project):
    class Nothing(Section):
        pass

    bare = SimpleNamespace(fit=project.estimator.fit, predict=project.estimator.predict, SPACE={})
    context = make(given={"estimator": bare})
    (said,) = refusal(tuned.tuned, context)
    assert said.startswith("model/estimator.py: SPACE says of none of learning_rate, ")
    vars(context)["hyperparameters"] = Nothing()
    assert tuned.tuned(context) == "model/estimator.py has no hyperparameters; there is nothing to tune"


def aged(context, days, turned):
    """Let the world be another one before the last `days` of what is learnt from, if it is `turned`."""
    training, test = context.splits.training, context.splits.test
    features = training.features.copy()
    before = training.times < training.times.max() - np.timedelta64(days, "D")
    features[before, 1] *= -1 if turned else 1
    parts = (replace(training, features=features), test)
    vars(context)["known"] = replace(
        test,
        **{
            name: np.concatenate([getattr(each, name) for each in parts])
            for name in ("features", "target", "times")
        },
        baseline_by=np.concatenate([each.baseline_by for each in parts]),
        slices={},
    )
    return context


def test_a_world_that_stays_the_same_costs_no_age(make):
    context = make(live=Live(maximum_age_days=12))
    found = staleness.staleness(aged(context, 20, turned=False))
    assert " at 4 days, " in found
    assert found.endswith(" to spare")


def test_an_age_that_costs_more_than_there_is_to_spare_fails(make):
    context = aged(make(live=Live(maximum_age_days=24)), 24, turned=True)
    tight = context.settings.accuracy.model_copy(update={"minimum": abs(context.live.value)})
    vars(context).update(settings=context.settings.model_copy(update={"accuracy": tight}))
    (said,) = refusal(staleness.staleness, context)
    assert said.startswith("project.yaml: live.maximum_age_days: on the latest ")
    assert said.endswith(" to spare; allow fewer days, and train more often")


def test_an_age_that_nothing_can_be_said_of_fails(make):
    context = make(live=Live(maximum_age_days=300))
    (said,) = refusal(staleness.staleness, aged(context, 10, turned=False))
    assert "too few to learn from; allow fewer days, or load earlier rows" in said


class Guessing:
    """A model that looks at the wrong feature."""

    def predict(self, features):
        return Knowing().predict(features[:, ::-1])


def test_a_model_that_is_better_than_a_simple_one_passes(make):
    context = make()
    target = context.splits.training.target
    target[:] = np.random.default_rng(0).permutation(target)
    assert simpler_model.simpler(context).startswith("better than a linear model by 0.")


def test_a_model_that_a_simple_one_beats_fails(make, metric):
    context = make()
    vars(context)["predictor"] = Guessing()
    (said,) = refusal(simpler_model.simpler, context)
    assert said.startswith(f"2030-06-01-abc: a linear model is no worse, {metric} 0.")


def lost_in_the_south(context):
    """Let the signal mean the contrary in the South, where the model is then wrong."""
    test = context.splits.test
    test.features[test.slices["region"] == "South", 1] *= -1
    return context


def test_quality_on_every_slice_passes(make, metric):
    found = slices.slices(make())
    assert found.startswith(f"2 slices, none clearly worse than agreed: {metric} is at worst 0.")


def test_a_slice_that_is_lost_fails(make, project, metric):
    said = refusal(slices.slices, lost_in_the_south(make()))
    assert len(said) == (2 if project.metrics[metric].greater_is_better else 1)
    assert said[0].startswith(f"region South: {metric} 0.")
    assert " rows is clearly worse than the simple technique's; " in said[0]


def test_slices_that_nobody_asked_for_fail(make):
    context = make()
    context.splits.test.slices.clear()
    (said,) = refusal(slices.slices, context)
    assert said.startswith("contract.py: no column is sliced, or no slice has 100 rows")


def contract_with_religion(contract):
    """Return the contract with a column that the model may not use, but is judged by."""

    class Known(contract):
        religion: str | None = column(Role.SENSITIVE, "What nobody has to tell", examples=["?"])

    return Known


def test_proxies_are_compared_where_somebody_thought_of_people(make):
    found = inclusion.inclusion(make(inclusion="nobody is described; day of week stands in"))
    assert found.startswith("nobody is described; day of week stands in; the lowest ")
    assert " of 4 compared is that of region " in found


@pytest.mark.parametrize(
    "text",
    [None, "none", "region", "n/a", "not applicable here, as nobody is concerned", *inclusion.OF_EXAMPLES],
)
def test_people_nobody_thought_of_fail(make, text):
    (said,) = refusal(inclusion.inclusion, make(inclusion=text))
    assert said.startswith(
        "no column of contract.py is sensitive, and readiness.inclusion in project.yaml does not say why in "
        "a sentence on this data; write who could be served worse, and by which of its columns it would "
    )


@pytest.mark.parametrize("spelt", ["day_of_week", "Day of week"])
def test_a_sentence_that_names_a_column_of_the_data_passes(make, spelt):
    found = inclusion.inclusion(make(inclusion=f"nobody is described; {spelt} stands in for shift workers"))
    assert found.startswith(f"nobody is described; {spelt} stands in for shift workers; the lowest ")


def test_columns_that_nobody_slices_are_asked_for(make):
    context = make(inclusion="nobody is described; day of week stands in")
    context.splits.test.slices.clear()
    (said,) = refusal(inclusion.inclusion, context)
    assert said == (
        "contract.py: nobody is described; day of week stands in; no column is sliced, so nothing can be "
        "compared; declare with sliced=True those by which it would show"
    )


def test_the_example_s_sentence_counts_for_the_example_only(make, project):
    own = example_settings(project).section(Readiness).inclusion
    assert own in inclusion.OF_EXAMPLES
    context = make(inclusion=own)
    vars(context).update(settings=context.settings.model_copy(update={"example": True}))
    assert inclusion.inclusion(context).startswith(own)
    source = context.settings.data.model_copy(update={"source": Path("mine")})
    vars(context).update(settings=context.settings.model_copy(update={"data": source}))
    assert context.settings.borrowed
    (said,) = refusal(inclusion.inclusion, context)
    assert said.startswith("no column of contract.py is sensitive, and ")


def test_a_group_that_is_served_worse_fails(make, project, monkeypatch):
    context = make(given={"contract": contract_with_religion(project.contract)})
    groups = {"religion": context.splits.test.slices["region"]}
    monkeypatch.setattr(inclusion, "_sensitive", lambda context, names: groups)
    assert inclusion.inclusion(context).startswith("religion: the lowest ")
    said = refusal(inclusion.inclusion, lost_in_the_south(context))
    assert all(each.startswith("religion South: ") for each in said)
    assert "of what it is for all, at least 80% is fair; " in said[0]


def test_rates_of_groups_need_no_metric_of_the_project(tmp_path):
    """Recall and precision are compared, also where a project measures nothing but a Brier score."""
    own = [metric for metric in example().task.metrics if metric.name in ("roc_auc", "brier")]
    context = made_up_context(
        tmp_path, given={"metrics": own}, inclusion="the day_of_week stands in for people"
    )
    assert inclusion.inclusion(context).startswith("the day_of_week stands in for people; the lowest ")


def test_sensitive_columns_are_read_in_the_order_of_the_rows(trained, tmp_path):
    settings = promoted(copied(trained, tmp_path))
    settings = with_given(settings, contract=contract_with_religion(CONTRACT))
    path = load.table_path(settings, settings.project.table_name)
    with duckdb.connect() as connection:
        key = settings.project.key
        connection.execute(f"CREATE TABLE old AS SELECT *, 'of ' || {key} AS religion FROM '{path}'")
        connection.sql("FROM old ORDER BY hash(religion)").write_parquet(str(path))
    context = ReadinessContext(settings)
    found = inclusion._sensitive(context, ["religion"])["religion"]
    assert len(found) == len(context.splits.test)
    by_key = f"SELECT 'of ' || {key} FROM '{path}' WHERE {settings.project.target} IS NOT NULL AND "
    split = context.split
    by_key += (
        f"{settings.project.time} >= '{split.test_from}' AND {settings.project.time} < '{split.live_from}'"
    )
    in_order = duckdb.sql(f"{by_key} ORDER BY {settings.project.time}, {key}").fetchall()
    assert [*found] == [name for (name,) in in_order]


def test_where_days_are_few_no_difference_is_told(make):
    context = make()
    few = context.splits.test.rows(slice(0, 180))  # nine days
    with pytest.raises(ProjectError) as refused:
        context.score(context.predictor.predict(few.features), few)
    assert str(refused.value) == (
        "project.yaml: split: 180 rows of 9 days, at least 10 days are needed to tell a difference from "
        "chance; measure on more"
    )


def test_a_difference_is_measured_on_the_same_draws(make):
    """What both have in common falls out: twice the same prediction differs by nothing at all."""
    context = make()
    prediction = context.predictor.predict(context.splits.test.features)
    same = paired_bootstrap.better_by(context.score(prediction), context.score(prediction.copy()))
    assert (same.value, same.deviation) == (0, 0)
    worse = context.score(np.random.default_rng(0).permutation(prediction))
    assert paired_bootstrap.better_by(context.score(prediction), worse).clearly_above(0)
    assert paired_bootstrap.better_by(worse, context.score(prediction)).reversed.clearly_above(0)


def test_what_is_learnt_is_learnt_by_the_projects_fit(make, project):
    """A step that is added to `fit` of model/train.py is part of every small training."""
    asked = []

    def fit(rows, encoding, seed, hyperparameters):
        asked.append((rows.features.shape[1], encoding.features, seed))
        return project.fit(rows, encoding, seed, hyperparameters)

    context = make(given={"fit": fit})
    context.score_without("noise", context.small.training)
    context.score_learnt(context.small.training, seed=7)
    assert asked == [(1, ("signal",), 0), (2, ("noise", "signal"), 7)]


def test_an_encoding_without_some_features_codes_the_others_as_before():
    whole = Encoding(("size", "colour", "weight"), {"colour": ("blue", "red")}, ("size", "weight"))
    only, _ = narrowed(whole, ["weight", "colour"])
    record = {"size": 1, "colour": "red", "weight": 4}
    assert only.logarithms == ("weight",)
    assert only.matrix([record]).tolist() == [whole.matrix([record])[0, [2, 1]].tolist()]
