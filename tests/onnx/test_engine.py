"""Codes, and few decoded sequences, by onnxruntime are those of NumPy, whoever calls it."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer
from sklearn_seqae._utils.threads import n_threads
from sklearn_seqae.network import inference
from sklearn_seqae.onnx import engine
from tests.conftest import TINY, make_ragged

SEQUENCES = make_ragged(n_sequences=60, longest=23, missing=0.1)
pytestmark = pytest.mark.filterwarnings("ignore")  # so short a fit learns little

NETWORKS = {
    "small code": {"n_components": 4},
    "all parts": {"n_components": 140},
    "no linear path": {"n_components": 140, "shortcut": None, "bidirectional": False},
    "patches": {"n_components": 40, "patch_size": 4, "cell": "gru", "units": (5, 3)},
    "per sequence": {"n_components": 40, "scaler": "per_sequence", "pooling": "last"},
    "reshaped code": {"decoder": "reshape", "units": (5, 3), "shortcut": None},
}


@pytest.fixture(scope="module", params=NETWORKS.values(), ids=NETWORKS)
def ae(request):
    return LSTMAutoencoderTransformer(**TINY | {"epochs": 1} | request.param).fit(SEQUENCES)


@pytest.fixture(scope="module")
def fitted():
    return LSTMAutoencoderTransformer(**TINY | {"epochs": 1, "n_components": 140}).fit(SEQUENCES)


@pytest.fixture
def hold(monkeypatch):
    return lambda name: monkeypatch.setenv(engine.VARIABLE, name)


@pytest.mark.kernels
@pytest.mark.parametrize("n", [3, 60])  # one by one, and in batches
def test_both_engines_give_the_same_codes(ae, hold, n):
    hold("numpy")
    expected = ae.transform(SEQUENCES[:n])
    hold("onnxruntime")
    assert_allclose(ae.transform(SEQUENCES[:n]), expected, atol=1e-5 * np.abs(expected).max())
    restored = ae.inverse_transform(expected)
    hold("numpy")
    scale = np.nanstd(np.concatenate(SEQUENCES))
    for one, other in zip(restored, ae.inverse_transform(expected), strict=True):
        assert_allclose(one, other, atol=1e-5 * scale)


@pytest.mark.kernels
def test_both_engines_give_the_same_scores(hold):
    detector = LSTMAutoencoderDetector(**TINY | {"epochs": 1, "n_components": 140})
    hold("onnxruntime")
    scores = detector.fit(SEQUENCES).score_samples(SEQUENCES)
    hold("numpy")
    assert_allclose(detector.score_samples(SEQUENCES), scores, rtol=1e-4, atol=1e-4)


def test_few_sequences_have_the_same_bits_alone_and_together(ae, hold):
    hold("onnxruntime")
    some = SEQUENCES[: inference.FEW]
    alone = np.concatenate([ae.transform([x]) for x in some])
    assert_array_equal(ae.transform(some), alone)
    decoded = [ae.inverse_transform(code[None])[0] for code in alone]
    for one, other in zip(ae.inverse_transform(alone), decoded, strict=True):
        assert_array_equal(one, other)


@pytest.mark.kernels
def test_a_code_by_onnxruntime_depends_on_its_sequence_alone(fitted, hold):
    hold("onnxruntime")
    together = fitted.transform(SEQUENCES)
    alone = np.concatenate([fitted.transform([x]) for x in SEQUENCES])
    assert_allclose(alone, together, atol=1e-5 * np.abs(together).max())
    assert_array_equal(fitted.transform(SEQUENCES[::-1])[::-1], together)


def test_threads_share_one_engine(fitted, hold, monkeypatch):
    hold("onnxruntime")
    expected = fitted.transform(SEQUENCES)
    monkeypatch.setattr(engine.Network, "steps_at_once", 100)  # batches, side by side as well
    batches = fitted.transform(SEQUENCES)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fitted.transform(SEQUENCES), range(8)))
    for codes in found:
        assert_array_equal(codes, batches)
    assert_allclose(batches, expected, atol=1e-5 * np.abs(expected).max())


def test_a_pickle_has_no_engine_and_gives_the_same_codes(fitted, hold):
    hold("onnxruntime")
    codes = fitted.transform(SEQUENCES)
    copy = pickle.dumps(fitted)
    assert b"onnxruntime" not in copy
    assert_array_equal(pickle.loads(copy).transform(SEQUENCES), codes)


def test_new_weights_of_the_keras_model_change_the_codes(hold):
    hold("onnxruntime")
    ae = LSTMAutoencoderTransformer(**TINY | {"epochs": 1}).fit(SEQUENCES)
    codes = ae.transform(SEQUENCES)
    layer = ae.encoder_.get_layer("code")
    layer.set_weights([2.0 * w + 1.0 for w in layer.get_weights()])
    changed = ae.transform(SEQUENCES)
    assert np.abs(changed - codes).min(axis=1).max() > 0.1
    hold("numpy")
    assert_allclose(ae.transform(SEQUENCES), changed, atol=1e-5)


def test_networks_of_the_same_encoder_share_a_session(fitted, hold):
    hold("onnxruntime")
    network = pickle.loads(pickle.dumps(fitted))._fitted_model.network
    first = network.runner._session
    network.assign({"decoder/mean/gain": network.weights["decoder/mean/gain"] + 1.0})
    assert network.runner._session is first
    network.assign({"encoder/code/bias": network.weights["encoder/code/bias"] + 1.0})
    assert network.runner._session is not first


def test_an_unknown_engine_is_refused(fitted, hold):
    hold("torch")
    with pytest.raises(ValueError, match=r"one of auto, numpy, onnxruntime, got 'torch': set one"):
        fitted.transform(SEQUENCES)


def test_without_onnxruntime_numpy_encodes_unless_it_is_asked_for(fitted, hold, monkeypatch):
    assert engine.chosen_engine() == "onnxruntime"
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    engine._is_there.cache_clear()
    try:
        assert engine.chosen_engine() == "numpy"
    finally:
        monkeypatch.undo()
        engine._is_there.cache_clear()
    hold("onnxruntime")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    copy = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ImportError, match=r"sklearn-seqae\[fast\].*SKLEARN_SEQAE_ENGINE=numpy"):
        copy.transform(SEQUENCES)


@pytest.mark.parametrize(("given", "share"), [("1", 1), ("1,2", 1), ("", None), ("many", None)])
def test_a_process_uses_its_share_of_the_cores(given, share, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = n_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert n_threads() == (share or cores)
