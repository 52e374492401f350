"""From the sources to one table that keeps the contract."""
