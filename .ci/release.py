"""Build what a tag releases into dist/, with its notes, as in: python .ci/release.py v0.3.0.

Nothing is built unless the tag, the version in pyproject.toml and the head of CHANGELOG.md are one, the
commit is the tag's, and no release is as new. Needs git and uv. What was built is installed, and asked for
its version.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## (\d+\.\d+\.\d+)(?: \((.+)\))?$", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Build, or say all that is in the way; return the status."""
    if len(arguments) != 1:
        print("usage: python .ci/release.py TAG", file=sys.stderr)
        return 2
    found = obstacles(arguments[0])
    if found:
        print(*found, sep="\n", file=sys.stderr)
        return 1
    version, folder = described(), ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["uv", "build", "--quiet", "--out-dir", folder], cwd=ROOT, check=True)  # noqa: S603, S607
    wheel, archive = folder / f"handrail-{version}-py3-none-any.whl", folder / f"handrail-{version}.tar.gz"
    for built in (wheel, archive):
        said = installed(built)
        if said != f"handrail {version}":
            print(f"{built.name}: says {said!r} once it is installed", file=sys.stderr)
            return 1
    (folder / "notes.md").write_text(notes(version), encoding="utf-8")
    print(*(path.name for path in sorted(folder.iterdir()) if path.name != ".gitignore"), sep="\n")
    return 0


def described() -> str:
    """Return the version of template and engine: it is one."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def obstacles(tag: str) -> list[str]:
    """Return why a tag can't be released, a sentence each."""
    version = described()
    number, remark = HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")).groups()
    headed = f"{number} ({remark})" if remark else number
    others = [numbers(each[1:]) for each in git("tag", "--list", "v*.*.*").split() if each != tag]
    there = git("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    checks = {
        f"{tag}: pyproject.toml has version {version}": tag != f"v{version}",
        f"CHANGELOG.md: is headed {headed}, not {version}": headed != version,
        f"{tag}: is not the commit that is checked out": there != git("rev-parse", "HEAD"),
        f"{tag}: a release that is as new has its tag already": max(others, default=()) >= numbers(version),
        "there are changes that no commit has": bool(git("status", "--porcelain", "--untracked-files=no")),
    }
    return [sentence for sentence, applies in checks.items() if applies]


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers that can be compared; nothing where it is none."""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"\d+\.\d+\.\d+", version) else ()


def git(*command: str) -> str:
    """Return what git says of this repository; nothing where it refuses."""
    line = ["git", *command]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()


def installed(built: Path) -> str:
    """Install what was built into an environment of its own; return what its program says of itself."""
    with tempfile.TemporaryDirectory() as folder:
        line = ["uv", "tool", "run", "--quiet", "--from", str(built), "handrail", "--version"]
        environment = os.environ | {"UV_TOOL_DIR": folder}
        done = subprocess.run(  # noqa: S603
            line, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    return done.stdout.strip() or done.stderr.strip()


def notes(version: str) -> str:
    """Return what the changelog says of a version."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = HEADING.split(text)
    return sections[sections.index(version) + 2].strip() + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
