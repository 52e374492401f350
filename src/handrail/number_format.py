"""How close a figure is told: three decimals, and one more where three tell little; shares in percent."""

from math import isnan

SMALL = 0.01


def pattern_of(value: float) -> str:
    """Return the format of a figure of this size, and of what stands beside it, as its interval."""
    return ".4f" if 0 < abs(value) < SMALL else ".3f"


def shown(value: float, pattern: str) -> str:
    """Return a number in a format; what rounds to nothing has no sign."""
    text = format(value, pattern)
    return text if any(letter in text for letter in "123456789") else text.removeprefix("-")


def figure(value: float) -> str:
    """Return a figure as it stands in tables, one that is not known (NaN) as a dash."""
    return "-" if isnan(value) else shown(value, pattern_of(value))


def percent(share: float) -> str:
    """Return a share (0 to 1) in percent, without decimals that say nothing: 10%, 2.5%."""
    return f"{100 * share:.4g}%"
