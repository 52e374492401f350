"""The list of checks: those of the parts that a project has, each with a name and a sentence."""

import re
import subprocess
import sys

import pytest

from handrail.testing import checks_of, parametrize_with_checks
from tests.engine.support.example import example
from tests.engine.testing.made_up_projects import SHAPES, made_up_project
from tests.lanes import slow_but

AREAS = {"discovery", "data", "model", "live", "api", "batch", "monitoring"}
FAST = ("one raw table", "cents")
RESEARCH = {"discovery", "data", "model"}


def areas(project):
    return {check.name.partition("-")[0] for check in checks_of(project)}


@pytest.mark.parametrize("name", slow_but(FAST, SHAPES))
def test_all_checks_hold_in_projects_of_every_shape(name, tmp_path):
    found = checks_of(made_up_project(tmp_path, SHAPES[name]))
    assert {check.name.partition("-")[0] for check in found} == AREAS
    for check in found:
        check()


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["classification", "regression", "forecasting"])
def test_all_checks_hold_in_the_worked_example(problem):
    project = example(problem, also="labelling")
    assert areas(project) == AREAS | {"labelling"}
    for check in checks_of(project):
        check()


def test_a_project_is_asked_what_its_parts_have_to_hold():
    assert areas(example()) == AREAS
    assert areas(example(without="fastapi")) == AREAS - {"api"}
    assert areas(example(without="batch")) == AREAS - {"batch"}
    assert areas(example(stage="production")) == AREAS - {"monitoring"}
    assert areas(example(stage="research")) == RESEARCH
    assert areas(example(stage="research", also="labelling")) == RESEARCH | {"labelling"}
    assert areas(example(stage="discovery")) == {"discovery"}


def test_every_check_has_a_name_of_its_own_and_says_what_must_hold():
    found = checks_of(example(also="labelling"))
    assert len({check.name for check in found}) == len(found) >= 35
    for check in found:
        assert re.fullmatch(r"[a-z]+-[a-z_]+", check.name)
        assert check.says[0].isupper()
        assert check.says.endswith(".")
        assert len(check.says) > 20


def test_a_test_is_run_with_each_check_under_its_name(tmp_path):
    @parametrize_with_checks(made_up_project(tmp_path))
    def a_test(check):
        """Hold it."""

    (mark,) = a_test.pytestmark
    name, found = mark.args
    assert (mark.name, name) == ("parametrize", "check")
    assert [mark.kwargs["ids"](check) for check in found] == [check.name for check in found]


def test_a_discovery_project_needs_nothing_but_the_base_install():
    project = example(stage="discovery")
    code = (
        f"import sys; sys.path.insert(0, {str(project.root / 'src')!r}); import {project.package} as made\n"
        "from handrail.testing import checks_of\n"
        f"for check in checks_of(made.project.at({str(project.root)!r})): check()\n"
        "print(sorted({'numpy', 'duckdb', 'onnxruntime', 'fastapi', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
