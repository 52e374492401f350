"""Records that nobody has seen, made up from the contract, as a project's checks make them up."""

from handrail.contract.gaps import unsaid
from handrail.testing.made_up_records import made_up_records as records

__all__ = ["records", "unsaid"]
