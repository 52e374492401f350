"""Where tuning looks for a hyperparameter."""

from typing import NamedTuple


class Between(NamedTuple):
    """The least and the greatest value to try; `log`: steps are factors. Whole numbers if both are."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are tried."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: float) -> bool:
        """Return whether a value lies here."""
        return self.low <= value <= self.high
