"""The evidence of research in a made-up project: a table, a model with chosen figures, the texts."""

import json

import duckdb
from onnx import parser

from handrail.contract import schema
from handrail.etl import load
from handrail.registry import versions
from handrail.reports import PAGES
from tests.engine.support.evidence import HEADER, SENTENCE, discovered, ticked, write
from tests.engine.support.names import contract
from tests.engine.support.workspaces import PROJECT

FEATURE = schema.of_role(contract.CONTRACT, schema.Role.FEATURE)[0].name
AGREED = ("Specification reviewed", "Short version shown", "Trade-off agreed", "Weakness accepted")
SAME = """
<ir_version: 10, opset_import: ["" : 18]>
same (float[N, 1] x) => (float[N, 1] y) { y = Identity (x) }
"""
METRIC = next(name for name, each in PROJECT.metrics.goals.items() if each.greater_is_better)
GOOD = {"value": 0.75, "low": 0.74, "high": 0.76}


def researched(root, model=GOOD, on_validation=None, **sections):
    """Return the settings of a project whose research is done with a model of these figures.

    on_validation: those on the validation rows; without, the version is of before they were kept.
    """
    accuracy = {"metric": METRIC, **sections.pop("accuracy", {})}
    settings = discovered(root, accuracy=accuracy, **sections)
    write(root, "2-research/experiments.md", f"## Rounds\n\n{SENTENCE}\n")
    write(root, "2-research/report.md", HEADER + ticked(*AGREED))
    for page in PAGES:
        write(root, f"reports/{page}", "<html></html>")
    table = load.table_path(settings, contract.TABLE)
    table.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql("SELECT 1 AS x UNION ALL SELECT 2").write_parquet(str(table))
    save_version(settings, model, on_validation=on_validation)
    return settings


def save_version(settings, model, feature=FEATURE, on_validation=None):
    """Keep a version with these figures that learnt from one feature, and return its name."""
    split = {"validation_from": "2025-10-01", "test_from": "2025-11-01", "live_from": "2026-01-01"}
    info = {"evaluation": evaluation_of(model), "encoding": {"features": [feature], "categories": {}}}
    info |= {"metric": METRIC, "split": split}
    info |= {"validation": evaluation_of(on_validation)} if on_validation else {}
    files = {
        "model.json": json.dumps(info).encode(),
        "model.onnx": parser.parse_model(SAME).SerializeToString(),
    }
    return versions.save_version(settings, files, "2026-01-01")


def evaluation_of(model):
    """Return figures of a model beside those of the baseline."""
    baseline = {"value": 0.68, "low": 0.67, "high": 0.69}
    gain = {name: model[name] - baseline["value"] for name in model}
    return {"model": {METRIC: model}, "baseline": {METRIC: baseline}, "gain": {METRIC: gain}}
