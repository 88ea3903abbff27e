"""What a runtime of ONNX makes of raw sequences is what `transform` makes of them."""

import copy
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import keras
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.network import cosines, inference, minirocket
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.layer_specs import weight_specs
from sklearn_seqae.network.numpy_network import Network
from sklearn_seqae.onnx import graph
from sklearn_seqae.onnx.export import encoder_model
from sklearn_seqae.onnx.inputs import arithmetic_of
from sklearn_seqae.preprocessing.categories import MixedScaler, adopt
from tests.conftest import ARCHITECTURE, CANCELLING, TINY, make_cancelling, make_ragged

SCALERS = ["standard", "minmax", "robust", "per_sequence", None]
N_SUMMARY = 3
N_LEARNED = 4
# No linear components, some beside the recurrent ones, and all, to which these are added.
N_LINEAR = [0, 2, N_LEARNED]


def draw_weights(architecture, summary, path):
    """Return the weights of a whole network, at the scale of trained ones."""
    rng = np.random.default_rng(0)
    weights = {
        name: rng.uniform(-0.6, 0.6, spec.shape).astype(np.float32)
        for name, spec in weight_specs(architecture).items()
    }
    weights |= {f"encoder/summary/{name}": array for name, array in summary.items()}
    weights |= cosines.place(path, weights)
    if architecture.decodes_length:
        layer = "encoder/linear" if architecture.has_linear_length else "encoder/pool"
        moments = {f"{layer}/location": 1.5, f"{layer}/scale": 0.7}
        weights |= {name: np.array(value, np.float32) for name, value in moments.items()}
    return weights


def make(X, scaler="standard", categories=False, multiscale=False, n_linear=0, **changes):
    """Return a model of random weights, with its session and what gives the codes in NumPy."""
    choose = "from_dtype" if categories else None
    sequences = as_sequences(X, choose)
    fitted = MixedScaler(scaler).fit(sequences)
    dilations = (2, 1, 2, 7) if multiscale else ()
    n_summary = N_SUMMARY if multiscale else 0
    sizes = {
        "n_channels": len(fitted.channels),
        "n_components": N_LEARNED + n_summary,
        "n_summary": n_summary,
        "dilations": dilations,
        "category_widths": fitted.category_widths,
        "n_linear": n_linear,
        "n_frequencies": 12 if n_linear else 0,
    }
    architecture = Architecture(**{**ARCHITECTURE, **sizes, **changes})
    scaled = fitted.transform(sequences)
    with single_threaded():
        summary = minirocket.fit(scaled, dilations, n_summary, seed=0) if multiscale else {}
        tells_length = architecture.has_linear_length
        path = cosines.fit(scaled, 12, n_linear, 0, tells_length) if n_linear else {}
    weights = draw_weights(architecture, summary, path)
    model = encoder_model(architecture, weights, fitted)
    network = Network(architecture, weights)

    def encode(X):
        sequences = adopt(as_sequences(X, choose), fitted.categories)
        # What the model reads; test_numbers tries one that reads float64.
        sequences = sequences.with_values(sequences.values.astype(np.float32))
        codes = inference.encode(network, fitted.transform(sequences))
        return np.hstack([codes, fitted.statistics(sequences)])

    return SimpleNamespace(model=model, session=start(model.SerializeToString()), encode=encode)


def start(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options)


def start_exported(ae, path):
    ae.export_onnx(path)
    return start(path)


def to_arrays(X, extra=0, seed=0):
    """Return sequences as the inputs of a model, with anything but their own values as padding."""
    sequences = as_sequences(X)
    rng = np.random.default_rng(seed)
    lengths = sequences.lengths
    shape = (len(sequences), lengths.max(initial=0) + extra, sequences.n_channels)
    padded = rng.choice(np.array([np.nan, np.inf, -np.inf, 0, 1e38, -7], np.float32), shape)
    padded[np.arange(shape[1]) < lengths[:, None]] = sequences.values
    return {"sequences": padded, "lengths": lengths}


def run(session, X, **options):
    return session.run(["codes"], to_arrays(X, **options))[0]


def with_letters(n_sequences=25, longest=17, missing=0.0, seed=0):
    """Return sequences of a number, a letter and a number, and the same with indices of letters."""
    rng = np.random.default_rng(seed)
    X = make_ragged(n_sequences, longest, 3, missing, seed)
    X = [x.astype(np.float32) for x in X]
    for x in X:
        known = ~np.isnan(x[:, 1])
        x[known, 1] = rng.integers(0, 3, known.sum())
    return [_named(x) for x in X], X


def _named(x):
    named = x.astype(object)
    named[:, 1] = [None if np.isnan(code) else "abc"[int(code)] for code in x[:, 1]]
    return named


EVERY_ENCODER = list(
    product(["lstm", "gru"], [True, False], [(5,), (5, 3)], ["last", "mean", "max", "mean_max"])
)


@pytest.mark.kernels
@pytest.mark.parametrize(("cell", "bidirectional", "units", "pooling"), EVERY_ENCODER)
def test_every_encoder_gives_the_codes_of_numpy(cell, bidirectional, units, pooling):
    # The other choices take turns, so that each meets all others.
    turn = EVERY_ENCODER.index((cell, bidirectional, units, pooling))
    X = make_ragged(25, 17, missing=0.2)
    both = make(
        X,
        scaler=SCALERS[turn % 5],
        multiscale=turn % 3 > 0,
        n_linear=N_LINEAR[(turn + turn // 3) % 3],
        indicators=turn % 7 > 2,
        decodes_length=turn % 11 > 2,
        patch_size=1 + (turn // 2 + turn // 4) % 4,
        soft_step=("clip", "tanh")[turn // 5 % 2],
        cell=cell,
        bidirectional=bidirectional,
        units=units,
        pooling=pooling,
    )
    assert_allclose(run(both.session, X, extra=3), both.encode(X), atol=1e-5)


@pytest.mark.kernels
@pytest.mark.parametrize("kind", CANCELLING)
@pytest.mark.parametrize("seed", range(2))
def test_channels_that_cancel_get_the_codes_of_numpy(kind, seed):
    X = make_cancelling(kind, seed)
    both = make(X, scaler=None, multiscale=True, patch_size=2, n_linear=2)
    codes = both.encode(X)
    assert_allclose(run(both.session, X), codes, rtol=0, atol=1e-5 * np.abs(codes).max())


@pytest.mark.kernels
@settings(max_examples=50)
@given(
    choices=st.fixed_dictionaries(
        {
            "scaler": st.sampled_from(SCALERS),
            "multiscale": st.booleans(),
            "n_linear": st.sampled_from(N_LINEAR),
            "indicators": st.booleans(),
            "decodes_length": st.booleans(),
            "cell": st.sampled_from(["lstm", "gru"]),
            "bidirectional": st.booleans(),
            "units": st.sampled_from([(5,), (3, 4), (1, 2, 3)]),
            "pooling": st.sampled_from(["last", "mean", "max", "mean_max"]),
            "patch_size": st.sampled_from([1, 2, 5, 40]),
        }
    ),
    n_channels=st.integers(1, 3),
    lengths=st.lists(st.integers(0, 45), min_size=1, max_size=6),
    level=st.sampled_from([0.0, -3.0, 1e4]),
    missing=st.sampled_from([0.0, 0.3, 0.9]),
    extra=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_any_sequences_get_the_codes_of_numpy(
    choices, n_channels, lengths, level, missing, extra, seed
):
    rng = np.random.default_rng(seed)
    X = [x + level for x in make_ragged(12, 40, n_channels, missing, seed)]
    X[1] = rng.normal(size=(3, n_channels)) + level  # something to learn a scale from
    both = make(X, **choices)
    others = [
        level + rng.normal(size=(n, n_channels)).cumsum(axis=0) * rng.choice([0.0, 1.0, 20.0])
        for n in lengths
    ]
    for x in others:
        x[rng.random(x.shape) < rng.choice([0.0, missing, 1.0])] = np.nan
        x[: rng.choice([0, 2]), : rng.integers(n_channels + 1)] = np.nan
        x[len(x) - rng.choice([0, 3]) :] = np.nan
    codes = run(both.session, others, extra=extra, seed=seed)
    # Values that are not scaled are rounded in proportion to their level.
    atol = 1e-4 if choices["scaler"] else 1e-4 + 1e-7 * level
    assert_allclose(codes, both.encode(others), atol=atol)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("scaler", ["standard", "per_sequence"])
@pytest.mark.parametrize("patch_size", [1, 3])
def test_categories_are_given_by_their_index(missing, scaler, patch_size):
    named, X = with_letters(missing=missing)
    choices = {"multiscale": True, "indicators": missing > 0, "patch_size": patch_size}
    choices["n_linear"] = patch_size + 1  # 2 or all
    both = make(named, scaler=scaler, categories=True, **choices)
    assert_allclose(run(both.session, X, extra=2), both.encode(named), atol=1e-5)
    channels = json.loads(both.model.metadata_props[-1].value)
    assert channels == [
        {"name": None, "categories": None},
        {"name": None, "categories": ["a", "b", "c"]},
        {"name": None, "categories": None},
    ]


def test_categories_alone_are_encoded():
    named, X = with_letters(missing=0.2)
    both = make([x[:, 1] for x in named], categories=True, multiscale=True, n_linear=2)
    codes = run(both.session, [x[:, 1] for x in X], extra=2)
    assert_allclose(codes, both.encode([x[:, 1] for x in named]), atol=1e-5)


def test_one_session_takes_any_number_of_sequences_and_steps():
    both = make(make_ragged(), multiscale=True, patch_size=4, n_linear=2)
    for n_sequences, longest, extra in [(1, 1, 0), (3, 2, 0), (2, 90, 7), (70, 9, 1), (1, 3, 200)]:
        X = make_ragged(n_sequences + 2, longest, missing=0.1, seed=longest)[1:-1]
        assert_allclose(run(both.session, X, extra=extra), both.encode(X), atol=1e-5)


@pytest.mark.parametrize(("cell", "n_linear"), [("lstm", 2), ("gru", N_LEARNED)])
def test_a_batch_without_sequences_or_without_steps_is_encoded(cell, n_linear):
    choices = {"multiscale": True, "patch_size": 2, "cell": cell, "n_linear": n_linear}
    both = make(make_ragged(), scaler="per_sequence", **choices)
    empty = both.encode([np.zeros((0, 2))])
    for n_sequences, n_steps in [(0, 5), (0, 0), (3, 0), (3, 7)]:
        sequences = np.zeros((n_sequences, n_steps, 2), np.float32)
        lengths = np.zeros(n_sequences, np.int64)
        codes = both.session.run(None, {"sequences": sequences, "lengths": lengths})[0]
        assert_allclose(codes, np.repeat(empty, n_sequences, axis=0), atol=1e-5)


def test_without_a_linear_path_rows_padded_with_nan_need_no_lengths_of_their_own():
    X = make_ragged(missing=0.2)
    both = make(X, multiscale=True, patch_size=2, indicators=True)
    inputs = to_arrays(X)
    n_sequences, n_steps, _ = inputs["sequences"].shape
    inside = np.arange(n_steps)[:, None] < inputs["lengths"][:, None, None]
    inputs["sequences"] = np.where(inside, inputs["sequences"], np.nan)
    inputs["lengths"] = np.full(n_sequences, n_steps)
    assert_allclose(both.session.run(None, inputs)[0], both.encode(X), atol=1e-5)


def test_values_far_from_those_of_training_get_the_codes_of_numpy():
    X = [x * scale for x, scale in zip(make_ragged(), np.logspace(-30, 30, 40), strict=True)]
    for scaler, n_linear in product(["standard", None], [0, 2]):
        both = make(make_ragged(), scaler=scaler, patch_size=2, n_linear=n_linear)
        codes, expected = run(both.session, X), both.encode(X)
        size = np.maximum(1.0, np.abs(expected).max(axis=1, keepdims=True))
        assert_allclose(codes / size, expected / size, rtol=0, atol=1e-5)


def test_what_transform_refuses_has_a_code_of_nan_and_the_others_theirs():
    named, X = with_letters()
    both = make(named, categories=True, multiscale=True, n_linear=2)
    X, expected = X[1:9], both.encode(named)[1:9]
    inputs = to_arrays(X, extra=2)
    inputs["lengths"][:8] = np.maximum(inputs["lengths"][:8], 1)
    inputs["sequences"][:8, 0] = 0.0
    clean = both.session.run(None, inputs)[0]
    assert np.isfinite(clean).all()
    inputs["sequences"][0, 0, 0] = np.inf
    inputs["sequences"][1, 0, 2] = -np.inf
    inputs["sequences"][2:5, 0, 1] = [3, -1, 0.5]  # no index of "a", "b" and "c"
    inputs["lengths"][5:7] = [-1, inputs["sequences"].shape[1] + 1]
    codes = both.session.run(None, inputs)[0]
    assert np.isnan(codes[:7]).all()
    assert_allclose(codes[7], clean[7], atol=1e-6)
    assert expected.shape == codes.shape


AFFINE = {
    "standard_no_mean": StandardScaler(with_mean=False),
    "standard_no_scale": StandardScaler(with_std=False),
    "robust": RobustScaler(quantile_range=(10, 90), with_centering=False),
    "minmax": MinMaxScaler((-2, 3)),
    "minmax_clipped": MinMaxScaler(clip=True),
    "maxabs": MaxAbsScaler(),
    "pipeline": make_pipeline(StandardScaler(), "passthrough", MinMaxScaler(clip=True)),
    "nothing": make_pipeline("passthrough"),
}


@pytest.mark.parametrize("scaler", AFFINE.values(), ids=AFFINE)
def test_scalers_of_scikit_learn_that_add_multiply_and_clip_are_exported(scaler):
    X = [x + 1e5 for x in make_ragged(missing=0.1)]
    both = make(X, scaler=scaler)
    others = [2 * x - 1e5 for x in X]
    assert_allclose(run(both.session, others), both.encode(others), atol=1e-5)


class ShiftedScaler(StandardScaler):
    """What a subclass computes is not known."""


@pytest.mark.parametrize(
    "scaler",
    [
        PowerTransformer(),
        ShiftedScaler(),
        make_pipeline(StandardScaler(), FunctionTransformer()),
    ],
    ids=["power", "subclass", "step"],
)
def test_other_scalers_are_refused(scaler):
    with pytest.raises(ValueError, match=r"only adds, multiplies and clips .* scaler=None"):
        arithmetic_of(scaler.fit(np.arange(6.0)[:, None]))


def nodes_of(graph):
    """Give the nodes of a graph, and of those within it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from nodes_of(attribute.g)


@pytest.mark.parametrize("n_linear", N_LINEAR)
def test_the_model_is_documented_and_its_tensors_have_names_of_their_own(n_linear):
    both = make(make_ragged(), multiscale=True, n_linear=n_linear)
    graph = both.model.graph
    onnx.checker.check_model(both.model, full_check=True)
    nodes = list(nodes_of(graph))
    assert len({node.name for node in nodes}) == len(nodes)
    assert {"Loop", "Scan"}.isdisjoint(x.op_type for x in nodes) == (n_linear == 0)
    assert both.model.producer_name == "sklearn-seqae"
    assert "NaN" in both.model.doc_string
    assert all(value.doc_string for value in [*graph.input, *graph.output])
    assert [value.name for value in graph.input] == ["sequences", "lengths"]
    described = both.session.get_inputs() + both.session.get_outputs()
    assert [(value.type, value.shape) for value in described] == [
        ("tensor(float)", ["n_sequences", "n_steps", 2]),
        ("tensor(int64)", ["n_sequences"]),
        ("tensor(float)", ["n_sequences", 7]),
    ]
    metadata = both.session.get_modelmeta().custom_metadata_map
    assert set(metadata) == {"sklearn_seqae_version", "n_components", "channels"}
    assert metadata["n_components"] == "7"


def test_a_fitted_estimator_is_exported_as_it_is(fitted, fitted_on_missing, tmp_path):
    X = make_ragged(missing=0.2, seed=3)
    path = tmp_path / "encoder.onnx"
    for ae in (fitted, fitted_on_missing):
        session = start_exported(ae, path)
        assert_allclose(run(session, X), ae.transform(X), atol=1e-5)
        n_bytes = sum(array.nbytes for array in ae.encoder_.get_weights())
        assert path.stat().st_size < n_bytes + 40_000
    changed = copy.deepcopy(fitted)
    changed.model_.set_weights([w + 0.1 for w in changed.model_.get_weights()])
    session = start_exported(changed, path)
    assert_allclose(run(session, X), changed.transform(X), atol=1e-5)
    assert [child.name for child in tmp_path.iterdir()] == ["encoder.onnx"]


def test_numbers_that_are_not_scaled_may_be_float64(fitted, tmp_path):
    ae = copy.deepcopy(fitted)
    ae.scaler_.scaler_ = make_pipeline("passthrough")
    ae._fitted_model.mean = ae._fitted_model.mean + 1e6
    session = start_exported(ae, tmp_path / "encoder.onnx")
    assert session.get_inputs()[0].type == "tensor(double)"
    inputs = to_arrays(make_ragged())
    inputs["sequences"] = inputs["sequences"].astype(np.float64)
    codes = session.run(None, inputs)[0]
    assert_allclose(codes, ae.transform(make_ragged()), atol=1e-5)


def test_two_exports_of_one_estimator_are_the_same_file(fitted, tmp_path):
    for name in ("a", "b"):
        fitted.export_onnx(str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.long
def test_data_frames_with_categories_and_default_codes_are_exported(tmp_path):
    named, X = with_letters()
    frames = [
        pd.DataFrame(x, columns=["p", "mode", 7]).astype({"p": float, 7: float}) for x in named
    ]
    choices = TINY | {"n_components": 40, "scaler": "per_sequence", "patch_size": 2}
    ae = LSTMAutoencoderTransformer(**choices).fit(frames)
    session = start_exported(ae, tmp_path / "encoder.onnx")
    assert_allclose(run(session, X), ae.transform(frames), atol=1e-4)
    channels = json.loads(session.get_modelmeta().custom_metadata_map["channels"])
    assert [channel["name"] for channel in channels] == ["p", "mode", "7"]
    assert [channel["categories"] for channel in channels] == [None, ["a", "b", "c"], None]


def own_decoder(n_steps, n_channels, n_components):
    layers = [keras.Input((n_components,)), keras.layers.Dense(n_steps * n_channels)]
    return keras.Sequential([*layers, keras.layers.Reshape((n_steps, n_channels))])


def test_the_encoder_beside_an_own_decoder_is_exported(ragged, tmp_path):
    ae = LSTMAutoencoderTransformer(**TINY | {"epochs": 1}, decoder=own_decoder).fit(ragged)
    session = start_exported(pickle.loads(pickle.dumps(ae)), tmp_path / "encoder.onnx")
    assert_allclose(run(session, ragged), ae.transform(ragged), atol=1e-5)


def test_what_cannot_be_exported_says_so_and_leaves_the_file_alone(fitted, tmp_path, monkeypatch):
    path = tmp_path / "encoder.onnx"
    path.write_text("before")
    with pytest.raises(NotFittedError):
        LSTMAutoencoderTransformer().export_onnx(path)
    own = copy.deepcopy(fitted)
    network = own._fitted_model.network
    network.architecture = replace(network.architecture, encoder=own_decoder)
    with pytest.raises(ValueError, match=r"expects the built-in encoder, got .*encoder_\.export"):
        own.export_onnx(path)
    scaled = copy.deepcopy(fitted)
    scaled.scaler_.scaler_ = PowerTransformer()
    with pytest.raises(ValueError, match="only adds, multiplies and clips"):
        scaled.export_onnx(path)
    with monkeypatch.context() as patch:
        patch.setattr(graph, "MOST_BYTES", 100)
        with pytest.raises(ValueError, match="at most 100 bytes of weights, got"):
            fitted.export_onnx(path)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnx", None)
        with pytest.raises(ImportError, match=r'pip install "sklearn-seqae\[onnx\]"'):
            fitted.export_onnx(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fitted.export_onnx(path)
    assert path.read_text() == "before"
    assert [child.name for child in tmp_path.iterdir()] == ["encoder.onnx"]


def test_the_path_is_that_of_a_file_in_a_folder(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected a folder that is there"):
        fitted.export_onnx(tmp_path / "none" / "encoder.onnx")
    with pytest.raises(IsADirectoryError, match="got a folder"):
        fitted.export_onnx(tmp_path)
    with pytest.raises(TypeError, match="Expected a path, got None"):
        fitted.export_onnx(None)
    assert not list(tmp_path.iterdir())


def test_export_loads_no_tensorflow_and_use_nothing_of_this_package(fitted, ragged, tmp_path):
    path, model, data = (tmp_path / name for name in ("ae.pickle", "encoder.onnx", "data.npz"))
    path.write_bytes(pickle.dumps(fitted))
    np.savez(data, codes=fitted.transform(ragged), **to_arrays(ragged))
    write = (
        "import pickle, sys\n"
        f"with open({str(path)!r}, 'rb') as file: ae = pickle.load(file)\n"
        f"ae.export_onnx({str(model)!r})\n"
        "print([name for name in ('tensorflow', 'keras', 'onnxruntime') if name in sys.modules])\n"
    )
    use = (
        "import sys, numpy as np, onnxruntime\n"
        f"data = np.load({str(data)!r})\n"
        f"session = onnxruntime.InferenceSession({str(model)!r})\n"
        "inputs = {name: data[name] for name in ('sequences', 'lengths')}\n"
        "assert np.abs(session.run(['codes'], inputs)[0] - data['codes']).max() < 1e-5\n"
        "names = ('tensorflow', 'keras', 'onnx', 'sklearn', 'sklearn_seqae')\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    for program in (write, use):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
