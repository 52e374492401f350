"""Completion in the shell: verbs, options and choices."""

import os
import shutil
import subprocess
import sys

import pytest

from handrail import cli
from tests.engine.support.names import PROGRAM, UNBOUND
from tests.engine.support.workspaces import PROJECT

VARIABLE = f"_{PROGRAM}_COMPLETE".replace("-", "_").upper()
FUNCTION = f"_{PROGRAM}_completion".replace("-", "_")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return an environment that has the program on its path."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / PROGRAM
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {PROJECT.package} "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def script(shell, environment):
    """Return the script that the program prints for a shell."""
    command = [PROGRAM, "completion", shell]
    path = shutil.which(PROGRAM, path=environment["PATH"])
    done = subprocess.run([path, *command[1:]], env=environment, text=True, capture_output=True, check=True)
    assert done.stderr == ""
    return done.stdout


def completed_in_bash(line, environment):
    """Return what bash offers after `line`."""
    words = [PROGRAM, *line.split(" ")]
    code = "\n".join(
        [
            script("bash", environment),
            f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}",
            f"{FUNCTION} {PROGRAM}",
            'printf "%s\\n" "${COMPREPLY[@]}"',
        ]
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", code], env=environment, text=True, capture_output=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def completed(shell, line, environment):
    """Return what the program answers when a shell asks for words after `line`."""
    words = f"{PROGRAM} {line}"
    asked = {VARIABLE: f"{shell}_complete", "COMP_WORDS": words}
    asked["COMP_CWORD"] = line.rpartition(" ")[2] if shell == "fish" else str(len(words.split(" ")) - 1)
    command = [shutil.which(PROGRAM, path=environment["PATH"])]
    done = subprocess.run(command, env=environment | asked, text=True, capture_output=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tr", ["train"]),
        ("r", ["rounds", "rollback", "retrain", "replay", "refused", "readiness"]),
        ("train --", ["--sample", "--until", "--note", "--no-round", "--test", "--help"]),
        ("train --no-round --n", ["--note"]),
        ("completion ", ["bash", "zsh", "fish"]),
        ("completion z", ["zsh"]),
    ],
)
def test_bash_completes_verbs_options_and_choices(line, expected, environment):
    assert completed_in_bash(line, environment) == expected


def test_every_verb_is_offered(environment):
    assert completed_in_bash("", environment) == [*cli.verb_names(UNBOUND), "completion"]


def test_the_channel_of_labels_is_offered(tmp_path, monkeypatch, environment):
    (tmp_path / "project.yaml").touch()
    (tmp_path / "2-research" / "labelling").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert completed_in_bash("labels --export ", environment) == ["team", "mturk", "clickworker"]


def test_zsh_and_fish_are_told_what_each_does(environment):
    summary = "Train a model, measure it beside the baseline, write the reports"
    assert completed("zsh", "trai", environment) == f"plain\ntrain\n{summary}\n"
    assert completed("fish", "trai", environment) == f"plain,train\t{summary}\n"


def test_asking_for_words_imports_no_verb(environment):
    code = (
        f"import os, sys; sys.argv = ['{PROGRAM}']; from {PROJECT.package}.commands import main\n"
        "try: main()\n"
        "finally: print([name for name in sys.modules if name.startswith('handrail.cli.verbs')])"
    )
    asked = {VARIABLE: "bash_complete", "COMP_WORDS": f"{PROGRAM} t", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | asked,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.stdout == "plain,train\nplain,tune\n[]\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_of_a_shell_names_the_program(shell, environment):
    text = script(shell, environment)
    assert f"{VARIABLE}={shell}_complete" in text
    line = {"zsh": f"#compdef {PROGRAM}", "fish": f"complete --no-files --command {PROGRAM}"}[shell]
    assert line in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_understands_its_script(shell, environment):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    text = script(shell, environment)
    checked = subprocess.run([shell, "-n"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_help_says_where_the_line_goes(capsys):
    assert cli.run(UNBOUND, ["completion", "--help"]) == 0
    shown = capsys.readouterr().out
    assert f'\n  bash: eval "$({PROGRAM} completion bash)" in ~/.bashrc\n' in shown


def test_another_shell_is_wrong_usage(capsys):
    assert cli.run(UNBOUND, ["completion", "tcsh"]) == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err
