"""Follows one record step by step, from the table to what is done about it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from handrail.arrays import Floats
from handrail.compute.duckdb import connect, identifier, literal, row
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.readiness.context import ReadinessContext
from handrail.readiness.workspaces import live_records
from handrail.registry.model_card import told_decision
from handrail.serving.inference import LiveModel

ENCODING, SERVING = "handrail.training.encoding", "handrail.serving.inference"
FILE = "one-example.md"  # in reports/


def followed(context: ReadinessContext) -> str:
    """Take one row of the live period through every step, each done in two ways where there are two.

    The steps are written to reports/one-example.md, to be read.
    """
    (record,) = live_records(context, 1)
    project, version = context.settings.project, context.version
    key = record[project.key] if project.has_key else "a row"
    project.request.model_validate(record)
    by_row, by_table = version.encoding.matrix([record])[0], _encoded_by_the_engine(context, record)
    other = [
        name
        for name, one, two in zip(version.encoding.features, by_row, by_table, strict=True)
        if not np.array_equal(one, two, equal_nan=True)
    ]
    if other:
        raise ProjectError(f"{ENCODING}: {key}: {', '.join(other)} differ between record and table")
    prediction = context.predictor.predict(by_row[None, :])[0]
    answer = LiveModel(context.settings).answer([record])
    own = (answer.version, answer.source) == (version.name, "model")
    if own and answer.prediction[0] != prediction:
        raise ProjectError(
            f"{SERVING}: {key}: answered {answer.prediction[0]}, the model's file says {prediction}"
        )
    acted = project.task.act(prediction, version.decision)
    page = _page(context, key, record, by_row, prediction, {"baseline": answer.baseline[0], **acted})
    write_whole(context.settings.workspace / "reports" / FILE, page)
    said = ", ".join(f"{name} {_shown(value)}" for name, value in acted.items())
    same = f"{len(by_row)} features, the same by record and by table"
    return f"{key}: {same}; {prediction:.4g}, {said}; reports/{FILE}"


def _encoded_by_the_engine(context: ReadinessContext, record: Mapping[str, Any]) -> Floats:
    asked = record if not context.settings.project.has_key else {context.settings.project.key: None}
    where = " AND ".join(f"{identifier(name)} IS NOT DISTINCT FROM {literal(record[name])}" for name in asked)
    selected = [f"{expression} AS f{n}" for n, expression in enumerate(context.version.encoding.select())]
    with connect(context.settings) as connection:
        found = row(
            connection,
            f"SELECT {', '.join(selected)} FROM {context.table} WHERE {where} LIMIT 1",
        )
    return np.array(list(found.values()), dtype=np.float32)


def _page(
    context: ReadinessContext,
    key: object,
    record: Mapping[str, Any],
    encoded: Floats,
    prediction: float,
    acted: Mapping[str, Any],
) -> str:
    """Return the steps as Markdown."""
    features = context.version.encoding.features
    read = zip(features, encoded, strict=True)
    told = {name: _shown(value) for name, value in acted.items()}
    done = ", ".join(f"{name} {value}" for name, value in told.items() if name not in ("low", "high"))
    decision = context.version.decision
    lines = [
        f"# {key}, step by step",
        "",
        "| column | 1. asked | 2. as the model reads it |",
        "|---|---|---|",
        *(f"| {name} | {_shown(record[name])} | {value:g} |" for name, value in read),
        "",
        f"3. The model {context.version.name} predicts {_shown(float(prediction))}.",
        f"4. With {told_decision(decision)}, that is: {done}.",
    ]
    if "low" in told:
        promised = f"{100 * decision['range_level']:.3g} of 100 outcomes are to lie in it"
        lines.append(f"5. Its range is {told['low']} to {told['high']}: {promised}.")
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    """Return a value as people read it: an amount with few digits, yes and no in words, unknown as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}" if abs(value) >= 1 else f"{value:.4g}"
    return str(value)
