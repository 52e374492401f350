"""The live model at work."""
