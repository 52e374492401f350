"""Leave out the parts that were not chosen, record the answers, make the first commit.

A file or folder `name@word` stays only if `word` was chosen, and loses its `@word`; `name@word+other` stays
if either was.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

WORD = re.compile(r"@([a-z0-9_]+(?:\+[a-z0-9_]+)*)")
RECORD = ".handrail.json"
CACHES = {"__pycache__", ".ruff_cache", ".pytest_cache"}
LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
# With the threshold git writes one pack instead of a file for each object, uncompressed: four times as fast.
PLAIN = """init.defaultBranch=main core.bigFileThreshold=1 core.compression=0 core.fsync=none
    core.hooksPath=.git/no-hooks core.safecrlf=false core.fsmonitor=false""".split()


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
    return subprocess.Popen(line, env=environment, encoding="utf-8", stdin=pipe, stdout=pipe, stderr=pipe)


def end_git(process: subprocess.Popen) -> str:
    """Return what a git command has printed. Raises CalledProcessError if it failed."""
    said, errors = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, said, errors)
    return said.strip()


def git(folder: Path, *command: str) -> str:
    """Return what a git command prints. Raises OSError without git, CalledProcessError if it fails."""
    return end_git(start_git(folder, *command))


class Repository:
    """A new git repository with one commit, made while the files are still being written.

    `remark` is what has to be said about it: with one, there is no repository, or no commit in it.
    """

    def __init__(self, project: Path) -> None:
        """Start making it, unless the project is inside a work tree already or git is not installed."""
        self.project, self.remark = project, ""
        self.making = self.index = None
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

    def add(self, names: Iterable[str]) -> None:
        """Hand over files that are complete; git reads them while the work goes on."""
        if self.remark:
            return
        try:
            if not self.index:
                end_git(self.making)
                self.index = start_git(self.project, "update-index", "--add", "-z", "--stdin")
            self.index.stdin.write("".join(f"{name}\0" for name in names))
            self.index.stdin.flush()
        except subprocess.CalledProcessError as error:
            self.fail(error)
        except BrokenPipeError:  # it has failed: `commit` sees why
            pass

    def commit(self, message: str, name: str, mail: str) -> None:
        """Commit what was handed over, in the name that git knows, or else in the given one.

        In steps: `git commit` would read every file again, as they are as young as the index.
        """
        if self.remark:
            return
        try:
            end_git(self.index)
            commit = ("commit-tree", "-m", message, git(self.project, "write-tree"))
            try:
                made = git(self.project, "-c", "user.useConfigOnly=true", *commit)
            except subprocess.CalledProcessError:  # nobody has told git who they are
                author = ("-c", f"user.name={name}", "-c", f"user.email={mail}")
                made = git(self.project, *author, *commit)
            git(self.project, "update-ref", "-m", f"commit (initial): {message}", "HEAD", made)
        except subprocess.CalledProcessError as error:
            self.fail(error)

    def abandon(self) -> None:
        """End what was started, so that the project's folder can be removed."""
        for process in filter(None, (self.making, self.index)):
            process.kill()
            process.communicate()

    def fail(self, error: subprocess.CalledProcessError) -> None:
        """Keep git's reason for the user."""
        reason = (error.stderr.strip() or "no reason given").splitlines()[-1]
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
    (project / RECORD).write_text(text + "\n", encoding="utf-8", newline="\n")
    repository.add([RECORD])
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
    repository.add(names)
    finish(project, answers, ask_template(answers), repository)


def failure(project: Path, error: OSError) -> str:
    """Return what to say when a file could not be written."""
    return f"{error.filename or project}: {error.strerror}. No project was made: mend that, then bake again."


if __name__ == "__main__":
    try:
        main(Path.cwd(), json.loads({{cookiecutter | jsonify | jsonify}}))  # noqa: F821
    except OSError as error:
        sys.exit(failure(Path.cwd(), error))
