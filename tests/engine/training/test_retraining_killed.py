"""A retraining that is killed at any moment leaves all as it was, or a whole step further."""

import os
import signal
import time
from hashlib import sha256

import numpy as np
import pytest

from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.leftovers import remove_leftovers
from handrail.registry import live as registry
from handrail.registry import versions
from handrail.registry.live import live_path
from handrail.serving.inference import LiveModel
from handrail.stages import gates
from handrail.training.retraining_log import last_retraining
from tests.engine.support.lived import GO, promoted, rows_asked
from tests.engine.support.verb_processes import begin
from tests.engine.support.workspaces import SECRET, copied

pytestmark = pytest.mark.slow
KILLS = 20


def started(settings, whole):
    """Start the verb in a process group of its own; what it says is in `said.txt` beside its workspace."""
    prefix = settings.project.env_prefix
    given = {"WORKSPACE": str(whole), "FORGETTING_SECRET": SECRET, "ACCURACY__MINIMUM": "0.5", **GO}
    environment = {"OMP_NUM_THREADS": "1"} | {f"{prefix}{name}": value for name, value in given.items()}
    words = ["retrain", "--until", "2013-12-01", "--sample", str(settings.sample)]
    return begin(settings.project.package, words, settings.root, environment, whole / "said.txt")


def ended(process, whole):
    """Wait for the end of the verb; return all that it said."""
    process.join()
    return (whole / "said.txt").read_text(encoding="utf-8") if (whole / "said.txt").exists() else ""


def killed(process, sign):
    """Send a signal to the verb and to what it has started; it may lead no group yet, or have ended."""
    try:
        os.killpg(process.pid, sign)
    except ProcessLookupError:
        if process.exitcode is None:
            os.kill(process.pid, sign)


def seen(settings):
    """Return what users, `status` and `monitor` see: the table, what is live, its answers, the gates."""
    answers = LiveModel(settings).answer(rows_asked(settings, 20))
    stages = {stage.folder: stage.findings for stage in gates.read_stages(settings)}
    return (
        sha256(table_path(settings, settings.project.table_name).read_bytes()).hexdigest(),
        live_path(settings).read_bytes(),
        str(answers),
        str(stages["4-operation"]["model answers"]),
        history(settings).read_bytes(),
    )


def history(settings):
    return settings.workspace / "models" / "history.jsonl"


def again(was):
    """Put back what is live, as if nothing had been tried: what is withdrawn is not tried again."""
    for path, content in was.items():
        path.write_bytes(content)


def broken(settings):
    """Return the versions that are not whole."""
    found = []
    for path in versions.model_folder(settings).glob("[!.]*/"):
        try:
            versions.load_version(settings, path.name)
        except ProjectError as error:
            found.append(str(error))
    return found


def test_twenty_kills_at_random_moments(trained, tmp_path):
    settings = promoted(copied(trained, tmp_path))
    whole = tmp_path / "whole"
    (whole / "sample").mkdir(parents=True)
    settings.workspace.rename(whole / "sample" / str(settings.sample))
    settings = settings.model_copy(update={"workspace": whole / "sample" / str(settings.sample)})
    was = {path: path.read_bytes() for path in (live_path(settings), history(settings))}
    begun = time.perf_counter()
    first = started(settings, whole)
    said = ended(first, whole)
    took = time.perf_counter() - begun
    assert first.exitcode == 0, said
    tried = registry.read_live(settings).canary.name
    again(was)
    before, moments = seen(settings), np.random.default_rng(7).uniform(0.02, 0.98, KILLS)
    for number, moment in enumerate(np.sort(moments) * took):
        process = started(settings, whole)
        time.sleep(moment)
        sign = signal.SIGINT if number % 4 == 3 else signal.SIGKILL
        killed(process, sign)
        said = ended(process, whole)
        if registry.read_live(settings).canary:  # it was done by then
            assert registry.read_live(settings).canary.name == tried
            again(was)
            before = seen(settings)
        assert seen(settings) == before, (number, moment, said)
        assert broken(settings) == [], (number, moment, said)
    last = started(settings, whole)
    said = ended(last, whole)
    assert (last.exitcode, registry.read_live(settings).canary.name) == (0, tried), said
    assert last_retraining(settings)["verdict"] == "canary"
    remove_leftovers(settings, fresh_seconds=0)
    hidden = {path.name for path in settings.workspace.rglob(".*")}
    assert hidden <= {".live.lock", ".retraining.lock", ".retraining.json"}
