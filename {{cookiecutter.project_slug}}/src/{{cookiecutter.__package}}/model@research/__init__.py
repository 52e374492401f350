"""What the model sees, how it is made, and what it is measured by."""
