"""`handrail check`: each project of a folder, and what of it is not as it should be."""

import json
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handrail.scaffold.check import check, last_look
from handrail.scaffold.standard import content_hash
from tests.template.baking import isolated
from tests.template.histories import (
    HANDRAIL,
    Said,
    appended,
    baked,
    changed,
    copy_of,
    git,
    ran,
    record,
    three_versions,
)


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """A template with three versions."""
    return three_versions(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def made(history, tmp_path_factory) -> Path:
    """A project of stage operation, of the first version."""
    return baked(f"git+file://{history}", tmp_path_factory.mktemp("made"), "--checkout", "v0.2.0")


@pytest.fixture
def project(made, tmp_path) -> Path:
    """The same, to change."""
    return copy_of(made, tmp_path / "projects")


def run(folder: Path, *arguments: str) -> Said:
    """Run `handrail check` in a folder; return its status and what it said."""
    return ran(folder, folder / "home", "check", *arguments, COLUMNS="200")


def only(project: Path) -> dict:
    """Return what is found of a project."""
    (found,) = check([project])
    return found.record()


def test_a_project_that_was_just_baked_from_the_newest_version_is_as_it_should_be(history, tmp_path):
    there = tmp_path / "there"
    baked(f"git+file://{history}", there)
    status, out, err = run(there)
    assert (status, err) == (0, "")
    header, row, count = out.splitlines()
    columns = ["project", "template", "behind", "standard files", "engine", "signed", "last look"]
    assert re.split(r"\s{2,}", header.strip()) == columns
    newest = git(history, "rev-parse", "HEAD")[:7]
    assert re.split(r"\s{2,}", row.strip()) == [
        "late-flights",
        f"0.4.0 ({newest})",
        "no",
        "all",
        "wheel, as its template made it",
        "example, report 4/4, launch 0/6, handover 0/18",
        "none here",
    ]
    assert count == "1 of 1 projects as they should be"


def test_one_that_is_behind_says_by_how_much_and_which_version_is_newest(project, history):
    count = int(git(history, "rev-list", "--count", "v0.2.0..v0.4.0"))
    status, out, _ = run(project.parent, project.name)
    assert status == 1
    assert f"  {count} commits, v0.4.0  " in out
    assert f"late-flights: {count} behind\n0 of 1 projects as they should be\n" in out


def test_projects_are_found_below_a_folder_as_those_of_one_repository_are(project):
    many = project.parent / "many"
    for place in ("team/services/churn", ".hidden/late", "team/node_modules/late"):
        shutil.copytree(project, many / place, symlinks=True)
    _, out, err = run(many)
    assert (re.findall(r"^(\S+) +0\.2\.0 ", out, re.MULTILINE), err) == (["churn"], "")
    assert "0 of 1 projects as they should be" in out


def test_standard_files_that_are_missing_or_altered_are_named(project):
    (project / ".github" / "workflows" / "ci.yml").unlink()
    (project / "4-operation" / "runbook.md").unlink()
    appended(project / ".gitignore", "/more/\n")
    appended(project / "README.md", "\nOurs.\n")  # a team's own
    found = only(project)
    assert found["missing"] == (".github/workflows/ci.yml", "4-operation/runbook.md")
    assert found["altered"] == (".gitignore",)
    assert {"missing .github/workflows/ci.yml", "altered .gitignore"} < {*found["faults"]}


def test_ends_of_lines_as_on_windows_alter_nothing(project):
    path = project / ".gitignore"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert only(project)["altered"] == ()
    assert content_hash(path) == record(project)["standard"][".gitignore"]


def wheel_of(project: Path) -> Path:
    (path,) = (project / "vendor").glob("*.whl")
    return path


def test_a_wheel_that_somebody_has_changed_is_found_out(project):
    path, other = wheel_of(project), project / "other.whl"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            more = b"\nx = 1\n" if entry.filename == "handrail/errors.py" else b""
            new.writestr(entry, content + more)
    other.replace(path)
    fault = only(project)["engine_fault"]
    assert re.fullmatch(
        rf"vendor/{re.escape(path.name)} holds 0\.2\.0\+h[0-9a-f]{{8}}: somebody has changed it", fault
    )


def test_a_wheel_that_is_missing_or_no_wheel_is_told(project):
    path = wheel_of(project)
    path.write_bytes(b"no wheel")
    assert only(project)["engine_fault"].startswith(f"vendor/{path.name} can't be read: ")
    path.unlink()
    assert only(project)["engine_fault"] == f"vendor/{path.name} is missing"


def test_a_wheel_of_another_version_than_the_record_names_is_told(project):
    kept = record(project)
    kept["engine"] = "0.2.0+h00000000"
    (project / ".handrail.json").write_text(json.dumps(kept))
    name = wheel_of(project).name
    assert only(project)["engine_fault"] == f"vendor/{name} is not the 0.2.0+h00000000 of .handrail.json"


@pytest.mark.parametrize(
    ("source", "engine", "fault"),
    [
        ('{ index = "house" }', "index", ""),
        ('{ git = "https://git.example/handrail" }', "git", ""),
        (
            '{ path = "../handrail", editable = true }',
            "folder",
            "the engine is the folder ../handrail, which no clone has",
        ),
    ],
)
def test_the_engine_s_source_is_told(project, source, engine, fault):
    own = re.compile(r"^handrail = \{.*$", re.MULTILINE)
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    assert own.search(text)
    path.write_text(own.sub(f"handrail = {source}", text), encoding="utf-8")
    found = only(project)
    assert (found["engine"], found["engine_fault"]) == (engine, fault)


def test_what_people_have_decided_and_ticked_is_counted(project):
    path = project / "3-production" / "launch.md"
    path.write_text(path.read_text(encoding="utf-8").replace("| [ ] |", "| [x] |", 2), encoding="utf-8")
    changed(project / "project.yaml", ("example: true", "example: false"))
    assert only(project)["signed"] == {
        "decision": "go",
        "report": "4/4",
        "launch": "2/6",
        "handover": "0/18",
    }


def test_the_age_of_the_last_look_and_its_alerts(project):
    path = project / "reports" / "monitoring" / "series.ndjson"
    path.parent.mkdir(parents=True)
    now = datetime.now(UTC)
    at = {days: (now - timedelta(days=days)).isoformat() for days in (1, 9)}
    rows = [(9, "latest", "alert"), (9, "latest", "ok"), (9, "latest", "alert"), (1, "back", "alert")]
    path.write_text("".join(f"{json.dumps({'at': at[d], 'of': of, 'state': s})}\n" for d, of, s in rows))
    with path.open("a") as file:
        file.write('{"at": "20')
    found = last_look(project)
    assert (found.at.isoformat(), found.alerts) == (at[9], 2)
    assert re.search(r"  9 days ago, 2 alerts *$", run(project)[1], re.MULTILINE)


def test_a_folder_that_is_no_project_and_one_that_is_broken_are_told_beside_the_others(project):
    other, broken = project.parent / "other", project.parent / "broken"
    other.mkdir()
    broken.mkdir()
    (broken / ".handrail.json").write_text("{")
    status, out, err = run(project.parent, "other", "broken", "late-flights")
    assert (status, err) == (1, "")
    assert "other: no project: it has no .handrail.json\n" in out
    assert re.search(r"^broken: .*\.handrail\.json: cannot be read: .*", out, re.MULTILINE)
    assert "0 of 3 projects as they should be\n" in out


def test_where_the_template_can_not_be_had_the_rest_is_told(project, history, tmp_path):
    kept = record(project)
    kept["template"] = f"file://{tmp_path}/nowhere"
    (project / ".handrail.json").write_text(json.dumps(kept))
    git(project, "config", "--unset", "handrail.template")
    status, out, _ = run(project)
    assert "how far 1 of them is behind is not known: " in out
    assert "1 of 1 projects as they should be" in out
    assert status == 0
    assert run(project, "--template", str(history))[0] == 1


def test_an_older_record_names_no_files(project):
    kept = record(project)
    del kept["standard"]
    (project / ".handrail.json").write_text(json.dumps(kept))
    assert (only(project)["missing"], only(project)["altered"]) == (None, None)
    assert "  not recorded  " in run(project)[1]


def test_as_json_it_is_all_that_was_found(project):
    status, out, _ = run(project.parent, "--json")
    (found,) = json.loads(out)
    assert status == 1
    assert found["engine"] == "wheel, as its template made it"
    assert found["look"] is None
    assert found["faults"] == [f"{found['behind']} behind"]
    assert found["newest"] == "v0.4.0"


def test_an_update_brings_the_standard_files_of_the_newer_version(project):
    done = subprocess.run(
        [HANDRAIL, "update"],
        cwd=project,
        env=isolated(project / "home"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = only(project)
    assert (found["behind"], found["missing"], found["altered"], found["engine_fault"]) == (0, (), (), "")
    assert found["engine"] == "wheel, as its template made it"


@pytest.mark.slow
def test_fifty_projects_are_read_from_one_clone(made, history, tmp_path, monkeypatch):
    for number in range(50):
        shutil.copytree(made, tmp_path / "fifty" / f"p{number}", symlinks=True)
    counted = []
    real = subprocess.run

    def counting(line, **options):
        counted.append([part.decode() if isinstance(part, bytes) else part for part in line])
        return real(line, **options)

    monkeypatch.setattr(subprocess, "run", counting)
    found = check(sorted((tmp_path / "fifty").iterdir()))
    assert len(found) == 50
    assert {each.engine for each in found} == {"wheel, as its template made it"}
    assert sum("clone" in line for line in counted) == 1
    assert sum("worktree" in line for line in counted) == 1
