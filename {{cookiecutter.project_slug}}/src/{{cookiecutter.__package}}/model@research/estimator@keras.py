"""The model that is learnt: a small neural network, built with Keras on TensorFlow, kept as ONNX."""

from dataclasses import replace

import numpy as np
from handrail.config import Section
from handrail.training import Between, Dataset, Encoding, Floats, Graph
from onnx import TensorProto
from pydantic import Field

from ..contract import TASK
from .network import FARTHEST, Model, keras, layers, ops, untrained

LIBRARIES = ("keras", "tensorflow", "tensorflow-cpu", "onnx")
BATCH_ROWS = 8192


class Hyperparameters(Section):
    """What holds where `2-research/hyperparameters.yaml` says nothing else."""

    width: int = Field(
        64, ge=2, le=4096, description="write how wide the first layer is, as 64; the second has half of it"
    )
    longest_embedding: int = Field(4, ge=1, description="write the longest vector of a name, as 4")
    dropout: float = Field(0.3, ge=0, lt=1, description="write the share left out in learning, as 0.3")
    l2: float = Field(1e-4, ge=0, description="write how much large weights cost, as 0.0001")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="write how long a step is, as 0.001")
    batch_size: int = Field(512, ge=1, description="write how many rows a step learns from, as 512")
    epochs: int = Field(10, ge=1, description="write how often every row is seen, as 10")


SPACE = {
    "width": Between(32, 128, log=True),
    "longest_embedding": Between(2, 8),
    "dropout": Between(0.0, 0.5),
    "l2": Between(1e-6, 1e-2, log=True),
    "learning_rate": Between(3e-4, 1e-2, log=True),
    "batch_size": Between(256, 2048, log=True),
    "epochs": Between(4, 15),
}


def fit(rows: Dataset, encoding: Encoding, seed: int, hyperparameters: Hyperparameters) -> Model:
    """Learn from `rows`; NaN becomes the mean and a sign in an amount, one more name among names."""
    keras.utils.set_random_seed(seed)
    model = untrained(rows, encoding, hyperparameters)
    model.network.compile(
        optimizer=keras.optimizers.Adam(hyperparameters.learning_rate),
        loss="binary_crossentropy" if TASK.predicts == "chance" else "mean_squared_error",
    )
    batch_size = min(hyperparameters.batch_size, max(32, len(rows) // 64))
    model.network.fit(rows.features, rows.target, batch_size, hyperparameters.epochs, verbose=0)
    return model if TASK.predicts == "chance" else replace(model, network=_centred(model, rows))


def predict(model: Model, features: Floats) -> Floats:
    """Return the library's own prediction per row: the probability of class 1, or the amount."""
    parts = [features[first : first + BATCH_ROWS] for first in range(0, len(features), BATCH_ROWS)]
    # Called as it is: `network.predict` compiles anew for every network, and warns where many are tried.
    found = [ops.convert_to_numpy(model.network(part, training=False)) for part in parts]
    return np.concatenate(found)[:, 0]


def export(model: Model, features: int) -> bytes:
    """Return the model as an ONNX file: float32 (rows, features) in, prediction in the last column."""
    graph = Graph()
    value = graph.add("Concat", *_prepared_in(graph, model), axis=1)
    *hidden, last = [layer for layer in model.network.layers if isinstance(layer, layers.Dense)]
    for layer in hidden:
        value = graph.add("Relu", graph.add("Gemm", value, *layer.get_weights()))
    value = graph.add("Gemm", value, *last.get_weights())
    outcome = model.network.layers[-1]
    if isinstance(outcome, layers.Rescaling):
        graph.add("Add", graph.add("Mul", value, np.float32(outcome.scale)), np.float32(outcome.offset))
    else:
        graph.add("Sigmoid", value)
    return graph.content(features)


def _centred(model: Model, rows: Dataset) -> keras.Model:
    """Return the network with its offset put right: with dropout, its mean is not that of the target."""
    *_, plain, last = model.network.layers
    missing = float((rows.target - predict(model, rows.features)).mean(dtype=np.float64))
    right = layers.Rescaling(float(last.scale), float(last.offset) + missing)
    return keras.Model(model.network.input, right(plain.output))


def _prepared_in(graph: Graph, model: Model) -> list[str]:
    """Add to `graph` what the network does first, with the vectors that were learnt."""
    chosen = graph.add("Gather", "features", np.array(model.amounts, np.int64), axis=1)
    missing = graph.add("IsNaN", chosen)
    filled = graph.add("Where", missing, model.mean, chosen)
    scaled = graph.add("Div", graph.add("Sub", filled, model.mean), model.scale)
    vectors = []
    for place, count in model.names.items():
        code = graph.add("Gather", "features", np.array(place, np.int64), axis=1)
        known = graph.add("Clip", code, np.float32(0), np.float32(count))
        code = graph.add("Where", graph.add("IsNaN", code), np.float32(count), known)
        (learnt,) = model.network.get_layer(f"name_{place}").get_weights()
        vectors.append(graph.add("Gather", learnt, graph.add("Cast", code, to=TensorProto.INT64), axis=0))
    clipped = graph.add("Clip", scaled, np.float32(-FARTHEST), np.float32(FARTHEST))
    return [clipped, graph.add("Cast", missing, to=TensorProto.FLOAT), *vectors]
