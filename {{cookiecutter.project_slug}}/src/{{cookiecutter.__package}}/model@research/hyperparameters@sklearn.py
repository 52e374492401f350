"""The hyperparameters of scikit-learn's gradient boosting: the defaults, and where tuning looks."""

from pydantic import Field

from ..sections import Part
from .space import Between


class Hyperparameters(Part):
    """What holds where `2-research/hyperparameters.yaml` says nothing else."""

    learning_rate: float = Field(0.05, gt=0, le=1, description="write how far each tree goes, as 0.05")
    max_iter: int = Field(150, ge=1, le=10_000, description="write how many trees there are, as 150")
    max_leaf_nodes: int = Field(31, ge=2, le=1024, description="write the most leaves of a tree, as 31")
    min_samples_leaf: int = Field(500, ge=1, description="write the fewest rows of a leaf, as 500")
    max_features: float = Field(0.3, gt=0, le=1, description="write the share tried at each split, as 0.3")


SPACE = {
    "learning_rate": Between(0.02, 0.2, log=True),
    "max_iter": Between(50, 300, log=True),
    "max_leaf_nodes": Between(7, 63, log=True),
    "min_samples_leaf": Between(50, 1000, log=True),
    "max_features": Between(0.15, 1.0),
}
DEFAULTS = Hyperparameters()
