"""The project's tests."""

import os

# Read when a trainer is loaded: few rows gain nothing by more threads, and on a busy machine they wait.
os.environ.setdefault("OMP_NUM_THREADS", "1")
