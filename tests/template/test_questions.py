"""The questions, as a user meets them: in a terminal, without input, from a configuration, by replay."""

import json
import os
import re
import sys
from inspect import unwrap

import pytest
import yaml
from cookiecutter import prompt
from cookiecutter.main import cookiecutter as bake_in_process

from tests.template.answers import obstacle, questions
from tests.template.baking import TEMPLATE, Project, isolated

ASKED = re.compile(r"^ +\[(\d+)\] (.+?)(?: \(|$)", re.MULTILINE)
ENTER = ""
DISCOVERY, PRODUCTION = "4", "2"
LEFT_OUT = "api=fastapi does not apply with stage=discovery: left out"


def answers_of(folder) -> dict:
    return json.loads((folder / ".handrail.json").read_text(encoding="utf-8"))["answers"]


@pytest.fixture
def terminal(tmp_path):
    """Run cookiecutter in a pseudo-terminal, typing a reply at each prompt; return what the screen showed."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")

    def converse(*replies: str, given: tuple[str, ...] = ()) -> str:
        child, screen = pty.fork()
        if child == 0:
            os.chdir(tmp_path)
            line = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), *given]
            os.execvpe(line[0], line, isolated(tmp_path, TERM="dumb"))
        shown = "".join(heard(screen, reply) for reply in (*replies, None))
        os.close(screen)  # a prompt still open ends here
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == 0, shown
        return shown.replace("\r\n", "\n")

    return converse


def heard(screen: int, reply: str | None) -> str:
    """Read until a prompt stands open, or to the end, then type the reply if one is left."""
    shown = ""
    while not shown.endswith("): "):
        try:
            read = os.read(screen, 4096).decode()
        except OSError:  # the other end is closed
            break
        if not read:
            break
        shown += read
    if reply is not None:
        os.write(screen, f"{reply}\n".encode())
    return shown


def test_discovery_asks_seven_questions(terminal, tmp_path):
    shown = terminal("Bird Counts", ENTER, ENTER, ENTER, "2", DISCOVERY, ENTER)
    assert [number for number, _ in ASKED.findall(shown)] == list("1234567")
    assert "at once, one record" not in shown
    answers = answers_of(tmp_path / "bird-counts")
    assert answers["license"] == "mit"
    assert answers["stage"] == "discovery"
    assert answers.keys().isdisjoint({"model", "api", "batch"})


def test_production_asks_for_the_ways_of_serving(terminal, tmp_path):
    shown = terminal(*[ENTER] * 5, PRODUCTION, ENTER, *["2"] * 7, "1", "2", "3", "2")
    assert [int(number) for number, _ in ASKED.findall(shown)] == [*range(1, 19)]
    answers = answers_of(tmp_path / "late-flights")
    chosen = [answers[key] for key in ("stage", "problem", "model", "tracking", "labelling")]
    assert chosen == ["production", "regression", "lightgbm", "mlflow", "labelling"]
    assert (answers["api"], answers["batch"], answers["scheduler"]) == ("none", "batch", "airflow")
    assert (answers["cloud"], answers["editor"]) == ("gcp", "devcontainer")


def test_an_answer_typed_with_the_command_is_the_default_and_reported_where_it_cannot_apply(
    terminal, tmp_path
):
    shown = terminal(*[ENTER] * 7, given=("stage=discovery", "api=fastapi"))
    assert [number for number, _ in ASKED.findall(shown)] == list("1234567")
    assert LEFT_OUT in shown
    assert answers_of(tmp_path / "late-flights")["stage"] == "discovery"


def test_a_bad_answer_is_asked_again_at_once(terminal, tmp_path):
    shown = terminal("2 Fast", ENTER, "fast-2", ENTER, "me", "Zoë <zoe@example.com>", ENTER, DISCOVERY, ENTER)
    assert "project_slug '2-fast': must be small letters, digits and single hyphens, a letter first." in shown
    assert "author 'me': must be one name, without a comma, and a mail address." in shown
    assert answers_of(tmp_path / "fast-2")["author"] == "Zoë <zoe@example.com>"


def test_typed_braces_are_carried_literally(terminal, tmp_path):
    terminal("{{ 7 * 7 }}", "braces", "100 {% sure", ENTER, ENTER, DISCOVERY, ENTER)
    answers = answers_of(tmp_path / "braces")
    assert (answers["project_name"], answers["description"]) == ("{{ 7 * 7 }}", "100 {% sure")


def test_every_question_and_choice_explains_itself():
    template = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))
    explained = template["__prompts__"]
    for key, default in template.items():
        if isinstance(default, list) and not key.startswith("_"):
            assert explained[key]["__prompt__"].endswith(("?", ")"))
            assert list(explained[key])[1:] == default
            assert all(explained[key][choice].startswith(f"{choice} - ") for choice in default)
        elif not key.startswith("_"):
            assert explained[key].endswith(("?", ")"))


def test_without_input_a_default_that_does_not_apply_is_not_reported(cookiecutter, tmp_path):
    done = cookiecutter("--no-input", "stage=discovery")
    assert (done.returncode, done.stderr) == (0, "")
    assert "api" not in answers_of(tmp_path / "late-flights")


def test_a_given_answer_that_does_not_apply_is_reported_once(cookiecutter, tmp_path):
    done = cookiecutter("--no-input", "stage=discovery", "api=fastapi", "batch=none")
    assert done.stderr.splitlines() == [LEFT_OUT]
    assert "api" not in answers_of(tmp_path / "late-flights")


def test_a_misspelled_question_is_refused_with_the_one_that_was_meant(cookiecutter, tmp_path):
    done = cookiecutter("--no-input", "stag=discovery", "flavour=sweet")
    assert done.returncode == 1
    nearest, every = done.stdout.splitlines()
    assert nearest == "stag: is no question. Take one of: stage"
    assert every.startswith("flavour: is no question. Take one of: project_name, project_slug, description,")
    assert not (tmp_path / "late-flights").exists()


def test_a_misspelled_answer_is_refused_with_the_choices(cookiecutter, tmp_path):
    done = cookiecutter("--no-input", "stage=operating")
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert "operating provided for choice variable stage, but the choices are ['operation'," in said
    assert not (tmp_path / "late-flights").exists()


@pytest.mark.slow
def test_a_configuration_for_other_templates_is_no_mistake(cookiecutter, tmp_path):
    settings = tmp_path / "mine.yaml"
    settings.write_text(
        yaml.safe_dump({"default_context": {"full_name": "Zoë", "author": "Z <z@example.com>"}})
    )
    done = cookiecutter("--no-input", "--config-file", str(settings), "stage=discovery")
    assert (done.returncode, done.stderr) == (0, "")
    assert answers_of(tmp_path / "late-flights")["author"] == "Z <z@example.com>"


def test_what_is_typed_wins_over_the_configuration(cookiecutter, tmp_path):
    settings = tmp_path / "mine.yaml"
    settings.write_text(yaml.safe_dump({"default_context": {"license": "mit", "batch": "none"}}))
    done = cookiecutter("--no-input", "--config-file", str(settings), "stage=production", "license=bsd")
    assert (done.returncode, done.stderr) == (0, "")
    answers = answers_of(tmp_path / "late-flights")
    assert (answers["license"], answers["api"], answers["batch"]) == ("bsd", "fastapi", "none")


def test_only_what_was_asked_is_recorded(bake):
    assert "model" not in bake(stage="discovery").record
    assert bake(stage="research").record.keys() >= {"model"}
    assert bake(stage="research").record.keys().isdisjoint({"api", "batch"})
    assert bake(stage="production", api="none").record["api"] == "none"


def test_discovery_asks_at_most_seven():
    asked = [key for key in questions() if not obstacle(key, {"stage": "discovery"})]
    assert len(asked) <= 7, asked


def test_a_configured_answer_that_does_not_apply_is_reported(cookiecutter, tmp_path):
    settings = tmp_path / "mine.yaml"
    settings.write_text(yaml.safe_dump({"default_context": {"api": "fastapi", "license": "mit"}}))
    done = cookiecutter("--no-input", "--config-file", str(settings), "stage=discovery")
    assert done.stderr.splitlines() == [LEFT_OUT]
    assert answers_of(tmp_path / "late-flights")["license"] == "mit"


@pytest.mark.slow
def test_replay_gives_the_same_project(cookiecutter, tmp_path):
    cookiecutter("--no-input", "stage=production", "batch=none", "description={{ open")
    first = answers_of(tmp_path / "late-flights")
    done = cookiecutter("--replay", "--output-dir", "again")
    assert (done.returncode, done.stderr) == (0, "")
    assert answers_of(tmp_path / "again" / "late-flights") == first
    assert first["description"] == "{{ open"


@pytest.mark.slow
def test_an_edited_replay_is_settled_and_reported(cookiecutter, tmp_path):
    cookiecutter("--no-input")
    record = next((tmp_path / ".cookiecutter_replay").glob("*.json"))
    replay = json.loads(record.read_text(encoding="utf-8"))
    replay["cookiecutter"] |= {"stage": "discovery", "batch": "none", "project_slug": "edited"}
    record.write_text(json.dumps(replay), encoding="utf-8")
    done = cookiecutter("--replay")
    parts = ("problem=classification", "compute=duckdb", "model=sklearn", "notebooks=jupyter", "api=fastapi")
    parts += ("dashboard=streamlit",)
    assert done.stderr.splitlines() == [LEFT_OUT.replace("api=fastapi", part) for part in parts]
    assert "api" not in answers_of(tmp_path / "edited")
    assert not (tmp_path / "edited" / "2-research").exists()


def with_other_parameters(function):
    """Return the function as a cookiecutter to come might have it."""
    own = unwrap(function)

    def changed(*arguments, colour=None, **named):
        return own(*arguments, **named)

    return changed


def test_where_cookiecutter_has_changed_nothing_breaks(bake, tmp_path, monkeypatch, capfd):
    for name in ("prompt_choice_for_config", "read_user_variable"):
        monkeypatch.setattr(prompt, name, with_other_parameters(getattr(prompt, name)))
    monkeypatch.syspath_prepend(TEMPLATE)
    given = {"stage": "discovery", "license": "mit"}
    bake_in_process(
        str(TEMPLATE), no_input=True, extra_context=given, output_dir=tmp_path, default_config=True
    )
    assert LEFT_OUT in capfd.readouterr().err
    project, expected = Project(tmp_path / "late-flights", given), bake(**given)
    assert project.files == expected.files
    assert project.contents == expected.contents
