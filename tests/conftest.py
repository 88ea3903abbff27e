"""Data and fitted estimators that several test files share: a fit costs seconds.

Whoever changes one of these estimators takes a `copy.deepcopy` of it first.
"""

import gc

import hypothesis
import numpy as np
import pytest

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.training.program_cache import programs

# How long an example takes says more of what else the machine does than of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Traced graphs are millions of objects, and to look through them as often as Python does takes an
# eighth of the time of the tests. What another file traced need not be traced again.
gc.set_threshold(50_000, 20, 20)
programs.size = 64

# Small enough that a test may fit one of its own; most of its time is then spent on tracing, which
# equal sizes share.
TINY = {"n_components": 4, "units": 6, "epochs": 2, "random_state": 0}

# What tests of networks start from.
ARCHITECTURE = {
    "n_steps": 6,
    "n_channels": 2,
    "n_components": 4,
    "units": (5,),
    "cell": "lstm",
    "bidirectional": True,
    "pooling": "mean_max",
    "decoder": "repeat",
    "encoder": None,
    "patch_size": 1,
    "activation": "linear",
    "indicators": False,
    "decodes_length": True,
}


def make_ragged(n_sequences=40, longest=9, n_channels=2, missing=0.0, seed=0):
    """Return sequences of 0 to `longest` steps, the first and the last of them empty."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest + 1, n_sequences)
    lengths[[0, -1]] = 0
    sequences = [rng.normal(size=(n, n_channels)).cumsum(axis=0) for n in lengths]
    for sequence in sequences:
        sequence[rng.random(sequence.shape) < missing] = np.nan
    return sequences


CANCELLING = ["one-hot", "mirrored", "parts of a whole"]


def make_cancelling(kind, seed=0, n_sequences=60):
    """Return sequences of channels whose sum is the same throughout, up to rounding."""
    rng = np.random.default_rng(seed)
    sequences = []
    for n in rng.integers(10, 60, n_sequences):
        x = rng.normal(size=(n, 4)).cumsum(axis=0)
        if kind == "one-hot":
            x = np.eye(4)[rng.integers(0, 4, n)]
        elif kind == "mirrored":
            x = np.hstack([x, -x])
        else:
            x = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        sequences.append(x)
    return sequences


@pytest.fixture(scope="session")
def ragged():
    """Forty sequences of 0 to 9 steps of two channels."""
    return make_ragged()


@pytest.fixture(scope="session")
def fitted(ragged):
    """An estimator fitted on `ragged`."""
    return LSTMAutoencoderTransformer(**TINY).fit(ragged)


@pytest.fixture(scope="session")
def fitted_on_missing():
    """An estimator with patches of three steps, fitted on sequences with missing values."""
    return LSTMAutoencoderTransformer(**TINY, patch_size=3).fit(make_ragged(missing=0.2))


@pytest.fixture(scope="session")
def wide():
    """Thirty one-channel sequences of five steps, as a 2-D array."""
    return np.random.default_rng(1).normal(size=(30, 5)).cumsum(axis=1)


@pytest.fixture
def tiny():
    """Parameters of an estimator that fits in a second, for a test to change."""
    return dict(TINY)
