"""The hyperparameters of LightGBM's gradient boosting: the defaults, and where tuning looks."""

from pydantic import Field

from ..sections import Part
from .space import Between


class Hyperparameters(Part):
    """What holds where `2-research/hyperparameters.yaml` says nothing else."""

    learning_rate: float = Field(0.05, gt=0, le=1, description="write how far each tree goes, as 0.05")
    num_iterations: int = Field(150, ge=1, le=10_000, description="write how many trees there are, as 150")
    num_leaves: int = Field(15, ge=2, le=1024, description="write the most leaves of a tree, as 15")
    min_data_in_leaf: int = Field(500, ge=1, description="write the fewest rows of a leaf, as 500")
    feature_fraction_bynode: float = Field(
        0.3, gt=0, le=1, description="write the share of the features tried at each split, as 0.3"
    )


SPACE = {
    "learning_rate": Between(0.02, 0.2, log=True),
    "num_iterations": Between(50, 300, log=True),
    "num_leaves": Between(7, 63, log=True),
    "min_data_in_leaf": Between(50, 1000, log=True),
    "feature_fraction_bynode": Between(0.15, 1.0),
}
DEFAULTS = Hyperparameters()
