"""Draw every picture of the documentation from a real run of the worked example.

`python docs/site/pictures.py` bakes the default project into a temporary folder, records a terminal in
which it is run, and opens its pages in a headless Chromium. It takes some minutes.
"""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from terminal import COLUMNS, Session, recording, still  # noqa: E402

from tests.projects.dashboard_browser import QUIET, browser_there, opened, served  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
LARGEST = 300_000  # bytes
PROJECT = "late-flights"


def main() -> None:
    """Draw them all."""
    with tempfile.TemporaryDirectory(prefix="handrail-", ignore_cleanup_errors=True) as folder:
        draw(Path(folder).resolve())


def draw(work: Path) -> None:
    """Draw them from a project that is baked into `work`."""
    (work / "handrail").symlink_to(ROOT)
    written("demo.svg", recorded(work).encode())
    project = work / PROJECT
    written("tree.svg", still(tree(project), f"{PROJECT}/, as it is baked").encode())
    for verb in (("monitor", "--html"), ("status", "--html")):
        subprocess.run(["uv", "run", PROJECT, *verb], cwd=project, env=environment(), check=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_there(), args=list(QUIET))
        reports = [
            shot(browser, project / "reports" / f"{name}.html", 810, 1116) for name in ("company", "choice")
        ]
        written("report.png", png(beside(reports)))
        written("monitoring.png", png(shot(browser, project / "reports" / "monitoring.html", 1100, 1240)))
        browser.close()
    with served(project) as address, opened(address, "What it costs") as seen:
        seen.page.wait_for_timeout(3000)  # charts fade in
        whole = Image.open(BytesIO(seen.page.screenshot()))
        written("dashboard.png", png(whole.crop((40, 90, whole.width - 40, 1090))))


def environment() -> dict[str, str]:
    """Return the environment of every command: no progress that is drawn over, colours as on a terminal."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # where uv is
    return {
        **os.environ,
        "PATH": path,
        "UV_NO_PROGRESS": "1",
        "COLUMNS": str(COLUMNS),
        "TERM": "xterm-256color",
    }


def recorded(work: Path) -> str:
    """Return the recording of a project that is baked, run and tested."""
    session = Session(work, environment())
    session.run("uvx --quiet cookiecutter handrail --no-input")
    session.enter(PROJECT)
    session.run(f"uv run --quiet {PROJECT} demo")
    session.run("uv run pytest -q")
    return recording(session, "a real run; pauses are shortened")


def tree(project: Path) -> list[str]:
    """Return the files of a baked project, folder by folder; of its own code with the number of lines."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=project, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = defaultdict(list)
    for name in listed:
        parts = name.split("/")
        depth = 2 if parts[0] != "src" else 3
        folders["/".join(parts[:-1][:depth])].append("/".join(parts[len(parts[:-1][:depth]) :]))
    code = [name for name in listed if name.startswith("src/") and name.endswith((".py", ".sql"))]
    lines = {name: len((project / name).read_text(encoding="utf-8").splitlines()) for name in code}
    rows = [f"{len(listed)} files, of them {len(code)} of code with {sum(lines.values())} lines", ""]
    for folder, names in sorted(folders.items()):
        rows += folded(
            f"{folder}/" if folder else "./", [said(folder, name, lines) for name in sorted(names)]
        )
    return rows


def said(folder: str, name: str, lines: dict[str, int]) -> str:
    """Return a file, with its lines if it is of the project's own code."""
    number = lines.get(f"{folder}/{name}")
    return f"{name} {number}" if number else name


def folded(folder: str, names: list[str]) -> list[str]:
    """Return a folder and its files, in as many rows as it takes."""
    rows, row = [], f"{folder:<29}"
    for name in names:
        if len(row) + len(name) + 2 > COLUMNS:
            rows.append(row.rstrip())
            row = " " * 29
        row += name + "  "
    return [*rows, row.rstrip()]


def shot(browser: Browser, page: Path, width: int, height: int) -> Image.Image:
    """Return the beginning of a page as it is seen in a window of this size."""
    context = browser.new_context(viewport={"width": width, "height": height})
    opened_page = context.new_page()
    opened_page.goto(page.as_uri())
    picture = Image.open(BytesIO(opened_page.screenshot()))
    context.close()
    return picture


def beside(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures side by side."""
    whole = Image.new("RGB", (sum(each.width for each in pictures), pictures[0].height), "white")
    place = 0
    for each in pictures:
        whole.paste(each, (place, 0))
        place += each.width
    return whole


def png(picture: Image.Image) -> bytes:
    """Return a picture as a small file: 128 colours are enough for pages."""
    packed = BytesIO()
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def written(name: str, content: bytes) -> None:
    """Write a picture; raises ValueError where it is too large to be loaded gladly."""
    if len(content) > LARGEST:
        raise ValueError(f"{name}: {len(content):,} bytes are more than {LARGEST:,}")
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / name).write_bytes(content)
    print(f"docs/pictures/{name}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
