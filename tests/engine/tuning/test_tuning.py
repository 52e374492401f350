"""Tuning: within the budget, going on after a kill, never on test rows, and used by the next training."""

import dataclasses
import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from math import inf

import numpy as np
import pytest

from handrail import errors
from handrail.config.settings import read_settings
from handrail.registry import versions
from handrail.stages import gates
from handrail.training import experiment_log as history
from handrail.training import hyperparameters as chosen
from handrail.training.rolling_origins import expanding_folds
from handrail.tuning import comparison, limits, sampler, study, trial_log, tuning_data
from tests.engine.support.evidence import discovered, write, write_facts
from tests.engine.support.names import UNBOUND, commands, estimator
from tests.engine.support.workspaces import METRIC, PROJECT

BUDGET = {"begins": "2026-01-19", "days": None, "money": 1e9, "cost_per_day": 0, "cost_per_hour": 3600}
PRESENT = estimator.Hyperparameters().model_dump()
NAME = next(iter(PRESENT))
KILLED_IN_TRIAL = """
import os, signal
import numpy as np
from handrail import cli
from PACKAGE import project

estimator, count = project.estimator, 0

def fit_or_die(*arguments):
    global count
    count += 1
    if count == 4:  # two fits a trial: in the middle of the second
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

estimator.fit = fit_or_die
estimator.predict = lambda model, features: abs(np.sin(np.nan_to_num(features[:, 0])))
cli.run(project, ["tune", "--trials", "3"])
""".replace("PACKAGE", UNBOUND.package)


def project_in(root):
    """Return the settings of the project in `root`."""
    return read_settings(PROJECT.at(root))


def tune(*options):
    """Tune in the working folder, and return the exit status."""
    return commands.main(["tune", *options])


@pytest.fixture
def scored(monkeypatch):
    """Let every fit take no time: the prediction is a feature, plus a trace of the hyperparameters."""
    monkeypatch.setattr(estimator, "fit", lambda learning, encoding, seed, values: values.model_dump()[NAME])
    monkeypatch.setattr(estimator, "predict", quick_prediction)


def quick_prediction(value, features):
    """Return a prediction that depends on the rows and on one hyperparameter."""
    wave = np.sin(np.nan_to_num(features[:, -1]) * (1 + value % 7))
    return (0.5 + 0.4 * wave).astype(np.float32)


@pytest.mark.slow
def test_killed_in_a_trial_it_goes_on_and_the_trial_has_failed(own_root, capsys):
    command = [sys.executable, "-c", KILLED_IN_TRIAL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -getattr(signal, "SIGKILL", -signal.SIGTERM), done.stderr
    assert f"trial 1 of 3: {METRIC} " in done.stderr
    before = trial_log.read_log(project_in(own_root))
    assert [trial.score is None for trial in before.trials] == [False, True]
    assert before.unbooked_seconds == pytest.approx(2 * before.slowest_seconds)
    assert not (own_root / history.LOG).exists()
    assert tune("--trials", "3") == 0
    said = capsys.readouterr()
    assert "going on after 2 trials, 1 of them cut off, which counts as failed\n" in said.out
    assert "trial 3 of 3: " in said.err
    dates = project_in(own_root).dates
    kept_back = f"from {dates.test_from} on and before {dates.live_from}"
    assert f"the test rows, {kept_back}, were not looked at\n" in said.out
    after = trial_log.read_log(project_in(own_root))
    assert after.trials[:2] == before.trials
    (logged,) = history.read_experiments(project_in(own_root))
    assert (len(logged.tuning.scores), logged.tuning.failed) == (2, 1)
    assert logged.seconds > before.unbooked_seconds
    assert logged.tuning.adopted == (own_root / chosen.FILE).is_file()
    assert logged.tuning.adopted == (logged.tuning.gain.low > 0)
    kept = "written to 2-research/hyperparameters.yaml" if logged.tuning.adopted else "and stay"
    assert kept in said.out


@pytest.mark.usefixtures("scored")
def test_the_same_trials_are_made_in_one_go_or_in_two(own_root, capsys):
    assert tune("--trials", "9") == 0
    once = trial_log.read_log(project_in(own_root)).trials
    assert "9 trials are done; --trials 18 goes on\n" in capsys.readouterr().out
    assert tune("--trials", "9") == 0
    assert capsys.readouterr().out.endswith("nothing new to compare\n")
    trial_log.log_path(project_in(own_root)).unlink()
    (own_root / chosen.FILE).unlink(missing_ok=True)
    for count in ("2", "8", "9"):
        assert tune("--trials", count) == 0
    again = trial_log.read_log(project_in(own_root)).trials
    assert [(trial.values, trial.score) for trial in again] == [(trial.values, trial.score) for trial in once]
    assert once[0].values == PRESENT
    assert len({json.dumps(trial.values) for trial in once}) == 9
    assert len(history.read_experiments(project_in(own_root))) == 4


@pytest.mark.usefixtures("scored")
def test_where_no_other_is_better_the_present_ones_stay(own_root, monkeypatch, capsys):
    worst = 1e9 * (-1 if PROJECT.metrics[METRIC].greater_is_better else 1)
    monkeypatch.setattr(
        tuning_data.TuningData, "score", lambda self, values: 0.5 if values == PRESENT else worst
    )
    assert tune("--trials", "3") == 0
    said = capsys.readouterr().out
    assert "no other trial scored better than the present hyperparameters\n" in said
    assert "no clear difference: the present ones are as good, and stay\n" in said
    (logged,) = history.read_experiments(project_in(own_root))
    assert logged.tuning.gain == history.Gain(value=0, low=0, high=0)
    assert not (own_root / chosen.FILE).exists()


@pytest.mark.usefixtures("scored")
def test_tuning_reads_no_test_row(own_root, monkeypatch):
    asked = []
    read = tuning_data.read_before_test.__globals__["read_dataset"]
    monkeypatch.setitem(
        tuning_data.read_before_test.__globals__,
        "read_dataset",
        lambda connection, source, *rest: asked.append(source) or read(connection, source, *rest),
    )
    seen = tuning_data.read_tuning_data(project_in(own_root), project_in(own_root).dates)
    assert len(asked) == 2
    end = np.datetime64(project_in(own_root).dates.test_from)
    assert max(seen.training.times) < min(seen.validation.times)
    assert max(seen.validation.times) < end
    for earlier, later in seen.folds:
        assert max(earlier.times) < min(later.times)
        assert max(later.times) <= max(seen.training.times)


@pytest.mark.usefixtures("scored")
def test_what_a_score_depends_on_begins_a_new_study_when_it_changes(own_root, monkeypatch):
    facts = project_in(own_root)
    seen = tuning_data.read_tuning_data(facts, facts.dates)
    assert study.begin_study(facts, seen) == "a new study begins"
    trial_log.add_event(facts, "begun", values=PRESENT)
    trial_log.add_event(facts, "ended", score=0.7, baseline=0.6, seconds=1.0)
    assert study.begin_study(facts, seen) == "going on after 1 trials"
    other = dataclasses.replace(seen.training, target=1 - seen.training.target)
    fewer = dataclasses.replace(seen, training=other)
    assert study.begin_study(facts, fewer) == (
        "changed since the last trial: the rows; a new study begins, the 1 trials before are not mixed in"
    )
    assert trial_log.read_log(facts).trials == []
    assert trial_log.read_log(facts).unbooked_seconds == 1.0
    monkeypatch.setattr(estimator, "SPACE", {NAME: chosen.Between(1, 2)})
    trial_log.add_event(facts, "begun", values=PRESENT)
    assert "changed since the last trial: the search space; " in study.begin_study(facts, fewer)


def test_without_a_baseline_it_refuses(own_root, capsys):
    for version in (own_root / "models").iterdir():
        version.rename(own_root / version.name)
    assert tune() == 1
    assert capsys.readouterr().err.endswith("models: no model version yet; run `train` first\n")


def test_a_spent_budget_refuses_and_a_sample_does_not_ask(own_root, capsys):
    write_facts(own_root, budget={"research": {"begins": "2026-01-19", "days": 2}})
    assert tune() == 1
    said = capsys.readouterr().err
    assert "error: the research budget is spent: " in said
    assert " of 2 days; agree on more, in project.yaml under budget.research, or leave it" in said
    assert not trial_log.log_path(project_in(own_root)).exists()
    small = read_settings(PROJECT.at(own_root), sample=500)
    assert limits.limits_of(small, 5, None, date.today(), None) == limits.Limits(5)


def test_trials_before_a_kill_are_taken_from_what_is_left(own_root):
    write_facts(own_root, budget={"research": BUDGET | {"money": 1000.0}})
    facts = project_in(own_root)
    study.begin_study(facts, tuning_data.read_tuning_data(facts, facts.dates))
    trial_log.add_event(facts, "begun", values=PRESENT)
    trial_log.add_event(facts, "ended", score=0.7, baseline=0.6, seconds=400.0)
    found = limits.limits_of(facts, 5, None, date.today(), datetime.now(UTC))
    assert (found.seconds, found.money) == (600, 600)


@pytest.mark.parametrize(
    ("options", "what"), [((), "the research budget"), (("--minutes", "1"), "--minutes 1")]
)
@pytest.mark.usefixtures("scored")
def test_it_stops_before_a_trial_that_no_longer_fits(own_root, capsys, options, what):
    left = 1000.0  # seconds that the money lasts
    write_facts(own_root, budget={"research": BUDGET | {"money": left}})
    facts = project_in(own_root)
    seen = tuning_data.read_tuning_data(facts, facts.dates)
    study.begin_study(facts, seen)
    trial_log.add_event(facts, "begun", values=PRESENT)
    trial_log.add_event(facts, "ended", score=0.7, baseline=0.6, seconds=left / 2)
    assert tune(*options) == 0
    assert (
        f"stopped: another trial and the comparison don't fit into what is left of {what}\n"
        in capsys.readouterr().out
    )
    (logged,) = history.read_experiments(facts)
    assert len(logged.tuning.scores) == 1
    assert logged.seconds >= left / 2
    assert not logged.tuning.adopted


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--trials", "1"), "two at least: one with the present hyperparameters, one with others"),
        (("--minutes", "0"), "more than 0, as 30"),
        (("--minutes", "nan"), "more than 0, as 30"),
    ],
)
def test_limits_that_leave_nothing_are_wrong_usage(options, sentence, capsys):
    assert tune(*options) == 2
    assert sentence in capsys.readouterr().err


def test_folds_that_have_one_outcome_only_are_refused(trained):
    learning = tuning_data.read_tuning_data(trained, trained.dates).training
    flat = dataclasses.replace(learning, target=np.zeros_like(learning.target))
    with pytest.raises(
        errors.ProjectError, match="each part needs two different outcomes and a value of each"
    ):
        list(expanding_folds(flat))


def test_proposals_lie_in_the_space_and_get_better():
    places = {"steps": chosen.Between(1, 100, log=True), "share": chosen.Between(0.1, 0.9)}
    made = [trial_log.Trial({"steps": 100, "share": 5.0}, score=99.0)]  # outside: not learnt from
    while len(made) < 40:
        values = sampler.propose(places, made, greater_is_better=False, seed=0)
        assert all(places[name].holds(value) for name, value in values.items())
        assert isinstance(values["steps"], int)
        error = abs(values["share"] - 0.3) + abs(np.log(values["steps"] / 10))
        made.append(trial_log.Trial(values, score=error))
    random = min(trial.score for trial in made[1:11])
    assert min(trial.score for trial in made[11:]) < random
    assert sampler.propose(places, made, False, 0) == sampler.propose(places, made, False, 0)


def test_every_default_is_allowed_and_lies_where_tuning_looks():
    assert set(estimator.SPACE) == set(PRESENT)
    for name, between in estimator.SPACE.items():
        assert between.holds(PRESENT[name]), name
        assert between.whole == isinstance(PRESENT[name], int), name
        for end in (between.low, between.high):
            estimator.Hyperparameters.model_validate(PRESENT | {name: end})


def adopted(facts):
    """Adopt hyperparameters that are better, and return them."""
    best = PRESENT | {name: between.low for name, between in estimator.SPACE.items()}
    gain = {"value": 0.02, "low": 0.01, "high": 0.03}
    found = comparison.Comparison(trial_log.Trial(best), PRESENT, gain, 0.7, 0.6, gain, gain, 1.0)
    log = trial_log.Log(trials=[trial_log.Trial(PRESENT, 0.7), trial_log.Trial(best, 0.72)])
    seen = tuning_data.read_tuning_data(facts, facts.dates)
    assert found.better
    assert not dataclasses.replace(found, gain=gain | {"low": 0.0}).better
    path = comparison.adopt(facts, log, found, seen, date(2026, 2, 1))
    assert path == facts.root / chosen.FILE
    return best


@pytest.mark.slow
def test_adopted_hyperparameters_are_trained_with_and_told_on_the_card(own_root, capsys):
    best = adopted(project_in(own_root))
    assert commands.main(["train", "--note", "tuned"]) == 0
    facts = project_in(own_root)
    version = versions.load_version(facts, versions.newest_version(facts))
    assert version.info["hyperparameters"] == best
    assert version.info["tuned"].items() >= {"on": "2026-02-01", "trials": 2, "gain": 0.02}.items()
    card = (version.path / "card.md").read_text(encoding="utf-8")
    assert (
        f"tuned on 2026-02-01 in 2 trials, {METRIC} better by 0.0200 (0.0100 to 0.0300) than before" in card
    )


def test_values_changed_by_hand_are_used_and_not_called_tuned(own_root):
    facts = project_in(own_root)
    adopted(facts)
    path = own_root / chosen.FILE
    text = path.read_text(encoding="utf-8")
    assert chosen.read_parameters(facts).origin()["metric"] == METRIC
    low = estimator.SPACE[NAME].low
    path.write_text(text.replace(f"{NAME}: {low}\n", f"{NAME}: {PRESENT[NAME]}\n"), encoding="utf-8")
    assert chosen.read_parameters(facts).hyperparameters.model_dump()[NAME] == PRESENT[NAME]
    assert chosen.read_parameters(facts).origin() is None


def test_mistakes_in_the_file_are_told_with_line_and_remedy(tmp_path):
    facts = discovered(tmp_path)
    assert chosen.read_parameters(facts) == chosen.parameters_type(PROJECT)()
    write(tmp_path, chosen.FILE, "\n")  # as start-over leaves it
    assert chosen.read_parameters(facts) == chosen.parameters_type(PROJECT)()
    write(tmp_path, chosen.FILE, f"hyperparameters:\n  {NAME}: much\n  dept: 3\n")
    with pytest.raises(errors.ProjectError) as refused:
        chosen.read_parameters(facts)
    first, second = refused.value.problems
    remedy = estimator.Hyperparameters.model_fields[NAME].description
    assert first.startswith(f"{chosen.FILE}, line 2: hyperparameters.{NAME}: Input should be a valid ")
    assert first.endswith(f"(given: 'much'); {remedy}")
    assert second.startswith(f"{chosen.FILE}, line 3: hyperparameters.dept: no such field; take one of ")
    write(tmp_path, chosen.FILE, f"hyperparameters:\n  {NAME}: {PRESENT[NAME]}\n  {NAME}: {PRESENT[NAME]}\n")
    with pytest.raises(errors.ProjectError, match="a second one of that name"):
        chosen.read_parameters(facts)


def test_a_sample_has_hyperparameters_of_its_own_or_those_of_the_project(own_root):
    small = read_settings(PROJECT.at(own_root), sample=500)
    low = estimator.SPACE[NAME].low
    write(own_root, chosen.FILE, f"hyperparameters:\n  {NAME}: {low}\n")
    assert chosen.read_parameters(small).hyperparameters.model_dump() == PRESENT | {NAME: low}
    assert (
        chosen.write_parameters(small, chosen.parameters_type(PROJECT)())
        == small.workspace / "hyperparameters.yaml"
    )
    assert chosen.read_parameters(small) == chosen.parameters_type(PROJECT)()


def test_a_log_that_cannot_be_read_is_refused_and_an_unfinished_line_is_cut(project):
    trial_log.add_event(project, "study", study={"rows": "a"})
    path = trial_log.log_path(project)
    with path.open("a", encoding="utf-8") as log:
        log.write('{"event": "begun", "val')
    assert trial_log.read_log(project).trials == []
    trial_log.add_event(project, "begun", values=PRESENT)
    assert [trial.values for trial in trial_log.read_log(project).trials] == [PRESENT]
    with path.open("a", encoding="utf-8") as log:
        log.write("<<<<<<< HEAD\n")
    with pytest.raises(errors.ProjectError, match=r"tuning\.jsonl, line 3: not readable .*tune again$"):
        trial_log.read_log(project)


def test_a_trial_without_a_figure_has_failed_and_is_never_the_best(own_root, monkeypatch):
    facts = project_in(own_root)
    seen = tuning_data.read_tuning_data(facts, facts.dates)
    scores = iter([0.5, float("nan"), 0.6])
    monkeypatch.setattr(tuning_data.TuningData, "score", lambda self, values: next(scores))
    told = []
    study.run_trials(facts, seen, PRESENT, limits.Limits(3), lambda log, seconds: told.append(log))
    assert [trial.score for trial in told[-1].trials] == [0.5, None, 0.6]
    best = 0.6 if PROJECT.metrics[METRIC].greater_is_better else 0.5
    assert study.best_of(told[-1], PROJECT.metrics[METRIC]).score == best


def test_the_gate_advises_tuning_and_says_what_came_of_it(own_root):
    facts = project_in(own_root)
    title = "hyperparameters tuned"

    def found():
        stages = gates.read_stages(facts)
        return next(stage for stage in stages if stage.folder == "2-research").findings[title]

    assert found().state is gates.State.ADVICE
    assert found().next_step.endswith(" tune")
    assert not [line for line in gates.refusals(gates.read_stages(facts)) if title in line]
    features = tuning_data.read_tuning_data(facts, facts.dates).encoding.features
    gain = {"value": 0.0123, "low": 0.0041, "high": 0.02}
    tuned = {"scores": [0.6, 0.7], "failed": 1, "hyperparameters": PRESENT, "gain": gain, "adopted": True}
    base = {"at": "2026-01-20T10:00:00+00:00", "note": "", "metric": METRIC, "seconds": 1, "version": "v"}
    figures = {"value": 0.7, "low": 0.6, "high": 0.8, "baseline": 0.5, "gain_low": 0.1}
    for known, state in ((features, gates.State.DONE), (features[1:], gates.State.ADVICE)):
        line = {**base, **figures, "tuning": tuned | {"features": known}}
        write(own_root, history.LOG, json.dumps(line) + "\n")
        assert found().state is state
    write(own_root, history.LOG, json.dumps(line | {"tuning": tuned | {"features": features}}) + "\n")
    assert found().evidence == f"3 trials, {METRIC} +0.0123 (+0.0041 to +0.0200), adopted"


def test_what_is_left_is_told():
    assert limits.Limits(5).left(60) == ""
    assert limits.Limits(5, seconds=600).left(60) == "left: 9.0 min"
    assert limits.Limits(5, 1e6, "", 100, 36, "EUR").left(100) == "left: 278 h, 99.00 EUR"
    assert limits.Limits(5, inf, "", 100, 0, "EUR").left(100) == "left: 100.00 EUR"
