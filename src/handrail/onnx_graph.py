"""An ONNX graph written node by node."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """An ONNX graph in the making: the input is called `features`, the output is that of the last node."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, operation: str, *inputs: Any, **attributes: Any) -> str:
        """Add a node and return the name of its output; inputs are such names or arrays."""
        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        self._nodes.append(helper.make_node(operation, names, [f"value_{len(self._nodes)}"], **attributes))
        return self._nodes[-1].output[0]

    def content(self, features: int) -> bytes:
        """Return the file."""
        read = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, features])
        name = self._nodes[-1].output[0]
        written = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1])
        graph = helper.make_graph(self._nodes, "model", [read], [written], self._constants)
        opset = helper.make_opsetid("", 18)
        return helper.make_model(graph, opset_imports=[opset], ir_version=10).SerializeToString(
            deterministic=True
        )

    def _constant(self, value: Any) -> str:
        self._constants.append(numpy_helper.from_array(np.asarray(value), f"constant_{len(self._constants)}"))
        return self._constants[-1].name
