"""Refuse answers that cannot work, all of them at once, before a file is written.

Cookiecutter runs this file as a hook, with the answers rendered into its last lines. `questions.py` asks
by the same rules, so that a bad answer is asked again at once and no folder is made for it.
"""

import json
import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SLUG_LENGTH = 40
AUTHOR = re.compile(r"([^<>,\s][^<>,]*?)\s*<([A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)>")
# Control characters, line separators, halves of surrogate pairs, marks that reorder the text around them.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
WINDOWS = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
FOLDERS = frozenset("build data dist docs lib models reports src test testing tests venv".split())
TEXTS = ("project_name", "description", "author")

# Packages, modules and commands in the environment of a full project. A name equal to one of them would
# shadow it, or be shadowed; tests/test_runs.py compares this with what is really installed.
TAKEN = frozenset(
    """
    annotated-doc annotated-types anyio click duckdb fastapi flatbuffers git h11 httpcore httptools httpx
    idna iniconfig jinja2 joblib make markupsafe matplotlib numpy onnx onnxruntime packaging pandas pillow pip
    pluggy protobuf pyarrow pydantic pygments pytest python python3 pyyaml rich ruff scikit-learn scipy
    skl2onnx sklearn starlette threadpoolctl tqdm ty typing-extensions uv uvicorn uvloop uvx
    watchfiles websockets yaml
    """.split()
)


def problems(answers: dict, questions: dict | None = None) -> list[str]:
    """Return what is wrong with the answers, one sentence each: the value, the rule, the remedy.

    questions: name to default text or list of choices; with them choices are checked too, and
    answers must be complete. Without, only the texts that are there are looked at.
    """
    found = [
        f"{key} {json.dumps(value, ensure_ascii=False)}: {problem}"
        for key, value in answers.items()
        for problem in (*text_problems(key, value), *slug_problems(key, value))
    ]
    return found + choice_problems(answers, questions) if questions else found


def text_problems(key: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a free text."""
    if key not in TEXTS:
        return
    if not text.strip():
        yield "is empty. Write one sentence."
    if UNSAFE.search(text):
        yield "holds a line break or an invisible control character. Write it on one line, as plain text."
    if key == "author" and not AUTHOR.fullmatch(text):
        yield "must be one name, without a comma, and a mail address. Write: Jane Smith <jane@example.com>"


def slug_problems(key: str, slug: str) -> Iterator[str]:
    """Yield why a project slug cannot be a folder, a distribution, an import and a command name at once."""
    if key != "project_slug":
        return
    name = slug.replace("-", "_").lower()
    if not SLUG.fullmatch(slug):
        yield f"must be small letters, digits and single hyphens, a letter first. Try {suggestion(slug)}"
    if len(slug) > SLUG_LENGTH:
        yield f"has {len(slug)} characters, at most {SLUG_LENGTH} are readable as a command. Shorten it."
    if keyword.iskeyword(name):
        yield f"is a word of Python itself. Try {slug}-project"
    elif name in sys.stdlib_module_names:
        yield f"is a module of Python's standard library. Try {slug}-project"
    elif slug in TAKEN or name in TAKEN:
        yield f"is a package or command that the project itself uses. Try {slug}-project"
    elif name in FOLDERS:
        yield f"is the name of a usual folder. Try {slug}-project"
    elif WINDOWS.fullmatch(name):
        yield f"is a device on Windows, so it can't be a folder there. Try {slug}-project"


def suggestion(slug: str) -> str:
    """Return a slug that is allowed, as near to the given one as possible."""
    words = re.sub(r"[^a-z0-9]+", "-", slug.lower()).lstrip("-0123456789")[:SLUG_LENGTH]
    return words.strip("-") or "late-flights"


def choice_problems(answers: dict, questions: dict) -> list[str]:
    """Return what is wrong with the choices, alone and together."""
    found = [
        f"{key} {json.dumps(answers[key])}: is no such choice. Take one of: {', '.join(choices)}"
        for key, choices in questions.items()
        if isinstance(choices, list) and answers[key] not in (*choices, "none")
    ]
    live = answers["stage"] in ("production", "operation")
    if live and answers["api"] == answers["batch"] == "none":
        found.append(
            f'stage "{answers["stage"]}" with api "none" and batch "none": nothing would use the model. '
            "Take api=fastapi or batch=batch, or stage=research"
        )
    return found


def main(answers: dict) -> None:
    """End with status 1 and every problem on standard error, if there is any."""
    path = Path(answers["_repo_dir"]) / "cookiecutter.json"
    questions = json.loads(path.read_text(encoding="utf-8"))
    questions = {key: default for key, default in questions.items() if not key.startswith("_")}
    found = problems(answers, questions)
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(json.loads({{cookiecutter | jsonify | jsonify}}))  # noqa: F821
