"""Whatever was answered, the baked project is clean: every pair of answers, and each named project."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from hooks.answers import NONE, chosen_words
from tests.combinations import choices, covering, label
from tests.conftest import Project
from tests.traces import TRACES, traces_of
from tests.trees import NAMED

BIN = Path(sys.executable).parent
BINARY = {".png", ".ico", ".parquet", ".onnx"}
MARKER = re.compile(r"cookiecutter\.|\{% | %\}|\{# | #\}")
COMMAND = re.compile(r"uv run late-flights ([a-z][a-z-]*)")
MADE_LATER = ("data/", "models/", "reports/", ".venv", "uv.lock", "build/", "sample/", "rounds.jsonl")
SUFFIXES = ".md .py .yaml .yml .toml .json .sql .html .lock .ipynb .txt .jsonl".split()


@pytest.fixture(params=[*covering(), *NAMED.values()], ids=label)
def project(request, bake) -> Project:
    return bake(**request.param)


@pytest.fixture
def texts(project) -> dict[str, str]:
    """The text of every file, by its name."""
    return {name: project.text(name) for name in project.files if Path(name).suffix not in BINARY}


def answered(project: Project) -> set[str]:
    return set(chosen_words(json.loads(project.text(".handrail.json"))["answers"]))


def test_no_marker_of_the_template_is_left(texts):
    assert [name for name in texts if "@" in name or "{{" in name] == []
    own = {name for name in texts if name.endswith(".html")}  # Jinja of the project's own report
    assert {
        name: MARKER.findall(texts[name]) for name in texts.keys() - own if MARKER.search(texts[name])
    } == {}
    assert [name for name in own if "cookiecutter" in texts[name]] == []


def test_no_stacked_blank_lines_and_one_newline_at_the_end(texts):
    most = {name: 3 if name.endswith(".py") else 2 for name in texts}
    stacked = [name for name, text in texts.items() if "\n" * (most[name] + 1) in text]
    assert stacked == []
    assert [name for name, text in texts.items() if text and not re.search(r"[^\n]\n\Z", text)] == []
    assert [name for name, text in texts.items() if text.startswith("\n")] == []
    assert [name for name, text in texts.items() if re.search(r"[ \t]$", text, re.MULTILINE)] == []


def test_no_empty_folder(project):
    folders = [path for path in project.path.rglob("*") if path.is_dir()]
    inside = [path for path in folders if ".git" not in path.relative_to(project.path).parts]
    assert [path for path in inside if not any(path.iterdir())] == []


def test_everything_parses(texts):
    readers = {
        ".toml": tomllib.loads,
        ".json": json.loads,
        ".ipynb": json.loads,
        ".yaml": yaml.safe_load,
        ".yml": yaml.safe_load,
    }
    read = [readers[Path(name).suffix](text) for name, text in texts.items() if Path(name).suffix in readers]
    assert len(read) >= 2
    for name, text in texts.items():
        if name.endswith(".py"):
            compile(text, name, "exec")


def test_formatted_and_linted(project):
    for command in (["check"], ["format", "--check"]):
        done = project.run(str(BIN / "ruff"), *command, "--no-cache", ".")
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_word_of_a_part_that_is_not_there(project, texts):
    words = {word for options in choices().values() for word in options if word != NONE}
    absent = words - answered(project)
    found = {name: traces_of(absent, f"{name}\n{text}") for name, text in texts.items()}
    found.pop(".handrail.json")
    assert {name: traces for name, traces in found.items() if traces} == {}


def test_the_traces_are_really_in_the_full_project(bake):
    """A pattern that matches nothing anywhere would find nothing where it should."""
    for licence in choices()["license"]:
        project = bake(license=licence)
        whole = "\n".join(f"{name}\n{project.text(name)}" for name in project.files)
        expected = answered(project) & TRACES.keys()
        silent = [p for word in expected for p in TRACES[word] if not re.search(p, whole, re.IGNORECASE)]
        assert silent == []


def test_links_paths_and_commands_in_markdown_exist(project, texts):
    wrong = []
    for name, text in texts.items():
        if name.endswith(".md"):
            folder = (project.path / name).parent
            wrong += [f"{name}: {path}" for path in paths_in(text) if not exists(path, folder, project.path)]
            verbs = {verb for verb in COMMAND.findall(text) if not is_command(verb, texts)}
            wrong += [f"{name}: uv run late-flights {verb}" for verb in verbs]
    assert wrong == []


def paths_in(markdown: str) -> list[str]:
    """Return the targets of relative links, and what stands in backticks and looks like a path."""
    inline = [child for token in MarkdownIt().parse(markdown) for child in token.children or ()]
    links = [str(child.attrs["href"]) for child in inline if child.type == "link_open"]
    codes = [child.content for child in inline if child.type == "code_inline"]
    relative = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    return relative + [code for code in codes if looks_like_a_path(code)]


def looks_like_a_path(code: str) -> bool:
    plain = re.fullmatch(r"[\w.@-]+(/[\w.@-]+)*/?", code)
    return bool(plain) and ("/" in code.strip("/") or code.endswith(("/", *SUFFIXES))) and code[0] != "/"


def exists(path: str, folder: Path, root: Path) -> bool:
    """Return whether a path is in the folder of its text, the project or the package, or is made later.

    A bare file name may stand for a file in any folder, as in a tree.
    """
    if "/" not in path and any(root.rglob(path)):
        return True
    packages = [package for package in (root / "src").iterdir() if package.is_dir()]
    bases = [folder, root, *packages]
    return path.startswith(MADE_LATER) or any((base / path).exists() for base in bases)


def is_command(verb: str, texts: dict[str, str]) -> bool:
    return f"src/late_flights/commands/{verb.replace('-', '_')}.py" in texts


def test_workflows_are_valid_and_safe(project):
    workflows = sorted((project.path / ".github" / "workflows").glob("*.yml"))
    assert bool(workflows) == ("github" in answered(project))
    if workflows:
        judged("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
        judged("zizmor", "--offline", "--quiet", project.path / ".github")


def test_containers_are_sound(project):
    files = list(project.path.rglob("Dockerfile*"))
    assert bool(files) == ("fastapi" in answered(project))
    if files:
        judged("hadolint", *files)


def test_spelling(project):
    judged("codespell", "--skip", ".git,*.svg,*.html", project.path)


def judged(tool: str, *arguments: object) -> None:
    """Run one of the tools of this environment; its findings are the failure."""
    done = subprocess.run([BIN / tool, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
