"""The command line: every verb is there, explains itself, and refuses in one line."""

import os
import re
import resource
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from handrail import cli
from handrail.cli import catalogue
from handrail.cli.verb import Verb
from handrail.config.settings import read_settings
from handrail.errors import ProjectError
from handrail.project import STAGES
from tests.engine.support.example import example
from tests.engine.support.names import ENV_PREFIX, PROGRAM, UNBOUND
from tests.engine.support.workspaces import PROJECT

# What could be said on the command line before there was click, and has to be understood as it was.
OPTIONS = {
    "alert": ["--test", "--close NAME"],
    "archive": ["--really"],
    "dashboard": ["--host HOST", "--port PORT"],
    "demo": ["--record"],
    "etl": ["--check", "--reload"],
    "handover": ["--rehearse"],
    "ideas": ["--schema"],
    "labels": ["--export [team|mturk|clickworker]"],
    "monitor": ["--from DATE", "--to DATE", "--relive", "--html", "--dry-run"],
    "promote": ["--canary SHARE", "--live", "[VERSION]"],
    "purge": ["--key KEY", "--really"],
    "readiness": ["--section NAME"],
    "refused": ["--from DATE", "--to DATE"],
    "replay": ["--from DATE", "--to DATE"],
    "retrain": ["--until DATE"],
    "rollback": [],
    "rounds": [],
    "score": ["--from DATE", "--to DATE", "--input FILE", "--output FILE"],
    "serve": ["--host HOST", "--port PORT", "--rehearse", "--workers N"],
    "start-over": [],
    "status": ["--html [FILE]", "--strict"],
    "tracking": ["--port PORT"],
    "train": ["--until DATE", "--note TEXT", "--no-round", "--test"],
    "tune": ["--trials N", "--minutes M"],
}
DEFAULTS = {("serve", "host"): "127.0.0.1", ("serve", "port"): 8000, ("tune", "trials"): 20}
DEFAULTS |= {("dashboard", "host"): "127.0.0.1", ("dashboard", "port"): 8501}
DEFAULTS |= {("tracking", "port"): 5000, ("train", "note"): ""}
WITHOUT_GO = {"ideas", "start-over", "status"}
INTERPRETER = [sys.executable, "-c", "pass"]
HELP_SECONDS = 0.15  # of processor time, beyond the interpreter's own


def call(*arguments, cwd=None, **environment):
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", PROJECT.package, *arguments]
    return run(command, cwd, environment)


def call_script(*arguments, cwd=None):
    """Run the program as the installed script does."""
    code = f"import sys; from {PROJECT.package}.commands import main; sys.exit(main())"
    return run([sys.executable, "-c", code, *arguments], cwd, {})


def run(command, cwd=None, environment=None):
    merged = {**os.environ, "COLUMNS": "110", **(environment or {})}
    return subprocess.run(command, cwd=cwd, env=merged, text=True, capture_output=True, check=False)


@pytest.fixture
def unmeasured(monkeypatch):
    """Leave processes alone that would measure the coverage of tests, which takes modules and time."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)


def command_of(verb):
    """Return the command of a verb of the library."""
    name = verb.replace("-", "_")
    return getattr(import_module(f"handrail.cli.verbs.{name}"), name)


def shown_help(capsys, *arguments, project=UNBOUND):
    """Return what a help says, on one line."""
    assert cli.run(project, [*arguments, "--help"]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_the_overview_names_every_verb_and_what_it_does(capsys):
    shown = shown_help(capsys)
    for verb in cli.verb_names(UNBOUND):
        assert f"{verb} {catalogue.VERBS[verb].summary}" in shown
    assert f"`{PROGRAM} VERB --help` tells more. Every verb takes --sample N to run small." in shown


def test_without_a_verb_the_overview_is_shown(capsys):
    assert cli.run(UNBOUND, []) == 0
    assert capsys.readouterr().out.startswith(f"Usage: {PROGRAM} VERB [OPTIONS]\n")


def test_the_overview_is_grouped_by_stage(capsys):
    assert cli.run(UNBOUND, ["-h"]) == 0
    shown = capsys.readouterr().out
    headings = re.findall(r"^(\w[\w' ]+):$", shown, re.MULTILINE)
    assert headings == ["Options", *(stage.capitalize() for stage in STAGES), "Shell"]
    for stage, following in zip(STAGES, [*STAGES[1:], "shell"], strict=True):
        group = shown.partition(f"\n{stage.capitalize()}:\n")[2].partition(f"\n{following.capitalize()}:\n")[
            0
        ]
        listed = re.findall(r"^  (\S+)  ", group, re.MULTILINE)
        assert listed == [v for v in cli.verb_names(UNBOUND) if catalogue.VERBS[v].stage == stage]


def test_no_summary_is_cut(capsys):
    assert "…" not in shown_help(capsys)
    assert "..." not in shown_help(capsys)


@pytest.mark.parametrize("verb", catalogue.VERBS)
def test_the_table_of_summaries_says_what_the_verbs_say(verb):
    command = command_of(verb)
    assert isinstance(command, Verb)
    assert (command.name, command.summary) == (verb, catalogue.VERBS[verb].summary)
    assert command.needs_go == (verb not in WITHOUT_GO)


def test_every_file_of_a_verb_is_in_the_table():
    folder = Path(import_module("handrail.cli.verbs").__path__[0])
    files = {path.stem.replace("_", "-") for path in folder.glob("[!_]*.py")}
    assert files == set(catalogue.VERBS) == set(OPTIONS)


@pytest.mark.parametrize("verb", cli.verb_names(PROJECT))
def test_every_verb_explains_itself(verb, capsys):
    shown = shown_help(capsys, verb)
    assert shown.startswith(f"Usage: {PROGRAM} {verb} [OPTIONS]")
    assert f"{catalogue.VERBS[verb].summary}." in shown
    assert "--sample N do it with N rows, in the folder sample/N/" in " ".join(shown.split())


@pytest.mark.parametrize("verb", OPTIONS)
def test_the_options_are_what_they_were(verb):
    command = command_of(verb)
    context = command.make_context(verb, [], resilient_parsing=True)
    shown = [record[0] for each in command.params if (record := each.get_help_record(context))]
    assert sorted(shown) == sorted(["--sample N", *OPTIONS[verb]])
    for name, default in {name: v for (of, name), v in DEFAULTS.items() if of == verb}.items():
        assert context.params[name] == default


@pytest.mark.usefixtures("unmeasured")
def test_the_overview_imports_nothing_heavy():
    code = (
        "import sys; from contextlib import redirect_stdout; from io import StringIO\n"
        f"from {PROJECT.package}.commands import main\n"
        "with redirect_stdout(StringIO()): status = main.run(['--help'])\n"
        "print(status, *sys.modules)"
    )
    status, *names = run([sys.executable, "-c", code]).stdout.split()
    assert status == "0"
    imported = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    known = {PROJECT.package, "handrail", "click", "sitecustomize"}
    assert {name for name in imported if not name.startswith("_")} <= known
    assert not [name for name in names if name.startswith("handrail.cli.verbs")]


def processor_seconds(command, times=3):
    """Return the least that a command has taken; what other programs do makes it more, never less."""
    taken = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run(command).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("arguments", [["--help"], ["etl", "--help"], ["train", "--help"]], ids=" ".join)
def test_help_is_there_at_once(arguments):
    command = [sys.executable, "-m", PROJECT.package, *arguments]
    assert processor_seconds(command) - processor_seconds(INTERPRETER) < HELP_SECONDS


def test_a_contract_that_is_refused_is_one_line(capsys):
    class Refused(type(UNBOUND)):
        def settings(self, sample=None):
            raise ProjectError("contract.py: x has no role")

    assert cli.run(Refused(PROJECT.package), ["status"]) == 1
    assert capsys.readouterr() == ("", "error: contract.py: x has no role\n")


@pytest.mark.parametrize(
    ("file", "wrong", "said"),
    [
        (
            "model/metrics.py",
            "METRICS = (\n",
            "src/{0}/model/metrics.py, line 1: SyntaxError: '(' was never closed; mend it there",
        ),
        (
            "contract.py",
            "\nCONTRACT = Departure\n",
            "src/{0}/contract.py, line 2: NameError: name 'Departure' is not defined; mend it there",
        ),
        (
            "contract.py",
            "from datetime import nothing\n",
            "src/{0}/contract.py, line 1: ImportError: cannot import name 'nothing' from 'datetime'",
        ),
        (
            "commands.py",
            "from .contract import CONTRACT:\n",
            "src/{0}/commands.py, line 1: SyntaxError: invalid syntax; mend it there",
        ),
    ],
)
def test_a_mistake_in_the_project_s_python_is_one_line_with_file_and_line(
    file, wrong, said, tmp_path, monkeypatch
):
    package = f"broken_{abs(hash(file + wrong))}"
    shutil.copytree(PROJECT.root / "src" / PROJECT.package, tmp_path / package)
    (tmp_path / package / file).write_text(wrong, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    project = import_module(package).project.at(PROJECT.root)
    with pytest.raises(ProjectError) as refused:
        project.module(file.removesuffix(".py").replace("/", "."))
    assert str(refused.value).startswith(said.format(package))
    assert len(refused.value.problems) == 1
    if file == "commands.py":
        with pytest.raises(ProjectError, match=r"commands\.py, line 1: "):
            cli.verb_names(project)


@pytest.mark.parametrize(
    ("slip", "advice"),
    [
        ("dance", "No such command 'dance'."),
        ("trian", "No such command 'trian'. (Did you mean one of: 'retrain', 'train'?)"),
        ("startover", "No such command 'startover'. Did you mean 'start-over'?"),
        ("complet", "No such command 'complet'. Did you mean 'completion'?"),
    ],
)
def test_an_unknown_verb_is_wrong_usage_and_the_near_one_is_named(slip, advice, capsys):
    assert cli.run(UNBOUND, [slip]) == 2
    assert capsys.readouterr() == ("", f"Usage: {PROGRAM} VERB [OPTIONS]\nerror: {advice}\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("promote --canery 0.1", "No such option '--canery'. Did you mean '--canary'?"),
        ("train --until soon", "Invalid value for '--until': 'soon' is no date; write it as 2013-07-01"),
        ("train --note x --no-round", "Invalid value for '--no-round': not allowed with --note"),
        ("train --no-round --note x", "Invalid value for '--note': not allowed with --no-round"),
        (
            "tune --trials 1",
            "Invalid value for '--trials': two at least: one with the present hyperparameters, one with "
            "others",
        ),
        ("tune --minutes nan", "Invalid value for '--minutes': more than 0, as 30"),
        (
            "promote --canary 1",
            "Invalid value for '--canary': 1: a share is more than 0 and less than 1, such as 0.1",
        ),
        (
            "promote --canary much",
            "Invalid value for '--canary': much: a share is more than 0 and less than 1, such as 0.1",
        ),
        ("etl now", "Got unexpected extra argument (now)"),
        ("status --sample few", "Invalid value for '--sample': 'few' is not a valid integer."),
    ],
)
def test_wrong_options_are_wrong_usage(line, said, capsys):
    assert cli.run(UNBOUND, line.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[-1]) == ("", f"error: {said}")
    assert err.startswith(f"Usage: {PROGRAM} {line.split()[0]} [OPTIONS]")
    assert not cli.accepts(UNBOUND, *_parted(line))


@pytest.mark.parametrize(
    "line",
    [
        "etl",
        "etl --sample 500",
        "monitor --from 2013-07-01 --to 2013-08-01",
        "promote 2013-07-01-abc --canary 0.2",
        "status --html --strict",
        "status --html page.html",
        "train --until 2013-08-01 --note " + "x" * 5000,
        "completion zsh",
        "serve --help",
    ],
)
def test_a_command_line_can_be_tried_without_running_it(line, capsys):
    assert cli.accepts(UNBOUND, *_parted(line))
    assert capsys.readouterr() == ("", "")


def _parted(line):
    verb, *arguments = line.split(" ")
    return verb, arguments


def test_a_verb_that_is_not_there_is_not_accepted():
    assert not cli.accepts(UNBOUND, "dance", [])
    assert not cli.accepts(example(stage="discovery"), "etl", [])


def test_outside_a_project_it_says_so(tmp_path):
    result = call("status", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert (
        result.stderr
        == f"error: {tmp_path.resolve()}: no project.yaml here or above; run this inside the project\n"
    )


@pytest.mark.parametrize("arguments", [["status"], ["train", "--untl", "x"], []])
def test_the_script_and_the_module_are_alike(arguments, tmp_path):
    module, script = call(*arguments, cwd=tmp_path), call_script(*arguments, cwd=tmp_path)
    assert (module.returncode, module.stdout, module.stderr) == (
        script.returncode,
        script.stdout,
        script.stderr,
    )
    assert module.stdout or module.stderr


def test_a_sample_has_a_workspace_of_its_own():
    small = read_settings(PROJECT, sample=500)
    assert small.workspace == small.root / "sample" / "500"
    with pytest.raises(ProjectError, match=r"^--sample: .*greater than or equal to 100"):
        read_settings(PROJECT, sample=5)


def test_a_sample_that_is_too_small_is_refused(monkeypatch, capsys):
    monkeypatch.chdir(PROJECT.root)
    assert cli.run(UNBOUND, ["etl", "--sample", "5"]) == 1
    said = "error: --sample: Input should be greater than or equal to 100 (given: 5)\n"
    assert capsys.readouterr() == ("", said)


def test_the_environment_wins_over_the_file(monkeypatch):
    monkeypatch.setenv(f"{ENV_PREFIX}ACCURACY__MINIMUM", "0.61")
    assert read_settings(PROJECT).accuracy.minimum == 0.61


def test_nothing_is_written_by_asking_for_help(tmp_path):
    assert call("--help", cwd=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=str)
def test_it_works_where_the_terminal_knows_few_letters(encoding, tmp_path):
    folder = tmp_path / "Zürich"
    folder.mkdir()
    result = call("status", cwd=folder, **encoding)
    assert (result.returncode, result.stdout) == (1, "")
    shown = folder.resolve() if "LC_ALL" in encoding else str(folder.resolve()).replace("ü", r"\xfc")
    assert result.stderr == f"error: {shown}: no project.yaml here or above; run this inside the project\n"


def test_what_is_logged_is_told_as_a_warning_unless_the_project_tells_it_in_its_way():
    logs = 'import logging; log = logging.getLogger("handrail.etl"); log.warning("%d rows", 3)'
    told = f"from handrail.cli.streams import tell_warnings; tell_warnings(); {logs}"
    assert run([sys.executable, "-c", told]).stderr == "warning: 3 rows\n"
    own = 'import logging; logging.basicConfig(format="<%(message)s>"); '
    assert run([sys.executable, "-c", own + told]).stderr == "<3 rows>\n"
    again = f"{told}; log.warning('%d rows', 3); log.warning('%d rows', 4)"
    assert run([sys.executable, "-c", again]).stderr == "warning: 3 rows\nwarning: 4 rows\n"


def test_nobody_has_to_read_to_the_end():
    command = f"{sys.executable} -m {PROJECT.package} --help | head -c 6"
    result = run(["bash", "-c", command])
    assert (result.stdout, result.stderr) == ("Usage:", "")


# Which verbs there are.


def test_a_project_has_the_verbs_of_its_stage():
    assert cli.verb_names(example(stage="discovery")) == ["ideas", "status", "start-over"]
    research = ["demo", "etl", "train", "tune", "rounds"]
    assert cli.verb_names(example(stage="research")) == ["ideas", "status", "start-over", *research]


def test_a_part_that_is_left_out_has_no_verb(capsys):
    without = example(without="fastapi")
    assert set(cli.verb_names(PROJECT)) - set(cli.verb_names(without)) == {"serve"}
    assert cli.run(without, ["serve"]) == 2
    said = f"error: serve: it comes with api, and this project has no src/{without.package}/serve/api.py"
    assert capsys.readouterr().err.splitlines()[-1] == said


def test_labels_are_asked_for_where_the_folder_is(tmp_path, monkeypatch, capsys):
    (tmp_path / "project.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert "labels" not in cli.verb_names(UNBOUND)
    assert cli.run(UNBOUND, ["labels"]) == 2
    said = "error: labels: it comes with labelling, and this project has no 2-research/labelling"
    assert capsys.readouterr().err.splitlines()[-1] == said
    (tmp_path / "2-research" / "labelling").mkdir(parents=True)
    assert "labels" in cli.verb_names(UNBOUND)
    assert "labels" in cli.verb_names(UNBOUND.at(tmp_path))


def test_runs_are_shown_where_mlflow_is(capsys):
    parts = PROJECT.parts - {"tracking"}
    without = type(PROJECT)(PROJECT.package, given={"parts": parts}, root=PROJECT.root)
    tracked = type(PROJECT)(PROJECT.package, given={"parts": parts | {"tracking"}}, root=PROJECT.root)
    assert set(cli.verb_names(tracked)) - set(cli.verb_names(without)) == {"tracking"}
    assert cli.run(without, ["tracking"]) == 2
    said = "error: tracking: mlflow is not installed; it comes with handrail[mlflow]"
    assert capsys.readouterr().err.splitlines()[-1] == said


def test_discovery_needs_neither_numpy_nor_duckdb(tmp_path):
    project = example(stage="discovery")
    code = f"""
import shutil, sys
for name in ("numpy", "duckdb", "onnxruntime", "pandas"):
    sys.modules[name] = None  # as if it were not installed
import handrail.cli
from {project.package} import project
print([handrail.cli.run(project, [verb, *more]) for verb, *more in (
    ["--help"], ["ideas", "--schema"], ["ideas"], ["status"], ["start-over"])])
"""
    shutil.copytree(project.root, tmp_path / "project")
    result = run([sys.executable, "-c", code], tmp_path / "project")
    assert result.stdout.splitlines()[-1] == "[0, 0, 0, 0, 1]"
    assert result.stderr == (
        "error: start-over: no git here to keep what is emptied; commit everything first\n"
    )
