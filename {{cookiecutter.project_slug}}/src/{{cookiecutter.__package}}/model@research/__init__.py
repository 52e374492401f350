"""From the table to a model that is measured, kept and live."""
