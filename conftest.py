"""What holds for tests and for the examples in docstrings alike."""

import os
import sys

import pytest

# Displays open no windows.
os.environ["MPLBACKEND"] = "agg"


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    """Close what was drawn: pyplot keeps every figure, and warns where there are many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
