"""The arrays that models read and give."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


def float32_at_most(values: Doubles) -> Doubles:
    """Return each value rounded down to one that float32 holds; no float32 value changes its side by that.

    ONNX keeps the thresholds of trees as float32. Rounded to the nearest, a threshold can reach the next
    value that occurs, and the file would decide otherwise than the library's model.
    """
    with np.errstate(over="ignore"):
        nearest = values.astype(np.float32)
    return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest).astype(np.float64)
