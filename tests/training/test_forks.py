"""A process that was forked after TensorFlow had started encodes, but says that it can't train."""

import os
import pickle
import signal
import time

import numpy as np
import pytest
from keras import Input, Sequential, layers
from numpy.testing import assert_allclose

from sklearn_seqae import LSTMAutoencoderTransformer

TINY = {"n_components": 4, "units": 4, "epochs": 1, "random_state": 0, "early_stopping": False}
WIDE = np.random.default_rng(0).normal(size=(12, 6)).cumsum(axis=1)

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on Windows"),
    pytest.mark.filterwarnings("ignore"),  # of the fork itself; and so short a fit learns little
]


def own_encoder(n_steps, n_channels, n_components):
    return Sequential([Input((n_steps, n_channels)), layers.GRU(n_components)])


@pytest.fixture(scope="module")
def trained():
    return LSTMAutoencoderTransformer(**TINY).fit(WIDE)


def in_a_fork(function, seconds=60):
    """Return what a function returns, or the error that it raises, in a forked process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # no code of pytest may run here
        try:
            result = function()
        except BaseException as error:
            result = error
        os.write(writer, pickle.dumps(result))
        os._exit(0)
    os.close(writer)
    end = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the forked process hangs")
        time.sleep(0.02)
    with os.fdopen(reader, "rb") as pipe:
        return pickle.load(pipe)


def test_a_fork_encodes_and_decodes(trained):
    codes = in_a_fork(lambda: trained.transform(WIDE))
    assert_allclose(codes, trained.transform(WIDE), atol=1e-5)
    decoded = in_a_fork(lambda: trained.inverse_transform(codes))
    assert_allclose(decoded, trained.inverse_transform(codes), atol=1e-5)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_fork_says_that_it_cannot_train_and_what_to_do(trained, method):
    error = in_a_fork(lambda: getattr(trained, method)(WIDE))
    assert isinstance(error, RuntimeError)
    for part in ("forked after", "'loky'", "get_context('spawn')"):
        assert part in str(error)


def test_a_fork_says_that_it_cannot_run_models_of_the_users_own():
    ae = LSTMAutoencoderTransformer(**TINY, encoder=own_encoder).fit(WIDE)
    assert ae.transform(WIDE).shape == (12, 4)
    error = in_a_fork(lambda: ae.transform(WIDE))
    assert isinstance(error, RuntimeError)
    assert "forked after" in str(error)
