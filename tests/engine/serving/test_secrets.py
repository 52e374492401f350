"""The service's key exists in the environment only, and nothing ever repeats it."""

import pytest

from handrail import errors
from handrail.config.settings import read_settings
from tests.engine.support.evidence import write_facts
from tests.engine.support.workspaces import PROJECT

KEY = f"{PROJECT.env_prefix}API_KEY"


def refused(root):
    with pytest.raises(errors.ProjectError) as found:
        read_settings(PROJECT.at(root))
    return list(found.value.problems)


def test_in_project_yaml_it_is_refused(tmp_path):
    write_facts(tmp_path)
    with (tmp_path / "project.yaml").open("a", encoding="utf-8") as file:
        file.write("api_key: 0123456789abcdef\n")
    assert refused(tmp_path) == [f"project.yaml: api_key: has no place in a file that others read; set {KEY}"]


def test_a_short_one_is_refused_without_being_repeated(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(KEY, "too-short")
    assert refused(tmp_path) == [f"environment, {KEY}: String should have at least 16 characters"]


def test_an_empty_one_is_none(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(KEY, "")
    assert read_settings(PROJECT.at(tmp_path)).secret("api_key") is None


def test_a_good_one_is_read_and_not_shown(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(KEY, "long-enough-to-be-a-key")
    read = read_settings(PROJECT.at(tmp_path))
    assert read.secret("api_key") == "long-enough-to-be-a-key"
    assert "long-enough" not in repr(read)


def test_mistakes_of_a_part_are_told_with_those_of_the_project(tmp_path):
    write_facts(tmp_path, accuracy={"minimum": "high"}, serving={"maximum_records": 0, "port": 80})
    told = "\n".join(refused(tmp_path))
    assert "accuracy.minimum: " in told
    assert "serving.maximum_records: Input should be greater than or equal to 1 (given: 0)" in told
    assert "serving.port: " in told
