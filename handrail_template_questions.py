"""Cookiecutter's way into this template: the Jinja extension that `_extensions` of cookiecutter.json names.

Cookiecutter appends the template's folder to `sys.path` and imports this file, so its name must collide
with nothing. A process imports it once, and may then bake other versions of the template, from other folders
or (cruft) from the same one: so all that can differ is loaded by its file, anew whenever that has changed.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from cookiecutter import __version__
from cookiecutter.exceptions import FailedHookException

OLDEST, OLDEST_PYTHON = (2, 6), (3, 11)
LOADED = {}
LATEST = [Path(__file__).resolve().parent]


def questions(environment):
    """Return the extension for the template that is being baked, as `hooks/questions.py` there has it.

    Raises FailedHookException, which cookiecutter prints as one line, if it or Python is too old.
    """
    python = ".".join(map(str, sys.version_info[:2]))
    if tuple(map(int, __version__.split(".")[:2])) < OLDEST:
        raise FailedHookException(f"cookiecutter {__version__} is too old: take 2.6 or newer, as uvx does")
    if sys.version_info < OLDEST_PYTHON:
        raise FailedHookException(
            f"Python {python} is too old: take 3.11 or newer, as with uvx --python 3.13"
        )
    template = current_template()
    return loaded(template).Questions(environment, template)


questions.identifier = __name__  # what Jinja asks an extension for


def current_template():
    """Return the folder of the template that is being baked: the last such one on `sys.path`.

    A relative path there leads nowhere while cookiecutter works in another folder: then it is the latest one.
    """
    for folder in map(Path, reversed(sys.path)):
        if all((folder / name).is_file() for name in (f"{__name__}.py", "cookiecutter.json")):
            LATEST[0] = folder.resolve()
            break
    return LATEST[0]


def loaded(template):
    """Return the module `hooks/questions.py` of a template, in a package that is its `handrail.scaffold`."""
    scaffold, own = template / "src" / "handrail" / "scaffold", template / "hooks" / "questions.py"
    for needed in (scaffold / "__init__.py", own):
        if not needed.is_file():
            raise FailedHookException(f"{needed}: not found. The template must be whole: clone it again")
    content = b"".join(path.read_bytes() for path in (own, *sorted(scaffold.glob("*.py"))))
    if (template, content) not in LOADED:
        package = f"{__name__}_{len(LOADED)}"
        sys.modules[package] = module_from_spec(spec_from_file_location(package, scaffold / "__init__.py"))
        found = spec_from_file_location(f"{package}.questions", own)
        LOADED[template, content] = module_from_spec(found)
        found.loader.exec_module(LOADED[template, content])
    return LOADED[template, content]
