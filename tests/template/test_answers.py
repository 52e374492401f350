"""Bad answers are refused, each with its sentence; odd but legal text arrives whole in every format."""

import ast
import tomllib

import pytest
import yaml
from jinja2 import Environment
from markdown_it import MarkdownIt

from tests.template.answers import slug_problems, suggestion
from tests.template.baking import bake_new

BAD_SLUGS = {
    "2fast": "must be small letters, digits and single hyphens, a letter first. Try fast",
    "Late-Flights": "must be small letters, digits and single hyphens, a letter first. Try late-flights",
    "late flights": "must be small letters, digits and single hyphens, a letter first. Try late-flights",
    "late_flights": "must be small letters, digits and single hyphens, a letter first. Try late-flights",
    "späte-flüge": "must be small letters, digits and single hyphens, a letter first. Try sp-te-fl-ge",
    "late--flights": "must be small letters, digits and single hyphens, a letter first. Try late-flights",
    "a/b": "must be small letters, digits and single hyphens, a letter first. Try a-b",
    "../x": "must be small letters, digits and single hyphens, a letter first. Try x",
    "late-flights\n": "must be small letters, digits and single hyphens, a letter first. Try late-flights",
    "": "must be small letters, digits and single hyphens, a letter first. Try late-flights",
    "late-flights-and-what-the-weather-did-to-them": "has 45 characters, at most 40 are readable",
    "lambda": "is a word of Python itself. Try lambda-project",
    "json": "is a module of Python's standard library. Try json-project",
    "concurrent": "is a module of Python's standard library. Try concurrent-project",
    "duckdb": "is a package or command that the project itself uses. Try duckdb-project",
    "scikit-learn": "is a package or command that the project itself uses. Try scikit-learn-project",
    "sklearn": "is a package or command that the project itself uses. Try sklearn-project",
    "python": "is a package or command that the project itself uses. Try python-project",
    "tests": "is the name of a usual folder. Try tests-project",
    "src": "is the name of a usual folder. Try src-project",
    "con": "is a device on Windows, so it can't be a folder there. Try con-project",
    "com1": "is a device on Windows, so it can't be a folder there. Try com1-project",
}

BAD_TEXTS = {
    ("project_name", " "): "project_name ' ': is empty. Write one sentence.",
    (
        "description",
        "one\ntwo",
    ): r"description 'one\ntwo': holds a line break or an invisible control character.",
    (
        "description",
        "bell\x07",
    ): r"description 'bell\x07': holds a line break or an invisible control character.",
    ("description", "\u202ereversed"): "holds a line break or an invisible control character.",
    ("author", "Jane Smith"): "author 'Jane Smith': must be one name, without a comma, and a mail address.",
    ("author", "Smith, Jane <j@example.com>"): "must be one name, without a comma, and a mail address.",
    ("author", "Jane <jane@localhost>"): "must be one name, without a comma, and a mail address.",
    ("author", "Jane <jane@example.com>, Joe <joe@example.com>"): "must be one name, without a comma,",
}

ODD_TEXTS = [
    'the "late" ones',
    "C:\\new\\table",
    "Zoë's naïve Ä-Modell",
    "🛫 late 👩‍✈️ ✅",
    "50% # of all: yes",
    "- not a list",
    "1. not a list either",
    "# no heading",
    "a_b_c *and* `code` [x](y) <b>bold</b> &amp; ~~no~~ $x$ | pipe",
    "{ braces } }} and {{",
    "null",
    "!tag & *alias",
    "trailing backslash \\",
]


@pytest.mark.parametrize("slug", BAD_SLUGS)
def test_bad_slug(slug, refusal):
    sentences = refusal(project_slug=slug)
    assert any(BAD_SLUGS[slug] in sentence for sentence in sentences), sentences


def test_what_is_suggested_for_a_malformed_slug_is_allowed():
    malformed = [slug for slug in BAD_SLUGS if "single hyphens" in BAD_SLUGS[slug]]
    assert [list(slug_problems("project_slug", suggestion(slug))) for slug in malformed] == [[]] * len(
        malformed
    )


@pytest.mark.parametrize("answer", BAD_TEXTS, ids=repr)
def test_bad_text(answer, refusal):
    sentences = refusal(**dict([answer]))
    assert any(BAD_TEXTS[answer] in sentence for sentence in sentences), sentences


def test_a_model_that_nothing_uses(refusal):
    sentences = refusal(stage="production", api="none", batch="none")
    assert sentences == [
        'stage "production" with api "none" and batch "none": nothing would use the model. '
        "Take api=fastapi or batch=batch, or stage=research"
    ]


def test_all_problems_are_reported_at_once(refusal):
    sentences = refusal(
        project_name="", project_slug="../x", description="a\tb", author="x", api="none", batch="none"
    )
    named = [sentence.split()[0] for sentence in sentences]
    assert named == ["project_name", "project_slug", "description", "author", "stage"]


def test_a_refusal_is_no_traceback(cookiecutter, tmp_path):
    done = cookiecutter("--no-input", "project_slug=json")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "project_slug 'json': is a module of Python's standard library. Try json-project"
    ]
    assert done.stderr == ""
    assert not (tmp_path / "json").exists()


def test_a_folder_with_files_is_left_alone(cookiecutter, tmp_path):
    (tmp_path / "late-flights").mkdir()
    (tmp_path / "late-flights" / "mine@home.txt").write_text("mine")
    done = cookiecutter("--no-input", "--overwrite-if-exists")
    assert (done.returncode, "holds files already" in done.stdout) == (1, True)
    assert [path.name for path in (tmp_path / "late-flights").iterdir()] == ["mine@home.txt"]


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_filters_carry_odd_text(text):
    environment = Environment(extensions=["handrail_template_questions.questions"])
    quoted = environment.filters["quoted"](text)
    assert tomllib.loads(f"x = {quoted}")["x"] == text
    assert yaml.safe_load(f"x: {quoted}")["x"] == text
    assert ast.literal_eval(quoted) == text
    escaped = environment.filters["markdown"](text)
    assert shown_text(escaped) == [text]
    assert shown_text(f"# {escaped}") == [text]


def shown_text(markdown: str) -> list[str]:
    """Return the text of each paragraph or heading as a reader sees it; markup in it is a failure."""
    blocks = [token for token in MarkdownIt("commonmark").enable("table").parse(markdown) if token.children]
    assert {child.type for block in blocks for child in block.children} <= {"text", "text_special"}
    return ["".join(child.content for child in block.children) for block in blocks]


def test_odd_text_in_a_project(cookies_session):
    name, author = 'Zoë\'s "{{ x" # 1: <b>', 'Zoë "Z" O\'Neil <zoe+handrail@example.com>'
    description = '🛫 back\\slash, "quotes", {% raw'
    answers = {"project_name": name, "project_slug": "odd", "author": author, "description": description}
    project = bake_new(cookies_session, answers)
    described = tomllib.loads(project.text("pyproject.toml"))["project"]
    assert described["description"] == description
    assert described["authors"] == [{"name": 'Zoë "Z" O\'Neil', "email": "zoe+handrail@example.com"}]
    for path in project.path.rglob("*.y*ml"):
        yaml.safe_load(path.read_text(encoding="utf-8"))
    heading = project.text("README.md").splitlines()[0]
    assert shown_text(heading) == [name]
