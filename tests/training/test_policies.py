"""Global settings of Keras: built-in networks are float32 under any, a user's own follow them."""

import keras
import numpy as np
import pytest
from keras import Input, Sequential, layers
from numpy.testing import assert_allclose

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.training.program_cache import programs

TINY = {"n_components": 4, "units": 4, "epochs": 2, "random_state": 0, "metrics": ["mae"]}
X = [np.random.default_rng(n).normal(size=(n, 2)).cumsum(axis=0) for n in range(3, 15)]


def own_encoder(n_steps, n_channels, n_components):
    return Sequential([Input((None, n_channels)), layers.GRU(5), layers.Dense(n_components)])


def own_decoder(n_steps, n_channels, n_components):
    dense = layers.Dense(n_steps * n_channels)
    return Sequential([Input((n_components,)), dense, layers.Reshape((n_steps, n_channels))])


@pytest.fixture(scope="module")
def reference():
    ae = LSTMAutoencoderTransformer(**TINY).fit(X)
    return ae.transform(X), ae.history_


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16", "float64"])
def policy(request, monkeypatch):
    """A global policy of Keras; nothing that was traced under another one is used."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    monkeypatch.setattr(programs, "_idle", type(programs._idle)())
    keras.config.set_floatx("float64" if request.param == "float64" else "float32")
    keras.config.set_dtype_policy(request.param)
    yield request.param
    assert keras.config.dtype_policy().name == request.param
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


def test_a_global_policy_changes_nothing_of_built_in_networks(policy, reference):
    ae = LSTMAutoencoderTransformer(**TINY).fit(X)
    codes, history = reference
    assert_allclose(ae.transform(X), codes, atol=1e-5)
    for name, values in history.items():
        assert_allclose(ae.history_[name], values, rtol=1e-4)
    assert {weight.dtype for weight in ae.model_.weights} == {"float32"}


def test_models_of_the_users_own_follow_the_policy_or_are_refused(policy):
    ae = LSTMAutoencoderTransformer(**TINY, encoder=own_encoder, decoder=own_decoder)
    refusals = {
        "mixed_float16": r"float16.*LossScaleOptimizer.*mixed_bfloat16",
        "float64": r"encoder returned has weights of float64.*dtype='float32'",
    }
    if policy in refusals:
        with pytest.raises(ValueError, match=refusals[policy]):
            ae.fit(X)
        return
    codes = ae.fit(X).transform(X)
    assert codes.dtype == np.float32
    assert np.isfinite(codes).all()
    assert all(np.isfinite(x).all() for x in ae.reconstruct(X))
