"""What the sponsor and the team look at."""
