"""What a check says where it does not hold."""


def require(condition: bool, sentence: str) -> None:
    """Raise AssertionError with `sentence` (what, where, what next) unless `condition` holds."""
    __tracebackhide__ = True  # pytest shows the line of the check
    if not condition:
        raise AssertionError(sentence)
