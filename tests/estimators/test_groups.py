"""Groups of sequences that belong together: held out together, and no measure of each other."""

import contextlib
import io
import re
import warnings

import numpy as np
import pytest
import sklearn
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer, load
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.datasets import load_japanese_vowels, make_moving_ones, make_ragged_sines
from sklearn_seqae.estimators import overlap
from sklearn_seqae.estimators.anomaly_score import ReferenceDistribution
from sklearn_seqae.estimators.overlap import find_stride
from sklearn_seqae.estimators.validation import check_groups
from sklearn_seqae.exceptions import OverlapWarning
from sklearn_seqae.training import loop
from sklearn_seqae.training.holdout import hold_out
from tests.conftest import TINY

THREE = as_sequences([[1.0]] * 3)
WIDTH = 30
N_BLOCKS = 12
SMALL = {"units": 4, "epochs": 3, "random_state": 0}


def make_series(seed, n=900):
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(n) / 7) + rng.normal(0, 0.3, n)


def make_windows(seed):
    """Return windows of blocks of one series, the block of each, and windows of a later part."""
    series = make_series(seed)
    blocks = [sliding_window_view(x, WIDTH) for x in np.array_split(series[:600], N_BLOCKS)]
    groups = np.repeat(np.arange(N_BLOCKS), [len(block) for block in blocks])
    return np.concatenate(blocks), groups, sliding_window_view(series[600:], WIDTH)


def rate(detector, X):
    """Return the part of sequences that are called outliers."""
    return np.mean(detector.predict(X) < 0)


@contextlib.contextmanager
def recorded():
    """Record the warnings of overlap, and no others."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", OverlapWarning)
        yield caught


# Overlapping windows


@pytest.mark.parametrize("seed", range(5))
def test_new_windows_of_a_series_are_normal_where_its_blocks_are_groups(seed):
    X, groups, unseen = make_windows(seed)
    detector = LSTMAutoencoderDetector(**SMALL).fit(X, groups=groups)
    assert set(groups[detector.held_out_]).isdisjoint(np.delete(groups, detector.held_out_))
    assert rate(detector, unseen) < 0.1
    # It has not gone blind for it.
    spiked = unseen.copy()
    spiked[:, 7] += 4
    assert rate(detector, spiked) > 0.5


def test_new_windows_are_outliers_without_groups_and_fit_warns_of_that():
    X, _, unseen = make_windows(0)
    with recorded() as caught:
        detector = LSTMAutoencoderDetector(**SMALL).fit(X)
    assert re.search("from step 1 on.*groups=", str(caught[0].message))
    assert caught[0].filename == __file__
    assert rate(detector, unseen) > 0.9


def test_the_warning_is_given_wherever_held_out_sequences_are_compared_with_others():
    X = make_windows(0)[0][:60]
    with recorded() as caught:
        LSTMAutoencoderTransformer(**TINY).fit(X)
        LSTMAutoencoderDetector(**TINY, early_stopping=False).fit(X)
        assert len(caught) == 2
        # What holds nothing out and compares nothing has nothing to warn of.
        LSTMAutoencoderTransformer(**TINY, early_stopping=False).fit(X)
        LSTMAutoencoderTransformer(**TINY).partial_fit(X)
        assert len(caught) == 2


def test_where_the_warning_is_an_error_the_estimator_is_as_it_was():
    ae = LSTMAutoencoderTransformer(**TINY)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OverlapWarning)
        with pytest.raises(OverlapWarning):
            ae.fit(make_windows(0)[0])
    assert not hasattr(ae, "n_epochs_")


def windows(series, stride=1, width=WIDTH):
    return np.array(sliding_window_view(series, width)[::stride])


NOISE = np.random.default_rng(0).normal(size=(1000, 2))
FLAT = np.where(np.arange(1000) % 300 < 100, 0.0, NOISE[:, 0])
WINDOWS = {
    "one step apart": (windows(NOISE[:, 0]), 1),
    "half a window apart": (windows(NOISE[:, 0], 15), 15),
    "three quarters apart": (windows(NOISE[:, 0], 22), 22),
    "shuffled": (np.random.default_rng(1).permutation(windows(NOISE[:, 0])), 1),
    "of two channels": (sliding_window_view(NOISE, WIDTH, axis=0).transpose(0, 2, 1), 1),
    "of rounded values": (windows(NOISE[:, 0].round(1)), 1),
    "with flat stretches": (windows(FLAT), 1),
    "with gaps": (windows(np.where(NOISE[:, 1] > 1, np.nan, NOISE[:, 0])), 1),
    "of no noise": (windows(np.sin(np.arange(400) / 7)), 1),
    "of three steps": (windows(NOISE[:, 0], width=3), 1),
    "of large counts": (windows(np.random.default_rng(0).poisson(1e4, 500).astype(float)), 1),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_overlapping_windows_are_found(name):
    X, stride = WINDOWS[name]
    assert find_stride(as_sequences(X)) == stride


def draw(kind, seed):
    """Return sequences that share runs of values, but are no windows."""
    rng = np.random.default_rng(seed)
    phases = rng.integers(0, 60, 400)[:, None]
    starts = rng.integers(0, 40, 300)
    made = {
        "constant": lambda: np.zeros((300, 30)),
        "constant, ragged": lambda: [np.ones(n) for n in rng.integers(3, 40, 300)],
        "levels": lambda: rng.integers(0, 9, (300, 1)) * np.ones(30),
        "levels of their own": lambda: rng.normal(size=(300, 1)) * np.ones(30),
        "one-hot": lambda: np.eye(4)[rng.integers(0, 4, (300, 20))],
        "letters": lambda: rng.integers(0, 4, (2000, 30)).astype(float),
        "bits": lambda: rng.integers(0, 2, (2000, 16)).astype(float),
        "counts": lambda: rng.poisson(1, (1000, 30)).astype(float),
        "rare events": lambda: (rng.random((1000, 40)) < 0.03).astype(float),
        "walks of whole steps": lambda: rng.integers(-1, 2, (1000, 20)).cumsum(axis=1) * 1.0,
        "moving ones": lambda: make_moving_ones(n_sequences=1000, random_state=seed),
        "phases of a grid": lambda: np.sin(np.pi / 30 * ((phases + np.arange(15)) % 60)),
        "a pulse anywhere": lambda: np.exp(
            -np.square(np.arange(60) - starts[:, None] - 10) / 20.0
        ).round(3),
        "duplicates": lambda: [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]] * 50,
        "vowels": lambda: load_japanese_vowels(return_X_y=True)[0],
        "sines without noise": lambda: make_ragged_sines(300, noise=0, random_state=seed)[0],
        "windows that touch": lambda: np.random.default_rng(seed).normal(size=(200, 20)),
        "nothing": lambda: [np.zeros((0, 1))] * 30,
    }
    return made[kind]()


KINDS = [
    *("constant", "constant, ragged", "levels", "levels of their own", "one-hot", "letters"),
    *("bits", "counts", "rare events", "walks of whole steps", "moving ones", "phases of a grid"),
    *("a pulse anywhere", "duplicates", "vowels", "sines without noise", "windows that touch"),
    "nothing",
]


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_that_share_runs_but_are_no_windows_are_not_taken_for_some(kind):
    for seed in range(5):
        assert find_stride(as_sequences(draw(kind, seed))) is None


def test_windows_of_categories_are_found_too():
    codes = np.random.default_rng(0).integers(0, 8, 400).astype(float)
    assert find_stride(as_sequences(windows(codes))) == 1


def test_of_many_sequences_some_are_searched(monkeypatch):
    monkeypatch.setattr(overlap, "MAX_STEPS", 9000)
    monkeypatch.setattr(overlap, "MAX_SEARCHED", 200)
    assert find_stride(as_sequences(windows(NOISE[:, 0]))) is not None
    assert find_stride(as_sequences(NOISE.reshape(-1, 20))) is None


# What is held out


def sizes_held_out(sizes, fraction, seed=0):
    """Return the sizes of the groups that are held out."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    trained_on, held_out = hold_out(as_sequences(np.ones((len(groups), 3))), fraction, seed, groups)
    assert sorted([*trained_on, *held_out]) == list(range(len(groups)))
    assert set(groups[trained_on]).isdisjoint(groups[held_out])
    return np.bincount(groups[held_out], minlength=len(sizes))[np.unique(groups[held_out])].tolist()


def test_as_many_groups_are_held_out_as_come_nearest_to_the_fraction():
    for seed in range(5):
        assert sizes_held_out([10] * 12, 0.1, seed) == [10]
        assert sizes_held_out([10] * 30, 0.1, seed) == [10] * 3
        assert sizes_held_out([1] * 100, 0.25, seed) == [1] * 25
        assert sizes_held_out([50] * 4, 0.1, seed) == [50]
        assert sizes_held_out([90, 10], 0.1, seed) == [10]
        assert sizes_held_out([10, 10], 0.9, seed) == [10]
        assert sizes_held_out([100], 0.1, seed) == []
        assert sizes_held_out([1] * 5, 0.1, seed) == []  # as without groups


def test_each_group_has_its_turn():
    groups = np.repeat(np.arange(10), 10)
    X = as_sequences(np.ones((100, 3)))
    turns = {int(groups[hold_out(X, 0.1, seed, groups)[1][0]]) for seed in range(60)}
    assert turns == set(range(10))


def test_a_group_without_a_value_is_not_held_out():
    X = np.ones((40, 3))
    X[:30] = np.nan
    groups = np.repeat(np.arange(4), 10)
    _, held_out = hold_out(as_sequences(X), 0.25, 0, groups)
    assert len(held_out) == 0  # the one group that has values is needed
    X[20:] = 1.0
    _, held_out = hold_out(as_sequences(X), 0.25, 0, groups)
    assert len(set(groups[held_out])) == 1
    assert held_out[0] >= 20


@pytest.fixture(scope="module")
def grouped():
    """Thirty noisy sequences of three groups, and the labels of these."""
    X, _ = make_ragged_sines(30, min_steps=5, max_steps=9, random_state=0)
    return X, ["a"] * 8 + ["b"] * 12 + ["c"] * 10


def spy(monkeypatch):
    """Return a list that gets what each fit holds out."""
    seen = []
    split = loop.hold_out

    def record(*args):
        found = split(*args)
        seen.append(found[1].tolist())
        return found

    monkeypatch.setattr(loop, "hold_out", record)
    return seen


def test_a_continued_fit_holds_out_whole_groups_too(grouped, monkeypatch):
    X, groups = grouped
    seen = spy(monkeypatch)
    ae = LSTMAutoencoderTransformer(**TINY, warm_start=True).fit(X, groups=groups)
    ae.fit(X, groups=groups).fit(X[:20], groups=[*range(10), *range(10)])
    assert seen[0] == seen[1] == list(range(8))
    assert seen[2][1] == seen[2][0] + 10
    assert ae.n_epochs_ == 6


# Detectors with groups


def test_neighbours_are_those_of_other_groups():
    # Two clouds a group; without groups the nearest is in the same one.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 5)
    features = (rng.normal(size=(20, 6))[groups] + rng.normal(0, 0.01, (100, 6))).astype(np.float32)
    X, errors = as_sequences(np.ones((100, 2))), np.ones((200, 1))
    alone, _ = ReferenceDistribution.fit(X, errors, features, np.arange(5), 0)
    apart, scores = ReferenceDistribution.fit(X, errors, features, np.arange(5), 0, groups)
    assert alone.distances.location < np.log(0.1) < apart.distances.location
    assert apart.neighbours.shape == alone.neighbours.shape == (100, 6)
    # In `fit` they are compared with other groups, afterwards with all neighbours.
    assert np.median(scores[:, 1]) > 0.5
    assert apart.anomaly_scores(X, errors, features)[:, 1].max() < 0.1


def test_a_sequence_whose_neighbours_are_all_of_its_group_has_no_score_of_shape():
    groups = np.zeros(10, np.int64)
    features = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    X, errors = as_sequences(np.ones((10, 2))), np.ones((20, 1))
    _, scores = ReferenceDistribution.fit(X, errors, features, np.arange(2), 0, groups)
    assert_array_equal(scores[:, 1], 0.0)


def test_contamination_is_that_of_the_training_sequences_with_groups_too(grouped):
    X, groups = grouped
    detector = LSTMAutoencoderDetector(**TINY, contamination=0.2)
    assert np.mean(detector.fit_predict(X, groups=groups) < 0) == pytest.approx(0.2, abs=0.04)


def test_a_detector_with_groups_is_restored_from_a_file(grouped):
    X, groups = grouped
    detector = LSTMAutoencoderDetector(**TINY).fit(X, groups=groups)
    file = io.BytesIO()
    detector.save(file)
    file.seek(0)
    assert_allclose(load(file).decision_function(X), detector.decision_function(X), rtol=1e-6)


# scikit-learn


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_groups_are_routed_through_pipelines_and_searches(grouped, routing, monkeypatch):
    X, groups = grouped
    X = [x.tolist() for x in X]
    seen = spy(monkeypatch)
    ae = LSTMAutoencoderTransformer(**TINY).set_fit_request(groups=True)
    pipeline = make_pipeline(FunctionTransformer(), ae)
    pipeline.fit(X, groups=groups)
    assert pipeline.fit_transform(X, groups=groups).shape == (30, 4)
    assert seen == [list(range(8))] * 2
    seen.clear()
    params = {"lstmautoencodertransformer__learning_rate": [0.01, 0.001]}
    search = GridSearchCV(
        pipeline,
        params,
        # 2026-11, scikit-learn 1.9.1: without it Pipeline.score asks for a route of sample_weight.
        scoring=lambda fitted, X, y=None: fitted.transform(X).std(),
        cv=GroupKFold(3),
        refit=False,
        error_score="raise",
    )
    search.fit(X, groups=groups)
    # Each fold trains on two groups, and holds out the smaller one of these.
    assert sorted(map(len, seen)) == [8] * 4 + [10] * 2
    seen.clear()
    detector = LSTMAutoencoderDetector(**TINY).set_fit_request(groups=True)
    scored = cross_validate(
        detector,
        X,
        params={"groups": groups},
        cv=GroupKFold(3),
        scoring=lambda estimator, X, y=None: estimator.decision_function(X).mean(),
        error_score="raise",
    )
    assert len(scored["test_score"]) == 3
    assert sorted(map(len, seen)) == [8, 8, 10]


def test_fit_transform_and_fit_predict_take_groups(grouped, monkeypatch):
    X, groups = grouped
    seen = spy(monkeypatch)
    LSTMAutoencoderTransformer(**TINY).fit_transform(X, groups=groups)
    LSTMAutoencoderDetector(**TINY).fit_predict(X, groups=np.array(groups))
    assert seen == [list(range(8))] * 2


# Labels


def test_labels_are_any_hashable_objects():
    labels = [("a", 1), "b", 2.5, ("a", 1), np.datetime64("2026-01-01")]
    assert_array_equal(check_groups(labels, as_sequences([[1.0]] * 5), 1), [0, 1, 2, 0, 3])
    assert_array_equal(check_groups(np.array([7, 7, 3]), THREE, 1), [0, 0, 1])
    assert check_groups(None, THREE, 2) is None


@pytest.mark.parametrize(
    ("groups", "error", "text"),
    [
        ([0, 1], ValueError, "2 labels for 3 sequences"),
        ([0, None, 1], ValueError, "missing labels"),
        ([0, np.nan, 1], ValueError, "missing labels"),
        (["x", "x", "x"], ValueError, "the one label 'x' for all"),
        ("abc", TypeError, "one label"),
        (7, TypeError, "not iterable"),
        ([[0], [1], [2]], TypeError, "unhashable"),
        (np.zeros((3, 1)), TypeError, "unhashable"),
    ],
)
def test_other_groups_are_refused_in_words(groups, error, text):
    with pytest.raises(error, match=rf"^groups must have one label per sequence.*{text}"):
        check_groups(groups, THREE, 2)


def test_a_detector_needs_two_groups_and_a_transformer_one(grouped):
    X, _ = grouped
    with pytest.raises(ValueError, match="2 different ones or more"):
        LSTMAutoencoderDetector(**TINY).fit(X, groups=["a"] * 30)
    ae = LSTMAutoencoderTransformer(**TINY).fit(X, groups=["a"] * 30)
    assert "val_loss" not in ae.history_
