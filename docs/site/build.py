"""Build the documentation into a folder of files that needs no server and no network.

`python docs/site/build.py [FOLDER]`; FOLDER is `site/` of the repository unless said otherwise.

Pages are docs/*.md, the decisions, and a few texts of the repository; the engine's reference is
made of its docstrings. Whatever is wrong is told, and the exit status is 1: a warning of the builder, a page
that the navigation leaves out, a link or an anchor that leads nowhere, what would be fetched from elsewhere.
"""

import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import UnionType
from typing import TypeVar, get_origin
from urllib.parse import unquote, urlsplit

import yaml

import handrail

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from docs.site.settings import settings_page  # noqa: E402

HERE = "docs/site"
REFERENCE = "reference/"
SETTINGS = f"{REFERENCE}settings.md"
# Texts of the repository that are pages, too, where they are there.
BESIDE = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "benchmarks/field.md",
    "benchmarks/large.md",
)
MODULES = ("handrail.estimator", "handrail.monitoring.checks", "handrail.tasks.task")
# What lets the search work where pages are opened as files: Zensical fetches it from elsewhere, we bring it.
SHIM, OURS = "https://unpkg.com/iframe-worker/shim", "site/iframe-worker.js"
LINK = re.compile(r"(?<=\]\()([^()\s]+?)(#[^()\s]*)?(?=\))")
INCLUDE = re.compile(r"<!-- include (\S+) -->")
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
LOUD = re.compile(r"warning|error", re.IGNORECASE)


def main(arguments: list[str]) -> int:
    """Build into the folder that is named; return 1 where anything is wrong."""
    site = Path(arguments[0] if arguments else ROOT / "site").resolve()
    problems = build(ROOT, site)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        print(f"{len(list(site.rglob('*.html')))} pages in {site}")
    return int(bool(problems))


def build(root: Path, site: Path) -> list[str]:
    """Build the site of the repository `root`; return what is wrong with it, a sentence each."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        work = Path(folder).resolve()
        pages = sources(root)
        config = configuration(root, pages)
        problems = [*stage(root, pages, work / "pages"), *left_out(config["nav"], pages)]
        if problems:
            return problems
        try:
            add_reference(config["nav"], work / "pages")
        except LookupError as error:
            return [str(error.args[0])]
        config |= {"docs_dir": "pages", "site_dir": "site"}
        (work / "mkdocs.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
            cwd=work,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode or LOUD.search(said):
            return [f"Zensical ended with {done.returncode}:\n{said.strip()}"]
        bring_shim(work / "site")
        problems = dead_links(work / "site")
        if not problems:
            shutil.rmtree(site, ignore_errors=True)
            shutil.move(work / "site", site)
    return problems


def bring_shim(site: Path) -> None:
    """Let each page take the search's shim from the site itself."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        up = "../" * (len(path.relative_to(site).parts) - 1)
        path.write_text(text.replace(SHIM, up + OURS), encoding="utf-8")


def sources(root: Path) -> dict[str, str]:
    """Return the place in the site of each page and file, and where it comes from in the repository."""
    found = [
        path.relative_to(root).as_posix() for path in sorted((root / "docs").rglob("*")) if path.is_file()
    ]
    wanted = [name for name in found if not name.endswith((".py", ".yml", ".pyc"))]
    drawn = [path.relative_to(root).as_posix() for path in sorted((root / "benchmarks").glob("*.[ps][nv]g"))]
    beside = [name for name in (*BESIDE, *drawn) if (root / name).is_file()]
    return {name.removeprefix("docs/"): name for name in wanted} | {name: name for name in beside}


def stage(root: Path, pages: dict[str, str], folder: Path) -> list[str]:
    """Copy all pages into `folder`, links as they are there; return those that lead to no page."""
    places = {source: place for place, source in pages.items()}
    problems: list[str] = []
    for place, source in pages.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if not place.endswith(".md"):
            shutil.copyfile(root / source, target)
            continue
        lines = []
        for came_from, number, line in lines_of(root, source):
            moved, dead = led(line, came_from, place, places)
            lines.append(moved)
            problems += [f"{came_from}:{number}: link {link}: no page of the site" for link in dead]
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return problems


def lines_of(root: Path, source: str) -> Iterator[tuple[str, int, str]]:
    """Yield the lines of a page, each with its file and number; for `<!-- include FILE -->` that file's.

    A file that is included goes without its first heading, and may be absent: then nothing stands there.
    """
    for number, line in enumerate((root / source).read_text(encoding="utf-8").splitlines(), 1):
        included = INCLUDE.fullmatch(line)
        if not included:
            yield source, number, line
        elif (root / included[1]).is_file():
            text = (root / included[1]).read_text(encoding="utf-8")
            yield from ((included[1], *row) for row in enumerate(text.splitlines(), 1) if row[1][:2] != "# ")


def led(line: str, source: str, place: str, places: dict[str, str]) -> tuple[str, list[str]]:
    """Return a line whose links lead from `place` where they did from `source`; and the dead ones."""
    dead = []

    def moved(link: re.Match) -> str:
        path, anchor = link[1], link[2] or ""
        if path.startswith("#") or urlsplit(path).scheme:
            return link[0]
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if whole not in places:
            dead.append(path)
            return link[0]
        return posixpath.relpath(places[whole], posixpath.dirname(place) or ".") + anchor

    return LINK.sub(moved, line), dead


def reference() -> dict[str, list[str]]:
    """Return the public names of each package of the engine that has any."""
    packages = [f"handrail.{each.name}" for each in iter_modules(handrail.__path__) if each.ispkg]
    names = ("handrail", *packages, *MODULES)
    public = {name: list(getattr(import_module(name), "__all__", ())) for name in names}
    return {name: names for name, names in sorted(public.items()) if names}


def add_reference(nav: list, folder: Path) -> None:
    """Write the pages that are made and that the navigation names: of each package, and of the settings."""
    public = {f"{REFERENCE}{name}.md": (name, names) for name, names in reference().items()}
    (folder / REFERENCE).mkdir(exist_ok=True)
    for place in leaves(nav):
        if place == SETTINGS:
            (folder / place).write_text(settings_page(), encoding="utf-8")
        elif place in public:
            (folder / place).write_text(page_of(*public[place]), encoding="utf-8")


def page_of(package: str, names: list[str]) -> str:
    """Return the page of a package: its public names, each with its docstring; type aliases come last."""
    # A function that is called as its module hides behind it.
    hidden = [name for name in names if package not in MODULES and find_spec(f"{package}.{name}")]
    module = import_module(package)
    shown = sorted(
        set(names) - set(hidden), key=lambda each: (is_alias(getattr(module, each)), names.index(each))
    )
    listed = "".join(f"        - {name}\n" for name in shown)
    text = f"# {package}\n\n"
    if package == "handrail.config":
        text += "What may stand in `project.yaml`: [every setting](settings.md).\n\n"
    text += f"::: {package}\n    options:\n      members:\n{listed}"
    for name in hidden:
        text += f"\n::: {package}.{name}.{name}\n    options:\n      show_root_heading: true\n"
    return text


def is_alias(thing: object) -> bool:
    """Return whether it is another name of a type, which has no docstring of its own."""
    return get_origin(thing) is not None or isinstance(thing, (TypeVar, UnionType))


def configuration(root: Path, pages: dict[str, str]) -> dict:
    """Return the settings of the site, its navigation with the reference and the decisions."""
    config = yaml.safe_load((root / HERE / "mkdocs.yml").read_text(encoding="utf-8"))
    made = {
        "packages": {"Public names": [{name: f"{REFERENCE}{name}.md"} for name in reference()]},
        "decisions": {
            "Decisions": [
                {heading(root / source): place}
                for place, source in sorted(pages.items())
                if place.startswith("decisions/")
            ]
        },
    }
    config["nav"] = filled(config["nav"], made)
    config["plugins"]["mkdocstrings"]["handlers"]["python"]["paths"] = [str(root / "src")]
    return config


def filled(nav: list, made: dict[str, dict]) -> list:
    """Return the navigation with the sections that are made, each in the place of its name."""
    rows = []
    for row in nav:
        if isinstance(row, str):
            rows.append(made[row])
        else:
            rows.append(
                {title: filled(to, made) if isinstance(to, list) else to for title, to in row.items()}
            )
    return rows


def heading(page: Path) -> str:
    """Return the first heading of a page, without the number of a decision."""
    first = page.read_text(encoding="utf-8").splitlines()[0]
    return re.sub(r"^# (\d+\. )?|`", "", first)


def left_out(nav: list, pages: dict[str, str]) -> list[str]:
    """Return each page of docs/ that the navigation leaves out, and what it names and is not there."""
    named = {place for place in leaves(nav) if not place.startswith(REFERENCE)}
    there = {place for place in pages if place.endswith(".md")}
    beside = {place for place, source in pages.items() if source in BESIDE}
    return [
        *(f"{HERE}/mkdocs.yml: nav leaves out {place}" for place in sorted(there - named - beside)),
        *(f"{HERE}/mkdocs.yml: nav: {place}: no such page" for place in sorted(named - there)),
    ]


def leaves(nav: list | dict | str) -> Iterator[str]:
    """Yield each page of a navigation."""
    if isinstance(nav, str):
        yield nav
    for each in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from leaves(each)


class Page(HTMLParser):
    """What a page links to, what it fetches, and which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down a tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        wanted = given.get(FETCHED.get(tag, ""), "")
        if wanted and given.get("rel") != "canonical":
            self.fetched.append(wanted)


def dead_links(site: Path) -> list[str]:
    """Return the links and anchors of a built site that lead nowhere, and what it fetches from elsewhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    problems = []
    for path, page in sorted(pages.items()):
        name = path.relative_to(site).as_posix()
        for address in sorted({*page.links, *page.fetched}):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in page.fetched and parts.scheme != "data":
                    problems.append(f"{name}: {address} is fetched from elsewhere")
                continue
            beside = site if parts.path.startswith("/") else path.parent  # 404.html stands for any page
            target = (beside / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                problems.append(f"{name}: {address}: no such file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                problems.append(f"{name}: {address}: no such anchor")
    return problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
