"""Runs a model file; all that serving and scoring need of a model library."""

from pathlib import Path

import numpy as np
import onnxruntime

from handrail.arrays import Floats


class Predictor:
    """An ONNX model in memory, on one thread; raises ValueError on a matrix of another width."""

    def __init__(self, model: bytes | Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        content = model if isinstance(model, bytes) else model.read_bytes()
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        read = self._session.get_inputs()[0]
        self._name, self._width = read.name, read.shape[1]
        self._outputs = [self._session.get_outputs()[-1].name]

    def predict(self, features: Floats) -> Floats:
        """Return one prediction per row of `features`: the last column of the model's output."""
        if features.shape[1] != self._width:
            raise ValueError(f"the model reads {self._width} features, got {features.shape[1]}")
        if not len(features):
            return np.empty(0, dtype=np.float32)
        (output,) = self._session.run(self._outputs, {self._name: features})
        return np.asarray(output, dtype=np.float32).reshape(len(features), -1)[:, -1]
