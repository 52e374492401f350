"""Templates with a history: clones of this very template, with commits and tags on top."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.template.answers import TEMPLATE
from tests.template.baking import isolated

HANDRAIL = Path(sys.executable).with_name("handrail")
PROJECT = "{{cookiecutter.project_slug}}"
PACKAGE = f"{PROJECT}/src/{{{{cookiecutter.__package}}}}"
OWN = ("-c", "user.name=Me", "-c", "user.email=me@example.com", "-c", "commit.gpgSign=false")
GREETINGS = '''"""What the engine says."""


def hello(name: str, loud: bool = False) -> str:
    """Return a greeting."""
    return name.upper() if loud else name


def goodbye() -> str:
    """Return a farewell."""
    return "bye"
'''


def git(folder: Path, *command: str) -> str:
    """Run git in a folder to its good end; return what it printed."""
    done = subprocess.run(["git", *OWN, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(command)}: {done.stderr}"
    return done.stdout.strip()


def commit(folder: Path, message: str, tag: str = "") -> str:
    """Commit all that is in a folder; return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    if tag:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


def changed(path: Path, *pairs: tuple[str, str]) -> None:
    """Replace texts in a file, each of which has to be there."""
    text = path.read_text(encoding="utf-8")
    for before, after in pairs:
        assert before in text, f"{path}: {before!r} is not there"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def copied(folder: Path) -> Path:
    """Copy what this template's repository holds, as it stands in the working folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=TEMPLATE, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (TEMPLATE / name).is_file() and not name.startswith(("tests/", "benchmarks/", "docs/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TEMPLATE / name, folder / name)
    return folder


def first_version(folder: Path) -> Path:
    """Make the template's repository, with a module of the engine that later versions change; v0.2.0."""
    copied(folder)
    (folder / "src" / "handrail" / "greetings.py").write_text(GREETINGS)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "template: begin")
    numbered(folder, "0.2.0")
    git(folder, "tag", "v0.2.0")
    return folder


def numbered(folder: Path, version: str) -> None:
    """Give the template a version, if it has another, and commit that."""
    path = folder / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    new = re.sub(r'^version = ".*"$', f'version = "{version}"', text, count=1, flags=re.MULTILINE)
    if new != text:
        path.write_text(new, encoding="utf-8")
        commit(folder, f"template: {version}")


def second_version(folder: Path) -> None:
    """A renamed file, a changed dependency, changed sentences, another interface of the engine; v0.3.0."""
    git(folder, "mv", f"{PROJECT}/docs@research/first-day.md", f"{PROJECT}/docs@research/beginning.md")
    engine = folder / "src" / "handrail"
    changed(engine / "greetings.py", ("name: str, loud", "who: str, loud"), ("name.upper", "who.upper"))
    text = (engine / "greetings.py").read_text()
    (engine / "greetings.py").write_text(
        text.replace("else name", "else who").split("\n\n\ndef goodbye")[0] + "\n"
    )
    (engine / "farewells.py").write_text(
        '"""How the engine ends."""\n\n\ndef goodbye() -> str:\n    """Return one."""\n'
    )
    changed(folder / PROJECT / "pyproject.toml", ('"numpy>=2.4,<2.5"', '"numpy>=2.4.1,<2.6"'))
    changed(folder / PROJECT / "pyproject.toml", ('"deptry>=0.25,<0.26"', '"deptry>=0.25.1,<0.27"'))
    prepended(folder / PROJECT / ".gitignore", "/second/\n")
    appended(folder / PROJECT / "1-discovery" / "problem.md", "\nSecond version.\n")
    commit(folder, "template: change what projects have")
    numbered(folder, "0.3.0")
    git(folder, "tag", "v0.3.0")


def third_version(folder: Path) -> None:
    """A removed part and question, a new question with a part, a new module of the engine; v0.4.0."""
    shutil.rmtree(folder / PROJECT / "2-research@research" / "labelling@labelling")
    path = folder / "cookiecutter.json"
    asked = json.loads(path.read_text(encoding="utf-8"))
    for table in (asked, asked["_ask_when"], asked["__prompts__"]):
        del table["labelling"]
    asked["pager"] = ["mail", "phone"]
    asked["_ask_when"]["pager"] = "operation"
    asked["__prompts__"]["pager"] = {
        "__prompt__": "How is the team called?",
        "mail": "mail - by mail",
        "phone": "phone - by phone",
    }
    path.write_text(json.dumps(asked, indent=2, ensure_ascii=False), encoding="utf-8")
    for word in asked["pager"]:
        part = folder / PROJECT / "4-operation@operation" / f"pager@{word}.md"
        part.write_text(f"# Called by {word}\n")
    (folder / "src" / "handrail" / "third.py").write_text('"""New."""\n')
    prepended(folder / PROJECT / ".gitignore", "/third/\n")
    commit(folder, "template: remove a part, add one")
    numbered(folder, "0.4.0")
    git(folder, "tag", "v0.4.0")


VERSIONS: tuple[Callable, ...] = (first_version, second_version, third_version)


def prepended(path: Path, text: str) -> None:
    """Put a text before a file's own."""
    path.write_text(text + path.read_text(encoding="utf-8"), encoding="utf-8")


def appended(path: Path, text: str) -> None:
    """Put a text after a file's own."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def three_versions(folder: Path) -> Path:
    """Make a template with three versions in a folder; return its path."""
    template = first_version(folder / "handrail")
    second_version(template)
    third_version(template)
    return template


def baked(template: str | Path, folder: Path, *arguments: str) -> Path:
    """Bake a project by cookiecutter's command, with a repository of its own; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    line = [sys.executable, "-m", "cookiecutter", str(template), "--no-input", "--default-config", *arguments]
    done = subprocess.run(
        line, cwd=folder, env=isolated(folder / "home"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(path.parent for path in folder.glob("*/.handrail.json"))


def copy_of(project: Path, folder: Path) -> Path:
    """Copy a project with its repository, to work in."""
    return Path(shutil.copytree(project, folder / project.name, symlinks=True))


def record(project: Path) -> dict:
    """Return what a project keeps of its bake."""
    return json.loads((project / ".handrail.json").read_text(encoding="utf-8"))


def contents(folder: Path, *left_out: str) -> dict[str, bytes]:
    """Return every file but git's own, and those left out, by name."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    hidden = (".git/", *left_out)
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(hidden)}


@dataclass(frozen=True)
class Snapshot:
    """All that an update could change: files, index, commits, and the names of what git keeps."""

    files: dict[str, str]
    index: str
    heads: str
    kept: frozenset[str]


class Tools:
    """A folder with a `git` that runs some lines of shell before the real one, and that can be waited for."""

    def __init__(self, folder: Path, lines: str = "") -> None:
        folder.mkdir()
        self.path = os.pathsep.join([str(folder), os.environ["PATH"]])
        os.mkfifo(folder / "running")
        self.running = os.open(folder / "running", os.O_RDONLY | os.O_NONBLOCK)
        script = f"#!/bin/sh\nexec 9>'{folder}/running'\n{lines}\nexec {shutil.which('git')} \"$@\"\n"
        (folder / "git").write_text(script)
        (folder / "git").chmod(0o755)

    def wait(self) -> None:
        """Return when no git runs any more, those too whose caller is gone."""
        os.set_blocking(self.running, True)
        while os.read(self.running, 1):
            pass
        os.set_blocking(self.running, False)


def in_project(project: Path, command: str, lines: str) -> str:
    """Return shell that runs lines when git's command is called in a project, and not in another folder."""
    return f"""case "$*" in *"-C {project} {command}"*|*"-C {project.resolve()} {command}"*) {lines};; esac"""


def snapshot(project: Path) -> Snapshot:
    """Return what is in a project's work tree and repository."""
    top = Path(git(project, "rev-parse", "--show-toplevel"))
    place = top / git(top, "rev-parse", "--git-common-dir")
    files = {
        path.relative_to(top).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in top.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(top).parts
    }
    kept = frozenset(path.relative_to(place).as_posix() for path in place.rglob("*"))
    return Snapshot(
        files, git(top, "ls-files", "--stage"), git(top, "for-each-ref") + git(top, "rev-parse", "HEAD"), kept
    )


class Said(NamedTuple):
    """How a command ended: its status, and what it said."""

    status: int
    out: str
    err: str


def ran(folder: Path, home: Path, *arguments: str | Path, **environment: str) -> Said:
    """Run `handrail` in a folder, with nobody at the terminal, as a user whose settings are in `home`."""
    done = subprocess.run(
        [HANDRAIL, *arguments],
        cwd=folder,
        env=isolated(home, PWD=str(folder), **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def on_terminal(folder: Path, line: list[str], replies: list[str], environment: dict[str, str]) -> str:
    """Run a command in a pseudo-terminal, typing a reply at each prompt; return the screen.

    Where more is asked than there are replies, the terminal is closed.
    """
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    child, screen = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe(line[0], line, environment)
    shown = ""
    while True:
        try:
            read = os.read(screen, 4096).decode()
        except OSError:  # the other end is closed
            break
        shown += read
        if shown.endswith("]: "):
            if not replies:
                break
            os.write(screen, f"{replies.pop(0)}\n".encode())
            shown += "\n"
    os.close(screen)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    return shown.replace("\r", "")
