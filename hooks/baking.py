"""Bake in the process that is there already, and render only what needs it.

Cookiecutter starts Python anew for each hook, compiles every text with Jinja, wanted or not, and writes the
parts that nobody chose: that would be most of a bake's time. `wrapped_generation` takes the place of its own
function where the parameters are the known ones; with cookiecutter's own the project is the same.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from cookiecutter.exceptions import FailedHookException
from cookiecutter.generate import create_env_with_context, is_copy_only_path, render_and_create_dir
from cookiecutter.utils import rmtree
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader

from . import post_gen_project
from .answers import TEMPLATE

FOLDER = "{{cookiecutter.project_slug}}"
COMPILED = Path(__file__).parent / "__pycache__"
VALUE = re.compile(r"{{ ?cookiecutter\.(\w+) ?}}")
JINJA = re.compile("{[{%#]")
MARK = re.compile(JINJA.pattern.encode())


def compiled_texts() -> FileSystemBytecodeCache | None:
    """Return where Jinja keeps what it has compiled: beside what Python has, if that can be written to."""
    usable = COMPILED.is_dir() and os.access(COMPILED, os.W_OK)
    return FileSystemBytecodeCache(str(COMPILED), "%s.jinja") if usable else None


def wrapped_generation(original):
    """Return a writer of projects that bakes this template by itself, where nothing unusual is wanted."""

    def generate_files(
        repo_dir,
        context=None,
        output_dir=".",
        overwrite_if_exists=False,
        skip_if_file_exists=False,
        accept_hooks=True,
        keep_project_on_failure=False,
    ):
        unusual = overwrite_if_exists, skip_if_file_exists, not accept_hooks, keep_project_on_failure
        if any(unusual) or Path(repo_dir).resolve() != TEMPLATE:
            options = overwrite_if_exists, skip_if_file_exists, accept_hooks, keep_project_on_failure
            return original(repo_dir, context, output_dir, *options)
        texts = create_env_with_context(context)
        texts.loader = FileSystemLoader(TEMPLATE / FOLDER)
        project = Path(render_and_create_dir(FOLDER, context, output_dir, texts)[0]).absolute()
        repository = post_gen_project.Repository(project)
        try:
            write_project(project, context, texts, repository)
        except OSError as error:
            repository.abandon()
            rmtree(project)
            raise FailedHookException(post_gen_project.failure(project, error)) from error
        return str(project)

    return generate_files


def write_project(
    project: Path, context: dict, texts: Environment, repository: post_gen_project.Repository
) -> None:
    """Write the chosen files, those without logic first: git works beside it from the first one on."""
    answers, later = context["cookiecutter"], {}
    asked = post_gen_project.ask_template(answers)
    for source, target, files in chosen_files(answers):
        inside, outside = TEMPLATE / FOLDER / source, project / target
        outside.mkdir(parents=True, exist_ok=True)
        for file, kept in files.items():
            content = (inside / file).read_bytes()
            if MARK.search(content) and not is_copy_only_path(f"{source}{file}", context):
                content = with_values(content.decode(), answers)
            if content is None:
                later[f"{source}{file}"] = f"{target}{kept}"
            else:
                (outside / kept).write_bytes(content)
                repository.add(f"{target}{kept}", content)
    for inside, name in later.items():
        content = texts.get_template(inside).render(**context).encode()
        (project / name).write_bytes(content)
        repository.add(name, content)
    post_gen_project.finish(project, answers, asked, repository)


def chosen_files(answers: dict) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield each folder in the template and in the project, `name/` or empty, and both names of its files."""
    chosen, top = set(answers["__chosen"]), TEMPLATE / FOLDER
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if post_gen_project.kept_name(name, chosen) is not None]
        kept = {file: name for file in files if (name := post_gen_project.kept_name(file, chosen))}
        source = f"{Path(folder).relative_to(top).as_posix()}/".removeprefix("./")
        target = filled(post_gen_project.WORD.sub("", source), answers)
        if kept:
            yield source, target, kept


def with_values(source: str, answers: dict) -> bytes | None:
    """Return a text with its plain values filled in, or None if it holds more Jinja than that."""
    if JINJA.search(VALUE.sub("", source)) or not answers.keys() >= set(VALUE.findall(source)):
        return None
    return filled(source, answers).encode()


def filled(text: str, answers: dict) -> str:
    """Return a text or a path with the answer in place of each plain value."""
    return VALUE.sub(lambda value: answers[value[1]], text)
