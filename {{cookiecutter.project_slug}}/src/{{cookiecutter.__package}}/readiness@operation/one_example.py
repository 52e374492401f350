"""Follows one record step by step, from the table to what is done about it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..contract import CONTRACT, TABLE
from ..engine import connect, literal, row
from ..errors import ProjectError
from ..etl.load import require_table
from ..files import write_whole
from ..model.decision import act
from ..model.features import Floats
from ..monitor.performance import KEY
from ..schema import request_model
from ..serve.live import LiveModel
from .bench import Bench
from .scratch import live_records

FILE = "one-example.md"  # in reports/


def followed(bench: Bench) -> str:
    """Take one row of the live period through every step, each done in two ways where there are two.

    The steps are written to reports/one-example.md, to be read.
    """
    (record,) = live_records(bench, 1)
    version, key = bench.version, record[KEY]
    request_model(CONTRACT).model_validate(record)
    by_row, by_table = version.encoding.matrix([record])[0], _encoded_by_the_engine(bench, key)
    other = [
        name
        for name, one, two in zip(version.encoding.features, by_row, by_table, strict=True)
        if not np.array_equal(one, two, equal_nan=True)
    ]
    if other:
        raise ProjectError(f"model/features.py: {key}: {', '.join(other)} differ between record and table")
    prediction = bench.predictor.predict(by_row[None, :])[0]
    answer = LiveModel(bench.settings).answer([record])
    own = (answer.version, answer.source) == (version.name, "model")
    if own and answer.prediction[0] != prediction:
        raise ProjectError(
            f"serve/live.py: {key}: answered {answer.prediction[0]}, the model's file says {prediction}"
        )
    acted = act(prediction, version.decision)
    page = _page(bench, record, by_row, prediction, {"baseline": answer.baseline[0], **acted})
    write_whole(bench.settings.workspace / "reports" / FILE, page)
    said = ", ".join(f"{name} {value}" for name, value in acted.items())
    same = f"{len(by_row)} features, the same by record and by table"
    return f"{key}: {same}; {prediction:.4g}, {said}; reports/{FILE}"


def _encoded_by_the_engine(bench: Bench, key: str) -> Floats:
    selected = [f"{expression} AS f{n}" for n, expression in enumerate(bench.version.encoding.select())]
    with connect(bench.settings) as connection:
        table = require_table(bench.settings, TABLE)
        found = row(connection, f"SELECT {', '.join(selected)} FROM {table} WHERE {KEY} = {literal(key)}")
    return np.array(list(found.values()), dtype=np.float32)


def _page(
    bench: Bench, record: Mapping[str, Any], encoded: Floats, prediction: float, acted: Mapping[str, Any]
) -> str:
    """Return the steps as Markdown."""
    features = bench.version.encoding.features
    read = zip(features, encoded, strict=True)
    done = ", ".join(f"{name} {value}" for name, value in acted.items())
    decision = ", ".join(f"{name} {value:g}" for name, value in bench.version.decision.items())
    lines = [
        f"# {record[KEY]}, step by step",
        "",
        "| column | 1. asked | 2. as the model reads it |",
        "|---|---|---|",
        *(f"| {name} | {record[name]} | {value:g} |" for name, value in read),
        "",
        f"3. The model {bench.version.name} predicts {prediction:.6g}.",
        f"4. With {decision}, that is: {done}.",
    ]
    return "\n".join(lines) + "\n"
