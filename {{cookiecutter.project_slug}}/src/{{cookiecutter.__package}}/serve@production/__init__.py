"""How the live model answers."""
