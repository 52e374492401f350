"""Trains again on few rows: does the same come out, does the gate refuse what is bad, does all of it run?"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from handrail.compute.duckdb import connect, identifier, parquet, rows, write_parquet
from handrail.config.settings import Settings
from handrail.console import quietly
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.etl.pipeline import run_etl
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.readiness.context import ReadinessContext
from handrail.readiness.workspaces import copy_of_live, empty_workspace, live_records, small_workspace
from handrail.registry.acceptance import against_baseline, against_minimum, objections
from handrail.registry.live import make_live
from handrail.registry.versions import SUMS, load_version, model_folder
from handrail.serving.inference import LiveModel
from handrail.serving.prediction_log import answer_and_log
from handrail.training.known_outcomes import DAY
from handrail.training.run import train

ANSWERED = 1000


def reproducible(context: ReadinessContext) -> str:
    """Train twice on the same few rows; every file of the version has to come out the same."""
    with small_workspace(context) as one, small_workspace(context) as other:
        first, second = (train(each, context.split, quietly) for each in (one, other))
        files = sorted(path.name for path in (model_folder(one) / first.version).iterdir())
        differing = [
            name
            for name in files
            if name != SUMS
            and (model_folder(one) / first.version / name).read_bytes()
            != (model_folder(other) / second.version / name).read_bytes()
        ]
    if differing:
        raise ProjectError(
            f"model/estimator.py: two trainings on the same rows differ in {', '.join(differing)}; "
            "give every random step the seed"
        )
    count = sum(first.info["rows"].values())
    return f"two trainings on the same {count:,} rows gave {first.version}, the same to the last bit"


def integrated(context: ReadinessContext) -> str:
    """Run the whole way on few rows: sources, table, training, promotion, answers, monitoring."""
    with empty_workspace(context) as empty:
        there = empty.model_copy(update={"sample": context.limits.training_rows})
        loaded = run_etl(there, quietly).loaded
        with _kept_back(there, context) as records:
            make_live(there, train(there, context.split, quietly).version)
        records = records or live_records(ReadinessContext(there), ANSWERED)
        answer_and_log(there, LiveModel(there), ([record] for record in records))
        start, end, today = _seen_between(context, records)
        seen = run_monitoring(there, start, end, today)
    if seen.rows != len(records):
        raise ProjectError(f"{len(records)} records were answered, monitoring saw {seen.rows} of them")
    return (
        f"{loaded:,} rows loaded, a model trained, {len(records):,} records answered one by one, "
        f"{len(seen.readings)} figures watched"
    )


@contextmanager
def _kept_back(there: Settings, context: ReadinessContext) -> Generator[list[dict[str, Any]]]:
    """Give rows as a client sends them that the loaded table lacks in the block; none where time parts rows.

    Where chance parts them, whatever is loaded is learnt from or tested on.
    """
    project, table = there.project, table_path(there, there.project.table_name)
    if context.new_from:
        yield []
        return
    names, key = ", ".join(map(identifier, project.request.model_fields)), identifier(project.key)
    whole = table.read_bytes()
    drawn = f"SELECT {key} FROM {parquet(table)} WHERE {project.told_apart} ORDER BY {key} LIMIT {ANSWERED}"
    with connect(there) as connection:
        found = rows(connection, f"SELECT {names} FROM {parquet(table)} WHERE {key} IN ({drawn})")
        write_parquet(connection, f"SELECT * FROM {parquet(table)} WHERE {key} NOT IN ({drawn})", table)
    yield found
    table.write_bytes(whole)


def _seen_between(
    context: ReadinessContext, records: list[dict[str, Any]]
) -> tuple[date | None, date | None, date]:
    """Return the window in which the records are looked at, and the day of the look."""
    time, today = context.settings.project.time, context.today
    if time is None:
        return None, None, datetime.now(UTC).date()
    days = [record[time].date() for record in records]
    return context.new_from or min(days), max(days) + DAY, today


def validated(context: ReadinessContext) -> str:
    """Hold the live version against the gate, and the gate against a model that has learnt nothing."""
    reasons = [
        *against_baseline(context.settings, context.version),
        *against_minimum(context.settings, context.version),
    ]
    if reasons:
        raise ProjectError(reasons)
    with small_workspace(context, shuffled=True) as there:
        bad = load_version(there, train(there, context.split, quietly).version)
        refused = objections(there, bad)
    if not refused:
        raise ProjectError(
            "handrail.registry.acceptance: a model that learnt from shuffled outcomes passes the gate"
        )
    with copy_of_live(context) as there:
        _spoil_a_byte(there, context.version.name)
    why = refused[0].partition(": ")[2]
    return f"{context.version.name} passes; one that learnt from shuffled outcomes does not: {why}"


def _spoil_a_byte(settings: Settings, name: str) -> None:
    """Change a byte of the model's file; raises ProjectError unless the version is refused for it."""
    path = model_folder(settings) / name / "model.onnx"
    path.write_bytes(_with_one_bit_changed(path.read_bytes()))
    try:
        load_version(settings, name)
    except ProjectError:
        return
    raise ProjectError("handrail.registry.versions: a version of which a byte was changed is not refused")


def _with_one_bit_changed(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])
