"""What fitted estimators compute with NumPy is what their Keras models say."""

import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_seqae import LSTMAutoencoderTransformer, inference
from sklearn_seqae.architecture import Architecture
from sklearn_seqae.batching import pad
from sklearn_seqae.forward import Network
from sklearn_seqae.networks import build, decode
from sklearn_seqae.sequences import as_sequences

from .conftest import ARCHITECTURE, make_ragged

# Together they reach every branch of the forward pass.
CHOICES = {
    "default": {},
    "gru": {"cell": "gru"},
    "stacked": {"units": (5, 3), "pooling": "last", "patch_size": 2},
    "stacked_gru_forward": {"units": (5, 3), "cell": "gru", "bidirectional": False},
    "last_forward": {"pooling": "last", "bidirectional": False, "decodes_length": False},
    "mean_softmax": {"pooling": "mean", "activation": "softmax", "indicators": True},
    "max_sigmoid": {"pooling": "max", "activation": "sigmoid", "patch_size": 4},
    "reshape": {"decoder": "reshape", "units": (5, 3), "patch_size": 3},
    "reshape_gru": {"decoder": "reshape", "cell": "gru", "n_components": 11},
    "dense": {"decoder": "dense", "units": (5, 3), "patch_size": 2, "activation": "sigmoid"},
    "autoregressive": {"decoder": "autoregressive", "units": (5, 3), "indicators": True},
    "multiscale": {"dilations": (1, 1, 2), "n_summary": 2, "units": (5, 3)},
    "autoregressive_gru": {
        "decoder": "autoregressive",
        "cell": "gru",
        "patch_size": 3,
        "activation": "softmax",
    },
    "symbols": {"n_channels": 2, "symbols": (1,), "activation": "sigmoid"},
    "only_symbols": {"symbols": (2,), "patch_size": 2},
    "autoregressive_symbols": {"decoder": "autoregressive", "symbols": (1,), "patch_size": 2},
}


def make_network(**changes):
    """Return a Keras model with weights that are none of them zero, and its double in NumPy."""
    architecture = Architecture(**{**ARCHITECTURE, "n_steps": 9, **changes})
    model = build(architecture, seed=1)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0.05, 0.2, w.shape) for w in model.get_weights()])
    return model, Network(architecture, model.get_weights())


@pytest.mark.parametrize("choice", CHOICES)
def test_numpy_encodes_and_decodes_as_the_keras_model_does(choice):
    model, network = make_network(**CHOICES[choice])
    sequences = as_sequences(make_ragged(missing=0.2))
    width = network.architecture.n_patches * network.architecture.patch_size
    batch = pad(sequences, np.arange(len(sequences)), width)
    codes = np.asarray(model.get_layer("encoder")(batch))
    assert_allclose(network.encode(batch), codes, rtol=2e-6, atol=2e-6)
    decoder = model.get_layer("decoder")
    written = decode(decoder, network.architecture, ops.convert_to_tensor(codes), width)
    assert_allclose(network.decode(codes, width), written, rtol=2e-6, atol=2e-6)
    if network.architecture.decodes_length:
        assert_allclose(network.lengths(codes), model.get_layer("length")(codes), rtol=1e-5)


def test_numpy_encodes_batches_of_equal_lengths_as_the_keras_model_does():
    model, network = make_network(units=(5, 3))
    batch = np.random.default_rng(0).normal(size=(6, 9, 2)).astype(np.float32)
    assert_allclose(network.encode(batch), model.get_layer("encoder")(batch), atol=2e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_code_is_the_same_to_the_bit_in_whatever_company_it_is_computed(cell):
    ae = LSTMAutoencoderTransformer(6, units=40, cell=cell, epochs=1, random_state=0)
    X = make_ragged(n_sequences=200, longest=30, n_channels=3)
    codes = ae.fit(X[:20]).transform(X)
    assert_array_equal(codes[::-1], ae.transform(X[::-1]))
    assert_array_equal(codes[50:90], ae.transform(X[50:90]))
    assert_array_equal(codes[120], ae.transform([X[120]])[0])


def test_threads_give_the_same_codes_as_one_after_the_other(monkeypatch):
    _, network = make_network()
    sequences = as_sequences(make_ragged(n_sequences=100, longest=60))
    expected = inference.encode(network, sequences)
    monkeypatch.setattr(inference, "STATES_PER_THREAD", 0)
    monkeypatch.setattr(inference, "cpu_count", lambda: 4)
    assert_array_equal(inference.encode(network, sequences), expected)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_the_number_of_blas_threads_is_as_it_was_after_use_from_several_threads():
    _, network = make_network()
    sequences = as_sequences(make_ragged())
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        threads = [
            threading.Thread(target=lambda: [inference.encode(network, sequences) for _ in "12345"])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert blas_threads() == before
    assert set(before) == {2}


def test_an_unpickled_estimator_works_without_loading_tensorflow(fitted, ragged, tmp_path):
    codes = fitted.transform(ragged)
    path = tmp_path / "use.pickle"
    path.write_bytes(pickle.dumps((fitted, ragged, codes)))
    program = (
        "import pathlib, pickle, sys\n"
        f"ae, X, codes = pickle.loads(pathlib.Path({str(path)!r}).read_bytes())\n"
        "assert (ae.transform(X) == codes).all()\n"
        "ae.inverse_transform(codes), ae.score(X), ae.reconstruction_error(X, per='step')\n"
        "print([name for name in ('tensorflow', 'keras', 'scikeras') if name in sys.modules])\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_network_without_its_projection_gives_what_summaries_are_made_of():
    _, network = make_network(**CHOICES["multiscale"])
    other = network.unprojected()
    batch = np.random.default_rng(0).normal(size=(16, 9, 2)).astype(np.float32)
    codes, shares = network.encode(batch), other.encode(batch)
    projection, center = network._bank[2:]
    n_learned = network.architecture.n_learned
    assert shares.shape == (16, other.architecture.n_components)
    assert shares.shape[1] == n_learned + len(projection)
    assert_array_equal(shares[:, :n_learned], codes[:, :n_learned])
    summary = shares[:, n_learned:] @ projection + center
    assert_allclose(summary, codes[:, n_learned:], rtol=1e-4, atol=1e-4)
    assert_array_equal(network.encode(batch), codes)
    assert make_network()[1].unprojected().architecture.n_summary == 0
