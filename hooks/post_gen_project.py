"""Leave out the parts that were not chosen, record the answers, make the first commit.

A file or folder `name@word` stays only if `word` was chosen, and loses its `@word`; `name@word+other` stays
if either was.
"""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

WORD = re.compile(r"@([a-z0-9_]+(?:\+[a-z0-9_]+)*)")
RECORD = ".handrail.json"
CACHES = {"__pycache__", ".ruff_cache", ".pytest_cache"}
LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
# One pack, as it comes: compressing and comparing the files would take longer than writing them.
PLAIN = """init.defaultBranch=main core.compression=0 core.fsync=none fastimport.unpackLimit=1
    core.hooksPath=.git/no-hooks core.fsmonitor=false user.useConfigOnly=true""".split()
BRANCH = "refs/heads/main"


def kept_name(path: str, chosen: set[str]) -> str | None:
    """Return a path in the template, with forward slashes, as the project has it, or None if it has not."""
    asked = (words.split("+") for words in WORD.findall(path))
    if not CACHES.isdisjoint(path.split("/")) or any(chosen.isdisjoint(words) for words in asked):
        return None
    return WORD.sub("", path)


def leave_out(project: Path, chosen: set[str]) -> list[str]:
    """Remove what was not chosen and folders left empty; return the names, without `@word`, of the rest."""
    kept = []
    for path in sorted(project.rglob("*"), reverse=True):  # what is inside a folder comes before the folder
        name = kept_name(path.relative_to(project).as_posix(), chosen)
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif name is None:
            path.unlink()
        else:
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(project / name)
            kept.append(name)
    return kept


def start_git(folder: Path, *command: str) -> subprocess.Popen:
    """Start a git command; the work goes on meanwhile. Raises OSError without git."""
    options = [option for setting in PLAIN for option in ("-c", setting)]
    environment = {key: value for key, value in os.environ.items() if key not in LOCAL}
    line = ["git", "-C", str(folder), *options, *command]
    pipe = subprocess.PIPE
    return subprocess.Popen(line, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


def end_git(process: subprocess.Popen) -> str:
    """Return what a git command has printed. Raises CalledProcessError if it failed."""
    said, errors = (text.decode(errors="replace").strip() for text in process.communicate())
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, said, errors)
    return said


class Repository:
    """A new git repository with one commit, made while the files are still being written.

    `remark` is what has to be said about it: with one, there is no repository, or no commit in it.
    """

    def __init__(self, project: Path) -> None:
        """Start making it, unless the project is inside a work tree already or git is not installed."""
        self.project, self.remark = project, ""
        self.making = self.importing = self.asking = None
        self.names: list[str] = []
        if any((folder / ".git").exists() for folder in (project, *project.parents)):
            self.remark = (
                "This folder is inside a git work tree already: no repository was made. Commit it there."
            )
            return
        try:
            self.making = start_git(project, "init", "--quiet", "--template=")
        except OSError:
            self.remark = (
                "git is not installed: no repository was made. Later: git init, git add --all, git commit."
            )

    def add(self, name: str, content: bytes) -> None:
        """Hand over a file as it was written; git works on it while the next one is made."""
        if self.remark:
            return
        try:
            if not self.importing:
                end_git(self.making)
                self.importing = start_git(self.project, "fast-import", "--quiet", "--depth=0")
                self.asking = start_git(self.project, "var", "GIT_COMMITTER_IDENT")
            self.names.append(name)
            self.tell(f"blob\nmark :{len(self.names)}\n", content)
        except subprocess.CalledProcessError as error:
            self.fail(error)

    def commit(self, message: str, name: str, mail: str) -> None:
        """Commit what was handed over, in the name that git knows, or else in the given one.

        By `git fast-import`, in one process: `git add` and `git commit` would read every file again.
        """
        if self.remark:
            return
        try:
            self.tell(f"commit {BRANCH}\ncommitter {self.committer(name, mail)}\n", message.encode())
            files = (f"M 100644 :{mark} {path}\n" for mark, path in enumerate(self.names, start=1))
            self.tell("".join(files))
            end_git(self.importing)
            end_git(start_git(self.project, "read-tree", BRANCH))
        except subprocess.CalledProcessError as error:
            self.fail(error)

    def tell(self, command: str, data: bytes | None = None) -> None:
        """Write a command of the import, and the data that it counts."""
        counted = b"" if data is None else b"data %d\n%b\n" % (len(data), data)
        with suppress(BrokenPipeError):  # git has failed: `commit` sees why
            self.importing.stdin.write(command.encode() + counted)

    def committer(self, name: str, mail: str) -> str:
        """Return who commits, and when, as git writes it."""
        try:
            return end_git(self.asking)
        except subprocess.CalledProcessError:  # nobody has told git who they are
            return f"{name} <{mail}> {int(time.time())} {time.strftime('%z')}"

    def abandon(self) -> None:
        """End what was started, so that the project's folder can be removed."""
        for process in filter(None, (self.making, self.importing, self.asking)):
            process.kill()
            process.communicate()

    def fail(self, error: subprocess.CalledProcessError) -> None:
        """Keep git's reason for the user."""
        reason = (error.stderr or "no reason given").splitlines()[-1]
        self.remark = (
            f"git could not make the first commit: {reason}. The files are complete; commit them yourself."
        )


def public_address(address: str) -> str | None:
    """Return a template's address without credentials, or None for a path on this machine."""
    if re.match(r"(?!file:)[\w.+-]{2,}(@[\w.-]+)?:", address):
        return re.sub(r"//[^/@]*@", "//", address)
    return None


def ask_template(answers: dict) -> dict[str, subprocess.Popen]:
    """Start asking git for the template's commit and, if need be, its address; nothing without git."""
    folder = Path(answers["_repo_dir"])
    questions = {"commit": ("rev-parse", "HEAD"), "address": ("config", "remote.origin.url")}
    if public_address(answers["_template"]):
        del questions["address"]
    try:
        asked = questions.items() if (folder / ".git").exists() else ()
        return {what: start_git(folder, *question) for what, question in asked}
    except OSError:
        return {}


def record(answers: dict, asked: dict[str, subprocess.Popen]) -> dict:
    """Return what a later update needs: the template's address, its commit, the answers to what was asked."""
    known = {"address": answers["_template"]}
    for what, process in asked.items():
        try:
            known[what] = end_git(process)
        except subprocess.CalledProcessError:  # no commit yet, or no remote
            continue
    given = {key: answers[key] for key in answers["__asked"]}
    return {"template": public_address(known["address"]), "commit": known.get("commit"), "answers": given}


def finish(project: Path, answers: dict, asked: dict, repository: Repository) -> None:
    """Write the record, make the first commit and print what to do next. Raises OSError."""
    slug, name, mail = answers["project_slug"], answers["__author_name"], answers["__author_email"]
    text = json.dumps(record(answers, asked), ensure_ascii=False, indent=2, sort_keys=True)
    content = f"{text}\n".encode()
    (project / RECORD).write_bytes(content)
    repository.add(RECORD, content)
    repository.commit(f"Bake {slug} with Handrail", name, mail)
    if repository.remark:
        print(repository.remark, file=sys.stderr)
    here = project.parent == Path(os.environ.get("PWD", project.parent)).resolve()
    first = "demo" if "research" in answers["__chosen"] else "status"
    steps = f"cd {slug if here else project}", f"uv run {slug} {first}", "uv run pytest"
    print(f"{slug} is ready. Next:", *steps, sep="\n  ")


def main(project: Path, answers: dict) -> None:
    """Finish a project that cookiecutter has written whole. Raises OSError if it cannot write."""
    names = leave_out(project, set(answers["__chosen"]))
    repository = Repository(project)
    for name in names:
        repository.add(name, (project / name).read_bytes())
    finish(project, answers, ask_template(answers), repository)


def failure(project: Path, error: OSError) -> str:
    """Return what to say when a file could not be written."""
    return f"{error.filename or project}: {error.strerror}. No project was made: mend that, then bake again."


if __name__ == "__main__":
    try:
        main(Path.cwd(), json.loads({{cookiecutter | jsonify | jsonify}}))  # noqa: F821
    except OSError as error:
        sys.exit(failure(Path.cwd(), error))
