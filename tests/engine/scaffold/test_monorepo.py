"""A project's files at the top of a repository: what is lifted, what is shared, what is refused."""

import pytest
import yaml

from handrail.scaffold.errors import UpdateError
from handrail.scaffold.monorepo import (
    DEPENDABOT,
    HOOKS,
    PIPELINE,
    github_workflow,
    gitlab_pipeline,
    joined,
    pipeline_reads,
    starting_job,
)

HOOK = """\
repos:
  - repo: local
    hooks:
      - id: ty
        name: ty check
        entry: uv run ty check
        language: system
        pass_filenames: false
"""
UPDATES = """\
version: 2
updates:
  - package-ecosystem: docker
    directory: /3-production
"""


@pytest.mark.parametrize(
    "text",
    {
        "flow": "on: [push, pull_request]\njobs: {}\n",
        "inline": "on:\n  push: {branches: [main]}\njobs:\n  a: {}\n",
        "own defaults": "on:\n  push:\ndefaults:\n  run:\n    shell: bash\njobs:\n  a: {}\n",
    }.values(),
)
def test_a_workflow_that_cannot_be_filtered_is_refused(text):
    with pytest.raises(UpdateError, match=r"^\.github/workflows/a-b-x\.yml: can't be filtered by folder"):
        github_workflow(text, "a/b", ".github/workflows/a-b-x.yml")


def test_a_workflow_is_otherwise_as_it_was():
    text = "# Why.\nname: x\n\non:\n  push:\n    branches: [main]\n\njobs:\n  a:\n    steps: []  # none\n"
    new = yaml.safe_load(github_workflow(text, "a/b", "kept.yml"))
    before = yaml.safe_load(text)
    assert new.pop("defaults") == {"run": {"working-directory": "a/b"}}
    assert new[True]["push"].pop("paths") == ["a/b/**", "kept.yml"]
    assert new.pop("name") == "a/b x"
    del before["name"]
    assert new == before


def test_each_script_of_a_pipeline_begins_in_the_folder():
    text = """\
default:
  before_script:
    - uv sync
include:
  - local: .gitlab/deploy.yml
bare:
  before_script: []
  script: [ls]
  resource_group: live
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  artifacts:
    reports:
      dotenv: digest.env
"""
    found = yaml.safe_load(gitlab_pipeline(text, "a/b"))
    assert found == {
        "default": {"before_script": ["cd a/b", "uv sync"]},
        "include": [{"local": "a/b/.gitlab/deploy.yml"}],
        "bare": {
            "before_script": ["cd a/b"],
            "script": ["ls"],
            "resource_group": "a/b/live",
            "rules": [{"if": '$PARENT_PIPELINE_SOURCE == "schedule"'}],
            "artifacts": {"reports": {"dotenv": "a/b/digest.env"}},
        },
    }


def test_the_job_at_the_top_hands_on_where_the_pipeline_came_from():
    (job,) = yaml.safe_load(starting_job("a/b")).values()
    assert job["variables"] == {"PARENT_PIPELINE_SOURCE": "$CI_PIPELINE_SOURCE"}
    assert job["trigger"]["include"] == [{"local": "a/b/.gitlab-ci.yml"}]
    assert job["rules"][1]["changes"] == ["a/b/**/*", ".gitlab/projects/a-b.yml"]


@pytest.mark.parametrize(
    ("there", "includes"),
    {
        "none": (None, []),
        "other jobs": ("test:\n  script: [make]\n", []),
        "a list": ("include:\n  - local: other.yml\ntest:\n  script: [make]\n", [{"local": "other.yml"}]),
    }.values(),
)
def test_the_pipeline_at_the_top_reads_the_projects(there, includes, tmp_path):
    if there:
        (tmp_path / PIPELINE).write_text(there)
    new, remarks = joined(tmp_path, {PIPELINE: "check: {}\n"}, "a/b")
    found = yaml.safe_load(new[PIPELINE])
    assert (found["include"], remarks) == ([{"local": ".gitlab/projects/*.yml"}, *includes], [])
    assert ("test" in found) == bool(there)
    (tmp_path / PIPELINE).write_text(new[PIPELINE])
    assert joined(tmp_path, {PIPELINE: "check: {}\n"}, "c") == ({}, [])
    assert pipeline_reads(tmp_path, {".gitlab/projects/c.yml": b""}) == []


@pytest.mark.parametrize(
    "there", ["test:\n  script: !reference [.a, script]\n", "include: other.yml\n", "include: [a.yml]\n"]
)
def test_a_pipeline_that_is_written_in_another_way_is_left_to_people(there, tmp_path):
    (tmp_path / PIPELINE).write_text(there)
    new, remarks = joined(tmp_path, {PIPELINE: "check: {}\n"}, "a/b")
    assert new == {}
    assert remarks == [
        ".gitlab-ci.yml: is not read as a plain file. Add to its include: local: .gitlab/projects/*.yml"
    ]


def test_hooks_are_added_with_the_indent_and_the_comments_that_are_there(tmp_path):
    (tmp_path / HOOKS).write_text("# Ours.\nrepos:\n- repo: https://example.com/x\n  rev: v1\n  hooks: []\n")
    new, remarks = joined(tmp_path, {HOOKS: HOOK}, "a/b.c")
    assert remarks == []
    assert new[HOOKS].startswith((tmp_path / HOOKS).read_text())
    first, second = yaml.safe_load(new[HOOKS])["repos"]
    assert first["rev"] == "v1"
    assert second["hooks"] == [
        {
            "id": "ty",
            "name": "a/b.c ty check",
            "entry": "uv run --directory a/b.c ty check",
            "language": "system",
            "pass_filenames": False,
            "files": "^a/b[.]c/",
        }
    ]


@pytest.mark.parametrize(
    ("name", "text", "there"),
    [
        (HOOKS, HOOK, "repos: []\nexclude: x\n"),
        (HOOKS, HOOK, "repos:\n  - repo: local\n    hooks: []\nci:\n  skip: [a]\n"),
        (DEPENDABOT, UPDATES, "updates:\n  - package-ecosystem: pip\n    directory: /\nversion: 2\n"),
    ],
)
def test_a_shared_file_that_ends_in_something_else_is_left_to_people(name, text, there, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(there)
    new, (remark,) = joined(tmp_path, {name: text}, "a/b")
    assert new == {}
    assert remark.startswith(f"{name}: its last part is not ")
    assert "a/b" in remark
