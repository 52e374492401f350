"""`handrail new`: what cookiecutter would make, in its place whole or not at all, and what it costs."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from handrail.scaffold.errors import UpdateError
from handrail.scaffold.new import Place, put_in_place
from tests.lanes import slow_but
from tests.template.answers import TEMPLATE
from tests.template.baking import isolated
from tests.template.histories import (
    HANDRAIL,
    Said,
    baked,
    contents,
    first_version,
    git,
    on_terminal,
    ran,
    record,
    second_version,
)
from tests.template.trees import tree

ANSWERS = {
    "default": (),
    "discovery": ("stage=discovery", "ci=none"),
    "large": ("problem=forecasting", "compute=postgres", "model=keras", "ci=gitlab", "cloud=aws"),
    "texts": ("stage=discovery", 'project_name=Größe "1" & {{ x }}', "author=Ü Ö <u@example.com>"),
    "batch": ("stage=production", "api=none", "tracking=mlflow", "notebooks=marimo", "license=mit"),
}


@dataclass(frozen=True)
class Desk:
    """A folder to work in, with a user who has no settings of her own."""

    here: Path

    def new(self, *arguments: str, at: Path | None = None, **environment: str) -> Said:
        """Run `handrail new` with nobody at the terminal; return its status and what it said."""
        home = self.here.parent / "home"
        return ran(at or self.here, home, "new", *arguments, **environment)

    def made(self, *arguments: str, at: Path | None = None) -> str:
        """Make a project; return what was said."""
        status, out, err = self.new(*arguments, at=at)
        assert (status, err) == (0, ""), err
        return out

    def refused(self, *arguments: str, at: Path | None = None) -> str:
        """Be refused, with nothing written anywhere; return why."""
        before = everything(self.here)
        status, out, err = self.new(*arguments, at=at)
        assert (status, out) == (1, "")
        assert everything(self.here) == before
        assert all(line.startswith("error: ") for line in err.splitlines())
        return err.replace("error: ", "").strip()


def everything(folder: Path) -> dict[str, bytes | None]:
    """Return every file and folder, git's own too."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def desk(tmp_path) -> Desk:
    (tmp_path / "here").mkdir()
    return Desk(tmp_path / "here")


@pytest.mark.parametrize("answers", slow_but({"discovery", "large"}, ANSWERS))
def test_it_is_what_cookiecutter_makes_byte_for_byte(answers, desk, tmp_path):
    expected = baked(TEMPLATE, tmp_path / "expected", *ANSWERS[answers])
    desk.made(*ANSWERS[answers])
    (project,) = desk.here.iterdir()
    assert project.name == expected.name
    assert contents(project) == contents(expected)
    shown = ("log", "--format=%T %s %an %ae %D")  # the tree has the modes too
    assert git(project, *shown) == git(expected, *shown)
    assert git(project, "config", "--local", "--list") == git(expected, "config", "--local", "--list")
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.slow
def test_of_a_template_with_versions_it_takes_the_newest_release_or_the_one_that_is_named(desk, tmp_path):
    template = first_version(tmp_path / "template")
    second_version(template)
    (template / "README.md").write_text("later\n")
    git(template, "commit", "--quiet", "--all", "--message", "later")
    address = f"git+file://{template}"
    for to in ("v0.3.0", "v0.2.0"):
        given = () if to == "v0.3.0" else ("--to", to)
        out = desk.made("--template", address, *given, f"of-{to[3]}", "stage=discovery", "project_slug=a-b")
        expected = baked(address, tmp_path / to, "--checkout", to, "stage=discovery", "project_slug=a-b")
        found = contents(desk.here / f"of-{to[3]}")
        changes = {name for name, content in contents(expected).items() if found[name] != content}
        assert changes <= {
            "README.md",
            ".handrail.json",
            "AGENTS.md",
            "1-discovery/problem.md",
            "project.yaml",
        }
        own, other = record(desk.here / f"of-{to[3]}"), record(expected)
        assert (own["commit"], own["version"]) == (other["commit"], to[1:])
        assert out.startswith(f"template {to[1:]} (")
        assert git(desk.here / f"of-{to[3]}", "config", "handrail.template") == address
    said = desk.refused("--template", address, "--to", "v9.0.0", "x")
    assert said.endswith("has no tag, branch or commit 'v9.0.0'. Its newest versions: v0.2.0, v0.3.0")


@pytest.mark.slow
def test_a_folder_names_its_project(desk):
    out = desk.made("work/customer-churn", "stage=discovery")
    answers = record(desk.here / "work" / "customer-churn")["answers"]
    assert (answers["project_name"], answers["project_slug"]) == ("Customer churn", "customer-churn")
    assert out.splitlines()[-4:] == [
        "Next:",
        "  cd work/customer-churn",
        "  uv run customer-churn status",
        "  uv run pytest",
    ]


def test_into_the_empty_folder_at_hand(desk):
    folder = desk.here / "churn"
    folder.mkdir()
    before = folder.stat().st_ino
    out = desk.made(".", "stage=discovery", at=folder)
    assert record(folder)["answers"]["project_slug"] == "churn"
    assert folder.stat().st_ino == before  # it is still the folder that a shell stands in
    assert out.splitlines()[-3:] == ["Next:", "  uv run churn status", "  uv run pytest"]
    assert git(folder, "log", "--format=%s") == "Bake churn with Handrail"


def test_into_a_folder_with_a_lone_git(desk):
    folder = desk.here / "churn"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "trunk")
    git(folder, "remote", "add", "origin", "https://example.com/churn.git")
    desk.made("churn", "stage=discovery")
    assert git(folder, "log", "--format=%s %D") == "Bake churn with Handrail HEAD -> trunk"
    assert git(folder, "remote", "get-url", "origin") == "https://example.com/churn.git"
    assert git(folder, "status", "--porcelain") == ""


def test_a_folder_with_content_is_refused_in_one_line(desk):
    folder = desk.here / "churn"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine\n")
    said = desk.refused("churn")
    assert said == f"{folder}: holds files already. To bring Handrail to them: handrail adopt {folder}"
    assert desk.refused("churn/notes.txt") == f"{folder / 'notes.txt'}: is no folder. Take another name"


@pytest.mark.slow
def test_a_project_inside_of_a_project_is_refused(desk):
    desk.made("churn", "stage=discovery")
    inside = desk.here / "churn" / "sub"
    assert desk.refused("sub", at=desk.here / "churn") == (
        f"{inside}: is inside the project {desk.here / 'churn'}. Make it beside that: {desk.here}"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    {
        "question": (["stages=research"], "stages: is no question. Take one of: stage"),
        "choice": (
            ["stage=resurch"],
            "stage 'resurch': is no such choice. Take one of: operation, production",
        ),
        "slug": (
            ["project_slug=A b"],
            "project_slug 'A b': must be small letters, digits and single hyphens",
        ),
        "folder": (["test"], "project_slug 'test': is the name of a usual folder. Try test-project"),
        "use": (
            ["stage=production", "api=none", "batch=none"],
            'stage "production" with api "none" and batch "none": nothing would use the model.',
        ),
        "template": (["--template", "nowhere"], "nowhere: the template cannot be read: "),
        "no template": (["--template", "."], "has no cookiecutter.json, so that is no Handrail template."),
    }.values(),
)
def test_what_cannot_be_is_refused_with_nothing_written(arguments, said, desk):
    assert said in desk.refused(*arguments)


def test_two_folders_are_wrong_usage(desk):
    status, _, err = desk.new("a", "b")
    assert status == 2
    assert "b: write question=answer, as in stage=operation; DIR is one folder" in err


@pytest.mark.slow
def test_an_answer_that_cannot_apply_is_left_out_and_said(desk):
    assert "api=fastapi does not apply with stage=discovery: left out" in desk.made(
        "churn", "stage=discovery", "api=fastapi"
    )


@pytest.mark.parametrize("form", slow_but({"yaml"}, ["yaml", "json", "record"]))
def test_answers_come_from_a_file_and_the_line_goes_before_it(form, desk):
    held = {"project_name": "Churn", "stage": "discovery", "ci": "none", "author": "N O <no@example.com>"}
    text = {
        "yaml": "project_name: Churn\nstage: discovery\nci: none\nauthor: N O <no@example.com>\n",
        "json": json.dumps(held),
        "record": json.dumps({"answers": held, "version": "0.2.0"}),
    }[form]
    path = desk.here.parent / f"answers.{form}"
    path.write_text(text, encoding="utf-8")
    desk.made("--answers", str(path), "ci=gitlab")
    assert record(desk.here / "churn")["answers"] == held | {
        "ci": "gitlab",
        "license": "proprietary",
        "project_slug": "churn",
        "description": "What to expect of departures from New York's airports, in time to act on it",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "list": ("- stage", "holds no answers. Write a line for each, as stage: research"),
        "empty": ("", "holds no answers. Write a line for each, as stage: research"),
        "nested": ("stage: [research]\nci: {a: b}\n", "stage: write one text\n{path}: ci: write one text"),
        "broken": ("stage: [", "is neither YAML nor JSON: while parsing"),
    }.values(),
)
def test_a_file_of_answers_that_is_none_is_refused(text, said, desk):
    path = desk.here.parent / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    assert f"{path}: {said.format(path=path)}" in desk.refused("--answers", str(path), "churn")


def test_no_in_yaml_is_the_word_and_not_false(desk):
    path = desk.here.parent / "answers.yaml"
    path.write_text("license: no\n", encoding="utf-8")
    assert desk.refused("--answers", str(path)) == (
        "license 'no': is no such choice. Take one of: proprietary, mit, apache, bsd"
    )


@pytest.mark.parametrize("answers", slow_but({"default"}, ANSWERS))
def test_it_says_how_many_files_there_are(answers, desk):
    out = desk.made(*ANSWERS[answers])
    (project,) = desk.here.iterdir()
    files = len(tree(project))
    assert re.search(r"^([\w-]+): (\d+) files, about \d+ MB once installed$", out, re.MULTILINE)[2] == str(
        files
    )
    adds = dict(re.findall(r"^  (\w+=\w+) +adds (.+)$", out, re.MULTILINE))
    if answers == "default":
        without = baked(TEMPLATE, desk.here.parent / "without", "dashboard=none")
        assert adds["dashboard=streamlit"].startswith(f"{files - len(tree(without))} files, ")
        assert "cloud=none" not in adds


def terminal(desk: Desk, replies: list[str], *arguments: str) -> str:
    """Run `handrail new` in a pseudo-terminal, typing a reply at each prompt; return the screen."""
    environment = isolated(desk.here.parent / "home", TERM="dumb", COLUMNS="300")
    return on_terminal(desk.here, [str(HANDRAIL), "new", *arguments], replies, environment)


def test_on_a_terminal_it_asks_and_says_what_each_answer_adds(desk):
    home = desk.here.parent / "home"
    isolated(home)
    (home / ".gitconfig").write_text("[user]\n\tname = Ann Noun\n\temail = ann@example.com\n")
    replies = ["Churn", "Bad Slug", "", "", "", "3", "3", "", "", "2", "", "3", "", "", "left"]
    shown = terminal(desk, replies, "license=mit")
    assert replies == ["left"]
    asked = re.findall(r" \(([a-z_]+)\)$", shown, re.MULTILINE)
    assert asked == [
        "project_name",
        "project_slug",
        "project_slug",
        "description",
        "author",
        "stage",
        "ci",
        "problem",
        "compute",
        "model",
        "tracking",
        "notebooks",
        "labelling",
        "editor",
    ]
    assert "project_slug 'Bad Slug': must be small letters" in shown
    answers = record(desk.here / "churn")["answers"]
    assert answers["author"] == "Ann Noun <ann@example.com>"
    assert (answers["stage"], answers["ci"], answers["model"]) == ("research", "none", "lightgbm")
    assert (answers["notebooks"], answers["license"]) == ("none", "mit")
    spark = re.search(r"3  spark - .* \[adds (\d+) MB\]", shown)
    assert int(spark[1]) > 400
    jupyter = re.search(r"1  jupyter - .* \[adds 3 files, (\d+) MB\]", shown)
    assert int(jupyter[1]) > 50
    assert re.search(r"none - no notebooks; the same is done in scripts$", shown, re.MULTILINE)


@pytest.mark.slow
def test_with_no_input_nobody_is_asked_on_a_terminal(desk):
    assert "churn: 23 files" in terminal(desk, [], "--no-input", "churn", "stage=discovery")


@pytest.mark.parametrize(
    "number", slow_but({signal.SIGKILL}, [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
)
def test_a_kill_midway_leaves_no_half_project(number, desk, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    bake = tools / "sitecustomize.py"  # cookiecutter starts, says so, and takes its time
    bake.write_text(
        "import os, sys, time\n"
        "if sys.argv[0] == '-m' and 'cookiecutter' in sys.orig_argv:\n"
        "    open(os.environ['STARTED'], 'w').close()\n"
        "    time.sleep(60)\n"
    )
    folder = desk.here / "churn"
    folder.mkdir()
    git(folder, "init", "--quiet")
    before = everything(desk.here)
    started = tmp_path / "started"
    process = subprocess.Popen(
        [HANDRAIL, "new", "churn"],
        cwd=desk.here,
        env=isolated(tmp_path / "home", PYTHONPATH=str(tools), STARTED=str(started), TMPDIR=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not started.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert started.exists()
    os.killpg(process.pid, number)
    _, err = process.communicate()
    assert process.returncode != 0
    assert everything(desk.here) == before
    if number == signal.SIGINT:
        assert err == "error: stopped; no project was made\n"
    out = desk.made("churn", "stage=discovery")  # and nothing is in the way of another one
    assert "churn: 23 files" in out


@pytest.mark.parametrize("lone_git", [False, True])
def test_a_failure_midway_leaves_no_half_project(lone_git, desk, bake, monkeypatch):
    project = shutil.copytree(
        bake(stage="discovery").path, desk.here.parent / "baked", ignore=shutil.ignore_patterns(".git")
    )
    folder = desk.here / "a" / "churn"
    if lone_git:
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet")
    (desk.here / "pipeline.yml").write_text("before\n")
    before = everything(desk.here)
    original, count = Path.rename, []

    def rename(path: Path, target: Path) -> Path:
        count.append(path)
        if len(count) == (5 if lone_git else 1):
            raise OSError(28, "No space left on device", str(target))
        return original(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    beside = {"pipeline.yml": b"after\n", "new/one.yml": b"one\n"}
    with pytest.raises(UpdateError, match=r"churn.*: No space left on device. No project was made"):
        put_in_place(project, folder, beside, Place(folder, desk.here, "a/churn"))
    assert everything(desk.here) == before


@pytest.fixture
def mono(desk) -> Path:
    """A repository with something in it."""
    (desk.here / "README.md").write_text("All of us.\n")
    git(desk.here, "init", "--quiet", "--initial-branch", "main")
    git(desk.here, "add", "--all")
    git(desk.here, "commit", "--quiet", "--message", "begin")
    return desk.here


def test_as_one_of_several_its_workflows_are_at_the_top(desk, mono):
    (mono / ".gitignore").write_text("*.whl\nmodel/\n")
    out = desk.made("services/churn")
    names = ["ci", "live", "update"]
    kept = sorted(path.name for path in (mono / ".github" / "workflows").iterdir())
    assert kept == [f"services-churn-{name}.yml" for name in names]
    assert not (mono / "services" / "churn" / ".github").exists()
    assert not (mono / "services" / "churn" / ".git").exists()
    for name in names:
        text = (mono / ".github" / "workflows" / f"services-churn-{name}.yml").read_text(encoding="utf-8")
        workflow = yaml.safe_load(text)
        assert workflow["name"] == f"services/churn {name}"
        assert workflow["defaults"] == {"run": {"working-directory": "services/churn"}}
        assert workflow["concurrency"]["group"].startswith(f"services-churn-{name}")
        for event in {"push", "pull_request"} & workflow[True].keys():
            paths = workflow[True][event]["paths"]
            assert paths == ["services/churn/**", f".github/workflows/services-churn-{name}.yml"]
    assert "vars.LIVE_WORKSPACE_SERVICES_CHURN" in text or "handrail-update-services-churn" in text
    readme = (mono / "services" / "churn" / "4-operation" / "README.md").read_text(encoding="utf-8")
    assert "`../../.github/workflows/services-churn-live.yml`" in readme
    assert "`LIVE_WORKSPACE_SERVICES_CHURN`" in readme
    tracked = git(mono, "ls-files", "services/churn").splitlines()
    assert sorted(tracked) == [f"services/churn/{name}" for name in tree(mono / "services" / "churn")]
    assert git(mono, "log", "--format=%s") == "begin"
    assert "All of it is staged, and nothing is committed: git commit" in out
    assert "  .github/workflows/services-churn-ci.yml\n" in out


SCHEMAS = {
    ".github/workflows/*.yml": "vendor.github-workflows",
    ".github/dependabot.yml": "vendor.dependabot",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    ".gitlab/projects/*.yml": "vendor.gitlab-ci",
    "services/*/.gitlab-ci.yml": "vendor.gitlab-ci",
}


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "count"), [("github", 5), ("gitlab", 3)])
def test_what_is_at_the_top_is_valid_where_it_is_read(ci, count, desk, mono):
    desk.made("services/churn", f"ci={ci}", "cloud=gcp", "stage=operation")
    found = [(path, schema) for pattern, schema in SCHEMAS.items() for path in mono.glob(pattern)]
    assert len(found) == count
    for path, schema in found:
        line = (Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", schema, str(path))
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    if ci == "github":
        line = (Path(sys.executable).with_name("zizmor"), "--offline", "--quiet", str(mono / ".github"))
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    else:
        deploy = mono / "services" / "churn" / ".gitlab" / "deploy.yml"
        jobs = yaml.safe_load(deploy.read_text(encoding="utf-8"))
        assert jobs[".deploy"]["before_script"][0] == "cd services/churn"
        assert jobs["staging"]["artifacts"]["reports"]["dotenv"] == "services/churn/digest.env"


@pytest.mark.slow
def test_two_projects_share_what_a_repository_has_once(desk, mono):
    desk.made("services/churn", "stage=production")
    git(mono, "commit", "--quiet", "--all", "--message", "churn")
    desk.made("services/prices", "stage=production", "problem=regression")
    updates = yaml.safe_load((mono / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert [(each["package-ecosystem"], each["directory"]) for each in updates] == [
        ("github-actions", "/"),
        ("docker", "/services/churn/3-production"),
        ("docker", "/services/prices/3-production"),
    ]
    hooks = yaml.safe_load((mono / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [hook["files"] for group in hooks for hook in group["hooks"]] == (
        ["^services/churn/"] * 3 + ["^services/prices/"] * 3
    )
    assert len(list((mono / ".github" / "workflows").iterdir())) == 4
    assert git(mono, "diff", "--name-only") == ""


def test_a_folder_that_the_repository_ignores_is_none_of_its_projects(desk, mono):
    (mono / ".gitignore").write_text("/build/\n")
    out = desk.made("build/churn", "stage=discovery")
    assert (mono / "build" / "churn" / ".github" / "workflows" / "ci.yml").exists()
    assert not (mono / ".github").exists()
    assert "This folder is inside a git work tree already: no repository was made." in out
    assert git(mono, "diff", "--cached", "--name-only") == ""


def test_a_workflow_of_that_name_is_never_written_over(desk, mono):
    path = mono / ".github" / "workflows" / "services-churn-ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    said = desk.refused("services/churn")
    assert said == f"{path}: is there already. Move it away, or take another folder"


def test_a_folder_that_no_filter_can_name_is_refused(desk, mono):
    assert "a b/[c]: workflows can't look at a folder of that name." in desk.refused(
        "a b/[c]", "project_slug=churn", "project_name=C"
    )


@pytest.mark.slow
def test_the_template_is_that_of_the_project_at_hand_where_the_program_is_a_wheel(tmp_path, monkeypatch):
    from handrail.scaffold import source

    monkeypatch.setattr(source, "installed_from", lambda described: None)
    near = tmp_path / "projects"
    project = baked(TEMPLATE, near, "stage=discovery")
    monkeypatch.chdir(project)
    assert source.source("", "", tmp_path / "elsewhere") == source.Source(str(TEMPLATE))
    monkeypatch.chdir(tmp_path)
    assert source.source("", "v1.0.0", near) == source.Source(str(TEMPLATE), "v1.0.0")
    with pytest.raises(
        UpdateError, match=r"it is not known where the template is. Say it: --template ADDRESS"
    ):
        source.source("", "", tmp_path / "elsewhere")


@pytest.mark.slow
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_an_update_of_one_project_brings_its_workflows_and_looks_at_nothing_else(ci, desk, mono, tmp_path):
    template = first_version(tmp_path / "template")
    given = ("--template", str(template), "--to", "v0.2.0")
    desk.made(*given, "services/churn", f"ci={ci}")
    desk.made(*given, "services/prices", f"ci={ci}", "stage=discovery")
    git(mono, "commit", "--quiet", "--all", "--message", "two projects")
    folder = "{{cookiecutter.project_slug}}"
    name = ".github@github/workflows/ci.yml" if ci == "github" else ".gitlab-ci@gitlab.yml"
    path = template / folder / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("uv run deptry src", "uv run deptry src tests"), encoding="utf-8")
    second_version(template)
    changed = (
        mono / ".github/workflows/services-churn-ci.yml"
        if ci == "github"
        else mono / "services/churn/.gitlab-ci.yml"
    )
    mine = changed.read_text(encoding="utf-8").replace("uv run ruff check", "uv run ruff check -q")
    changed.write_text(mine, encoding="utf-8")
    git(mono, "commit", "--quiet", "--all", "--message", "mine")
    (mono / "README.md").write_text("Somebody is at work.\n")
    git(mono, "add", "README.md")
    (mono / "services/prices/README.md").write_text("There too.\n")
    status, out, err = updated(desk, mono / "services/churn", "--template", str(template), "stage=production")
    assert (status, err) == (0, ""), err
    now = changed.read_text(encoding="utf-8")
    assert "uv run ruff check -q" in now
    assert "uv run deptry src tests" in now
    assert "working-directory" in now or "cd services/churn" in now
    staged = set(git(mono, "diff", "--cached", "--name-only").splitlines())
    assert {"README.md", "services/churn/.handrail.json", changed.relative_to(mono).as_posix()} < staged
    assert not any(each.startswith("services/prices") for each in staged)
    if ci == "github":
        assert "  removed  ../../.github/workflows/services-churn-live.yml\n" in out
        assert not (mono / ".github/workflows/services-churn-live.yml").exists()
    again, _, err = updated(desk, mono / "services/churn", "--template", str(template), "stage=research")
    assert (again, err.startswith("error: an update is not committed yet.")) == (1, True)
    undo = re.search(r"Take back: (git restore .+)$", out, re.MULTILINE)[1]
    subprocess.run(undo.split(), cwd=mono / "services/churn/src", check=True)
    assert git(mono, "status", "--porcelain") == "M  README.md\n M services/prices/README.md"
    assert changed.read_text(encoding="utf-8") == mine


@pytest.mark.slow
def test_a_project_that_has_moved_takes_its_workflows_along(desk, mono, tmp_path):
    template = first_version(tmp_path / "template")
    desk.made("--template", str(template), "services/churn", "stage=discovery")
    git(mono, "commit", "--quiet", "--all", "--message", "churn")
    (mono / "models").mkdir()
    git(mono, "mv", "services/churn", "models/churn")
    git(mono, "commit", "--quiet", "--all", "--message", "move")
    second_version(template)
    status, out, err = updated(desk, mono / "models/churn", "--template", str(template))
    assert (status, err) == (0, ""), out + err
    kept = sorted(path.name for path in (mono / ".github" / "workflows").iterdir())
    assert kept == ["models-churn-ci.yml", "models-churn-update.yml"]
    text = (mono / ".github/workflows/models-churn-ci.yml").read_text(encoding="utf-8")
    assert "services" not in text
    assert record(mono / "models/churn")["repository_folder"] == "models/churn"


@pytest.mark.slow
def test_another_forge_for_one_project(desk, mono, tmp_path):
    template = first_version(tmp_path / "template")
    desk.made("--template", str(template), "services/churn", "stage=discovery")
    git(mono, "commit", "--quiet", "--all", "--message", "churn")
    status, out, _ = updated(desk, mono / "services/churn", "--template", str(template), "ci=gitlab")
    assert status == 0
    assert ".gitlab-ci.yml at the top does not read .gitlab/projects yet." in out
    assert (mono / ".gitlab/projects/services-churn.yml").exists()
    assert not (mono / ".github" / "workflows").exists()


def updated(desk: Desk, project: Path, *arguments: str) -> Said:
    """Run `handrail update` in a project; return its status and what it said."""
    return ran(project, desk.here.parent / "home", "update", *arguments)


@pytest.mark.slow
def test_check_knows_the_files_at_the_top(desk, mono, tmp_path):
    template = first_version(tmp_path / "template")
    desk.made("--template", str(template), "services/churn", "stage=discovery")
    git(mono, "commit", "--quiet", "--all", "--message", "churn")

    def check() -> list[str]:
        line = [HANDRAIL, "check", "--json", "--template", str(template), "services"]
        done = subprocess.run(line, cwd=mono, capture_output=True, text=True, check=False)
        (found,) = json.loads(done.stdout)
        return found["faults"]

    assert check() == []
    path = mono / ".github/workflows/services-churn-ci.yml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# mine\n", encoding="utf-8")
    assert check() == ["altered ../../.github/workflows/services-churn-ci.yml"]
    path.unlink()
    assert check() == ["missing ../../.github/workflows/services-churn-ci.yml"]


@pytest.mark.slow
def test_the_hooks_at_the_top_run_a_projects_tools_on_its_own_files(desk, mono, tmp_path):
    desk.made("services/churn", "stage=discovery")
    git(mono, "commit", "--quiet", "--all", "--message", "churn")
    tools = tmp_path / "tools"
    tools.mkdir()
    python = Path(sys.executable).parent
    (tools / "uv").write_text(  # runs what the project would, without installing it
        f'#!/bin/sh\n[ "$2" = --directory ] && cd "$3"\nshift 3\ntool=$1\nshift\nexec "{python}/$tool" "$@"\n'
    )
    (tools / "uv").chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])

    def hooks(name: str, text: str) -> subprocess.CompletedProcess[str]:
        (mono / name).write_text(text, encoding="utf-8")
        git(mono, "add", name)
        line = [python / "pre-commit", "run", "--files", name]
        env = isolated(tmp_path / "home", PATH=path)
        return subprocess.run(line, cwd=mono, env=env, capture_output=True, text=True, check=False)

    outside = hooks("tool.py", "import os\n")
    assert (outside.returncode, outside.stdout.count("(no files to check)Skipped")) == (0, 3), outside.stdout
    inside = hooks("services/churn/src/churn/own.py", '"""Mine."""\n\nimport os\n\nX: int = "a"\n')
    assert inside.returncode == 1
    assert "F401" in inside.stdout or "Found 1 error (1 fixed, 0 remaining)" in inside.stdout
    assert "invalid-assignment" in inside.stdout
