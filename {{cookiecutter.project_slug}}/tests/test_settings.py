"""Every mistake in project.yaml or the environment is one sentence: where, what rule, what was given."""

import pytest
import yaml

from {{ cookiecutter.__package }} import commands, errors, settings

from .evidence import write, write_facts

PREFIX = settings.ENV_PREFIX


def refused(root):
    """Return the sentences with which the settings are refused."""
    with pytest.raises(errors.ProjectError) as found:
        settings.read_settings(root=root)
    return list(found.value.problems)


def test_the_project_itself_can_be_read():
    assert settings.read_settings().name


@pytest.mark.parametrize(
    ("section", "changes", "sentence"),
    [
        ("decision", {"decided_by": None}, "decision: a go or no-go needs decided_by and decided_on"),
        ("decision", {"decided_on": None}, "decision: a go or no-go needs decided_by and decided_on"),
        ("decision", {"decided_on": "2999-01-01"}, "decision: decided_on is in the future: 2999-01-01"),
        (
            "decision",
            {"go": "maybe"},
            "decision.go: Input should be 'go', 'no-go' or 'open' (given: 'maybe')",
        ),
        ("accuracy", {"lowest": 0.7}, "accuracy.lowest: Extra inputs are not permitted (given: 0.7)"),
        ("payoff", {"false_alarm": 5}, "payoff.false_alarm: Input should be less than 0 (given: 5)"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, section, changes, sentence):
    write_facts(tmp_path, **{section: changes})
    assert refused(tmp_path) == [f"project.yaml: {sentence}"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("decision: [", "project.yaml: not valid YAML: while parsing a flow node"),
        ("decided_on: 2026-02-30", "project.yaml: not valid YAML: day is out of range for month"),
        ("- a list", "project.yaml: expected names and values, found list"),
        ("", "project.yaml: expected names and values, found NoneType"),
    ],
)
def test_a_file_that_is_no_project_is_refused(tmp_path, text, sentence):
    write(tmp_path, "project.yaml", text)
    (found,) = refused(tmp_path)
    assert found.startswith(sentence)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "project.yaml").write_bytes("name: Zoë".encode("latin-1"))
    (found,) = refused(tmp_path)
    assert found.startswith("project.yaml: not valid YAML: 'utf-8' codec can't decode byte 0xeb")


def test_all_mistakes_are_told_together(tmp_path):
    write_facts(tmp_path, accuracy={"minimum": "high"})
    facts = yaml.safe_load((tmp_path / "project.yaml").read_text(encoding="utf-8"))
    del facts["payoff"]
    write(tmp_path, "project.yaml", yaml.safe_dump(facts))
    assert refused(tmp_path) == [
        "project.yaml: accuracy.minimum: Input should be a valid number, unable to parse string as a number "
        "(given: 'high')",
        "project.yaml: payoff: Field required",
    ]


def test_the_environment_wins(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}ACCURACY__MINIMUM", "0.61")
    assert settings.read_settings(root=tmp_path).accuracy.minimum == 0.61


def test_an_empty_variable_is_none(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}ACCURACY__MINIMUM", "")
    assert settings.read_settings(root=tmp_path).accuracy.minimum == 0.7


def test_an_environment_variable_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}DECISION", "go")
    (found,) = refused(tmp_path)
    assert found.startswith(f'environment, {PREFIX}*: error parsing value for field "decision"')


def test_a_sample_works_in_a_folder_of_its_own(tmp_path):
    write_facts(tmp_path)
    assert settings.read_settings(sample=500, root=tmp_path).workspace == tmp_path / "sample" / "500"


def test_the_command_line_says_it_in_one_line(tmp_path, monkeypatch, capsys):
    write_facts(tmp_path, decision={"decided_by": None})
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status"]) == 1
    told = capsys.readouterr()
    assert told.err == "error: project.yaml: decision: a go or no-go needs decided_by and decided_on\n"
    assert told.out == ""


def test_outside_a_project_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status"]) == 1
    assert capsys.readouterr().err.endswith("no project.yaml here or above; run this inside the project\n")
