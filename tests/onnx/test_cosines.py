"""The linear path in ONNX: sums of cosines, and gaps that are filled as NumPy fills them."""

import numpy as np
import onnxruntime
import pytest
from numpy.testing import assert_allclose

from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.network import cosines
from sklearn_seqae.network.batching import pad
from sklearn_seqae.onnx.cosines import encode
from sklearn_seqae.onnx.graph import Graph
from sklearn_seqae.onnx.inputs import scale
from sklearn_seqae.preprocessing.categories import MixedScaler
from tests.conftest import make_ragged


def make(X, n_components, n_frequencies=16):
    """Return what gives linear codes in ONNX and in NumPy, fitted on sequences."""
    sequences = as_sequences(X)
    with single_threaded():
        path = cosines.fit(sequences, n_frequencies, n_components, seed=0)
    scaler = MixedScaler(None).fit(sequences)
    graph = Graph()
    scaled = scale(graph, "sequences", "lengths", scaler, 1, np.float32, "error")
    codes, _ = encode(graph, scaled, path)
    graph.op("Identity", codes)
    shape = ["n_sequences", "n_steps", sequences.n_channels]
    model = graph.model(
        "linear",
        [("sequences", np.float32, shape, ""), ("lengths", np.int64, ["n_sequences"], "")],
        ("codes", np.float32, ["n_sequences", n_components], ""),
        producer=("", ""),
        doc="",
        metadata={},
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())

    def run(X):
        sequences = as_sequences(X)
        width = max(1, sequences.lengths.max())
        batch = pad(sequences, np.arange(len(sequences)), width).astype(np.float32)
        inputs = {"sequences": batch, "lengths": sequences.lengths}
        codes, _ = cosines.encode(batch, path, sequences.lengths)
        return session.run(["codes"], inputs)[0], codes

    return run


def make_noisy(n_sequences, n_steps, n_channels=2, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n_steps, n_channels)).cumsum(axis=0) for _ in range(n_sequences)]


def assert_same(pair):
    codes, expected = pair
    assert_allclose(codes, expected, rtol=0, atol=1e-5 * max(1.0, np.abs(expected).max()))


@pytest.mark.kernels
@pytest.mark.parametrize("n_components", [1, 5, 40])
def test_complete_sequences_of_any_length_have_the_codes_of_numpy(n_components):
    run = make(make_ragged(20, 25, 3), n_components)
    assert_same(run(make_ragged(20, 25, 3, seed=1)))
    # Of no step, one, fewer than there are frequencies, and many more than in training.
    for lengths in ([0, 1, 2, 7, 15, 16, 700], [0], [1, 1], [700]):
        X = [10 * make_noisy(1, n, 3, seed=n)[0] for n in lengths]
        pair = run(X)
        assert_same(pair)
        assert_allclose(pair[0][np.array(lengths) == 0], 0.0)


@pytest.mark.kernels
@pytest.mark.parametrize("n_components", [1, 5, 40])
@pytest.mark.parametrize("missing", [0.1, 0.9])
def test_missing_values_are_filled_as_in_numpy(n_components, missing):
    run = make(make_ragged(20, 25, 3, missing=missing), n_components)
    X = [*make_ragged(9, 40, 3, missing, seed=1), *make_ragged(9, 40, 3, seed=2)]
    assert_same(run(X))
    assert_same(run(X[:1]))


@pytest.mark.kernels
def test_long_gaps_of_long_sequences_are_filled_as_in_numpy():
    X = make_noisy(12, 300)
    run = make(X, 20, 64)
    for x in X:
        x[70:230] = np.nan
    X[0][5:] = np.nan  # the beginning of one, of which the last steps are not seen either
    X[1][5:-1] = np.nan
    X[2][:, 0] = np.nan
    X[3][180:] = np.nan
    X[4][:] = np.nan
    assert_same(run(X))


@pytest.mark.kernels
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_values_of_any_size_have_the_codes_of_numpy(missing):
    X = make_ragged(20, 25, missing=missing)
    run = make(X, 5)
    for size in (1e-30, 1e3, 1e12):
        assert_same(run([size * x for x in X]))


@pytest.mark.kernels
def test_gaps_do_not_concern_other_sequences_of_a_batch():
    X = make_ragged(12, 20)
    run = make(X, 6)
    codes = run(X)[0]
    gaps = [x.copy() for x in X]
    for x in gaps[::2]:
        x[1:-1] = np.nan
    changed = run(gaps)[0]
    assert_allclose(changed[1::2], codes[1::2], rtol=1e-5, atol=1e-6)
    assert np.abs(changed - codes)[::2].max() > 0.01
