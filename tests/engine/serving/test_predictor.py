"""The model file runs by itself: nobody is told of it, and no library of training is loaded for it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from handrail import predictor
from tests.engine.support.lived import in_words, promoted, rows_asked

TWICE = """
<ir_version: 10, opset_import: ["" : 18]>
twice (float[N, WIDTH] x) => (float[N, WIDTH] y) { y = Add (x, x) }
"""
OF_TRAINING = (
    "pandas",
    "sklearn",
    "skl2onnx",
    "onnx",
    "matplotlib",
    "jinja2",
    "optuna",
    "lightgbm",
    "xgboost",
)
SERVE_AND_SCORE = """
import importlib, json, sys
from pathlib import Path
package, root, records, output = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]), Path(sys.argv[4])
settings = importlib.import_module(package).project.at(root).settings()
from handrail.serving.batch import rows_to_score, score
from handrail.serving.inference import LiveModel
app = settings.project.create_app(settings)
asked = [dict(settings.project.request.model_validate(record)) for record in records]
answer = LiveModel(settings).answer(asked)
rows = rows_to_score(settings, None, None, None)
print(answer.source, score(settings, rows.source, rows.origin, output).rows > 100)
print(*sorted(set(sys.argv[5].split()) & set(sys.modules)))
"""


def test_the_last_column_is_the_prediction():
    model = predictor.Predictor(in_words(TWICE, 2))
    assert model.predict(np.float32([[1, 2], [3, 4]])).tolist() == [4, 8]
    assert model.predict(np.empty((0, 2), dtype=np.float32)).tolist() == []


def test_a_matrix_of_another_width_is_refused():
    with pytest.raises(ValueError, match="the model reads 2 features, got 3"):
        predictor.Predictor(in_words(TWICE, 2)).predict(np.zeros((1, 3), dtype=np.float32))


def python(code, *arguments, **environment):
    """Run Python as a process of its own, without what the tests set, and return what it prints."""
    own = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=own | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_runtime_leaves_no_number_of_the_machine_behind(tmp_path):
    model, home = tmp_path / "model.onnx", tmp_path / "home"
    model.write_bytes(in_words(TWICE, 2))
    home.mkdir()
    code = (
        "import pathlib, sys; from handrail.predictor import Predictor; Predictor(pathlib.Path(sys.argv[1]))"
    )
    python(code, model, HOME=str(home), XDG_CACHE_HOME=str(home), LOCALAPPDATA=str(home))
    assert [*home.rglob("*")] == []


def test_serving_and_scoring_load_no_library_of_training(project, tmp_path):
    settings = promoted(project)
    prefix = settings.project.env_prefix
    records = json.dumps(rows_asked(settings, 2), default=str)
    given = (settings.project.package, settings.root, records, tmp_path / "scored.parquet")
    environment = {f"{prefix}WORKSPACE": str(settings.workspace), f"{prefix}API_KEY": "0123456789abcdef"}
    said = python(SERVE_AND_SCORE, *given, OF_TRAINING, **environment)
    assert said == ["model True", ""]
