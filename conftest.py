"""What holds for tests and for the examples in docstrings alike."""

import importlib.util
import os
import sys

import pytest

# Examples of these run where the packages are: `make interop`.
collect_ignore = [
    f"sklearn_seqae/adapters/for_{package}.py"
    for package in ("aeon", "sktime")
    if importlib.util.find_spec(package) is None
]
# Displays open no windows.
os.environ["MPLBACKEND"] = "agg"


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    """Close what was drawn: pyplot keeps every figure, and warns where there are many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
