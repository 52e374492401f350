"""What is live of any project must hold, whoever asks it: it answers, and it is what was trained."""

from math import isfinite

from handrail.errors import ProjectError
from handrail.registry.versions import SUMS, load_version
from handrail.serving.inference import LiveModel
from handrail.testing.made_up_records import made_up_records, records_at_ends
from handrail.testing.requirement import require
from handrail.testing.runs import SmallRun, requested

ASKED = 100


def changed_version_is_refused(run: SmallRun) -> None:
    """A version of which a byte was changed is refused, whichever of its files it is in."""
    there = run.trained_copy()
    folder = there.workspace / "models" / run.version.name
    for file in sorted(path for path in folder.iterdir() if path.name != SUMS):
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        try:
            load_version(there, run.version.name)
        except ProjectError as error:
            require(file.name in str(error), f"models: {file.name}: changed, and only this is said: {error}")
        else:
            require(False, f"models: {file.name}: a byte of it was changed, and the version is not refused")
        file.write_bytes(content)


def live_model_answers(run: SmallRun) -> None:
    """The live version answers every record that keeps the contract, the model itself a whole one."""
    contract, model = run.project.contract, LiveModel(run.live_copy())
    whole = requested(run.project, made_up_records(contract, ASKED, seed=10))
    answer = model.answer(whole)
    require(
        answer.source == "model",
        f"{run.version.name}: the fallback answers, though nothing is missing; see the log for what failed",
    )
    at_ends = requested(run.project, records_at_ends(contract, ASKED, seed=11))
    for records in (whole, at_ends, *([record] for record in at_ends)):
        predictions = model.answer(records).prediction.tolist()
        wrong = [record for record, each in zip(records, predictions, strict=True) if not isfinite(each)]
        require(not wrong, f"{run.version.name}: no number for {wrong[:1]}")


CHECKS = (changed_version_is_refused, live_model_answers)
