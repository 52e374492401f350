"""What an update will not or cannot do."""


class UpdateError(Exception):
    """The reason in one line, for the person at the keyboard: what, where, what next; may hold several."""
