"""What the texts of any project must hold, from its first day on."""

from pathlib import Path

from handrail.errors import ProjectError
from handrail.stages.gates import State, read_stages
from handrail.testing.requirement import require
from handrail.testing.runs import SmallRun

TEXTS = (".md", ".yaml", ".yml", ".csv", ".toml", ".json", ".sql", ".ipynb", ".py")
FOLDERS = ("1-*", "2-*", "3-*", "4-*", "docs", "src", "tests")


def facts_can_be_read(run: SmallRun) -> None:
    """The facts in project.yaml are valid."""
    require(run.settings.name.strip() != "", "project.yaml: name: is empty")


def texts_can_be_read(run: SmallRun) -> None:
    """Every text of the project is UTF-8."""
    for path in _texts(run.settings.root):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            name = path.relative_to(run.settings.root).as_posix()
            raise ProjectError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def ideas_and_decision_hold(run: SmallRun) -> None:
    """The ideas can be ranked, and the best is chosen; what is open yet may be open."""
    discovery, *_ = read_stages(run.settings)
    for title, finding in discovery.findings.items():
        require(finding.state is not State.FAILED, f"{title}: {finding.evidence}")


CHECKS = (facts_can_be_read, texts_can_be_read, ideas_and_decision_hold)


def _texts(root: Path) -> list[Path]:
    found = [path for pattern in FOLDERS for folder in root.glob(pattern) for path in folder.rglob("*")]
    return [path for path in [*root.glob("*"), *found] if path.suffix in TEXTS and path.is_file()]
