"""What the scaler learns, gives back and refuses."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_seqae.containers.registry import Sequences, as_sequences
from sklearn_seqae.preprocessing.scalers import apply_scaler, arithmetic
from sklearn_seqae.preprocessing.scaling import SequenceScaler

NAN = np.nan
NAMES = ["standard", "minmax", "robust", "per_sequence", None]
SCALERS = [*NAMES, MaxAbsScaler(), StandardScaler(with_mean=False)]
FLOATS = st.floats(-1e4, 1e4, width=32) | st.sampled_from([0.0, NAN])


@st.composite
def lists(draw):
    """Lists of (n_steps, n_channels) float32 arrays with at least one real value."""
    c = draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(0, 5), max_size=5))
    arrays = [draw(npst.arrays(np.float32, (n, c), elements=FLOATS)) for n in lengths]
    return [*arrays, np.full((1, c), draw(st.integers(-5, 5)), np.float32)]


def ragged(n_channels=2, seed=0):
    rng = np.random.RandomState(seed)
    sizes = rng.uniform(0.1, 10, size=(8, 1, n_channels))
    X = [rng.normal(3, 1, size=(n, n_channels)) * s for n, s in zip(range(8), sizes, strict=True)]
    X[4][1, 0] = NAN
    return X


def stacked(X):
    return as_sequences(X).values


@pytest.mark.parametrize("scaler", SCALERS)
@settings(max_examples=60)
@given(X=lists())
def test_scaling_is_undone_for_every_choice(scaler, X):
    sequences = as_sequences(X)
    s = SequenceScaler(scaler).fit(sequences)
    scaled = s.transform(sequences)
    back = s.inverse_transform(scaled, s.statistics(sequences))
    assert isinstance(scaled, Sequences)
    assert scaled.values.dtype == back.values.dtype == (np.float64 if scaler else np.float32)
    assert_array_equal(np.isnan(scaled.values), np.isnan(sequences.values))
    size = np.nan_to_num(np.fmax.reduce(np.abs(sequences.values)))
    # Relative to the channel: a value near zero has the error of what lies beside it.
    assert (np.nan_to_num(np.abs(back.values - sequences.values)) <= 1e-4 * size).all()
    assert np.isfinite(s.statistics(sequences)).all()


@pytest.mark.parametrize("scaler", NAMES)
@pytest.mark.parametrize(
    "X",
    [
        [[1.0, 2.0], [], [4.0]],
        [np.ones((2, 3)), np.empty((0, 3))],
        np.arange(12.0).reshape(2, 3, 2),
        np.array([[1.0, 2.0, NAN], [NAN, 3.0, 4.0]]),
        pd.DataFrame([[1.0, 2.0], [3.0, NAN]], columns=["a", "b"], index=["x", "y"]),
    ],
    ids=["list_1d", "list", "3d", "2d", "frame"],
)
def test_the_container_that_came_is_given_back(scaler, X):
    s = SequenceScaler(scaler)
    scaled = s.fit_transform(X)
    back = s.inverse_transform(scaled, s.statistics(X))
    for Y in (scaled, back):
        assert type(Y) is type(X)
        assert as_sequences(Y).form == as_sequences(X).form
    assert_allclose(stacked(back), stacked(X), rtol=1e-5, atol=1e-5)
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_index_equal(scaled.index, X.index)
        assert s.feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize("scaler", NAMES)
def test_padding_does_not_change_the_fitted_scale(scaler):
    X = np.random.RandomState(0).normal(size=(5, 4, 2))
    padded = np.concatenate([X, np.full((5, 3, 2), NAN)], axis=1)
    s, t = SequenceScaler(scaler).fit(X), SequenceScaler(scaler).fit(padded)
    assert_array_equal(s.transform(X), t.transform(padded)[:, :4])
    assert_array_equal(s.statistics(X), t.statistics(padded))


def test_zeros_are_data():
    s = SequenceScaler().fit([[0.0, 0.0, 3.0]])
    assert_allclose(s.scaler_.mean_, [1.0])
    assert_allclose(
        SequenceScaler("per_sequence").fit_transform([[0.0, 0, 3]])[0][0], -(0.5**0.5), 1e-5
    )


@pytest.mark.parametrize(
    ("scaler", "expected"),
    [("standard", StandardScaler()), ("minmax", MinMaxScaler()), ("robust", RobustScaler())],
)
def test_real_steps_are_scaled_as_scikit_learn_does(scaler, expected):
    X = ragged()
    scaled = stacked(SequenceScaler(scaler).fit_transform(X))
    assert_allclose(scaled, expected.fit_transform(stacked(X).astype(float)), rtol=1e-6, atol=1e-7)


def test_a_given_scaler_is_cloned_and_never_changed():
    theirs = PowerTransformer()
    s = SequenceScaler(theirs).fit(ragged())
    assert s.scaler is theirs
    assert isinstance(s.scaler_, PowerTransformer)
    assert not hasattr(theirs, "lambdas_")


def test_per_sequence_takes_each_sequence_to_mean_0_and_deviation_1():
    X = [x for x in ragged() if len(x) > 2]
    for x in SequenceScaler("per_sequence").fit_transform(X):
        assert_allclose(np.nanmean(x, axis=0), 0, atol=1e-5)
        assert_allclose(np.nanstd(x, axis=0), 1, atol=1e-3)


def test_statistics_are_standardised_over_the_training_sequences():
    X = [x for x in ragged() if len(x) > 1]
    statistics = SequenceScaler("per_sequence").fit(X).statistics(X)
    assert statistics.dtype == np.float32
    assert statistics.shape == (len(X), 4)
    assert_allclose(statistics.mean(axis=0), 0, atol=1e-6)
    assert_allclose(statistics.std(axis=0), 1, atol=1e-6)


def test_a_sequence_without_values_has_typical_statistics():
    s = SequenceScaler("per_sequence").fit(ragged())
    assert_array_equal(s.statistics([np.empty((0, 2)), np.full((3, 2), NAN)]), np.zeros((2, 4)))
    assert s.transform([np.empty((0, 2))])[0].shape == (0, 2)
    assert s.statistics(as_sequences(ragged()).take([])).shape == (0, 4)


def test_statistics_of_a_sequence_do_not_depend_on_its_neighbours():
    X = [x for x in ragged() for _ in range(20)]
    s = SequenceScaler("per_sequence").fit(X)
    together = s.statistics(X)
    for i in (0, 37, 60, 159):
        assert_array_equal(s.statistics([X[i]])[0], together[i])


def test_statistics_that_agree_in_training_are_not_blown_up():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(20, 30))
    X = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    assert np.abs(SequenceScaler("per_sequence").fit(X).statistics(X)).max() < 1e-4


def test_other_scalers_have_no_statistics():
    s = SequenceScaler().fit(ragged())
    assert s.n_statistics_ == 0
    assert s.statistics(ragged()).shape == (8, 0)
    assert SequenceScaler("per_sequence").fit(ragged()).n_statistics_ == 4


@pytest.mark.parametrize("scaler", [*SCALERS, PowerTransformer()])
def test_constant_and_wholly_missing_channels_stay_finite(scaler):
    X = np.full((4, 3, 3), 7.0)
    X[:, :, 1] = NAN
    X[:, :, 2] = np.arange(12).reshape(4, 3)
    s = SequenceScaler(scaler).fit(X)
    scaled = s.transform(X)
    assert np.isfinite(scaled[:, :, [0, 2]]).all()
    assert np.isnan(scaled[:, :, 1]).all()
    assert_allclose(s.inverse_transform(scaled, s.statistics(X)), X, rtol=1e-4, atol=1e-4)
    # A value where training had none is seen as with location 0 and scale 1.
    seen = s.transform(np.ones((1, 2, 3)))
    assert np.isfinite(seen).all()
    assert np.isfinite(s.statistics(np.ones((1, 2, 3)))).all()


def test_a_scaler_fitted_on_a_list_takes_a_2d_array_of_any_width():
    s = SequenceScaler().fit([[1.0, 2.0], [3.0]])
    assert s.n_features_in_ == s.n_channels_in_ == 1
    assert s.transform(np.ones((2, 5))).shape == (2, 5)


def test_fitted_on_a_frame_it_forgets_the_names_when_fitted_on_a_list():
    s = SequenceScaler().fit(pd.DataFrame({"a": [1.0], "b": [2.0]}))
    assert not hasattr(s.fit([[1.0]]), "feature_names_in_")


def test_fitting_again_with_another_choice_leaves_nothing_behind():
    s = SequenceScaler("per_sequence").fit(ragged())
    s.set_params(scaler="minmax").fit(ragged())
    assert s.n_statistics_ == 0
    assert s.channel_scale_ is None
    assert isinstance(s.scaler_, MinMaxScaler)


def test_it_can_be_cloned_and_pickled():
    s = SequenceScaler("per_sequence").fit(ragged())
    copy = pickle.loads(pickle.dumps(s))
    assert_array_equal(stacked(copy.transform(ragged())), stacked(s.transform(ragged())))
    assert clone(s).scaler == "per_sequence"


@pytest.mark.parametrize(
    ("scaler", "X", "message"),
    [
        ("zscore", [[1.0]], r"scaler to be one of \['standard',.*'per_sequence'\].*got 'zscore'"),
        (
            Normalizer(),
            [[1.0]],
            r"Normalizer\(\) \(no \['inverse_transform'\]\); use a scaler that",
        ),
        (StandardScaler, [[1.0]], "the class itself"),
        (3, [[1.0]], r"got 3 \(no \['fit'"),
        (
            PCA(1),
            np.eye(3)[:, :, None] + np.eye(2)[0],
            r"keeps the 2 channel\(s\).*makes 1 of them",
        ),
        *[(name, [[], []], r"at least one real value.*got 2 sequence\(s\)") for name in NAMES],
        *[(name, [[NAN], []], "all empty or missing") for name in NAMES],
    ],
)
def test_fit_refuses_in_words(scaler, X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        SequenceScaler(scaler).fit(X)


@pytest.mark.parametrize("scaler", NAMES)
@pytest.mark.parametrize("method", ["transform", "inverse_transform", "statistics"])
def test_another_number_of_channels_is_refused(scaler, method):
    s = SequenceScaler(scaler).fit(ragged(2))
    with pytest.raises(ValueError, match=r"of 2 channel\(s\) as in fit, got 3; give the same"):
        getattr(s, method)(ragged(3))


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        (None, r"needs to undo itself, got None; pass those that scaler.statistics\(X\) gave"),
        (np.zeros((8, 3)), r"shape \(8, 4\), one row per sequence, got \(8, 3\)"),
        (np.full((8, 4), NAN), "statistics contains NaN"),
    ],
)
def test_per_sequence_asks_for_the_statistics_that_undo_it(statistics, message):
    s = SequenceScaler("per_sequence").fit(ragged())
    with pytest.raises(ValueError, match=message):
        s.inverse_transform(ragged(), statistics)


def test_statistics_that_the_scaler_does_not_have_are_refused():
    with pytest.raises(ValueError, match=r"shape \(8, 0\).* got \(8, 4\)"):
        SequenceScaler().fit(ragged()).inverse_transform(ragged(), np.zeros((8, 4)))


@parametrize_with_checks(
    [SequenceScaler(name) for name in NAMES],
    expected_failed_checks=lambda _: {
        "check_transformer_data_not_an_array": "a list is given back as a list, without a shape"
    },
)
def test_scikit_learn_finds_nothing_to_object(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        MinMaxScaler((-1, 2), clip=True),
        RobustScaler(with_scaling=False),
        MaxAbsScaler(),
        make_pipeline(StandardScaler(), "passthrough", MinMaxScaler()),
        FrozenEstimator(RobustScaler().fit(np.arange(6.0).reshape(2, 3) ** 2)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_known_scalers_give_the_numbers_that_scikit_learn_gives(scaler, dtype):
    rng = np.random.default_rng(0)
    values = rng.normal([0, 1e6, -3], [1, 10, 1e-3], (50, 3)).astype(dtype)
    values[::7, 1] = np.nan
    fitted = scaler.fit(values.astype(np.float64), None)  # a frozen one asks for y
    assert arithmetic(fitted) is not None
    new = 3 * values[::-1]
    expected = fitted.transform(new.astype(np.float64))
    before = new.copy()
    assert_array_equal(apply_scaler(fitted, "transform", new), expected)
    assert_array_equal(new, before)
