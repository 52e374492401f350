"""What is watched of the live model."""
