"""Bake in the process that is there already, and render only what needs it.

Cookiecutter starts Python anew for each hook and compiles every text with Jinja, wanted or not: that would be
most of a bake's time. These functions take the place of its own where the parameters are the known ones; with
cookiecutter's own the project is the same.
"""

import os
import re
from pathlib import Path
from shutil import copymode

from cookiecutter.exceptions import FailedHookException
from cookiecutter.utils import rmtree
from jinja2 import FileSystemBytecodeCache

from . import post_gen_project
from .answers import TEMPLATE

COMPILED = Path(__file__).parent / "__pycache__"
VALUE = re.compile(r"{{ cookiecutter\.(\w+) }}")
JINJA = re.compile("{[{%#]")


def compiled_texts() -> FileSystemBytecodeCache | None:
    """Return where Jinja keeps what it has compiled: beside what Python has, if that can be written to."""
    usable = COMPILED.is_dir() and os.access(COMPILED, os.W_OK)
    return FileSystemBytecodeCache(str(COMPILED), "%s.jinja") if usable else None


def wrapped_hook(original):
    """Return a runner of hooks that calls this template's own hooks as functions."""

    def run_hook(repo_dir, hook_name, project_dir, context, delete_project_on_failure):
        if Path(repo_dir).resolve() != TEMPLATE:
            original(repo_dir, hook_name, project_dir, context, delete_project_on_failure)
        elif hook_name == "post_gen_project":  # what the other hook refuses, `settle` has refused by now
            try:
                post_gen_project.main(Path(project_dir), context["cookiecutter"])
            except OSError as error:
                if delete_project_on_failure:
                    rmtree(project_dir)
                raise FailedHookException(post_gen_project.failure(error)) from error

    return run_hook


def wrapped_file(original):
    """Return a writer of a file that passes over what was not chosen, and spares Jinja plain values."""

    def generate_file(project_dir, infile, context, env, skip_if_file_exists=False):
        if not set(post_gen_project.WORD.findall(infile)) <= set(context["cookiecutter"]["__chosen"]):
            return
        source = text_of(Path(infile))
        if source is None or JINJA.search(infile) or skip_if_file_exists:
            original(project_dir, infile, context, env, skip_if_file_exists)
            return
        text = with_values(source, context["cookiecutter"])
        if text is None:
            text = env.get_template(infile.replace(os.sep, "/")).render(**context)
        written = Path(project_dir, infile)
        written.write_text(text, encoding="utf-8", newline="\n")
        copymode(infile, written)

    return generate_file


def text_of(path: Path) -> str | None:
    """Return the content of a file, or None if it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def with_values(source: str, answers: dict) -> str | None:
    """Return a text with its plain values filled in, or None if it holds more Jinja than that."""
    if JINJA.search(VALUE.sub("", source)) or not answers.keys() >= set(VALUE.findall(source)):
        return None
    return VALUE.sub(lambda value: answers[value[1]], source)
