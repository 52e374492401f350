"""The verdicts of others' tools on what they know best: workflows, containers, hooks, spelling."""

import subprocess
import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from tests.template.baking import Project, own_environment
from tests.template.checks import Found

BIN = Path(sys.executable).parent
SOUND: set[tuple[str, str, str]] = set()  # tool, name and content of what it had nothing to say about

SCHEMAS = {
    ".github/workflows/*.yml": "vendor.github-workflows",
    ".github/dependabot.yml": "vendor.dependabot",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    "*compose.yaml": "vendor.compose-spec",
    "renovate.json": "vendor.renovate",
}


def run(tool: str, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Run one of the tools that are installed beside this Python."""
    line = [BIN / tool, *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, env=own_environment(), capture_output=True, text=True, check=False)


def judged(tool: str, arguments: Iterable[object], patterns: str, projects: Iterable[Project]) -> Found:
    """Yield what a tool says of the files that match; the same content is shown to it once."""
    fresh = {}
    for project in projects:
        for name, text in project.texts.items():
            if (
                any(fnmatch(name, pattern) for pattern in patterns.split())
                and (tool, name, text) not in SOUND
            ):
                fresh.setdefault((tool, name, text), project)
    done = fresh and run(tool, *arguments, *[project.path / key[1] for key, project in fresh.items()])
    if fresh and done.returncode:
        said = f"{done.stdout}{done.stderr}"
        guilty = [project for project in fresh.values() if str(project.path) in said]
        project = (guilty or list(fresh.values()))[0]
        yield project, f"{tool}: {said.replace(f'{project.path}/', '').strip()}"
    SOUND.update(() if fresh and done.returncode else fresh)


def workflows_fit_their_schema(projects: Iterable[Project]) -> Found:
    """Yield where a workflow, or another file that a service reads, breaks the service's schema."""
    for pattern, schema in SCHEMAS.items():
        yield from judged("check-jsonschema", ["--builtin-schema", schema], pattern, projects)


def workflows_are_safe(projects: Iterable[Project]) -> Found:
    """Yield each weakness of a workflow: loose permissions, actions that are not pinned, injected text."""
    yield from judged("zizmor", ["--offline", "--quiet"], ".github/*.yml", projects)


def containers_are_sound(projects: Iterable[Project]) -> Found:
    """Yield what is wrong with a Dockerfile."""
    yield from judged("hadolint", [], "*Dockerfile*", projects)


def devcontainers_fit_their_schema(projects: Iterable[Project]) -> Found:
    """Yield what is no devcontainer.json, by the keys that the template uses; no package has all of them."""
    schema = Path(__file__).with_name("devcontainer.schema.json")
    yield from judged("check-jsonschema", ["--schemafile", schema], ".devcontainer/*.json", projects)


def stacks_are_sound(projects: Iterable[Project]) -> Found:
    """Yield what is wrong with a CloudFormation template, by AWS's own schemas."""
    yield from judged("cfn-lint", [], "*cloud/stack.yaml", projects)


def shell_is_sound(projects: Iterable[Project]) -> Found:
    """Yield what is wrong with a shell script."""
    yield from judged("shellcheck", [], "*.sh", projects)


def hooks_are_valid(projects: Iterable[Project]) -> Found:
    """Yield what pre-commit cannot use in its configuration."""
    yield from judged("pre-commit", ["validate-config"], ".pre-commit-config.yaml", projects)


def spelled_right(projects: Iterable[Project]) -> Found:
    """Yield each word that is misspelled."""
    yield from judged("codespell", [], "*.md *.py *.sql *.y*ml *.toml *.html *Dockerfile* LICENSE", projects)
