"""The script that Streamlit runs for each look at the page: `script.py PACKAGE ROOT [SAMPLE]`."""

import sys
from importlib import import_module
from pathlib import Path

import streamlit as st

from handrail.dashboard.page import told


def run(package: str, root: str, sample: str = "") -> None:
    """Show the page of the project that is the package, with the settings as they are now."""
    project = import_module(package).project.at(Path(root))
    st.set_page_config(page_title=project.program, layout="wide")
    with told():
        settings = project.settings(int(sample) if sample else None)
        settings.project.dashboard(settings)


if __name__ == "__main__":
    run(*sys.argv[1:])
