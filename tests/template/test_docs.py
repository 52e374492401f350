"""The repository's own texts name what is there: paths, names of the engine, its whole public interface."""

import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

import handrail
from handrail.scaffold.names import WORD
from tests.template.answers import TEMPLATE
from tests.template.checks.markdown import MADE_LATER, WRITTEN, engine_names, references, resolves
from tests.template.checks.template import FOLDER, paths

PAGES = sorted(
    page.relative_to(TEMPLATE).as_posix()
    for page in (TEMPLATE / "README.md", TEMPLATE / "CONTRIBUTING.md", *(TEMPLATE / "docs").glob("*.md"))
)
PACKAGE = "src/{{cookiecutter.__package}}/"
# What is made by baking, or is somebody else's.
ELSEWHERE = ("late-flights", "late_flights", "vendor/", "src/late_flights/", "build/", ".handrail.json")


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


def test_the_page_of_the_engine_lists_its_public_interface():
    text = (TEMPLATE / "docs" / "engine.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### ([\w.]+)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    listed = {name: set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) for name, section in sections}
    packages = [
        "handrail",
        *(f"handrail.{each.name}" for each in iter_modules(handrail.__path__) if each.ispkg),
    ]
    public = {name: set(getattr(import_module(name), "__all__", ())) for name in packages}
    assert {name: names for name, names in listed.items() if name in packages} == {
        name: names for name, names in public.items() if names
    }
    beyond = [f"{name}.{one}" for name in listed.keys() - public.keys() for one in listed[name]]
    assert beyond
    assert all(resolves(name) for name in beyond)
