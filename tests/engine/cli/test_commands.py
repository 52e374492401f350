"""The command line: every verb is there, explains itself, and refuses in one line."""

import subprocess
import sys

import pytest

from tests.engine.support.names import commands
from handrail import errors
from handrail.config import settings


def call(*arguments, cwd=None):
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", settings.PACKAGE, *arguments]
    return subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False)


def test_the_overview_names_every_verb_and_what_it_does():
    shown = " ".join(call("--help").stdout.split())
    for verb, file in commands.verbs().items():
        assert f"{verb} {commands.summary(file)}" in shown


def test_the_overview_imports_nothing_heavy():
    told = "[summary(file) for file in verbs().values()]"
    code = f"import sys; from {settings.PACKAGE}.commands import summary, verbs; {told}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    imported = {name.split(".")[0] for name in result.stdout.split()} - sys.stdlib_module_names
    assert {name for name in imported if not name.startswith("_")} <= {settings.PACKAGE, "sitecustomize"}


@pytest.mark.parametrize("verb", commands.verbs())
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as left:
        commands.main([verb, "--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    assert shown.startswith(f"usage: {commands.PROGRAM} {verb}")
    assert "--sample N" in shown


def test_a_contract_that_is_refused_while_a_verb_is_imported_is_one_line(monkeypatch, capsys):
    def refuse(name):
        raise errors.ProjectError("contract.py: x has no role")

    monkeypatch.setattr(commands, "import_module", refuse)
    assert commands.run("status") == 1
    assert capsys.readouterr().err == "error: contract.py: x has no role\n"


def test_an_unknown_verb_is_wrong_usage():
    result = call("dance")
    assert result.returncode == 2
    assert "invalid choice: 'dance'" in result.stderr


def test_outside_a_project_it_says_so(tmp_path):
    result = call("status", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert (
        result.stderr
        == f"error: {tmp_path.resolve()}: no project.yaml here or above; run this inside the project\n"
    )


def test_a_sample_has_a_workspace_of_its_own():
    small = settings.read_settings(sample=500)
    assert small.workspace == small.root / "sample" / "500"
    with pytest.raises(errors.ProjectError, match=r"^--sample: .*greater than or equal to 100"):
        settings.read_settings(sample=5)


def test_the_environment_wins_over_the_file(monkeypatch):
    monkeypatch.setenv(f"{settings.ENV_PREFIX}ACCURACY__MINIMUM", "0.61")
    assert settings.read_settings().accuracy.minimum == 0.61


def test_nothing_is_written_by_asking_for_help(tmp_path):
    call("--help", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
