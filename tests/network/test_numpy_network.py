"""What fitted estimators compute with NumPy is what their Keras models say."""

import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.network import inference
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.batching import pad
from sklearn_seqae.network.keras_network import build, decode, read_weights
from sklearn_seqae.network.numpy_network import Network
from tests.conftest import ARCHITECTURE, make_ragged

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
    "categories": {"n_channels": 2, "category_widths": (1,), "activation": "sigmoid"},
    "only_categories": {"category_widths": (2,), "patch_size": 2},
    "autoregressive_categories": {
        "decoder": "autoregressive",
        "category_widths": (1,),
        "patch_size": 2,
    },
}


def make_network(**changes):
    """Return a Keras model with weights that are none of them zero, and its double in NumPy."""
    architecture = Architecture(**{**ARCHITECTURE, "n_steps": 9, **changes})
    model = build(architecture, seed=1)
    rng = np.random.default_rng(0)
    model.set_weights([w + rng.uniform(0.05, 0.2, w.shape) for w in model.get_weights()])
    return model, Network(architecture, read_weights(model))


@pytest.mark.kernels
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
    lengths = sequences.lengths
    assert_allclose(network.decode(codes, lengths, width), written, rtol=2e-6, atol=2e-6)
    if network.architecture.decodes_length:
        assert_allclose(network.lengths(codes), model.get_layer("length")(codes), rtol=1e-5)


@pytest.mark.kernels
def test_numpy_encodes_batches_of_equal_lengths_as_the_keras_model_does():
    model, network = make_network(units=(5, 3))
    batch = np.random.default_rng(0).normal(size=(6, 9, 2)).astype(np.float32)
    assert_allclose(network.encode(batch), model.get_layer("encoder")(batch), atol=2e-6)


@pytest.fixture(scope="module", params=["lstm", "gru"])
def wider(request):
    """An estimator, two hundred sequences, and their codes."""
    ae = LSTMAutoencoderTransformer(40, units=40, cell=request.param, epochs=1, random_state=0)
    X = make_ragged(n_sequences=200, longest=30, n_channels=3)
    return ae.fit(X[:20]), X, ae.transform(X)


@pytest.mark.kernels
def test_a_code_depends_on_its_sequence_alone(wider):
    ae, X, codes = wider
    atol = 1e-5 * np.abs(codes).max()
    assert_allclose(ae.transform(X[50:90]), codes[50:90], rtol=0, atol=atol)
    assert_allclose(ae.transform([X[120]])[0], codes[120], rtol=0, atol=atol)
    padded = np.full((200, 41, 3), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    assert_allclose(ae.transform(padded), codes, rtol=0, atol=atol)


@pytest.mark.kernels
def test_the_order_of_rows_changes_nothing(wider):
    ae, X, codes = wider
    order = np.random.default_rng(0).permutation(len(X))
    again = ae.transform([X[i] for i in order])
    assert_allclose(again, codes[order], rtol=1e-7, atol=1e-7)
    written = ae.inverse_transform(codes)
    for i, x in zip(order, ae.inverse_transform(codes[order]), strict=True):
        assert_allclose(x, written[i], rtol=1e-7, atol=1e-8)


@pytest.mark.kernels
def test_equal_sequences_have_equal_codes_and_reconstructions(wider):
    ae, X, _ = wider
    doubled = X + X[::-1]
    codes = ae.transform(doubled)
    assert_array_equal(codes[:200], codes[:-201:-1])
    written = ae.inverse_transform(codes)
    for x, again in zip(written[:200], written[:-201:-1], strict=True):
        assert_array_equal(x, again)


@pytest.mark.kernels
def test_few_sequences_get_the_same_alone_and_beside_others(wider):
    ae, X, _ = wider
    few = X[40:60]
    codes = ae.transform(few)
    written = ae.inverse_transform(codes, lengths=[len(x) for x in few])
    for i in (3, 7, 19):
        assert_allclose(ae.transform([few[i]])[0], codes[i], rtol=1e-7)
        alone = ae.inverse_transform(codes[[i]], lengths=[len(few[i])])
        assert_allclose(alone[0], written[i], rtol=1e-7)


@pytest.mark.kernels
def test_threads_give_the_same_codes_as_one_after_the_other(monkeypatch):
    _, network = make_network()
    sequences = as_sequences(make_ragged(n_sequences=100, longest=60))
    expected = inference.encode(network, sequences)
    monkeypatch.setattr(inference, "STATES_PER_THREAD", 0)
    monkeypatch.setattr(inference, "n_threads", lambda: 4)
    assert_array_equal(inference.encode(network, sequences), expected)


def test_after_an_error_no_thread_begins_another_batch(monkeypatch):
    _, network = make_network()
    sequences = as_sequences(make_ragged(n_sequences=200, longest=200))
    monkeypatch.setattr(inference, "STATES_PER_THREAD", 0)
    monkeypatch.setattr(inference, "n_threads", lambda: 2)
    encode = network.encode
    begun = []

    def encode_but_the_first(*arguments):
        begun.append(1)
        if len(begun) == 1:
            raise ValueError("broken")
        time.sleep(0.05)
        return encode(*arguments)

    monkeypatch.setattr(network, "encode", encode_but_the_first)
    with pytest.raises(ValueError, match="broken"):
        inference.encode(network, sequences)
    assert len(begun) <= 2


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def in_a_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def test_blas_is_held_to_one_thread_from_any_thread():
    def number():
        with single_threaded():
            return set(blas_threads())

    before = blas_threads()
    assert number() == in_a_thread(number) == number() == {1}
    assert blas_threads() == before


def test_blas_has_one_thread_until_the_outermost_context_ends():
    before = blas_threads()
    with single_threaded():
        with single_threaded():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


@pytest.mark.parametrize("first", ["main", "other"])
@pytest.mark.parametrize("last", ["main", "other"])
def test_blas_has_its_threads_again_whoever_comes_first_and_leaves_last(first, last):
    before = blas_threads()
    both = {"main": ExitStack(), "other": ExitStack()}
    with ThreadPoolExecutor(1) as pool:

        def call(name, function, *arguments):
            if name == "main":
                return function(*arguments)
            return pool.submit(function, *arguments).result()

        for name in sorted(both, key=lambda name: name != first):
            call(name, both[name].enter_context, single_threaded())
        assert set(blas_threads()) == {1}
        for name in sorted(both, key=lambda name: name == last):
            call(name, both[name].close)
        assert blas_threads() == before
        assert call("other", blas_threads) == before


def test_a_limit_of_blas_that_the_user_holds_stays():
    def enter_and_leave():
        with single_threaded():
            pass
        return blas_threads()

    before = blas_threads()
    with threadpool_limits(limits=3, user_api="blas"):
        assert set(enter_and_leave()) == {3}
        assert set(in_a_thread(enter_and_leave)) == {3}
    assert blas_threads() == before


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


@pytest.mark.kernels
def test_a_network_without_its_projection_gives_what_summaries_are_made_of():
    _, network = make_network(**CHOICES["multiscale"])
    other = network.unprojected
    batch = np.random.default_rng(0).normal(size=(16, 9, 2)).astype(np.float32)
    codes, shares = network.encode(batch), other.encode(batch)
    projection, center = network._kernels.projection, network._kernels.center
    n_learned = network.architecture.n_learned
    assert shares.shape == (16, other.architecture.n_components)
    assert shares.shape[1] == n_learned + len(projection)
    assert_array_equal(shares[:, :n_learned], codes[:, :n_learned])
    summary = shares[:, n_learned:] @ projection + center
    assert_allclose(summary, codes[:, n_learned:], rtol=1e-4, atol=1e-4)
    assert_array_equal(network.encode(batch), codes)
    assert make_network()[1].unprojected.architecture.n_summary == 0
