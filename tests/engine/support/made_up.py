"""Records that nobody has seen, made up from the contract, as a project's checks make them up."""

from handrail.testing.made_up_records import made_up_records as records
from handrail.testing.made_up_records import unsaid

__all__ = ["records", "unsaid"]
