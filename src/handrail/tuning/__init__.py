"""Looks for better hyperparameters within the research budget."""
