"""The hyperparameters of the neural network: the defaults, and where tuning looks."""

from pydantic import Field

from ..sections import Part
from .space import Between


class Hyperparameters(Part):
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
DEFAULTS = Hyperparameters()
