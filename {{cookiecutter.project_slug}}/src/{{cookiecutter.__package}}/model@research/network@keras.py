"""The neural network before it has learnt: what it reads of each feature, its layers, its outcome."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from handrail.training import Dataset, Encoding, Floats

from ..contract import TASK

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # its sums depend on the machine, and it says so at every start

import keras
from keras import layers, ops

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


def untrained(rows: Dataset, encoding: Encoding, hyperparameters: Any) -> Model:
    """Return a network for these features; it knows how each amount varies."""
    names = {place: len(encoding.categories[encoding.features[place]]) for place in encoding.name_places}
    amounts = encoding.amount_places
    known = np.ma.masked_invalid(rows.features[:, amounts].astype(np.float64))
    mean = known.mean(axis=0).filled(0).astype(np.float32)
    spread = known.std(axis=0).filled(0)
    scale = np.where(spread > 0, spread, 1).astype(np.float32)
    features = keras.Input((len(encoding.features),))
    vectors = _vectors(features, names, hyperparameters.longest_embedding)
    value = layers.Concatenate()([*_prepared(features, amounts, mean, scale), *vectors])
    for width in (hyperparameters.width, hyperparameters.width // 2):
        l2 = keras.regularizers.L2(hyperparameters.l2)
        value = layers.Dense(width, activation="relu", kernel_regularizer=l2)(value)
        value = layers.Dropout(hyperparameters.dropout)(value)
    network = keras.Model(features, _outcome(value, rows.target))
    return Model(network, amounts, mean, scale, names)


def _prepared(features: Any, amounts: list[int], mean: Floats, scale: Floats) -> list[Any]:
    """Return what the first layer reads of the amounts: scaled, and signs of those missing."""
    chosen = ops.take(features, np.array(amounts, np.int32), axis=1)
    missing = ops.isnan(chosen)
    scaled = (ops.where(missing, mean, chosen) - mean) / scale
    return [ops.clip(scaled, -FARTHEST, FARTHEST), ops.cast(missing, "float32")]


def _vectors(features: Any, names: dict[int, int], longest: int) -> list[Any]:
    """Return a vector for each name, to be learnt."""
    vectors = []
    for place, count in names.items():
        code = features[:, place]
        code = ops.where(ops.isnan(code), float(count), ops.clip(code, 0, count))
        length = min(longest, count + 1)
        vectors.append(layers.Embedding(count + 1, length, name=f"name_{place}")(ops.cast(code, "int32")))
    return vectors


def _outcome(value: Any, target: Floats) -> Any:
    if TASK.predicts == "chance":
        return layers.Dense(1, activation="sigmoid")(value)
    return layers.Rescaling(float(target.std()) or 1.0, float(target.mean()))(layers.Dense(1)(value))
