"""Every verb that writes is killed at twenty random moments: what is there is whole, the next run works.

`serve` is killed under load, and `score` and `retrain` where they are tested.
"""

import json
import random
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import duckdb
import pytest

from handrail.config.settings import Settings, read_settings
from handrail.leftovers import remove_leftovers
from handrail.registry.live import load_live, make_live, read_live
from handrail.registry.versions import load_version
from tests.engine.support.lived import GO
from tests.engine.support.verb_processes import begin
from tests.engine.support.workspaces import PROJECT, SECRET

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed")]

SAMPLE, KILLS = 20_000, 20
LOOSE = {"ACCURACY__MINIMUM": "0.1", "ACCURACY__TOLERANCE": "0.5", "FORGETTING_SECRET": SECRET, **GO}


@dataclass(frozen=True)
class Place:
    """A small run of the worked example in a folder of its own, and its two versions."""

    settings: Settings
    environment: dict[str, str]
    versions: tuple[str, ...] = ()

    @property
    def said(self) -> Path:
        """The file of what the last verb said."""
        return self.settings.workspace.parents[1] / "said.txt"

    def begun(self, *verb: str) -> BaseProcess:
        """Begin a verb as a process."""
        words = [*verb, "--sample", str(SAMPLE)]
        return begin(PROJECT.package, words, PROJECT.root, self.environment, self.said)

    def run(self, *verb: str) -> float:
        """Run a verb to its end, which may be an alert, and return its seconds."""
        began, process = time.monotonic(), self.begun(*verb)
        process.join()
        assert process.exitcode in (0, 3), self.said.read_text(encoding="utf-8")
        return time.monotonic() - began


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a place in which everything has been done once."""
    workspace = tmp_path_factory.mktemp("killed")
    environment = {f"{PROJECT.env_prefix}{name}": value for name, value in LOOSE.items()}
    environment |= {f"{PROJECT.env_prefix}WORKSPACE": str(workspace), "OMP_NUM_THREADS": "1"}
    settings = read_settings(PROJECT)
    settings = settings.model_copy(update={"workspace": workspace / "sample" / str(SAMPLE), "sample": SAMPLE})
    made = Place(settings, environment)
    for verb in (
        "etl",
        "train --no-round",
        "promote",
        "train --no-round --until 2013-10-01",
        "promote",
        "score",
    ):
        made.run(*verb.split())
    names = tuple(sorted(path.name for path in (settings.workspace / "models").glob("2013-*")))
    assert len(names) == 2
    return Place(settings, environment, names)


def problems(settings: Settings) -> list[str]:
    """Return what is not whole in a workspace: tables, versions, what is live, records."""
    found, workspace = [], settings.workspace
    visible = [path for path in workspace.rglob("[!.]*") if path.is_file()]
    for path in visible:
        try:
            if path.suffix == ".parquet":
                duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall()
            elif path.suffix in (".jsonl", ".ndjson"):
                [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            elif path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
            elif path.suffix == ".html" and not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
                found.append(f"{path}: cut off")
        except (ValueError, duckdb.Error) as error:
            found.append(f"{path}: {error}")
    for path in (workspace / "models").glob("2013-*"):
        load_version(settings, path.name)
    load_live(settings)
    return found


VERBS = (
    "etl",
    "train --no-round",
    "tune --trials TRIALS",
    "promote FIRST",
    "promote SECOND --canary 0.2",
    "rollback",
    "monitor --html",
    "replay",
    "status --html",
    "archive --really",
    "purge --really",
    "purge --really --key KEY",
)


@pytest.mark.parametrize("line", VERBS)
def test_killed_twenty_times(place, line):
    first, second = place.versions
    table = f"'{place.settings.workspace / 'data' / 'departures.parquet'}'"
    keys = [key for (key,) in duckdb.sql(f"SELECT {PROJECT.key} FROM {table} LIMIT {KILLS + 2}").fetchall()]
    counted = f"SELECT count(*) FROM {table} WHERE {PROJECT.key} NOT IN {tuple(keys)}"
    rows, killed = duckdb.sql(counted).fetchall(), 0

    def verb(number: int) -> list[str]:
        """Return the words of the verb, what is live put back to where it finds something to do."""
        if line.startswith(("promote", "rollback")):
            make_live(place.settings, first)
        if line == "rollback":
            make_live(place.settings, second)
        words = {"FIRST": first, "SECOND": second, "KEY": keys[number], "TRIALS": str(2 + number % KILLS)}
        return [words.get(word, word) for word in line.split()]

    seconds = place.run(*verb(KILLS))
    for number in range(KILLS):
        process = place.begun(*verb(number))
        process.join(random.uniform(0.2, 0.9) * seconds)
        if process.exitcode is None:
            process.kill()
            killed += 1
        process.join()
        assert problems(place.settings) == []
        assert duckdb.sql(counted).fetchall() == rows
        live = read_live(place.settings)
        assert live is not None
        assert {*live.versions} <= {first, second}
    assert killed
    place.run(*verb(KILLS + 1))
    remove_leftovers(place.settings, 0)
    hidden = [path.name for path in place.settings.workspace.rglob(".*")]
    assert [name for name in hidden if not name.endswith(".lock")] == []
