"""Every way to the template ends in the same project: a table, a row a route, compared byte by byte."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.lanes import slow_but
from tests.template.baking import TEMPLATE, Project, isolated

ANSWERS = {
    "project_name": "Zoë's {{ late }} flights",
    "project_slug": "flights",
    "description": '{% raw %} 50% of "all" \\ 🛫',
    "author": "Zoë O'Neil <zoe@example.com>",
    "license": "mit",
    "stage": "production",
    "batch": "none",
}
TYPED = tuple(f"{key}={answer}" for key, answer in ANSWERS.items())
OTHER = {"n": "demo", "stage": ["alpha", "production"], "api": ["rest", "grpc"]}
OWN = ("-c", "user.name=Me", "-c", "user.email=me@example.com", "-c", "commit.gpgSign=false")


def git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", *OWN, *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(folder: Path) -> None:
    """Make a repository of a folder, all of it committed."""
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")


def copied(folder: Path) -> Path:
    """Copy what the template's repository holds, as it stands in the working folder."""
    listed = git(TEMPLATE, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if (TEMPLATE / name).is_file() and not name.startswith(("tests/", "benchmarks/", "docs/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TEMPLATE / name, folder / name)
    return folder


@dataclass(frozen=True)
class World:
    """A template in a clean repository, and an empty folder to bake in."""

    template: Path
    here: Path

    @property
    def commit(self) -> str:
        return git(self.template, "rev-parse", "HEAD")

    def run(self, *line: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a command here, as a user without any settings of her own."""
        settled = isolated(self.here / "home", **{"PWD": str(self.here), **environment})
        return subprocess.run(line, cwd=self.here, env=settled, capture_output=True, text=True, check=False)

    def bake(self, *arguments: str, answers: tuple[str, ...] = TYPED, **environment: str) -> Path:
        """Bake by cookiecutter's command; return the project."""
        line = [sys.executable, "-m", "cookiecutter", *arguments]
        line += [] if any(option.startswith("--replay") for option in arguments) else ["--no-input"]
        done = self.run(*line, *answers, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.here / "flights"

    def python(self, code: str) -> Path:
        """Bake by Python code that knows `template`, `answers`, `other` and `bake`; return the project."""
        before = f"""
import json, pathlib
from cookiecutter.main import cookiecutter
template, answers = {str(self.template)!r}, {ANSWERS!r}
other = pathlib.Path("other")
(other / "{{{{cookiecutter.n}}}}").mkdir(parents=True)
(other / "cookiecutter.json").write_text(json.dumps({OTHER!r}))
(other / "{{{{cookiecutter.n}}}}" / "a").write_text("{{{{cookiecutter.stage}}}} {{{{cookiecutter.api}}}}")
def bake(template, to, answers=None):
    options = dict(no_input=True, extra_context=answers, output_dir=to, default_config=True)
    return pathlib.Path(cookiecutter(str(template), **options))
"""
        done = self.run(sys.executable, "-c", before + code)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.here / "flights"


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """The template in a repository in which nothing is left to commit."""
    folder = copied(tmp_path_factory.mktemp("all") / "handrail")
    committed(folder)
    return folder


@pytest.fixture(scope="module")
def reference(template, tmp_path_factory) -> Project:
    """The project that every route has to end in."""
    return Project(World(template, tmp_path_factory.mktemp("reference")).bake(str(template)), ANSWERS)


@pytest.fixture
def world(template, tmp_path) -> World:
    return World(template, tmp_path)


def by_bare_repository(world: World) -> Path:
    git(world.here, "clone", "--quiet", "--bare", str(world.template), "handrail.git")
    return world.bake(f"file://{world.here}/handrail.git")


def by_archive(world: World) -> Path:
    archive = world.here / "handrail.zip"
    git(world.template, "archive", "--prefix=handrail/", "--output", str(archive), "HEAD")
    return world.bake(str(archive))


def by_earlier_commit(world: World) -> Path:
    later = world.here / "later"
    git(world.here, "clone", "--quiet", str(world.template), str(later))
    git(later, "tag", "v1")
    (later / "{{cookiecutter.project_slug}}" / "LATER.md").write_text("later")
    git(later, "add", "--all")
    git(later, "commit", "--quiet", "--message", "later")
    return world.bake(f"git+file://{later}", "--checkout", "v1")


def by_monorepo(world: World) -> Path:
    shutil.copytree(
        world.template, world.here / "mono" / "data" / "ml", ignore=shutil.ignore_patterns(".git")
    )
    committed(world.here / "mono")
    return world.bake(f"git+file://{world.here}/mono", "--directory", "data/ml")


def by_replay(world: World) -> Path:
    world.bake(str(world.template), "--output-dir", "first")
    return world.bake(str(world.template), "--replay", answers=())


def by_configuration(world: World) -> Path:
    settings = world.here / "mine.yaml"
    settings.write_text(yaml.safe_dump({"default_context": ANSWERS | {"full_name": "for other templates"}}))
    return world.bake(str(world.template), "--config-file", str(settings), answers=())


def by_python_twice(world: World) -> Path:
    return world.python("bake(template, 'first', answers); bake(template, '.', answers)")


def by_python_between_others(world: World) -> Path:
    return world.python(
        "assert (bake(other, 'before') / 'a').read_text() == 'alpha rest'\n"
        "bake(template, '.', answers)\n"
        "assert (bake(other, 'after') / 'a').read_text() == 'alpha rest'\n"
        "after = bake(other, 'chosen', {'api': 'grpc', 'stage': 'production'})\n"
        "assert (after / 'a').read_text() == 'production grpc'\n"
    )


def by_python_after_another_version(world: World) -> Path:
    """An older version, with other questions, in the same process: each is baked as it is."""
    older = world.here / "older"
    shutil.copytree(world.template, older, ignore=shutil.ignore_patterns(".git"))
    asked = json.loads((older / "cookiecutter.json").read_text(encoding="utf-8"))
    asked["stage"].remove("operation")
    (older / "cookiecutter.json").write_text(json.dumps(asked))
    (older / "src" / "handrail" / "older.py").write_text('"""Only in the older one."""\n')
    return world.python(
        f"first = bake({str(older)!r}, 'first', {{'stage': 'production', 'project_slug': 'old'}})\n"
        "second = bake(template, '.', answers)\n"
        "engines = [next(p.glob('vendor/*.whl')).name for p in (first, second)]\n"
        "assert engines[0] != engines[1], engines\n"
    )


def by_read_only_template(world: World) -> Path:
    copy = world.here / "read-only"
    shutil.copytree(world.template, copy)
    for folder, _, files in os.walk(copy, topdown=False):
        for path in (*(Path(folder, name) for name in files), Path(folder)):
            path.chmod(path.stat().st_mode & 0o555)
    project = world.bake(str(copy))
    assert all((project / name).stat().st_mode & 0o200 for name in Project(project, ANSWERS).files)
    for folder, _, _ in os.walk(copy):
        Path(folder).chmod(0o755)
    return project


def by_foreign_template(world: World) -> Path:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    copy = world.here / "foreign"
    shutil.copytree(world.template, copy)
    for path in (copy, *copy.rglob("*")):
        os.chown(path, 12345, 12345)
    return world.bake(str(copy))


def by_eight_at_once(world: World) -> Path:
    folders = [f"eighth{number}" for number in range(7)]
    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(world.bake, str(world.template), "--output-dir", name) for name in folders]
        project = world.bake(str(world.template))
        for other in others:
            other.result()
    contents = [Project(world.here / name / "flights", ANSWERS).contents for name in folders]
    assert all(content == Project(project, ANSWERS).contents for content in contents)
    return project


def by_machine_without_git(world: World) -> Path:
    (world.here / "tools").mkdir()
    return world.bake(str(world.template), PATH=str(world.here / "tools"))


def by_plain_c_locale(world: World) -> Path:
    return world.bake(str(world.template), LC_ALL="C")


def by_ascii_locale(world: World) -> Path:
    return world.bake(str(world.template), LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")


def by_lone_git(world: World) -> Path:
    git(world.here, "init", "--quiet", "--initial-branch", "trunk", "flights")
    project = world.bake(str(world.template))
    assert git(project, "log", "--format=%s", "trunk") == "Bake flights with Handrail"
    return project


def by_clone_of_an_empty_repository(world: World) -> Path:
    git(world.here, "init", "--quiet", "--bare", "empty.git")
    git(world.here, "clone", "--quiet", "empty.git", "flights")
    project = world.bake(str(world.template))
    assert git(project, "config", "remote.origin.url") == str(world.here / "empty.git")
    assert git(project, "rev-list", "--count", "HEAD") == "1"
    return project


def by_empty_folder(world: World) -> Path:
    (world.here / "flights").mkdir()
    return world.bake(str(world.template))


def beside_foreign_names(world: World) -> Path:
    """Packages called like ours, in the working folder and on the path, with code that must not run."""
    for name in ("hooks", "handrail", "handrail/scaffold", "questions"):
        (world.here / name).mkdir()
        (world.here / name / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    return world.bake(str(world.template), PYTHONPATH=str(world.here))


def by_cruft(world: World) -> Path:
    (world.here / "answers.json").write_text(json.dumps(ANSWERS), encoding="utf-8")
    options = ["--no-input", "--extra-context-file", "answers.json"]
    done = world.run(sys.executable, "-m", "cruft", "create", *options, f"file://{world.template}")
    assert done.returncode == 0, done.stdout + done.stderr
    (world.here / "flights" / ".cruft.json").unlink()
    return world.here / "flights"


def by_another_cookiecutter(version: str) -> Callable[[World], Path]:
    """Return the route by a release of cookiecutter, installed for it; the newest where none is named."""

    def bake(world: World) -> Path:
        python = installed(world, *version.split())
        done = world.run(python, "-m", "cookiecutter", "--no-input", str(world.template), *TYPED)
        assert done.returncode == 0, done.stdout + done.stderr
        return world.here / "flights"

    return bake


def installed(world: World, *requirements: str) -> str:
    """Install into a new environment; return its Python. Skips the test where no index can be reached."""
    uv, folder = Path(sys.executable).with_name("uv"), world.here / "environment"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    line = [uv, "pip", "install", "--quiet", "--python", python, *requirements]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode and "could not connect" in done.stderr.lower():
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    return str(python)


# A route, and what its record says in another way than the reference: `SHA` is the template's own commit.
ON_A_MACHINE = "the template was a folder or file on one machine: say where it is now"
NO_COMMIT = {"commit": None, "reason": f"{ON_A_MACHINE}; the template's commit is not known"}
ROUTES = {
    "path": (lambda world: world.bake(str(world.template)), {}),
    "relative path": (lambda world: world.bake(os.path.relpath(world.template, world.here)), {}),
    "git+file": (lambda world: world.bake(f"git+file://{world.template}"), {}),
    "bare repository": (by_bare_repository, {}),
    "zip": (by_archive, NO_COMMIT),
    "--checkout": (by_earlier_commit, {}),
    "--directory": (by_monorepo, {"directory": "data/ml", "commit": ...}),
    "--replay": (by_replay, {}),
    "user configuration": (by_configuration, {}),
    "Python twice": (by_python_twice, {}),
    "Python between other templates": (by_python_between_others, {}),
    "Python after another version": (by_python_after_another_version, {}),
    "read-only template": (by_read_only_template, {}),
    "foreign-owned template": (by_foreign_template, {}),
    "eight at once": (by_eight_at_once, {}),
    "no git": (by_machine_without_git, NO_COMMIT),
    "LC_ALL=C": (by_plain_c_locale, {}),
    "ASCII only": (by_ascii_locale, {}),
    "lone .git": (by_lone_git, {}),
    "clone of an empty repository": (by_clone_of_an_empty_repository, {}),
    "empty folder": (by_empty_folder, {}),
    "packages called like ours": (beside_foreign_names, {}),
    "cruft create": (by_cruft, {}),
    "cookiecutter 2.6": (by_another_cookiecutter("cookiecutter==2.6.0"), {}),
    "cookiecutter 2.6 with the click of its time": (
        by_another_cookiecutter("cookiecutter==2.6.0 click<8.2"),
        {},
    ),
    "cookiecutter 2.7": (by_another_cookiecutter("cookiecutter==2.7.0"), {}),
    "newest cookiecutter": (by_another_cookiecutter("cookiecutter"), {}),
}
FAST = {"path", "git+file", "no git"}


@pytest.mark.parametrize("name", slow_but(FAST, ROUTES))
def test_route(name, world, reference):
    route, different = ROUTES[name]
    project = Project(route(world), ANSWERS)
    contents, expected = project.contents, reference.contents
    record, wanted = (json.loads(files.pop(".handrail.json")) for files in (contents, expected))
    assert contents.keys() == expected.keys()
    assert [file for file in contents if contents[file] != expected[file]] == []
    assert wanted["commit"] == world.commit
    assert {key: record[key] for key in record if key not in different} == {
        key: wanted[key] for key in wanted if key not in different
    }
    assert [record[key] for key, value in different.items() if value is not ...] == [
        value for value in different.values() if value is not ...
    ]


def test_the_reference_is_what_was_asked_for(reference):
    record = json.loads(reference.text(".handrail.json"))
    assert record["answers"].items() >= ANSWERS.items()
    assert (record["template"], record["dirty"], record["directory"]) == (None, False, "")
    assert (record["reproducible"], record["reason"]) == (False, ON_A_MACHINE)
    (wheel,) = (reference.path / "vendor").iterdir()
    assert wheel.name == f"handrail-{record['engine']}-py3-none-any.whl"
    assert record["engine"].startswith(f"{record['version']}+h")
    assert not any("@" in name for name in reference.files)


@pytest.mark.slow
def test_cruft_brings_a_later_version_to_a_project_with_edits(world):
    template = world.here / "template"
    git(world.here, "clone", "--quiet", str(world.template), str(template))
    line = [sys.executable, "-m", "cruft"]
    done = world.run(*line, "create", "--no-input", str(template))
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "Not baked by cookiecutter itself: no repository was made. "
        "Later: git init, git add --all, git commit.\n"
    )
    project = world.here / "late-flights"
    committed(project)
    edited = sorted(project.glob("*/*.md"))[:9]
    for path in edited:
        path.write_text(f"{path.read_text(encoding='utf-8')}\nOurs.\n", encoding="utf-8")
    (project / "ours.md").write_text("Ours.\n")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "ours")
    ignored = template / "{{cookiecutter.project_slug}}" / ".gitignore"
    ignored.write_text(f"/later/\n{ignored.read_text(encoding='utf-8')}", encoding="utf-8")
    (template / "src" / "handrail" / "later.py").write_text('"""Only in the later one."""\n')
    git(template, "commit", "--quiet", "--all", "--message", "ignore")
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--message", "later")
    before = json.loads((project / ".handrail.json").read_text(encoding="utf-8"))
    done = world.run(*line, "update", "--project-dir", str(project), "--skip-apply-ask")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / ".gitignore").read_text(encoding="utf-8").startswith("/later/\n")
    assert all(path.read_text(encoding="utf-8").endswith("\nOurs.\n") for path in edited)
    assert (project / "ours.md").read_text() == "Ours.\n"
    record = json.loads((project / ".handrail.json").read_text(encoding="utf-8"))
    assert record["commit"] == git(template, "rev-parse", "HEAD") != before["commit"]
    assert record["engine"] != before["engine"]
    (wheel,) = (project / "vendor").iterdir()
    assert wheel.name == f"handrail-{record['engine']}-py3-none-any.whl"
    assert list(project.rglob("*.rej")) == []
