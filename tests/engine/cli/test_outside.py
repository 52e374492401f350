"""The program `handrail`, outside a project."""

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

from click.testing import CliRunner

from handrail.cli.outside import main


def test_it_says_its_version_and_where_the_verbs_are():
    text = Path(__file__).parents[3].joinpath("pyproject.toml").read_text(encoding="utf-8")
    version = tomllib.loads(text)["project"]["version"]
    told = CliRunner().invoke(main, ["--version"], prog_name="handrail")
    assert (told.exit_code, told.output) == (0, f"handrail {version}\n")
    for arguments in ([], ["--help"]):
        shown = CliRunner().invoke(main, arguments, prog_name="handrail")
        assert shown.exit_code == 0
        assert "`uv run <project> --help` lists them" in " ".join(shown.output.split())


def test_it_is_what_is_installed():
    (installed,) = entry_points(group="console_scripts", name="handrail")
    assert installed.load() is main
