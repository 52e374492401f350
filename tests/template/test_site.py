"""The documentation's site: it builds, it is whole, and what is wrong with it fails the build."""

import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from importlib import import_module
from inspect import getdoc, isclass, isfunction
from pathlib import Path

import pytest
import yaml

from docs.site import settings
from docs.site.build import Page, build, dead_links, left_out, reference, sources, stage
from handrail.config import Settings
from tests.engine.support.example import example
from tests.template.answers import TEMPLATE

LARGEST_PICTURE = 300_000  # bytes


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("built") / "site"
    assert build(TEMPLATE, folder) == []
    return folder


@cache
def text_of(page: Path) -> str:
    """Return the text of a built page."""
    content = page.read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", content)).split())


def test_every_page_is_built(site):
    pages = [place for place in sources(TEMPLATE) if place.endswith(".md")]
    assert len(pages) > 60
    names = ("benchmarks/index" if place == "benchmarks/README.md" else place[:-3] for place in pages)
    assert [name for name in names if not (site / f"{name}.html").is_file()] == []
    assert "A data-science project that already runs" in text_of(site / "index.html")


def test_the_reference_has_every_public_name_with_its_docstring(site):
    listed = {
        package: Page((site / "reference" / f"{package}.html").read_text(encoding="utf-8")).anchors
        for package in reference()
    }
    missing = [
        f"{package}.{name}"
        for package, names in reference().items()
        for name in names
        if not any(anchor.endswith(f".{name}") for anchor in listed[package])
    ]
    assert missing == []
    lacking = [
        f"{package}.{name}: {said}"
        for package, names in reference().items()
        for name in names
        for said in [first_words(getattr(import_module(package), name))]
        if said not in text_of(site / "reference" / f"{package}.html")
    ]
    assert lacking == []


def test_the_reference_has_every_section_and_setting(site):
    """Asked of the models by their schema, not by what makes the page."""
    text = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    rows = dict(re.findall(r"<tr>\s*<td><code>([^<]+)</code></td>(.*?)</tr>", text, re.DOTALL))
    schemas = [
        example(problem).settings_type.model_json_schema() for problem in ("classification", "regression")
    ]
    wanted = {name for schema in schemas for name in names_in(schema, schema)}
    there = {*rows, *re.findall(r'<h2 id="([a-z_]+)', text)}
    missing = sorted(wanted - there - {name.removeprefix("LATE_FLIGHTS_").lower() for name in rows})
    assert len(wanted) > 120
    assert missing == []
    assert [name for name, cells in rows.items() if "." in name and cells.count("<td></td>") > 1] == []
    assert "whole number (≥ 1)" in rows["serving.maximum_records"]
    assert "1000</code>" in rows["serving.maximum_records"]
    assert "400</code>" in rows["retention.service.purge_after_days"]
    assert "settings.html" in (site / "reference" / "handrail.config.html").read_text(encoding="utf-8")


def names_in(schema: dict, whole: dict, before: str = "") -> Iterator[str]:
    """Yield the dotted name of each field of a schema, at any depth."""
    if "$ref" in schema:
        yield from names_in(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, before)
    for name, each in schema.get("properties", {}).items():
        yield before + name
        yield from names_in(each, whole, f"{before}{name}.")
    inner = [
        *schema.get("anyOf", ()),
        *schema.get("oneOf", ()),
        schema.get("items"),
        schema.get("additionalProperties"),
    ]
    for each in inner:
        if isinstance(each, dict):
            yield from names_in(each, whole, before)


def test_a_setting_that_nobody_explains_fails_the_build(small, monkeypatch):
    monkeypatch.delitem(settings.MEANINGS, "Serving.logs")
    with (small / "docs" / "site" / "mkdocs.yml").open("a", encoding="utf-8") as nav:
        nav.write("  - Every setting: reference/settings.md\n")
    assert build(small, small / "out") == ["docs/site/settings.py: MEANINGS: Serving.logs is told nowhere"]
    assert not (small / "out").exists()


def test_no_setting_is_explained_that_is_gone():
    models = [Settings, *(each for kinds in settings.sections().values() for each in kinds)]
    for model in models:
        models += [
            inner for field in model.model_fields.values() for inner in settings.models_in(field.annotation)
        ]
    there = {
        f"{base.__name__}.{name}" for model in models for base in model.__mro__ for name in model.model_fields
    }
    assert [name for name in settings.MEANINGS if name not in there] == []


def test_type_aliases_come_last(site):
    text = (site / "reference" / "handrail.training.html").read_text(encoding="utf-8")
    heads = re.findall(r'<h2 id="handrail\.training\.(\w+)"', text)
    assert heads[-2:] == ["Doubles", "Floats"]
    assert heads[0][0].isupper()


def test_the_site_is_dark_where_the_system_is():
    """A palette for the system's own setting, and one for each of its two values."""
    config = yaml.safe_load((TEMPLATE / "docs" / "site" / "mkdocs.yml").read_text(encoding="utf-8"))
    palettes = {each["media"]: each.get("scheme") for each in config["theme"]["palette"]}
    assert palettes == {
        "(prefers-color-scheme)": None,
        "(prefers-color-scheme: light)": "default",
        "(prefers-color-scheme: dark)": "slate",
    }


def first_words(thing: object) -> str:
    """Return how the docstring of a class or function begins, up to what is no plain word."""
    said = getdoc(thing) if isclass(thing) or isfunction(thing) else ""
    return re.match(r"[\w ,.]*", said or "")[0].strip()


def test_the_search_finds_the_pages(site):
    index = json.loads((site / "search.json").read_text(encoding="utf-8"))
    places = {item["location"].partition("#")[0] for item in index["items"]}
    assert {"start.html", "questions.html", "reference/handrail.training.html"} <= places


def test_pictures_are_small_and_used():
    pictures = [path for path in (TEMPLATE / "docs" / "pictures").iterdir() if path.is_file()]
    assert [path.name for path in pictures if path.stat().st_size > LARGEST_PICTURE] == []
    texts = "".join(page.read_text(encoding="utf-8") for page in (TEMPLATE / "docs").glob("*.md"))
    assert [path.name for path in pictures if f"pictures/{path.name}" not in texts] == []


@pytest.fixture
def small(tmp_path) -> Path:
    """A repository with two pages and the settings of ours."""
    pages = tmp_path / "docs"
    (pages / "site").mkdir(parents=True)
    settings = (TEMPLATE / "docs" / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    nav = "nav:\n  - Home: index.md\n  - Other: other.md\n"
    (pages / "site" / "mkdocs.yml").write_text(settings.partition("nav:")[0] + nav, encoding="utf-8")
    for name in ("extra.css", "iframe-worker.js"):
        (pages / "site" / name).write_bytes((TEMPLATE / "docs" / "site" / name).read_bytes())
    (pages / "index.md").write_text("# Home\n\nTo [the other](other.md#a-part).\n", encoding="utf-8")
    (pages / "other.md").write_text("# Other\n\n## A part\n\nText.\n", encoding="utf-8")
    return tmp_path


def test_a_small_site_is_built(small):
    assert build(small, small / "out") == []
    assert (
        Page((small / "out" / "index.html").read_text(encoding="utf-8")).links.count("other.html#a-part") == 1
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a](gone.md)", "docs/index.md:2: link gone.md: no page of the site"),
        ("[a](../Makefile)", "docs/index.md:2: link ../Makefile: no page of the site"),
        ("![a](pictures/gone.png)", "docs/index.md:2: link pictures/gone.png: no page of the site"),
    ],
)
def test_a_dead_link_fails_the_build(text, said, small):
    (small / "docs" / "index.md").write_text(f"# Home\n{text}\n", encoding="utf-8")
    assert build(small, small / "out") == [said]
    assert not (small / "out").exists()


def test_a_warning_fails_the_build_and_leaves_the_last_good_site(small):
    assert build(small, small / "out") == []
    (small / "docs" / "index.md").write_text("# Home\n\n[a](other.md#no-part)\n", encoding="utf-8")
    (problem,) = build(small, small / "out")
    assert problem.startswith("Zensical ended with 1:")
    assert "index.md:3" in problem
    assert "anchor" in problem
    assert "other.html#a-part" in (small / "out" / "index.html").read_text(encoding="utf-8")


def test_a_page_is_in_the_navigation_and_the_other_way_round():
    pages = {"index.md": "docs/index.md", "new.md": "docs/new.md", "a.png": "docs/a.png"}
    assert left_out([{"Home": "index.md"}, {"More": [{"Gone": "gone.md"}]}], pages) == [
        "docs/site/mkdocs.yml: nav leaves out new.md",
        "docs/site/mkdocs.yml: nav: gone.md: no such page",
    ]


def test_links_lead_from_where_the_page_is_in_the_site(small, tmp_path):
    (small / "CHANGELOG.md").write_text(
        "[a](docs/other.md#a-part) [b](https://example.org) [c](#x)\n", "utf-8"
    )
    (small / "docs" / "index.md").write_text("[a](../CHANGELOG.md)\n", encoding="utf-8")
    assert stage(small, sources(small), tmp_path / "staged") == []
    moved = (tmp_path / "staged" / "CHANGELOG.md").read_text(encoding="utf-8")
    assert moved == "[a](other.md#a-part) [b](https://example.org) [c](#x)\n"
    assert (tmp_path / "staged" / "index.md").read_text(encoding="utf-8") == "[a](CHANGELOG.md)\n"


def test_a_file_is_included_if_it_is_there(small, tmp_path):
    page = small / "docs" / "index.md"
    page.write_text("# Home\n\n<!-- include benchmarks/field.md -->\n\nThe end.\n", encoding="utf-8")
    assert stage(small, sources(small), tmp_path / "without") == []
    assert (tmp_path / "without" / "index.md").read_text("utf-8") == "# Home\n\n\nThe end.\n"
    (small / "benchmarks").mkdir()
    (small / "benchmarks" / "field.svg").write_text("<svg/>", encoding="utf-8")
    field = "# The field\n\n![drawn](field.svg) and [more](none.md)\n"
    (small / "benchmarks" / "field.md").write_text(field, encoding="utf-8")
    said = ["benchmarks/field.md:3: link none.md: no page of the site"]
    assert (
        stage(small, sources(small), tmp_path / "with") == said * 2
    )  # the page itself, and where it is included
    shown = (tmp_path / "with" / "index.md").read_text("utf-8")
    assert "![drawn](benchmarks/field.svg) and" in shown
    assert "The field" not in shown


def test_what_is_built_fetches_nothing_and_leads_nowhere_else(tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here"></a><a href="b.html#gone"></a><a href="c.html"></a>'
        '<a href="https://example.org"></a><script src="https://example.org/x.js"></script>',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<img src="none.png">', encoding="utf-8")
    assert dead_links(tmp_path) == [
        "a.html: b.html#gone: no such anchor",
        "a.html: c.html: no such file",
        "a.html: https://example.org/x.js is fetched from elsewhere",
        "b.html: none.png: no such file",
    ]
