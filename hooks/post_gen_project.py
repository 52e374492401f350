"""Leave out the parts that were not chosen, record the answers, make the first commit.

A file or folder `name@word` stays only if `word` was chosen, and loses its `@word`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

WORD = re.compile(r"@([a-z0-9_]+)")
CACHES = {"__pycache__", ".ruff_cache", ".pytest_cache"}
LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
# A user's own hooks, signing, ignore rules and background work have no business in the first commit. With the
# threshold, git writes one pack instead of a file for each object, uncompressed: four times as fast.
PLAIN = """init.defaultBranch=main core.bigFileThreshold=1 core.compression=0 core.hooksPath=.git/no-hooks
    core.excludesFile= commit.gpgSign=false core.safecrlf=false core.fsmonitor=false gc.auto=0
    maintenance.auto=false""".split()


def leave_out(project: Path, chosen: set[str]) -> None:
    """Remove what was not chosen and folders left empty; strip `@word` from the rest."""
    for path in sorted(project.rglob("*"), reverse=True):  # what is inside a folder comes before the folder
        inside = path.relative_to(project)
        words = set(WORD.findall(inside.as_posix()))
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and (CACHES.intersection(inside.parts) or not words <= chosen):
            path.unlink()
        elif "@" in path.name:
            path.rename(path.with_name(WORD.sub("", path.name)))


def start_git(folder: Path, *command: str) -> subprocess.Popen:
    """Start a git command; the work goes on meanwhile. Raises OSError without git."""
    options = [option for setting in PLAIN for option in ("-c", setting)]
    environment = {key: value for key, value in os.environ.items() if key not in LOCAL}
    line = ["git", "-C", str(folder), *options, *command]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        line, env=environment, text=True, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL
    )


def end_git(process: subprocess.Popen) -> str:
    """Return what a git command has printed. Raises CalledProcessError if it failed."""
    said, errors = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, said, errors)
    return said.strip()


def git(folder: Path, *command: str) -> str:
    """Return what a git command prints. Raises OSError without git, CalledProcessError if it fails."""
    return end_git(start_git(folder, *command))


def public_address(address: str) -> str | None:
    """Return a template's address without credentials, or None for a path on this machine."""
    if re.match(r"(?!file:)[\w.+-]{2,}(@[\w.-]+)?:", address):
        return re.sub(r"//[^/@]*@", "//", address)
    return None


def ask_template(answers: dict) -> list[subprocess.Popen]:
    """Start asking git for the template's commit and for where it was cloned from; nothing without git."""
    folder = Path(answers["_repo_dir"])
    if not (folder / ".git").exists():
        return []
    try:
        return [start_git(folder, "rev-parse", "HEAD"), start_git(folder, "config", "remote.origin.url")]
    except OSError:
        return []


def record(answers: dict, asked: list[subprocess.Popen]) -> dict:
    """Return what a later update needs: the template's address, its commit if known, the answers."""
    known = []
    for process in asked:
        try:
            known.append(end_git(process))
        except subprocess.CalledProcessError:  # no commit yet, or no remote
            known.append("")
    commit, origin = known or ("", "")
    address = public_address(answers["_template"]) or public_address(origin)
    given = {key: value for key, value in answers.items() if not key.startswith("_")}
    return {"template": address, "commit": commit or None, "answers": given}


def first_commit(project: Path, answers: dict) -> str:
    """Commit everything to a new repository; return what is to be said about it, if anything."""
    if any((folder / ".git").exists() for folder in (project, *project.parents)):
        return "This folder is inside a git work tree already: no repository was made. Commit it there."
    name, mail = answers["__author_name"], answers["__author_email"]
    commit = ("commit", "--quiet", "--message", f"Bake {answers['project_slug']} with Handrail")
    try:
        git(project, "init", "--quiet", "--template=")
        git(project, "add", "--all")
        try:
            git(project, "-c", "user.useConfigOnly=true", *commit)
        except subprocess.CalledProcessError:  # nobody has told git who they are
            git(project, "-c", f"user.name={name}", "-c", f"user.email={mail}", *commit)
    except OSError:
        return "git is not installed: no repository was made. Later: git init, git add --all, git commit."
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip() or "no reason given").splitlines()[-1]
        return f"git could not make the first commit: {reason}. The files are complete; commit them yourself."
    return ""


def main(project: Path, answers: dict) -> None:
    """Finish a project in its folder and print what to do next. Raises OSError if it cannot write."""
    slug, chosen = answers["project_slug"], set(answers["__chosen"])
    asked = ask_template(answers)
    leave_out(project, chosen)
    text = json.dumps(record(answers, asked), ensure_ascii=False, indent=2, sort_keys=True)
    (project / ".handrail.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    remark = first_commit(project, answers)
    if remark:
        print(remark, file=sys.stderr)
    here = project.parent == Path(os.environ.get("PWD", project.parent)).resolve()
    first = "demo" if "research" in chosen else "status"
    steps = f"cd {slug if here else project}", f"uv run {slug} {first}", "uv run pytest"
    print(f"{slug} is ready. Next:", *steps, sep="\n  ")


def failure(error: OSError) -> str:
    """Return what to say when a file could not be written."""
    return f"{error.filename}: {error.strerror}. The project is incomplete: mend it, then bake again."


if __name__ == "__main__":
    try:
        main(Path.cwd(), json.loads({{cookiecutter | jsonify | jsonify}}))  # noqa: F821
    except OSError as error:
        sys.exit(failure(error))
