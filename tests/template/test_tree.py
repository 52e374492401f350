"""A named project holds exactly the files of its list, and each stage only adds to the one before."""

from itertools import pairwise

import pytest

from tests.template.trees import NAMED, TREES, listed

STAGES = ("discovery", "research", "production", "operation")


@pytest.mark.parametrize("name", NAMED)
def test_files(name, bake):
    expected = (TREES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert listed(bake(**NAMED[name]).files) == expected


def test_every_list_belongs_to_a_named_project():
    assert {path.stem for path in TREES.iterdir()} == NAMED.keys()


@pytest.mark.parametrize(("earlier", "later"), list(pairwise(STAGES)))
def test_a_later_stage_only_adds(earlier, later, bake):
    before, after = (set(bake(**NAMED[name]).files) for name in (earlier, later))
    assert before < after
