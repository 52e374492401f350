"""What git knows of a project: where its files are read on the web."""

import subprocess

import pytest

from handrail.monitoring.alerts import RUNBOOK, runbook_place
from handrail.monitoring.faults import Wrong
from handrail.stages.git import web_address
from tests.engine.support.workspaces import in_workspace

GITHUB = "https://github.com/acme/late-flights/blob/HEAD"


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/acme/late-flights.git", GITHUB),
        ("https://github.com/acme/late-flights", GITHUB),
        ("https://ada:ghp_secret@github.com/acme/late-flights.git", GITHUB),
        ("https://x-access-token:secret@github.com/acme/late-flights/", GITHUB),
        ("git@github.com:acme/late-flights.git", GITHUB),
        ("ssh://git@github.com:22/acme/late-flights.git", GITHUB),
        (
            "https://oauth2:secret@gitlab.acme.example:8443/data/team/flights.git",
            "https://gitlab.acme.example:8443/data/team/flights/-/blob/HEAD",
        ),
        ("git@gitlab.com:data/team/flights.git", "https://gitlab.com/data/team/flights/-/blob/HEAD"),
        ("https://code.acme.example/late-flights.git", ""),
        ("git@github-work:acme/late-flights.git", ""),
        ("/srv/git/github/late-flights.git", ""),
        ("../late-flights", ""),
    ],
)
def test_the_address_follows_from_the_remote_without_what_is_secret(tmp_path, remote, address):
    git(tmp_path, "init", "--quiet")
    assert web_address(tmp_path) == ""
    git(tmp_path, "remote", "add", "origin", remote)
    assert web_address(tmp_path) == address
    inside = tmp_path / "projects" / "flights"
    inside.mkdir(parents=True)
    assert web_address(inside) == (f"{address}/projects/flights" if address else "")


def test_the_place_in_the_runbook_is_a_link_where_the_project_is_on_the_web(tmp_path):
    settings = in_workspace(tmp_path).model_copy(update={"root": tmp_path})
    (tmp_path / "4-operation").mkdir()
    (tmp_path / RUNBOOK).write_text("### outcomes overdue\n", encoding="utf-8")
    wrong = Wrong(kind="reading", name="outcomes overdue", text="")
    path = "4-operation/runbook.md#outcomes-overdue"
    assert runbook_place(settings, wrong) == path
    git(tmp_path, "init", "--quiet")
    assert runbook_place(settings, wrong) == path
    git(tmp_path, "remote", "add", "origin", "https://ada:secret@github.com/acme/late-flights.git")
    assert runbook_place(settings, wrong) == f"{GITHUB}/{path}"
