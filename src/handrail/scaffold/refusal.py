"""What an update will not or cannot do."""


class Refusal(Exception):
    """A reason in one line, for the person at the keyboard: what, where, what next. Nothing was changed."""
