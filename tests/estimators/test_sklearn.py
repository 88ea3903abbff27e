"""scikit-learn for real: its checks, its tools around the estimator, and codes that stand alone."""

import copy
import functools
import pickle
import subprocess
import sys

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from sklearn_seqae import LSTMAutoencoderTransformer
from tests.conftest import make_ragged

NAN = np.nan
NAMES = [f"lstmautoencodertransformer{i}" for i in range(4)]
DECODERS = ["repeat", "reshape", "dense", "autoregressive"]


@pytest.fixture(params=["patch_size=1", "patch_size=3 with missing values"], scope="session")
def encoding(request, fitted, fitted_on_missing):
    """A fitted estimator of each kind that pads differently."""
    return fitted if request.param == "patch_size=1" else fitted_on_missing


@pytest.fixture(scope="session")
def labels(ragged):
    """Whether a sequence is long, which codes can tell."""
    return np.array([len(sequence) > 4 for sequence in ragged]).astype(int)


def as_lists(arrays):
    return [np.asarray(array).tolist() for array in arrays]


# The checks of scikit-learn


@pytest.mark.long
@pytest.mark.kernels
def test_scikit_learn_finds_nothing_to_object():
    # One check is skipped unless SCIPY_ARRAY_API is set: that of array API input.
    results = check_estimator(
        LSTMAutoencoderTransformer(n_components=3, units=4, epochs=2), on_fail=None, on_skip=None
    )
    problems = [r for r in results if r["status"] not in ("passed", "skipped")]
    assert not problems
    assert sum(r["status"] == "passed" for r in results) >= 44
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {
        "check_array_api_input"
    }


# Pipelines and searches


def test_a_pipeline_to_a_classifier_tells_long_sequences_from_short_ones(ragged, labels, tiny):
    # Linear components are those of relative time, whatever the length.
    ae = LSTMAutoencoderTransformer(**tiny, shortcut=None)
    model = make_pipeline(ae, LogisticRegression())
    assert model.fit(ragged, labels).score(ragged, labels) > 0.9
    assert model.predict(ragged[3:5]).shape == (2,)


def test_a_pipeline_to_clusters_gives_a_label_to_each_sequence(ragged, tiny):
    model = make_pipeline(
        LSTMAutoencoderTransformer(**tiny), KMeans(3, n_init=1, random_state=0)
    ).fit(ragged)
    assert set(model.predict(ragged)) == {0, 1, 2}


def test_a_pipeline_to_a_keras_classifier_of_scikeras_learns(ragged, labels, tiny):
    from scikeras.wrappers import KerasClassifier

    def build(meta):
        return keras.Sequential(
            [keras.Input((meta["n_features_in_"],)), keras.layers.Dense(1, activation="sigmoid")]
        )

    classifier = KerasClassifier(
        build,
        loss="binary_crossentropy",
        optimizer="adam",
        optimizer__learning_rate=0.1,
        epochs=30,
        verbose=0,
    )
    model = make_pipeline(LSTMAutoencoderTransformer(**tiny, shortcut=None), classifier)
    assert model.fit(ragged, labels).score(ragged, labels) > 0.9


@pytest.fixture(scope="session")
def folds(ragged):
    """Twice as many sequences: both halves, which two folds cut it into, have the same lengths."""
    return [*ragged, *(-sequence for sequence in ragged)]


# Grids of few points, because every point is a network to trace, in every process.


@pytest.mark.long
def test_a_grid_search_without_y_ranks_by_the_reconstruction(folds, tiny):
    search = GridSearchCV(
        LSTMAutoencoderTransformer(**tiny),
        [{"decoder": DECODERS}, {"n_components": [2]}],
        cv=[(np.arange(40), np.arange(40, 80))],
        n_jobs=2,
        error_score="raise",
    ).fit(folds)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 5
    assert np.isfinite(scores).all()
    assert search.best_score_ == scores.max() > scores.min()
    assert search.transform(folds).shape == (80, search.best_estimator_.n_components)


def test_a_search_in_processes_takes_objects_classes_and_functions_of_keras(folds, tiny):
    ae = LSTMAutoencoderTransformer(
        **tiny,
        loss=keras.losses.MeanAbsoluteError(),
        metrics=[keras.metrics.MeanSquaredError(), keras.losses.log_cosh],
        callbacks=[keras.callbacks.TerminateOnNaN()],
    )
    partial = functools.partial(keras.losses.huber, delta=0.1)
    optimizers = [keras.optimizers.RMSprop(0.01), keras.optimizers.RMSprop]
    search = GridSearchCV(
        ae,
        [{"optimizer": optimizers}, {"loss": [partial]}],
        cv=[(np.arange(40), np.arange(40, 80))],
        n_jobs=2,
        error_score="raise",
    ).fit(folds)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    again = pickle.loads(pickle.dumps(ae.set_params(loss=partial)))
    assert again.loss.keywords == {"delta": 0.1}


@pytest.mark.long
def test_a_grid_search_with_y_looks_through_a_pipeline(folds, labels, tiny):
    y = np.tile(labels, 2)
    ae = LSTMAutoencoderTransformer(**tiny, shortcut=None)  # labels are of lengths
    model = Pipeline([("ae", ae), ("lr", LogisticRegression())])
    grid = [{"ae__decoder": ["repeat", "dense"]}, {"ae__n_components": [2]}]
    search = GridSearchCV(model, grid, cv=KFold(2)).fit(folds, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.score(folds, y) > 0.7


def test_clone_keeps_the_parameters_and_is_not_fitted(fitted):
    copied = clone(fitted)
    assert copied.get_params() == fitted.get_params()
    assert vars(copied).keys() == copied.get_params().keys()


@pytest.mark.parametrize("cloned", [clone, lambda ae: clone(make_pipeline(ae))])
def test_a_clone_warns_of_arguments_that_keras_does_not_copy(cloned):
    def copy_of(**parameters):
        return cloned(LSTMAutoencoderTransformer(**parameters))

    with pytest.warns(UserWarning, match=r"delta=5.0 .*functools.partial.keras.losses.huber, del"):
        copy_of(loss=keras.losses.Huber(delta=5.0))
    decayed = keras.optimizers.AdamW(0.01)
    decayed.exclude_from_weight_decay(var_names=["bias"])
    with pytest.warns(UserWarning, match=r"exclude_from_weight_decay .* give a function that"):
        copy_of(optimizer=decayed)
    for loss in (
        "huber",
        keras.losses.Huber(),
        keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        functools.partial(keras.losses.huber, delta=5.0),
    ):
        copy_of(loss=loss, optimizer=keras.optimizers.AdamW(0.01))


# Frames


def test_features_out_are_named_after_the_class(fitted, ragged):
    assert fitted.get_feature_names_out().tolist() == NAMES
    Z = fitted.transform(ragged)
    assert Z.shape == (40, 4)
    assert Z.dtype == np.float32


def test_set_output_gives_a_frame_with_the_index_that_came(wide, tiny):
    X = pd.DataFrame(wide, columns=list("abcde"), index=range(100, 130))
    ae = LSTMAutoencoderTransformer(**tiny).set_output(transform="pandas")
    Z = ae.fit_transform(X)
    assert Z.columns.tolist() == NAMES
    assert Z.index.equals(X.index)
    assert ae.feature_names_in_.tolist() == list("abcde")
    back = ae.inverse_transform(Z)
    assert back.columns.equals(X.columns)
    assert back.index.equals(X.index)


def test_a_frame_with_padding_is_reconstructed_in_its_own_columns(tiny):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(30, 6)), columns=list("abcdef"))
    X.iloc[:15, 3:] = NAN
    ae = LSTMAutoencoderTransformer(**tiny).fit(X)
    # Codes far from those of training, which stand for more steps than there are columns.
    codes = rng.normal(size=(200, 4)) * 20
    assert ae._fitted_model.decode_lengths(codes.astype(np.float32)).max() > 6
    back = ae.inverse_transform(codes)
    assert back.columns.tolist() == list("abcdef")


def test_unions_and_column_transformers_put_codes_beside_other_columns(wide, tiny):
    X = pd.DataFrame(wide, columns=list("abcde"))
    ae = LSTMAutoencoderTransformer(**tiny)
    union = FeatureUnion([("lstm", ae), ("gru", clone(ae).set_params(cell="gru"))])
    Z = union.set_output(transform="pandas").fit_transform(X)
    assert Z.shape == (30, 8)
    assert Z.columns[0] == f"lstm__{NAMES[0]}"
    assert not np.allclose(Z.iloc[:, :4], Z.iloc[:, 4:])
    columns = ColumnTransformer([("ae", ae, list("abcd")), ("rest", "passthrough", ["e"])])
    Z = columns.set_output(transform="pandas").fit_transform(X)
    assert Z.columns.tolist() == [*(f"ae__{name}" for name in NAMES), "rest__e"]
    assert_array_equal(Z["rest__e"], X["e"])
    assert_array_equal(Z.iloc[:, :4], clone(ae).fit_transform(X[list("abcd")]))


# Copies


def pickled(estimator, path):
    return pickle.loads(pickle.dumps(estimator))


def dumped(estimator, path):
    joblib.dump(estimator, path / "ae.joblib")
    return joblib.load(path / "ae.joblib")


def test_other_errors_are_means_of_those_per_value(fitted_on_missing):
    X = make_ragged(missing=0.2)
    values = fitted_on_missing.reconstruction_error(X, per="value")
    assert [error.shape for error in values] == [x.shape for x in X]
    for error, x in zip(values, X, strict=True):
        assert_array_equal(np.isnan(error), np.isnan(x))
    sequences = fitted_on_missing.reconstruction_error(X)
    means = [np.nanmean(e) if np.isfinite(e).any() else 0.0 for e in values]
    assert_allclose(sequences, means)
    steps = fitted_on_missing.reconstruction_error(X, per="step")[5]
    assert_allclose(steps, [np.nanmean(e) if np.isfinite(e).any() else 0.0 for e in values[5]])


def deep_copied(estimator, path):
    return copy.deepcopy(estimator)


@pytest.mark.parametrize("copier", [pickled, dumped, deep_copied])
def test_a_copy_does_the_same_to_the_bit_and_learns_on(copier, fitted, ragged, tmp_path):
    other = copier(fitted, tmp_path)
    Z = fitted.transform(ragged)
    assert other.get_params() == fitted.get_params()
    assert other.history_ == fitted.history_
    assert_array_equal(other.transform(ragged), Z)
    assert as_lists(other.inverse_transform(Z)) == as_lists(fitted.inverse_transform(Z))
    before = other.reconstruction_error(ragged).mean()
    for _ in range(5):
        other.partial_fit(ragged)
    # On from where it was: a fresh network would begin with a higher loss than the first one had.
    assert other.n_epochs_ == fitted.n_epochs_ + 5
    assert len(other.history_["loss"]) == other.n_epochs_
    assert other.history_["loss"][2] < other.history_["loss"][0]
    assert other.reconstruction_error(ragged).mean() < before
    assert not np.allclose(other.transform(ragged), Z)
    assert_array_equal(fitted.transform(ragged), Z)


def test_a_copy_learns_on_as_the_original_does(fitted, ragged):
    one = copy.deepcopy(fitted)
    other = pickle.loads(pickle.dumps(one))
    assert_array_equal(
        one.partial_fit(ragged).transform(ragged), other.partial_fit(ragged).transform(ragged)
    )


def test_a_fresh_process_gives_the_same_codes_to_the_bit(fitted, ragged, tmp_path):
    joblib.dump((fitted, ragged), tmp_path / "ae.joblib")
    program = (
        "import joblib, sys\n"
        "ae, X = joblib.load(sys.argv[1])\n"
        "assert 'tensorflow' not in sys.modules\n"
        "joblib.dump(ae.transform(X), sys.argv[2])\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "ae.joblib", tmp_path / "Z.joblib"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert_array_equal(joblib.load(tmp_path / "Z.joblib"), fitted.transform(ragged))


# A code depends on its sequence alone


@st.composite
def batches(draw, missing):
    """Sequences of two channels, some empty, some with missing values inside."""
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sequences = [rng.normal(size=(n, 2)) * 3 for n in lengths]
    if missing:
        for sequence in sequences:
            # The last step stays real: in an array a missing one is padding.
            sequence[:-1][rng.random((max(len(sequence) - 1, 0), 2)) < 0.3] = NAN
    return sequences


def missing_in(estimator):
    return bool(estimator._fitted_model.architecture.indicators)


def padded(sequences, width):
    array = np.full((len(sequences), width, 2), NAN)
    for i, sequence in enumerate(sequences):
        array[i, : len(sequence)] = sequence
    return array


FEW = settings(max_examples=15)


@pytest.mark.kernels
@FEW
@given(data=st.data())
def test_the_order_of_the_sequences_changes_no_code(encoding, data):
    X = data.draw(batches(missing_in(encoding)))
    order = data.draw(st.permutations(range(len(X))))
    Z = encoding.transform(X)
    assert_allclose(encoding.transform([X[i] for i in order]), Z[order], atol=1e-5, rtol=0)


@pytest.mark.kernels
@FEW
@given(data=st.data())
def test_the_neighbours_of_a_sequence_change_no_code(encoding, data):
    X = data.draw(batches(missing_in(encoding)))
    kept = data.draw(st.lists(st.integers(0, len(X) - 1), min_size=1, max_size=5))
    Z = encoding.transform(X)
    assert_allclose(encoding.transform([X[i] for i in kept]), Z[kept], atol=1e-5, rtol=0)


@pytest.mark.kernels
@FEW
@given(data=st.data(), more=st.integers(0, 9))
def test_the_width_of_the_padding_changes_no_code(encoding, data, more):
    X = data.draw(batches(missing_in(encoding)))
    width = max(1, *(len(sequence) for sequence in X)) + more
    Z = encoding.transform(X)
    assert_allclose(encoding.transform(padded(X, width)), Z, atol=1e-5, rtol=0)
    # Padding inside the network is as wide as the longest of a batch.
    X.append(np.ones((width + 1, 2)))
    assert_allclose(encoding.transform(padded(X, width + 1))[:-1], Z, atol=1e-5, rtol=0)


@FEW
@given(data=st.data())
def test_every_finite_value_has_a_finite_code(encoding, data):
    elements = st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)
    X = [data.draw(npst.arrays(np.float32, (n, 2), elements=elements)) for n in (1, 4)]
    assert np.isfinite(encoding.transform(X)).all()


@pytest.mark.kernels
def test_many_neighbours_change_no_code(encoding):
    # More than one batch, in batches larger than those of few sequences.
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(0, 12, 300)]
    Z = encoding.transform(X)
    for part in (*(slice(i, i + 1) for i in range(20)), slice(10, 50), slice(100, 300)):
        assert_allclose(encoding.transform(X[part]), Z[part], atol=1e-5, rtol=0)


@pytest.mark.kernels
@pytest.mark.parametrize("n_steps", [1, 2, 3, 4, 6])
def test_a_real_zero_step_changes_the_code_and_padding_does_not(encoding, n_steps):
    x = np.random.default_rng(n_steps).normal(size=(n_steps, 2))
    code, longer, wider, beside = (
        encoding.transform(X)[0]
        for X in (
            [x],
            [np.vstack([x, np.zeros((1, 2))])],
            padded([x], n_steps + 1),
            [x, np.ones((n_steps + 1, 2))],
        )
    )
    assert np.abs(longer - code).max() > 1e-3
    assert_allclose(wider, code, atol=1e-5, rtol=0)
    assert_allclose(beside, code, atol=1e-5, rtol=0)


def test_zeros_of_another_length_have_another_code(encoding):
    Z = encoding.transform([np.zeros((n, 2)) for n in range(10)])
    distances = np.abs(Z[:, None] - Z).max(axis=2)
    assert distances[~np.eye(10, dtype=bool)].min() > 1e-4


def test_empty_sequences_have_one_finite_code(encoding, ragged):
    Z = encoding.transform([np.empty((0, 2)), *ragged, np.full((3, 2), NAN), []])
    assert np.isfinite(Z).all()
    assert_allclose(Z[-1], Z[0], atol=1e-6, rtol=0)
    assert_allclose(Z[1], Z[0], atol=1e-6, rtol=0)  # the first one of `ragged`
    assert np.abs(Z[2] - Z[0]).max() > 1e-3
