"""Verbs of the project's own: what they are given, how they end, how they are told of."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from handrail import ProjectError, cli
from handrail.config.settings import Settings
from tests.engine.support.names import ENV_PREFIX, PROGRAM
from tests.engine.support.workspaces import PROJECT


@pytest.fixture
def main():
    """Return the program of the worked example, to add verbs to."""
    return cli.command_line(PROJECT)


def added(main, function):
    """Add a verb that does what `function` does with the settings."""

    @main.verb("own")
    def own(settings):
        """Do something of one's own."""
        return function(settings)


def raising(error):
    """Return a function of the settings that raises `error`."""

    def fail(settings):
        raise error

    return fail


def test_a_verb_is_a_function_of_the_settings(main, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "110")

    @main.verb()
    @click.option("--since", default="2013", help="the first year")
    @click.argument("names", nargs=-1)
    def count_delays(settings, since, names):
        """Count the delays of each airport.

        They are counted by month.

        Args:
            settings: those of the project.
        """
        print(type(settings).__name__, settings.sample, settings.workspace.name, since, names)

    assert main.run(["count-delays", "--sample", "500", "--since", "2014", "JFK", "EWR"]) == 0
    assert capsys.readouterr().out == "Settings 500 500 2014 ('JFK', 'EWR')\n"
    assert main.run(["count-delays", "--help"]) == 0
    assert capsys.readouterr().out == (
        f"Usage: {PROGRAM} count-delays [OPTIONS] [NAMES]...\n\n"
        "  Count the delays of each airport.\n\n"
        "  They are counted by month.\n\n"
        "Options:\n"
        "  --sample N    do it with N rows, in the folder sample/N/\n"
        "  --since TEXT  the first year\n"
        "  -h, --help    Show this message and exit.\n"
    )


def test_it_is_listed_under_a_heading_of_its_own(main, capsys):
    added(main, lambda settings: None)
    assert main.run(["--help"]) == 0
    assert (
        "\nThis project's own:\n  own         Do something of one's own\n\nShell:\n"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1), (3, 3), (17, 17)])
def test_what_it_returns_is_the_exit_status(main, returned, status):
    added(main, lambda settings: returned)
    assert main.run(["own"]) == status
    with pytest.raises(SystemExit) as left:
        main(["own"])
    assert left.value.code == status


@pytest.mark.parametrize("returned", [True, "done", [1]])
def test_what_is_no_exit_status_is_refused(main, returned, capsys):
    added(main, lambda settings: returned)
    assert main.run(["own"]) == 1
    said = f"error: own: returned {returned!r}; a verb returns None or an exit status\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ProjectError(["a: b", "c: d"]), 1, "error: a: b\nerror: c: d\n"),
        (
            FileNotFoundError(2, "No such file or directory", "there.csv"),
            1,
            "error: there.csv: No such file or directory; the last good result is untouched\n",
        ),
        (OSError("disk full"), 1, "error: own: disk full; the last good result is untouched\n"),
        (KeyboardInterrupt(), 130, "error: stopped; the last good result is untouched\n"),
        (SystemExit(3), 3, ""),
        (SystemExit("no more"), 1, "error: no more\n"),
        (SystemExit(None), 0, ""),
        (click.UsageError("say when"), 2, f"Usage: {PROGRAM} own [OPTIONS]\nerror: say when\n"),
        (click.ClickException("not so"), 1, "error: not so\n"),
        (click.Abort(), 1, "error: stopped\n"),
        (
            ModuleNotFoundError("No module named 'nltk'", name="nltk.metrics"),
            1,
            "error: own: nltk is not installed; it comes with handrail[labelling], see pyproject.toml\n",
        ),
    ],
)
def test_refusals_are_told_like_the_others(main, error, status, said, capsys):
    added(main, raising(error))
    assert main.run(["own"]) == status
    assert capsys.readouterr() == ("", said)


def test_a_mistake_in_its_code_is_not_hidden(main):
    added(main, raising(ZeroDivisionError("division by zero")))
    with pytest.raises(ZeroDivisionError):
        main.run(["own"])
    added(main, raising(ModuleNotFoundError("No module named 'mine'", name="mine")))
    with pytest.raises(ModuleNotFoundError):
        main.run(["own"])


def test_until_somebody_says_go_there_is_a_warning(main, monkeypatch, capsys):
    added(main, lambda settings: None)
    main.verb("early", needs_go=False)(lambda settings: None)
    monkeypatch.setenv(f"{ENV_PREFIX}DECISION__GO", "open")
    warning = f"warning: project.yaml: nobody has said go yet; `{PROGRAM} status` says what is missing\n"
    assert main.run(["own"]) == 0
    assert capsys.readouterr().err == warning
    assert main.run(["own"], warned=True) == 0
    assert main.run(["early"]) == 0
    assert capsys.readouterr().err == ""


def test_one_may_take_the_place_of_a_verb_of_the_library(main, capsys):
    @main.verb()
    def score(settings):
        """Score in our own way."""
        print("ours")

    assert main.run(["score"]) == 0
    assert capsys.readouterr().out == "ours\n"
    assert main.verbs().count("score") == 1
    assert main.summary("score") == "Score in our own way"


def test_a_plain_command_of_click_will_do(main, capsys):
    @main.command()
    def hello():
        """Greet."""
        click.echo("hello")

    assert main.run(["hello"]) == 0
    assert capsys.readouterr().out == "hello\n"


@pytest.fixture
def own_package(tmp_path):
    """Return a folder with a project whose package brings verbs of its own, and the environment to run it."""
    package = tmp_path / "src" / "own_verbs"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from handrail import Project\n\nproject = Project(__name__)\n")
    (package / "__main__.py").write_text("from .commands import main\n\nmain()\n")
    (package / "commands.py").write_text(
        '''
import sys
import time

import click
from handrail.cli import command_line

from . import project

main = command_line(project)


@main.verb()
@click.option("--how", type=click.Choice(["fast", "slow"]), default="fast", help="how long")
def wait(settings, how):
    """Wait to be stopped."""
    print(settings.name, flush=True)
    if how == "slow":
        time.sleep(60)
    return 3


@main.verb()
def tell(settings):
    """Tell more than a pipe holds."""
    for number in range(100_000):
        print(number)
'''
    )
    (tmp_path / "project.yaml").write_text((PROJECT.root / "project.yaml").read_text(encoding="utf-8"))
    facts = tmp_path / "project.yaml"
    text = facts.read_text()
    for part in ("serving", "live", "alerts", "retraining", "retention", "readiness", "words"):
        text = re.sub(rf"^{part}:.*\n(?:(?:[ #].*)?\n)*", "", text, flags=re.MULTILINE)
    facts.write_text(text)
    return tmp_path, {**os.environ, "PYTHONPATH": f"{tmp_path / 'src'}"}


def test_a_package_brings_its_verbs(own_package):
    folder, environment = own_package
    code = (
        "from handrail import cli; from own_verbs import project\n"
        "print(cli.verb_names(project), cli.accepts(project, 'wait', ['--how', 'slow']), flush=True)\n"
        "print(cli.accepts(project, 'wait', ['--how', 'later']), cli.run(project, ['wait']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, text=True, capture_output=True, check=False
    )
    verbs = ["ideas", "status", "start-over", "wait", "tell"]
    assert (done.stdout, done.stderr) == (f"{verbs} True\nLate Flights\nFalse 3\n", "")


@pytest.mark.parametrize("start", ["-m own_verbs", "-c from+own_verbs.commands+import+main;main()"])
def test_ctrl_c_ends_it_with_130(own_package, start):
    folder, environment = own_package
    command = [sys.executable, *(part.replace("+", " ") for part in start.split())]
    process = subprocess.Popen(
        [*command, "wait", "--how", "slow"],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == "Late Flights\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "error: stopped; the last good result is untouched\n")


def test_the_settings_of_a_verb_are_those_of_the_folder(main, tmp_path, capsys):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "project.yaml").write_text((PROJECT.root / "project.yaml").read_text(encoding="utf-8"))
    there = cli.Program(PROJECT.at(folder))

    @there.verb()
    def where(settings: Settings):
        """Say where."""
        print(Path(settings.root).name, settings.project.root.name)

    assert there.run(["where"]) == 0
    assert capsys.readouterr().out == "elsewhere elsewhere\n"


def test_nobody_has_to_read_to_the_end_of_what_it_tells(own_package):
    folder, environment = own_package
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m own_verbs tell | head -1; echo ${{PIPESTATUS[0]}}"],
        cwd=folder, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n1\n", "")
