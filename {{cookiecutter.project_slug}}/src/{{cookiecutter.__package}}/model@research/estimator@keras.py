"""The model that is learnt: a small neural network, built with Keras on TensorFlow, kept as ONNX."""

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import TensorProto

from .features import Dataset, Encoding, Floats
from .graph import Graph
from .metrics import KIND

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # its sums depend on the machine, and it says so at every start

import keras
from keras import layers, ops

LIBRARIES = ("keras", "tensorflow", "tensorflow-cpu", "onnx")
HYPERPARAMETERS: dict[str, Any] = {
    "hidden": (64, 32),
    "longest_embedding": 4,
    "dropout": 0.3,
    "l2": 1e-4,
    "learning_rate": 1e-3,
    "batch_size": 512,
    "epochs": 10,
}
FARTHEST = 5.0  # standard deviations; amounts beyond say no more


@dataclass(frozen=True)
class Model:
    """A network that reads the matrix as it is, NaN included, and what it does with each feature.

    amounts: places of the amounts, with mean and scale of each · names: place of each name -> how many.
    """

    network: keras.Model
    amounts: list[int]
    mean: Floats
    scale: Floats
    names: dict[int, int]


def fit(training: Dataset, encoding: Encoding, seed: int) -> Model:
    """Learn from `training`; NaN becomes the mean and a sign in an amount, one more name among names."""
    keras.utils.set_random_seed(seed)
    model = _untrained(training, encoding)
    model.network.compile(
        optimizer=keras.optimizers.Adam(HYPERPARAMETERS["learning_rate"]),
        loss="binary_crossentropy" if KIND == "classification" else "mean_squared_error",
    )
    batch_size = min(HYPERPARAMETERS["batch_size"], max(32, len(training) // 64))
    epochs = HYPERPARAMETERS["epochs"]
    model.network.fit(training.features, training.target, batch_size, epochs, verbose=0)
    return model if KIND == "classification" else replace(model, network=_centred(model, training))


def predict(model: Model, features: Floats) -> Floats:
    """Return the library's own prediction per row: the probability of class 1, or the amount."""
    return model.network.predict(features, batch_size=8192, verbose=0)[:, 0]


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


def _untrained(training: Dataset, encoding: Encoding) -> Model:
    places = {name: place for place, name in enumerate(encoding.features)}
    names = {places[name]: len(known) for name, known in encoding.categories.items()}
    amounts = [place for place in places.values() if place not in names]
    known = np.ma.masked_invalid(training.features[:, amounts].astype(np.float64))
    mean = known.mean(axis=0).filled(0).astype(np.float32)
    spread = known.std(axis=0).filled(0)
    scale = np.where(spread > 0, spread, 1).astype(np.float32)
    features = keras.Input((len(places),))
    value = layers.Concatenate()(_prepared(features, amounts, mean, scale, names))
    for width in HYPERPARAMETERS["hidden"]:
        l2 = keras.regularizers.L2(HYPERPARAMETERS["l2"])
        value = layers.Dense(width, activation="relu", kernel_regularizer=l2)(value)
        value = layers.Dropout(HYPERPARAMETERS["dropout"])(value)
    return Model(keras.Model(features, _outcome(value, training.target)), amounts, mean, scale, names)


def _centred(model: Model, training: Dataset) -> keras.Model:
    """Return the network with its offset put right: with dropout, its mean is not that of the target."""
    *_, plain, last = model.network.layers
    missing = float((training.target - predict(model, training.features)).mean(dtype=np.float64))
    right = layers.Rescaling(float(last.scale), float(last.offset) + missing)
    return keras.Model(model.network.input, right(plain.output))


def _prepared(
    features: Any, amounts: list[int], mean: Floats, scale: Floats, names: dict[int, int]
) -> list[Any]:
    """Return what the first layer reads: scaled amounts, signs of those missing, a vector per name."""
    chosen = ops.take(features, np.array(amounts, np.int32), axis=1)
    missing = ops.isnan(chosen)
    scaled = (ops.where(missing, mean, chosen) - mean) / scale
    vectors = []
    for place, count in names.items():
        code = features[:, place]
        code = ops.where(ops.isnan(code), float(count), ops.clip(code, 0, count))
        length = min(HYPERPARAMETERS["longest_embedding"], count + 1)
        vectors.append(layers.Embedding(count + 1, length, name=f"name_{place}")(ops.cast(code, "int32")))
    return [ops.clip(scaled, -FARTHEST, FARTHEST), ops.cast(missing, "float32"), *vectors]


def _outcome(value: Any, target: Floats) -> Any:
    if KIND == "classification":
        return layers.Dense(1, activation="sigmoid")(value)
    return layers.Rescaling(float(target.std()) or 1.0, float(target.mean()))(layers.Dense(1)(value))


def _prepared_in(graph: Graph, model: Model) -> list[str]:
    """Add to `graph` what `_prepared` does, with the vectors that were learnt."""
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
