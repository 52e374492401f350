"""`handrail update`: newer templates and other answers come to projects that people have worked in."""

import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from handrail.scaffold.update import next_steps
from tests.template.baking import isolated
from tests.template.histories import (
    HANDRAIL,
    PROJECT,
    Said,
    Tools,
    appended,
    baked,
    changed,
    commit,
    contents,
    copy_of,
    first_version,
    git,
    in_project,
    on_terminal,
    prepended,
    ran,
    record,
    snapshot,
    three_versions,
)

TAKE_BACK = ("reset", "--quiet", "--hard")


@dataclass(frozen=True)
class Desk:
    """A folder to work in, with a user who has no settings of her own."""

    home: Path

    def update(self, project: Path, *arguments: str, **environment: str) -> Said:
        """Run `handrail update` in a folder, with nobody at the terminal."""
        return ran(project, self.home, "update", *arguments, **environment)

    def updated(self, project: Path, *arguments: str) -> str:
        """Update without a conflict and commit; return what was said."""
        done = self.update(project, *arguments)
        assert (done.status, done.err) == (0, ""), done
        git(project, "commit", "--quiet", "--message", "update")
        return done.out

    def refused(self, project: Path, *arguments: str, **environment: str) -> str:
        """Be refused, with nothing changed; return why."""
        before = snapshot(project)
        done = self.update(project, *arguments, **environment)
        assert (done.status, done.out) == (1, "")
        assert snapshot(project) == before
        assert all(line.startswith("error: ") for line in done.err.splitlines())
        return done.err.replace("error: ", "").strip()


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path / "home")


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """A template with three versions."""
    return three_versions(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def discovery(history, tmp_path_factory) -> Path:
    """A project of stage discovery, of the first version."""
    return baked(
        f"git+file://{history}", tmp_path_factory.mktemp("d"), "--checkout", "v0.2.0", "stage=discovery"
    )


@pytest.fixture(scope="module")
def operation(history, tmp_path_factory) -> Path:
    """A project of stage operation, of the first version, with labelling."""
    return baked(
        f"git+file://{history}", tmp_path_factory.mktemp("o"), "--checkout", "v0.2.0", "labelling=labelling"
    )


@pytest.fixture
def project(discovery, tmp_path) -> Path:
    """A project of stage discovery to work in."""
    return copy_of(discovery, tmp_path / "work")


@pytest.fixture
def grown(operation, tmp_path) -> Path:
    """A project of stage operation to work in."""
    return copy_of(operation, tmp_path / "work")


@pytest.mark.slow
def test_a_newer_version_comes_to_a_project_with_edits(desk, grown, history):
    ours = "\nOurs.\n"
    appended(grown / "README.md", ours)
    prepended(grown / "1-discovery" / "problem.md", "Ours.\n")
    appended(grown / "docs" / "first-day.md", ours)
    (grown / "src" / "late_flights" / "own.py").write_text('"""Our own."""\n')
    pins = '"handrail[data,serving,batch]==' + record(grown)["engine"] + '",\n'
    changed(grown / "pyproject.toml", (pins, f'{pins}    "polars>=1",\n'))
    commit(grown, "ours")
    before = snapshot(grown)
    done = desk.update(grown)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0].startswith("template 0.2.0 (")
    assert f" -> 0.4.0 ({git(history, 'rev-parse', 'v0.4.0')[:7]})" in done.out.splitlines()[0]
    assert "  renamed  docs/first-day.md -> docs/beginning.md\n" in done.out
    assert "  removed  2-research/labelling/labelling.yaml\n" in done.out
    assert "  added    4-operation/pager.md\n" in done.out
    assert "All of it is staged, and nothing is committed." in done.out
    assert git(grown, "rev-parse", "HEAD") in before.heads
    assert git(grown, "status", "--porcelain", "--untracked-files=all").count("\n?") == 0
    assert (grown / "README.md").read_text(encoding="utf-8").endswith(ours)
    assert (grown / "docs" / "beginning.md").read_text(encoding="utf-8").endswith(ours)
    problem = (grown / "1-discovery" / "problem.md").read_text(encoding="utf-8")
    assert problem.startswith("Ours.\n")
    assert problem.endswith("\nSecond version.\n")
    assert not (grown / "2-research" / "labelling").exists()
    pinned = (grown / "pyproject.toml").read_text(encoding="utf-8")
    kept = record(grown)
    assert "==" + kept["engine"] + '",\n    "polars>=1",\n' in pinned
    assert '"numpy>=2.4.1,<2.6"' in pinned
    assert kept["commit"] == git(history, "rev-parse", "v0.4.0")
    assert kept["answers"]["pager"] == "mail"
    assert [path.name for path in (grown / "vendor").iterdir()] == [
        f"handrail-{kept['engine']}-py3-none-any.whl"
    ]
    git(grown, *TAKE_BACK)
    assert snapshot(grown).files == before.files
    assert git(grown, "status", "--porcelain") == ""


@pytest.mark.slow
def test_it_ends_in_what_is_baked_at_once(desk, grown, history, tmp_path):
    desk.updated(grown, "--to", "v0.3.0")
    desk.updated(grown)
    at_once = baked(f"git+file://{history}", tmp_path / "once", "--checkout", "v0.4.0")
    assert contents(grown) == contents(at_once)
    assert "There is nothing to update." in desk.update(grown).out


@pytest.mark.slow
def test_a_project_grows_by_one_command(desk, project, history, tmp_path):
    appended(project / "1-discovery" / "problem.md", "\nOurs.\n")
    commit(project, "ours")
    said = desk.updated(project, "--to", "v0.2.0", "stage=operation", "model=lightgbm")
    assert "stage: discovery -> operation\n" in said
    assert "model: - -> lightgbm\n" in said
    new = "problem=classification compute=duckdb tracking=none notebooks=jupyter labelling=none api=fastapi"
    new += " batch=batch scheduler=none cloud=none dashboard=streamlit editor=none"
    assert f"New questions took their defaults: {new}. For others, name them in the command\n" in said
    at_once = baked(f"git+file://{history}", tmp_path / "once", "--checkout", "v0.2.0", "model=lightgbm")
    ours = {"1-discovery/problem.md": (project / "1-discovery" / "problem.md").read_bytes()}
    assert contents(project) == contents(at_once) | ours
    assert ours["1-discovery/problem.md"].endswith(b"\nOurs.\n")


@pytest.mark.slow
def test_conflicts_are_marked_and_listed_and_can_be_settled(desk, grown):
    appended(grown / "1-discovery" / "problem.md", "\nOurs, at the end.\n")
    appended(grown / "2-research" / "labelling" / "labelling.yaml", "# Ours.\n")
    git(grown, "rm", "--quiet", ".gitignore")
    commit(grown, "ours")
    before = snapshot(grown)
    done = desk.update(grown)
    assert (done.status, done.err) == (1, "")
    unmarked = ". No lines are marked in it: keep it, change it, or git rm it"
    listed = done.out[done.out.index("In conflict:\n") :].splitlines()
    assert listed[1:4] == [
        f"  .gitignore: you removed it, the template changed it{unmarked}",
        "  1-discovery/problem.md: you and the template changed it",
        f"  2-research/labelling/labelling.yaml: you changed it, the template removed it{unmarked}",
    ]
    assert listed[4].endswith("3 in conflict. All of it is staged, and nothing is committed.")
    assert listed[5].startswith("Settle each file in conflict, then git add it. ")
    problem = (grown / "1-discovery" / "problem.md").read_text(encoding="utf-8")
    assert "<<<<<<< HEAD\nOurs, at the end.\n=======\nSecond version.\n>>>>>>> " in problem
    assert "(template 0.4.0)" in problem
    assert (
        (grown / "2-research" / "labelling" / "labelling.yaml")
        .read_text(encoding="utf-8")
        .endswith("# Ours.\n")
    )
    unmerged = git(grown, "diff", "--name-only", "--diff-filter=U").split("\n")
    assert unmerged == [".gitignore", "1-discovery/problem.md", "2-research/labelling/labelling.yaml"]
    assert "an update is not committed yet" in desk.update(grown).err
    git(grown, *TAKE_BACK)
    assert snapshot(grown).files == before.files


@pytest.mark.slow
def test_what_is_in_conflict_is_settled_and_committed_as_ever(desk, grown):
    appended(grown / "1-discovery" / "problem.md", "\nOurs, at the end.\n")
    appended(grown / "2-research" / "labelling" / "labelling.yaml", "# Ours.\n")
    git(grown, "rm", "--quiet", ".gitignore")
    commit(grown, "ours")
    assert desk.update(grown).status == 1
    (grown / "1-discovery" / "problem.md").write_text("Settled.\n")
    git(grown, "rm", "--quiet", ".gitignore")
    git(grown, "add", "1-discovery/problem.md", "2-research/labelling/labelling.yaml")
    git(grown, "commit", "--quiet", "--message", "settled")
    assert git(grown, "status", "--porcelain") == ""
    assert "There is nothing to update." in desk.update(grown).out


@pytest.mark.slow
def test_a_dry_run_shows_the_same_and_changes_nothing(desk, grown):
    appended(grown / "1-discovery" / "problem.md", "\nOurs, at the end.\n")
    commit(grown, "ours")
    before = snapshot(grown)
    shown = desk.update(grown, "--dry-run")
    assert snapshot(grown) == before
    assert shown.out.endswith(". This was a dry run: nothing was changed.\n")
    done = desk.update(grown)
    assert (shown.status, done.status) == (1, 1)
    assert done.out.splitlines()[:-2] == shown.out.splitlines()[:-1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["stag=operation"], "stag: is no question. Take one of: stage"),
        (
            ["stage=operation", "model=sklern"],
            "model 'sklern': is no such choice. Take one of: sklearn, lightgbm, xgboost, keras",
        ),
        pytest.param(
            ["_engine_index=https://x"],
            "_engine_index: is no question. Take one of: ",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["author=me"],
            "author 'me': must be one name, without a comma, and a mail address.",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["stage=operation", "api=none", "batch=none"],
            'stage "operation" with api "none" and batch "none": nothing would use the model.',
            marks=pytest.mark.slow,
        ),
        (
            ["--to", "v9.9.9"],
            "has no tag, branch or commit 'v9.9.9'. Its newest versions: v0.2.0, v0.3.0, v0.4.0",
        ),
        (["--template", "/not/there"], "/not/there: the template cannot be read: "),
        (
            ["--template", "https://me:secret@127.0.0.1:9/x.git"],
            "https://127.0.0.1:9/x.git: the template cannot",
        ),
        (["--template", "https://example.com/x.zip"], "an update needs the template's history"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_in_a_line(desk, project, arguments, why):
    said = desk.refused(project, *arguments)
    assert why in said
    assert len(said.splitlines()) == 1
    assert "secret" not in said


def test_a_word_that_is_no_answer_is_wrong_usage(desk, project):
    done = desk.update(project, "operation")
    assert done.status == 2
    assert "operation: write question=answer, as in stage=operation" in done.err


@pytest.mark.slow
def test_an_answer_that_does_not_apply_is_left_out_and_said(desk, project):
    said = desk.updated(project, "--to", "v0.2.0", "api=none", "ci=gitlab")
    assert "api=none does not apply with stage=discovery: left out\n" in said
    assert "ci: github -> gitlab\n" in said
    assert (project / ".gitlab-ci.yml").exists()
    assert not (project / ".github").exists()


@pytest.mark.slow
def test_a_scheduler_comes_to_a_living_project_and_its_jobs_leave_ci(desk, grown, history, tmp_path):
    appended(grown / "4-operation" / "runbook.md", "\nOurs.\n")
    commit(grown, "ours")
    assert (grown / ".github" / "workflows" / "live.yml").exists()
    said = desk.updated(grown, "--to", "v0.2.0", "scheduler=airflow")
    assert "scheduler: none -> airflow\n" in said
    answers = ("--checkout", "v0.2.0", "labelling=labelling", "scheduler=airflow")
    at_once = contents(baked(f"git+file://{history}", tmp_path / "once", *answers))
    runbook = "4-operation/runbook.md"
    assert contents(grown) == at_once | {runbook: at_once[runbook] + b"\nOurs.\n"}
    assert {"dags/schedule.py", "dags/schedule.yaml"} <= at_once.keys()
    assert ".github/workflows/live.yml" not in at_once


@pytest.mark.slow
def test_a_cloud_comes_to_a_living_project_and_can_be_another(desk, grown, history, tmp_path):
    appended(grown / "3-production" / "launch.md", "\nOurs.\n")
    commit(grown, "ours")
    for cloud, brought in (("aws", "stack.yaml"), ("gcp", "main.tf")):
        said = desk.updated(grown, "--to", "v0.2.0", f"cloud={cloud}")
        assert f" -> {cloud}\n" in said
        answers = ("--checkout", "v0.2.0", "labelling=labelling", f"cloud={cloud}")
        at_once = contents(baked(f"git+file://{history}", tmp_path / cloud, *answers))
        launch = "3-production/launch.md"
        assert contents(grown) == at_once | {launch: at_once[launch] + b"\nOurs.\n"}
        assert {f"3-production/cloud/{brought}", ".github/workflows/deploy.yml"} <= at_once.keys()


def test_work_that_is_not_committed_is_not_touched(desk, project):
    for number, name in enumerate(["README.md", "AGENTS.md", ".gitignore", "project.yaml"], 1):
        appended(project / name, "\n")
        if number == 1:
            assert (
                desk.refused(project)
                == "README.md: changed and not committed. First: git commit, or git stash"
            )
    assert desk.refused(project).startswith(
        ".gitignore, AGENTS.md, README.md and 1 more: changed and not committed."
    )
    git(project, "add", "--all")
    git(project, "mv", "README.md", "READ.md")
    assert "READ.md and 1 more: changed and not committed." in desk.refused(project)


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [False, True])
def test_an_untracked_file_that_would_be_written_is_named(desk, project, ignored):
    (project / "2-research").mkdir()
    (project / "2-research" / "report.md").write_text("Ours, not in git.\n")
    (project / "src" / "late_flights" / "etl").write_text("a file where a folder goes\n")
    (project / "unrelated.txt").write_text("may stay\n")
    if ignored:
        (project / ".git" / "info").mkdir(exist_ok=True)
        (project / ".git" / "info" / "exclude").write_text("report.md\netl\n")
    assert desk.refused(project, "stage=research").splitlines() == [
        "2-research/report.md: is not in git, and the update would write it. Move it away",
        "src/late_flights/etl: is not in git, and the update would write it. Move it away",
    ]
    (project / "2-research" / "report.md").unlink()
    (project / "src" / "late_flights" / "etl").unlink()
    desk.updated(project, "stage=research")
    assert (project / "unrelated.txt").read_text() == "may stay\n"


@pytest.mark.slow
@pytest.mark.parametrize("mark", ["--skip-worktree", "--assume-unchanged"])
def test_a_file_that_git_does_not_look_at_is_named(desk, project, mark):
    git(project, "update-index", mark, "README.md")
    appended(project / "README.md", "\nOurs.\n")
    assert desk.refused(project, "stage=research") == (
        "README.md: git was told not to look at it. First: "
        "git update-index --no-skip-worktree --no-assume-unchanged, with this name"
    )


def test_outside_a_project_and_without_a_commit_there_is_nothing_to_update(desk, project, tmp_path):
    outside = desk.update(tmp_path)
    assert (outside.status, outside.err) == (
        1,
        f"error: {tmp_path}: no .handrail.json here or above; `cd` into a project made with Handrail\n",
    )
    shutil.rmtree(project / ".git")
    assert desk.update(project).err.endswith(". First: git init, git add --all, git commit\n")
    git(project, "init", "--quiet")
    assert "is not committed. First: git add --all, git commit" in desk.update(project).err


def test_a_record_that_cannot_be_read_is_said(desk, project):
    (project / ".handrail.json").write_text("{}")
    commit(project, "broken")
    said = desk.refused(project)
    assert (
        ".handrail.json: cannot be read: has no answers, commit, directory, engine, template, version" in said
    )
    assert said.endswith("Take it from git: git checkout -- .handrail.json")


@pytest.mark.slow
def test_a_record_without_an_address_asks_for_it_once_on_each_machine(desk, project, history, tmp_path):
    git(project, "config", "--unset", "handrail.template")
    assert desk.refused(project) == (
        ".handrail.json names no template, as it was on one machine. Say where it is: --template ADDRESS"
    )
    local = git(history, "rev-parse", "--show-toplevel")
    done = desk.update(project, "--template", os.path.relpath(local, project), "--to", "v0.3.0")
    assert done.status == 0
    assert str(history) not in (project / ".handrail.json").read_text()
    git(project, "commit", "--quiet", "--message", "update")
    desk.updated(project)
    assert record(project)["version"] == "0.4.0"


@pytest.mark.slow
def test_a_commit_that_the_template_no_longer_has_is_said(desk, project, history, tmp_path):
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(history), str(other))
    git(other, "checkout", "--quiet", "--orphan", "fresh")
    commit(other, "begin again")
    for name in ("v0.2.0", "v0.3.0", "v0.4.0"):
        git(other, "tag", "--delete", name)
    alone = tmp_path / "alone"
    git(tmp_path, "clone", "--quiet", "--single-branch", f"file://{other}", str(alone))
    git(alone, "remote", "remove", "origin")
    gone = record(project)["commit"]
    said = desk.refused(project, "--template", str(alone))
    assert said == f"{alone}: has no tag, branch or commit {gone!r}"


@pytest.mark.slow
def test_another_repository_is_no_template(desk, project, history, tmp_path):
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(history), str(other))
    git(other, "rm", "-r", "--quiet", "src")
    where = commit(other, "no engine")
    said = desk.refused(project, "--template", f"file://{other}", "--to", where)
    assert said.endswith(
        f"src/handrail/scaffold/__init__.py is not there at {where[:7]}, so that is no Handrail template"
    )


@pytest.mark.slow
def test_a_template_that_cannot_be_baked_is_said(desk, project, history, tmp_path):
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(history), str(other))
    changed(other / PROJECT / "README.md", ("{{", "{{ nothing.like.this }}{{"))
    where = commit(other, "break it")
    said = desk.refused(project, "--template", str(other), "--to", where)
    assert f"template 0.4.0 ({where[:7]}): could not be baked: " in said
    assert len(said.splitlines()) == 1


@pytest.mark.slow
def test_without_cookiecutter_and_uv_it_says_what_to_install(desk, project, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import importlib.metadata as m\n"
        "real = m.version\n"
        "def version(name):\n"
        "    if name == 'cookiecutter': raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version\n"
    )
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").symlink_to(shutil.which("git"))
    said = desk.refused(project, PYTHONPATH=str(site), PATH=str(tools), UV="")
    assert said == (
        "an update needs uv, or cookiecutter in this environment: "
        "python -m pip install 'cookiecutter>=2.6,<3'"
    )


@pytest.mark.slow
def test_new_questions_are_asked_on_a_terminal(desk, project):
    line = [str(HANDRAIL), "update", "--to", "v0.2.0", "stage=research", "labelling=none"]
    replies = ["", "", "2", "9", "1", "", ""]
    shown = on_terminal(project, line, replies, isolated(desk.home, TERM="dumb"))
    asked = [line for line in shown.splitlines() if line.endswith(")") and "? (" in line]
    assert [line.rpartition(" (")[2] for line in asked] == [
        "problem)",
        "compute)",
        "model)",
        "tracking)",
        "notebooks)",
        "editor)",
    ]
    assert "  2  lightgbm - gradient boosting that stays fast" in shown
    answers = record(project)["answers"]
    assert (answers["model"], answers["tracking"], answers["notebooks"]) == ("lightgbm", "none", "jupyter")
    assert "took their defaults" not in shown


@pytest.mark.slow
def test_a_project_inside_a_larger_repository(desk, discovery, tmp_path):
    top = tmp_path / "mono"
    project = top / "data" / "late flights"
    project.parent.mkdir(parents=True)
    shutil.copytree(discovery, project, ignore=shutil.ignore_patterns(".git"))
    (top / "README.md").write_text("All of us.\n")
    (top / "1-discovery").mkdir()
    (top / "1-discovery" / "problem.md").write_text("Another one.\n")
    appended(project / "1-discovery" / "problem.md", "\nOurs.\n")
    git(top, "init", "--quiet", "--initial-branch", "main")
    commit(top, "all")
    git(top, "checkout", "--quiet", "--detach")
    outside = contents(top, "data/")
    where = git(discovery, "config", "handrail.template")
    done = desk.update(project / "src", "--template", where, "--to", "v0.2.0", "stage=operation", "--dry-run")
    assert "  added    4-operation/README.md\n" in done.out
    desk.updated(project / "src", "--template", where, "--to", "v0.2.0", "stage=operation")
    assert contents(top, "data/") == outside
    assert (project / "4-operation" / "README.md").exists()
    assert (project / "1-discovery" / "problem.md").read_text(encoding="utf-8").endswith("\nOurs.\n")
    assert git(top, "status", "--porcelain") == ""
    appended(top / "README.md", "Not committed.\n")
    appended(project / "README.md", "Not committed.\n")
    assert desk.refused(project, "--template", where).startswith(
        "data/late flights/README.md: changed and not committed."
    )
    git(project, "checkout", "--", "README.md")
    done = desk.update(project, "--template", where, "--to", "v0.2.0", "stage=discovery")
    assert "Take back: git restore -SW ':/data/late flights'" in done.out
    assert git(top, "status", "--porcelain", "README.md") == "M README.md"


@pytest.mark.slow
def test_in_a_second_work_tree(desk, project, tmp_path):
    git(project, "worktree", "add", "--quiet", "-b", "update", str(tmp_path / "second"))
    before = snapshot(project).files
    desk.updated(tmp_path / "second", "stage=research")
    assert (tmp_path / "second" / "2-research" / "README.md").exists()
    assert snapshot(project).files == before


@pytest.mark.slow
def test_a_template_in_a_folder_of_a_repository(desk, history, tmp_path):
    top = tmp_path / "mono"
    (top / "x").mkdir(parents=True)
    git(history, "archive", "--output", str(tmp_path / "all.tar"), "v0.2.0")
    (top / "x" / "ml").mkdir()
    shutil.unpack_archive(tmp_path / "all.tar", top / "x" / "ml")
    git(top, "init", "--quiet", "--initial-branch", "main")
    commit(top, "all")
    project = baked(f"git+file://{top}", tmp_path / "p", "--directory", "x/ml", "stage=discovery")
    prepended(top / "x" / "ml" / PROJECT / ".gitignore", "/later/\n")
    commit(top, "later")
    desk.updated(project)
    assert (project / ".gitignore").read_text(encoding="utf-8").startswith("/later/\n")
    desk.updated(project, "--template", str(top / "x" / "ml"), "ci=none")
    assert record(project)["directory"] == "x/ml"


@pytest.mark.slow
def test_a_template_on_a_server_is_known_from_the_record(desk, history, tmp_path):
    """The address has a password: it is used, and neither recorded nor shown."""
    git(tmp_path, "clone", "--quiet", "--bare", str(history), "served.git")
    git(tmp_path / "served.git", "update-server-info")
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/served.git"
        project = baked(address, tmp_path / "p", "--checkout", "v0.2.0", "stage=discovery")
        assert record(project)["template"] == address
        desk.updated(project, "--to", "0.3.0")
        secret = address.replace("127", "me:secret@127")
        assert "secret" not in desk.updated(project, "--template", secret)
        server.shutdown()
    kept = record(project)
    assert (kept["template"], kept["version"], kept["reproducible"]) == (address, "0.4.0", True)
    assert "secret" not in (project / ".git" / "config").read_text()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_) -> None:
        """Say nothing."""


@pytest.mark.slow
def test_after_the_newest_release_it_goes_with_the_branch(desk, history, tmp_path):
    template = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(history), str(template))
    prepended(template / PROJECT / ".gitignore", "/fourth/\n")
    head = commit(template, "after the release")
    project = baked(f"git+file://{template}", tmp_path / "p", "stage=discovery")
    desk.updated(project, "ci=none")
    assert record(project)["commit"] == head
    prepended(template / PROJECT / ".gitignore", "/fifth/\n")
    head = commit(template, "later")
    desk.updated(project)
    assert record(project)["commit"] == head
    git(template, "tag", "v0.5.0-rc1")
    git(template, "commit", "--quiet", "--allow-empty", "--message", "no release")
    assert git(template, "rev-parse", "HEAD")[:7] in desk.updated(project).splitlines()[0]


@pytest.mark.slow
def test_a_template_with_uncommitted_changes(desk, tmp_path):
    """What a project was baked with counts as the team's; what is there now is not taken; both are said."""
    template = first_version(tmp_path / "template")
    appended(template / PROJECT / "AGENTS.md", "\nNot committed.\n")
    appended(template / "src" / "handrail" / "greetings.py", "\nX = 1\n")
    project = baked(template, tmp_path / "p", "stage=discovery")
    said = desk.updated(project, "ci=none")
    assert "the template had uncommitted changes when this was baked: they count as yours\n" in said
    assert f"{template}: its uncommitted changes are not taken\n" in said
    assert (project / "AGENTS.md").read_text(encoding="utf-8").endswith("\nNot committed.\n")
    kept = record(project)
    assert [path.name for path in (project / "vendor").iterdir()] == [
        f"handrail-{kept['engine']}-py3-none-any.whl"
    ]
    assert f"=={kept['engine']}" in (project / "pyproject.toml").read_text(encoding="utf-8")
    assert kept["dirty"] is False


@pytest.mark.slow
def test_a_project_from_an_archive_of_a_release(desk, history, tmp_path):
    archive = tmp_path / "handrail.zip"
    git(history, "archive", "--prefix=handrail/", "--output", str(archive), "v0.3.0")
    project = baked(archive, tmp_path / "p", "stage=discovery")
    assert record(project)["commit"] is None
    said = desk.updated(project, "--template", str(history))
    assert "the template's commit is not known: v0.3.0 was taken for it\n" in said
    assert record(project)["version"] == "0.4.0"


@pytest.mark.slow
def test_a_team_that_takes_the_engine_from_an_index_gets_no_wheel(desk, project):
    git(project, "rm", "-r", "--quiet", "vendor")
    pinned = f"handrail=={record(project)['engine']}"
    changed(project / "pyproject.toml", (pinned, "handrail>=0.2"))
    commit(project, "take the engine from our index")
    done = desk.update(project, "stage=research")
    assert not (project / "vendor").exists()
    assert [line for line in done.out.splitlines() if "vendor" in line] == []


@pytest.mark.slow
def test_a_platforms_template_with_an_index(desk, history, tmp_path):
    """Its own index comes from the template; one that was typed when baking is kept."""
    template = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(history), str(template))
    changed(
        template / "cookiecutter.json",
        ('"_engine_index": ""', '"_engine_index": "https://pypi.example.com/simple"'),
    )
    commit(template, "our index")
    asked = ["stage=discovery", "ci=none"]
    own = baked(f"git+file://{template}", tmp_path / "own", *asked)
    typed = baked(
        f"git+file://{template}", tmp_path / "typed", *asked, "_engine_index=https://other.example.com/simple"
    )
    for name in ("pypi", "mirror"):
        if name == "mirror":
            changed(template / "cookiecutter.json", ("https://pypi.", "https://mirror."))
            commit(template, "another index")
            for project in (own, typed):
                desk.updated(project)
        found = [(project / "pyproject.toml").read_text(encoding="utf-8") for project in (own, typed)]
        assert f'url = "https://{name}.example.com/simple"' in found[0]
        assert 'url = "https://other.example.com/simple"' in found[1]
    assert not (own / "vendor").exists()


@pytest.mark.slow
def test_nothing_of_the_users_own_settings_counts_and_nothing_is_written_to_them(desk, project):
    desk.home.mkdir()
    settings = desk.home / ".cookiecutterrc"
    settings.write_text("default_context:\n  stage: nonsense\n  author: nobody\nreplay_dir: /nonsense\n")
    git_settings = desk.home / ".gitconfig"
    git_settings.write_text(
        "[core]\n\thooksPath = /nonsense\n\tautocrlf = input\n[commit]\n\tgpgSign = true\n"
        "[merge]\n\trenames = false\n[diff]\n\tnoprefix = true\n\trenames = false\n[status]\n\tshort = true\n"
    )
    done = desk.update(project, "stage=research", COOKIECUTTER_CONFIG=str(settings))
    assert (done.status, done.err) == (0, "")
    assert sorted(path.name for path in desk.home.rglob("*")) == [".cookiecutterrc", ".gitconfig"]


@pytest.mark.slow
def test_names_and_texts_that_are_hard_to_quote(desk, history, tmp_path):
    odd = [
        "project_name=Zoë's {{ late }} flights",
        "project_slug=flights",
        'description={% raw %} 50% of "all" \\ 🛫',
        "author=Zoë O'Neil <zoe@example.com>",
    ]
    project = baked(f"git+file://{history}", tmp_path / "p ü", *odd, "stage=discovery")
    (project / "süß \n name.txt").write_text("ours")
    commit(project, "ours")
    at_once = baked(f"git+file://{history}", tmp_path / "once", *odd)
    done = desk.update(project, "stage=operation", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.status == 0, done.err
    (project / "süß \n name.txt").unlink()
    assert contents(project) == contents(at_once)


@pytest.mark.slow
def test_another_name_moves_the_package_and_what_the_team_added_to_it(desk, project):
    (project / "src" / "late_flights" / "own.py").write_text('"""Our own."""\n')
    commit(project, "ours")
    desk.updated(project, "--to", "v0.2.0", "project_slug=delays")
    assert (project / "src" / "delays" / "own.py").exists()
    assert not (project / "src" / "late_flights").exists()


@pytest.mark.slow
def test_lines_that_use_the_engine_as_it_no_longer_is_are_named(desk, project):
    own = project / "src" / "late_flights" / "own.py"
    own.write_text(
        '"""Ours."""\n\nfrom handrail import greetings\nfrom handrail.greetings import goodbye, hello\n\n'
        'print(hello(name="you"), greetings.goodbye(), goodbye(), hello("you", True))\n'
    )
    commit(project, "ours")
    done = desk.update(project)
    moved = "handrail.greetings.goodbye is no longer there; now handrail.farewells.goodbye"
    at = done.out.splitlines().index("These lines use the engine as it no longer is:")
    assert done.out.splitlines()[at + 1 : at + 4] == [
        f"  src/late_flights/own.py:4: {moved}",
        "  src/late_flights/own.py:6: handrail.greetings.hello: missing a required argument: 'who'",
        f"  src/late_flights/own.py:6: {moved}",
    ]
    assert done.status == 0


STEPS = [
    (step, when)
    for step in ("unpack-objects", "update-index", "checkout-index")
    for when in ("before", "after")
]


@pytest.mark.parametrize(
    ("step", "when"),
    [pytest.param(*each, marks=pytest.mark.slow) for each in STEPS],
)
def test_killed_in_the_middle_it_is_taken_back_by_one_command(desk, project, tmp_path, step, when):
    """Git kills the update that called it, at each step that writes into the project."""
    appended(project / "1-discovery" / "data.md", "\nOurs.\n")
    (project / "untracked.txt").write_text("ours")
    commit(project, "ours")
    before = snapshot(project)
    kill = "kill -9 $PPID" if when == "before" else f'{shutil.which("git")} "$@"; kill -9 $PPID; exit'
    tools = Tools(tmp_path / "tools", in_project(project, step, kill))
    line, environment = [HANDRAIL, "update", "stage=research"], isolated(desk.home, PATH=tools.path)
    assert subprocess.run(line, cwd=project, env=environment, check=False).returncode == -9
    tools.wait()
    reached = git(project, "status", "--porcelain", "--untracked-files=no") != ""
    if (step, when) != (
        "update-index",
        "before",
    ):  # git, which has all that it needs, may still go on by itself
        assert reached == (step != "unpack-objects")
    git(project, *TAKE_BACK)
    assert snapshot(project).files == before.files
    assert git(project, "status", "--porcelain") == ""
    assert desk.update(project, "stage=research").status == 0


@pytest.mark.slow
def test_stopped_by_ctrl_c_it_changes_nothing(desk, project, tmp_path):
    before = snapshot(project)
    tools = Tools(tmp_path / "tools", 'case "$*" in *cherry-pick*) kill -INT $PPID; exit 1;; esac')
    done = desk.update(project, "stage=research", PATH=tools.path)
    assert (done.status, done.err) == (130, "error: stopped; nothing was changed\n")
    assert snapshot(project) == before


@pytest.mark.slow
def test_ctrl_c_while_it_is_put_in_place_comes_too_late(desk, project, tmp_path):
    tools = Tools(tmp_path / "tools", in_project(project, "checkout-index", "kill -INT $PPID"))
    done = desk.update(project, "stage=research", PATH=tools.path)
    assert (done.status, done.err) == (0, "")
    assert git(project, "diff", "--name-only") == ""
    assert "A  2-research/report.md" in git(project, "status", "--porcelain").splitlines()


@pytest.mark.slow
def test_what_git_cannot_write_is_taken_back(desk, project, tmp_path):
    """As on a full disk: the last step fails after a part of it."""
    before = snapshot(project)
    fails = f"cd {project}; rm README.md; mkdir 2-research; echo x > 2-research/report.md"
    fails += '; echo "fatal: No space left on device" >&2; exit 128'
    tools = Tools(tmp_path / "tools", in_project(project, "checkout-index", fails))
    done = desk.update(project, "stage=research", PATH=tools.path)
    assert done.status == 1
    assert done.err == "error: git checkout-index: fatal: No space left on device: nothing was changed\n"
    assert snapshot(project).files == before.files


@pytest.mark.slow
def test_another_git_at_work_is_waited_for_by_people(desk, project):
    before = snapshot(project)
    (project / ".git" / "index.lock").touch()
    done = desk.update(project, "stage=research")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("error: git update-index: fatal: Unable to create ")
    assert done.err.endswith(": nothing was changed\n")
    now = snapshot(project)
    assert (now.files, now.index, now.heads) == (before.files, before.index, before.heads)


@pytest.mark.parametrize("changed", [{"compute": ("duckdb", "spark")}, {"compute": ("spark", "duckdb")}, {}])
def test_where_the_data_is_elsewhere_from_now_on_it_says_what_is_next(changed):
    plan = SimpleNamespace(changed=changed)
    outcome = SimpleNamespace(changes=(), conflicts=(), undo="git reset --hard", plan=plan)
    lines = next_steps(outcome, dry_run=False)
    said = [f"Then: uv sync, and `etl` once, which loads the table into {to}" for _, to in changed.values()]
    assert [line for line in lines if line.startswith("Then: ")] == said
    assert "Then: " not in "".join(next_steps(outcome, dry_run=True))


@pytest.mark.parametrize("engine", ["postgres", "spark"])
@pytest.mark.parametrize(
    "line", ["maximum_rejected_share: 0.01", "memory_limit: 2GB", "by: time", "sampled: [flights]"]
)
def test_settings_of_the_data_that_a_team_has_changed_go_along_to_another_engine(
    bake, tmp_path, engine, line
):
    before, after = bake(compute="duckdb").path / "project.yaml", bake(compute=engine).path / "project.yaml"
    text, own = before.read_text(), f"{line.partition(':')[0]}: changed"
    assert text.count(f"  {line} ") + text.count(f"  {line}\n") == 1
    ours = tmp_path / "project.yaml"
    ours.write_text(text.replace(line, own))
    merged = subprocess.run(
        ["git", "merge-file", "-p", ours, before, after], capture_output=True, text=True, check=False
    )
    assert (merged.returncode, merged.stderr) == (0, "")
    assert merged.stdout == after.read_text().replace(line, own)
