"""Numbers keep what they say: offsets, scales, what is missing, and what is no number."""

import copy
import io

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer, SequenceScaler, load
from sklearn_seqae.containers import convert
from sklearn_seqae.containers.registry import Sequences, as_sequences, to_container
from sklearn_seqae.estimators.metrics import mean_squared_error, r2
from tests.conftest import TINY

NAN = float("nan")
OFFSET = 1.7e9  # of which float32 knows each 128th
SMALL = {**TINY, "n_components": 40, "epochs": 3}
QUIET = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
pytestmark = [
    QUIET,
    pytest.mark.filterwarnings("ignore::sklearn_seqae.exceptions.NothingLearnedWarning"),
]


def make_waves(n_sequences=24, seed=0):
    """Return sequences of two channels, whose values are multiples of 2**-10."""
    rng = np.random.default_rng(seed)
    waves = [
        10 * np.sin(np.linspace(0, 6, n)[:, None] + rng.uniform(0, 6, 2))
        for n in rng.integers(8, 14, n_sequences)
    ]
    return [np.round(wave * 1024) / 1024 for wave in waves]


WAVES = make_waves()


@pytest.fixture(scope="module")
def plain():
    return LSTMAutoencoderTransformer(**SMALL).fit(WAVES)


@pytest.fixture(scope="module")
def shifted():
    return LSTMAutoencoderTransformer(**SMALL).fit([x + OFFSET for x in WAVES])


@pytest.fixture(scope="module")
def detector():
    return LSTMAutoencoderDetector(**SMALL).fit(WAVES)


def test_an_offset_changes_neither_codes_nor_scores(plain, shifted):
    X = [x + OFFSET for x in WAVES]
    codes = plain.transform(WAVES)
    assert np.ptp(codes, axis=0).max() > 0.1
    assert_allclose(shifted.transform(X), codes, atol=1e-3 * np.abs(codes).max())
    assert shifted.score(X) == pytest.approx(plain.score(WAVES), abs=1e-3)
    assert_allclose(shifted.score_samples(X), plain.score_samples(WAVES), rtol=1e-2)
    for x, y in zip(shifted.reconstruct(X), plain.reconstruct(WAVES), strict=True):
        assert x.dtype == np.float64
        assert_allclose(x - OFFSET, y, atol=0.02)


def test_an_offset_changes_no_detector(detector):
    X = [x + OFFSET for x in WAVES]
    other = LSTMAutoencoderDetector(**SMALL).fit(X)
    assert_allclose(other.score_samples(X), detector.score_samples(WAVES), atol=0.02)


def test_density_and_files_keep_an_offset(shifted):
    for sample in shifted.sample(3, random_state=0):
        assert np.ptp(sample) > 0
        assert np.abs(sample - OFFSET).max() < 100
    file = io.BytesIO()
    shifted.save(file)
    file.seek(0)
    X = [WAVES[0] + OFFSET]
    assert_array_equal(load(file).reconstruct(X)[0], shifted.reconstruct(X)[0])


def test_impute_leaves_observed_values_as_they_are(shifted):
    X = [x + OFFSET for x in WAVES]
    X[0][3:5, 0] = np.nan
    X[1][2] = np.nan
    for x, y in zip(X, shifted.impute(X), strict=True):
        assert y.dtype == np.float64
        missing = np.isnan(x)
        assert_array_equal(y[~missing], x[~missing])
        assert (np.abs(y[missing] - OFFSET) < 30).all()
    whole = [np.round(x).astype(np.int64) for x in X[2:4]]
    assert_array_equal(shifted.impute(whole)[0], whole[0])


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        ("f8", "f8"),
        ("f4", "f4"),
        ("f2", "f2"),
        ("i8", "f8"),
        ("i4", "f8"),
        ("i2", "f4"),
        ("O", "f8"),
    ],
)
@pytest.mark.parametrize("container", ["list", "array", "object"])
def test_the_dtype_that_came_is_the_one_that_is_returned(given, returned, container):
    elements = [np.arange(6.0).reshape(3, 2).astype(given)] * 2
    X = {"list": elements, "array": np.stack(elements), "object": np.empty(2, dtype=object)}
    X["object"][:] = elements
    back = to_container(as_sequences(X[container]))
    assert (back if container == "array" else back[0]).dtype == np.dtype(returned)
    scaled = SequenceScaler().fit_transform(X[container])
    assert (scaled if container == "array" else scaled[0]).dtype == np.dtype(returned)


def test_lists_of_numbers_are_float64_and_empty_sequences_do_not_count():
    back = to_container(as_sequences([[OFFSET, OFFSET + 1], []]))
    assert back[0].tolist() == [OFFSET, OFFSET + 1]
    mixed = [np.float32([1, 2]), []]
    assert as_sequences(mixed).values.dtype == np.float32
    assert to_container(as_sequences(mixed))[0].dtype == np.float32


def as_table(values, lengths):
    ids = np.repeat(np.arange(len(lengths)), lengths)
    steps = np.concatenate([np.arange(n) for n in lengths])
    return pd.DataFrame(values, pd.MultiIndex.from_arrays([ids, steps]), columns=["x", "y"])


@pytest.mark.parametrize(
    "kind", ["list", "3d", "frames", "long", "nested", "arrow", "polars", "awkward", "ragged"]
)
def test_time_stamps_stay_distinct_in_each_container(kind):
    for name in {"arrow": ["pyarrow"], "polars": ["polars", "pyarrow"]}.get(kind, []):
        pytest.importorskip(name, reason="`make test` installs it")
    if kind == "awkward":
        pytest.importorskip("awkward", reason="`make test` installs it")
    stamps = OFFSET + np.arange(1184.0).reshape(-1, 2) + 0.25
    table = as_table(stamps, [200, 200, 192])
    X = convert(table, kind)
    read = as_sequences(X)
    assert_array_equal(read.values, stamps)
    assert_array_equal(as_sequences(to_container(read)).values, stamps)
    assert_array_equal(
        as_sequences(to_container(read.with_values(read.values + 1))).values, stamps + 1
    )


def test_wide_tables_keep_time_stamps():
    stamps = OFFSET + np.arange(12.0).reshape(3, 4)
    frame = pd.DataFrame(stamps, columns=list("abcd"))
    assert_array_equal(to_container(as_sequences(stamps)), stamps)
    pd.testing.assert_frame_equal(to_container(as_sequences(frame)), frame)
    masked = np.ma.masked_array(stamps, mask=stamps == stamps[1, 1])
    assert_array_equal(to_container(as_sequences(masked)), masked)


def test_numbers_beside_categories_and_numeric_categories_keep_time_stamps():
    X = [[[OFFSET + i, "a"], [OFFSET + i + 1, "b"]] for i in range(5)]
    read = as_sequences(X, "from_dtype")
    assert to_container(read)[3].tolist() == X[3]
    stamps = [[OFFSET + i, OFFSET + i + 1] for i in range(5)]
    read = as_sequences(stamps, [0])
    assert len(read.categories[0].values) == 6
    assert to_container(read)[3].tolist() == stamps[3]


def test_float32_is_neither_copied_nor_widened():
    values = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    frame = pd.DataFrame(values.reshape(6, 2))
    frame.index = pd.MultiIndex.from_product([[0, 1], range(3)])
    for X in (values, list(values), frame, [pd.DataFrame(x) for x in values]):
        assert as_sequences(X).values.dtype == np.float32
    sequences = Sequences.from_lengths(values.reshape(6, 2), [3, 3])
    assert np.shares_memory(sequences.values, values)


def test_numbers_whose_squares_are_infinite_are_refused():
    assert as_sequences([[1e149]]).values.tolist() == [[1e149]]
    for X in ([[1e151]], np.array([[1e151]]), pd.DataFrame([[1e151]]), [[-1e151]]):
        with pytest.raises(ValueError, match=r"too large for dtype.'float64'.*; rescale .* 1e.150"):
            as_sequences(X)


@pytest.mark.parametrize("scale", [1e-100, 1e-30, 1e30, 1e100])
def test_any_scale_that_float64_holds_is_taken_off(scale):
    X = [x * scale for x in WAVES]
    scaled = SequenceScaler().fit_transform(X)
    assert np.concatenate(scaled).std() == pytest.approx(1.0, rel=1e-6)


# per_sequence


@pytest.mark.parametrize("scales", [(1, 1), (1e-3, 1e3)])
def test_levels_and_other_scales_do_not_make_a_sequence_constant(scales):
    rng = np.random.default_rng(0)
    factors = np.geomspace(*scales, 30)
    X = [1000 * i + f * rng.normal(size=(50, 1)) for i, f in enumerate(factors)]
    scaled = SequenceScaler("per_sequence").fit_transform(X)
    # The typical ones are scaled as by hand, and those that vary least are still told from noise.
    deviations = np.array([x.std() for x in scaled])
    assert_allclose(deviations[15:], 1.0, atol=1e-4)
    assert (deviations > 0.6).all()


def test_constant_sequences_stay_constant_beside_others():
    X = [np.full((20, 1), 0.1 + i) for i in range(5)]
    scaler = SequenceScaler("per_sequence").fit(X)
    assert scaler.channel_scale_ == pytest.approx(np.concatenate(X).std())
    assert np.abs(np.concatenate(scaler.transform(X))).max() < 1e-3
    X += [np.linspace(0, 1, 20)[:, None]]
    scaler = SequenceScaler("per_sequence").fit(X)
    assert scaler.channel_scale_ == pytest.approx(X[-1].std())


# What is no number


def test_a_network_that_writes_no_numbers_is_the_worst(plain, detector):
    broken = copy.deepcopy(plain)
    weights = [np.full_like(w, np.nan) for w in broken.model_.get_weights()]
    broken.model_.set_weights(weights)
    assert broken.score(WAVES) == -np.inf
    assert (broken.score_samples(WAVES) == -np.inf).all()
    assert np.isinf(np.concatenate(broken.reconstruction_error(WAVES, per="step"))).all()
    assert np.isinf(broken.reconstruction_error(WAVES, per="channel")).all()
    judge = copy.deepcopy(detector)
    judge.model_.set_weights([np.full_like(w, np.nan) for w in judge.model_.get_weights()])
    assert (judge.predict(WAVES) == -1).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("size", [1e20, 3e38, 1e149])
def test_a_sequence_that_overflows_is_the_least_normal(plain, detector, size):
    X = [*WAVES[:5], np.full((9, 2), size), np.full((9, 2), -size)]
    scores = plain.score_samples(X)
    assert scores[5:].max() < scores[:5].min() - 1e30
    scores = detector.score_samples(X)
    assert np.isfinite(scores).all()
    assert scores[5:].max() < scores[:5].min()
    assert (detector.predict(X)[5:] == -1).all()


def test_which_values_are_missing_is_for_the_data_to_say():
    true = Sequences.from_lengths(np.array([[1.0, NAN], [2.0, 3.0], [NAN, NAN]]), [2, 1])
    predicted = true.with_values(np.array([[1.0, NAN], [NAN, 3.5], [NAN, 1.0]]))
    errors = {
        per: mean_squared_error(true, predicted, per)
        for per in ("sequence", "step", "channel", "value")
    }
    assert errors["sequence"].tolist() == [np.inf, 0.0]
    assert errors["step"][0].tolist() == [0.0, np.inf]
    assert errors["channel"].tolist() == [[np.inf, 0.25], [0.0, 0.0]]
    assert_array_equal(errors["value"][0], [[0.0, NAN], [np.inf, 0.25]])
    assert r2([(true, predicted)], np.array([1.5, 3.0]), np.array([1.0, 1.0])) == -np.inf


@pytest.mark.parametrize("value", [0.0, 5.0, OFFSET])
def test_r2_of_constant_values_is_one_if_exact_and_zero_otherwise(value):
    true = Sequences.from_lengths(np.full((4, 1), value), [2, 2])
    moments = np.array([value]), np.zeros(1)
    assert r2([(true, true)], *moments) == 1.0
    rounded = true.with_values(true.values + 1e-7)  # as float32 rounds on a scale of 1
    assert r2([(true, rounded)], *moments) == 1.0
    off = true.with_values(true.values + 1e-3)
    assert r2([(true, off)], *moments) == 0.0
    ae = LSTMAutoencoderTransformer(**TINY).fit([x * 0 + value for x in WAVES])
    weights = [w + 1 for w in ae.model_.get_weights()]
    ae.model_.set_weights(weights)
    assert ae.score([x * 0 + value for x in WAVES]) == 0.0


# Scalers


@pytest.mark.parametrize(
    ("function", "value", "made"),
    [(np.log, 0.0, "-inf"), (np.sqrt, -1.0, "nan"), (np.log, -2, "nan")],
)
def test_a_scaler_that_loses_an_observed_value_is_refused_by_name(function, value, made):
    X = [[1.0, NAN, 2.0], [3.0, value]]
    scaler = FunctionTransformer(function, inverse_func=np.exp, check_inverse=False)
    words = (
        f"(?s)FunctionTransformer.* makes {made} of {float(value)} in channel 0 of sequence 1; use"
    )
    with pytest.raises(ValueError, match=words):
        SequenceScaler(scaler).fit_transform(X)
    with pytest.raises(ValueError, match=words):
        LSTMAutoencoderTransformer(**TINY, scaler=scaler).fit(X)
    ae = LSTMAutoencoderTransformer(**TINY, scaler=scaler).fit([[1.0, NAN, 2.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match=words):
        ae.transform(X)


@pytest.mark.parametrize("sparse_output", [True, False])
def test_a_scaler_of_other_columns_is_refused_with_the_remedy(sparse_output):
    X = [[0.0, 1.0, 2.0], [1.0]]
    with pytest.raises(
        ValueError, match=r"OneHotEncoder.* makes .* of them; .*categorical_features"
    ):
        SequenceScaler(OneHotEncoder(sparse_output=sparse_output)).fit(X)


@pytest.mark.parametrize("inner", [StandardScaler(), MinMaxScaler(), RobustScaler()])
def test_a_frozen_scaler_is_used_as_it_is(inner):
    inner.fit(np.array([[0.0, 0.0], [4.0, 8.0]]))
    frozen = FrozenEstimator(inner)
    scaler = SequenceScaler(frozen).fit(WAVES)
    assert scaler.scaler_ is frozen
    assert_allclose(scaler.transform(WAVES)[0], inner.transform(WAVES[0]))
    assert_allclose(scaler.inverse_transform(scaler.transform(WAVES))[0], WAVES[0])
    with pytest.raises(ValueError, match=r"1 features, but .* is expecting 2 features"):
        SequenceScaler(frozen).fit([[1.0, 2.0]])


def test_a_frozen_scaler_goes_through_fit_and_files():
    inner = StandardScaler().fit(np.array([[0.0, 0.0], [4.0, 8.0]]))
    ae = LSTMAutoencoderTransformer(**TINY, scaler=FrozenEstimator(inner)).fit(WAVES)
    assert ae.scaler_.scaler_.mean_.tolist() == [2.0, 4.0]
    file = io.BytesIO()
    ae.save(file)
    file.seek(0)
    assert_array_equal(load(file).transform(WAVES), ae.transform(WAVES))


def test_a_scaler_names_its_features_and_gives_out_frames():
    scaler = SequenceScaler().fit(WAVES)
    assert scaler.get_feature_names_out().tolist() == ["x0", "x1"]
    expected = np.concatenate(scaler.transform(WAVES))
    frame = scaler.set_output(transform="pandas").transform(WAVES)
    assert frame.columns.tolist() == ["x0", "x1"]
    assert_array_equal(frame.to_numpy(), expected)
    assert isinstance(scaler.set_output(transform="default").transform(WAVES), list)
    with pytest.raises(ValueError, match=r"transform to be one of .*'pandas'.*, got 'arrow'"):
        scaler.set_output(transform="arrow")
    table = pd.DataFrame(np.arange(6.0).reshape(2, 3), columns=list("abc"), index=["r", "s"])
    wide = SequenceScaler().set_output(transform="pandas").fit(table)
    assert wide.get_feature_names_out().tolist() == ["a", "b", "c"]
    assert wide.transform(table).columns.tolist() == ["a", "b", "c"]
    assert wide.transform(table).index.tolist() == ["r", "s"]
    array = SequenceScaler().set_output(transform="pandas").fit_transform(table.to_numpy())
    assert array.columns.tolist() == ["x0", "x1", "x2"]
    long = as_table(np.arange(8.0).reshape(4, 2), [2, 2])
    scaled = SequenceScaler().set_output(transform="pandas").fit_transform(long)
    assert scaled.columns.tolist() == ["x", "y"]
    assert scaled.index.equals(long.index)


def test_a_scaler_gives_out_frames_of_polars():
    polars = pytest.importorskip("polars", reason="`make test` installs it")
    pytest.importorskip("pyarrow", reason="`make test` installs it")
    scaler = SequenceScaler().set_output(transform="polars").fit(WAVES)
    frame = scaler.transform(WAVES)
    assert isinstance(frame, polars.DataFrame)
    assert frame.columns == ["x0", "x1"]
    assert len(frame) == len(WAVES)


def test_a_pipeline_of_a_scaler_and_an_autoencoder_gives_out_frames():
    pipeline = make_pipeline(SequenceScaler(), LSTMAutoencoderTransformer(**TINY))
    codes = pipeline.set_output(transform="pandas").fit_transform(WAVES)
    assert codes.shape == (len(WAVES), TINY["n_components"])
    assert codes.columns.tolist() == pipeline.get_feature_names_out().tolist()
    plain = make_pipeline(SequenceScaler(), LSTMAutoencoderTransformer(**TINY))
    assert_allclose(plain.fit_transform(WAVES), codes, rtol=1e-5, atol=1e-5)


# Nothing observed


def test_nothing_observed_speaks_against_no_sequence(plain, detector):
    X = [*WAVES[:3], np.full((10, 2), np.nan)]
    assert plain.score_samples(X)[3] == 0.0
    assert detector.score_samples(X)[3] == 0.0
    assert detector.predict(X)[3] == 1
    # A length is seen without a value.
    assert detector.predict([np.full((500, 2), np.nan), np.empty((0, 2))]).tolist() == [-1, -1]
    with pytest.warns(UndefinedMetricWarning, match="not defined without any observed value"):
        assert np.isnan(plain.score([X[3]]))


# ONNX


@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust", "per_sequence"])
def test_an_exported_encoder_keeps_an_offset(tmp_path, scaler):
    pytest.importorskip("onnx", reason="`make test` installs it")
    onnxruntime = pytest.importorskip("onnxruntime", reason="`make test` installs it")
    X = [x + OFFSET for x in WAVES]
    X[0][3, 1] = np.nan
    ae = LSTMAutoencoderTransformer(**SMALL, scaler=scaler).fit(X)
    ae.export_onnx(tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    assert session.get_inputs()[0].type == "tensor(double)"
    lengths = np.array([len(x) for x in X])
    padded = np.zeros((len(X), lengths.max(), 2))
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    codes = session.run(["codes"], {"sequences": padded, "lengths": lengths})[0]
    assert_allclose(codes, ae.transform(X), atol=1e-4 * np.abs(codes).max())
    padded[0, 0, 0], padded[1, 0, 0] = np.inf, 1e151
    codes = session.run(["codes"], {"sequences": padded, "lengths": lengths})[0]
    assert np.isnan(codes[:2]).all()
    assert np.isfinite(codes[2:]).all()


def test_an_exported_encoder_reads_float32_if_it_is_precise_enough(plain, tmp_path):
    pytest.importorskip("onnx", reason="`make test` installs it")
    onnxruntime = pytest.importorskip("onnxruntime", reason="`make test` installs it")
    plain.export_onnx(tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "encoder.onnx")
    assert session.get_inputs()[0].type == "tensor(float)"
