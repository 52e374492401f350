"""Whether the live model still does what was measured."""
