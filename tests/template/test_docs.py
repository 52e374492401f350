"""The repository's own texts name what is there: paths, anchors, commands, names of the engine, answers."""

import re
import shlex
from inspect import getdoc

import pytest

from handrail.cli import Program
from handrail.scaffold.names import WORD
from tests.template.answers import TEMPLATE, choices, questions
from tests.template.checks.markdown import (
    MADE_LATER,
    VERB_IN_TABLE,
    WRITTEN,
    engine_names,
    options_of,
    references,
    resolves,
    wrong_in_command,
)
from tests.template.checks.template import FOLDER, paths
from tests.template.pages import PAGES, RUN, SHELLS, TYPED, blocks_of, commands_of

PACKAGE = "src/{{cookiecutter.__package}}/"
NAMED = re.compile(r"(?:^|`|\$ |uv run |; )(late-flights|handrail)((?: [\w./=:,-]+)+)", re.MULTILINE)
# What is made by baking, or is somebody else's.
ELSEWHERE = tuple(
    "late-flights late_flights vendor/ src/late_flights/ build/ dist/ site/ .handrail.json ADOPT.md "
    "services/churn .github/workflows/ .gitlab/projects/ environment.yml setup.py".split()
)


# Pages of what is run from day to day: they say first what is typed.
BEGIN_WITH_A_COMMAND = [
    f"{name}.md"
    for name in "research production operation serving batch monitoring alerts retraining storage".split()
]


@pytest.fixture(scope="module")
def places() -> set[str]:
    """Every file and folder, of the repository and of any project, by each of its ways to say it."""
    engine = TEMPLATE / "src" / "handrail"
    found = {path.relative_to(engine).as_posix() for path in engine.rglob("*")}
    for name in paths(TEMPLATE):
        plain = WORD.sub("", name)
        found |= {plain, plain.removeprefix(PACKAGE), *plain.split("/")}
        found |= {plain.rsplit("/", depth)[0] for depth in range(1, plain.count("/") + 1)}
    found |= {name.removeprefix(PACKAGE) for name in found}
    return found | {name.rsplit("/", 1)[-1] for name in found}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_is_there(page, places):
    text = (TEMPLATE / page).read_text(encoding="utf-8")
    beside = (TEMPLATE / page).parent
    missing = [
        f"{page}:{line}: {kind} {target}"
        for line, kind, target in references(text)
        if not ((beside / target.partition("#")[0]).exists() or (TEMPLATE / target).exists())
        and target.strip("/") not in places
        and not target.startswith((*MADE_LATER, *ELSEWHERE, FOLDER))
        and target.rsplit("/", 1)[-1] not in WRITTEN
    ]
    assert missing == []
    assert [name for _, name in engine_names(text, python=False) if not resolves(name)] == []


@pytest.mark.parametrize("page", PAGES)
def test_an_anchor_of_a_link_is_a_heading(page):
    """The site's own build sees to the pages in docs/; this one to README and CONTRIBUTING, too."""
    text = (TEMPLATE / page).read_text(encoding="utf-8")
    missing = []
    for line, kind, target in references(text):
        path, _, anchor = target.partition("#")
        to = ((TEMPLATE / page).parent / path) if path else TEMPLATE / page
        if kind == "link" and anchor and to.suffix == ".md" and anchor not in anchors(to.read_text("utf-8")):
            missing.append(f"{page}:{line}: {target}")
    assert missing == []


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as its hosts and the site make them."""
    rows = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", row).strip().lower().replace(" ", "-") for row in rows}


@pytest.mark.parametrize("page", PAGES)
def test_a_command_is_run_by_a_test_or_is_an_example(page):
    """Blocks to type are `bash` or `console`; make's are what CI runs, others stand in a page that is run."""
    hidden = [
        f"{page}:{block.line}: looks like commands; its language is {block.language or 'unsaid'}"
        for block in blocks_of(page)
        if TYPED.match(block.text) and block.language not in SHELLS
    ]
    assert hidden == []
    targets = re.findall(r"^([\w-]+):", (TEMPLATE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    workflow = (TEMPLATE / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    known = [shlex.join(command) for other in RUN for command in commands_of(other)]
    loose = [
        shlex.join(command)
        for command in commands_of(page)
        if shlex.join(command) not in known
        and not (command[0] == "make" and command[1] in targets)
        and f"run: {shlex.join(command)}" not in workflow
        and command != ["cd", "build/late-flights"]  # that workflow's working-directory
    ]
    assert loose == []


@pytest.mark.parametrize("page", PAGES)
def test_a_command_that_is_named_exists(page, tmp_path):
    """In blocks, examples among them, and in the midst of a sentence."""
    from handrail.cli.outside import main

    parts = frozenset("research production operation api batch dashboard tracking".split())
    verbs = options_of(parts, labelling=True, root=tmp_path)
    outside = {
        name: {option for each in command.params for option in each.opts} | {"--help"}
        for name, command in main.commands.items()
    }
    text = (TEMPLATE / page).read_text(encoding="utf-8")
    wrong = [
        f"{page}: {tool} {problem}"
        for tool, rest in NAMED.findall(text)
        for problem in wrong_in_command(rest.split(), verbs if tool == "late-flights" else outside)
    ]
    assert wrong == []


def test_every_verb_and_command_is_on_its_page():
    from handrail.cli.catalogue import VERBS
    from handrail.cli.completion import COMPLETION
    from handrail.cli.outside import main

    inside, _, outside = (TEMPLATE / "docs" / "verbs.md").read_text(encoding="utf-8").partition("## Outside")
    verbs, _, statuses = inside.partition("## Exit statuses")
    assert VERB_IN_TABLE.findall(verbs) == [*VERBS, COMPLETION]
    assert sorted(VERB_IN_TABLE.findall(outside)) == sorted(main.commands)
    said = {int(status) for status in re.findall(r"^\| (\d+) \|", statuses, re.MULTILINE)}
    assert said == {
        int(status) for status in re.findall(r"\b\d+(?= \w)", getdoc(Program).split("0 done")[1])
    } | {0}


@pytest.mark.parametrize("page", BEGIN_WITH_A_COMMAND)
def test_a_page_begins_with_a_command(page):
    text = (TEMPLATE / "docs" / page).read_text(encoding="utf-8")
    first = next(block for block in blocks_of(f"docs/{page}") if block.language in SHELLS)
    assert any(command[:3] == ["uv", "run", "late-flights"] for command in first.commands)
    assert len(first.commands) <= 3
    assert first.line <= 6
    assert re.search(
        r"In the text, `([\w-]+)` means `uv run late-flights \1`: \[every verb\]\(verbs\.md\)", text
    )


def test_every_answer_has_a_word_on_when_to_take_it():
    page = (TEMPLATE / "docs" / "questions.md").read_text(encoding="utf-8")
    said = set(re.findall(r"`(?:\w+=)?([\w-]+)`", page))
    missing = [name for name in questions() if name not in said]
    assert missing == []
    assert [answer for answers in choices().values() for answer in answers if answer not in said] == []
