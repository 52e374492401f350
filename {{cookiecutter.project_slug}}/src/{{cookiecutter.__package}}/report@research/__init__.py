"""The research report."""
