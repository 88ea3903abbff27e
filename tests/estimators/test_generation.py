"""Missing values are filled, observed ones stay; samples are like what training saw."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.estimators import code_density, imputation
from sklearn_seqae.estimators.code_density import CodeDensity

TINY = {"n_components": 4, "units": 6, "epochs": 2, "random_state": 0}  # as that of conftest

NAN = np.nan


def lists(sequences):
    return [np.asarray(sequence).tolist() for sequence in sequences]


@pytest.fixture(scope="module")
def levels():
    """Eighty sequences of a level of their own, a third of their values missing, and the truth."""
    rng = np.random.default_rng(0)
    true = [np.full((n, 2), rng.normal(size=2)) for n in [4, 5, 6, 7] * 20]
    given = [np.where(rng.random(x.shape) < 0.33, NAN, x) for x in true]
    return given, true


@pytest.fixture(scope="module")
def filler(levels):
    """An estimator that learned levels."""
    return LSTMAutoencoderTransformer(
        8, units=16, epochs=60, learning_rate=0.01, random_state=0
    ).fit(levels[0])


# Filling in


def containers(X):
    """Return one-channel sequences with gaps, of up to five steps, in every container."""
    array = np.full((len(X), 5), NAN)
    for row, x in zip(array, X, strict=True):
        row[: len(x)] = x
    objects = np.empty(len(X), dtype=object)
    objects[:] = X
    return {
        "list": [x[:, None] for x in X],
        "list_1d": X,
        "object_1d": objects,
        "2d": array,
        "3d": array[:, :, None],
        "frame": pd.DataFrame(array, columns=list("abcde"), index=[f"row {i}" for i in range(4)]),
    }


GAPS = [np.array(x) for x in ([1.1, NAN, 3.3], [NAN, 0.7, NAN, NAN, 2.0], [5.0], [NAN, 0.0])]


@pytest.fixture(scope="module")
def filler_of_rows(wide):
    """An estimator for sequences of one channel."""
    return LSTMAutoencoderTransformer(**TINY).fit(wide)


@pytest.mark.parametrize("kind", containers(GAPS))
def test_gaps_are_filled_in_the_container_that_came_and_padding_stays(filler_of_rows, wide, kind):
    ae, X = filler_of_rows, containers(GAPS)[kind]
    if kind == "frame":
        ae = LSTMAutoencoderTransformer(**TINY).fit(pd.DataFrame(wide, columns=list("abcde")))
    filled = ae.impute(X)
    assert type(filled) is type(X)
    if kind == "frame":
        assert filled.columns.equals(X.columns)
        assert filled.index.equals(X.index)
        X, filled = X.to_numpy(), filled.to_numpy()
    for x, y, gaps in zip(X, filled, GAPS, strict=True):
        n_steps, missing = len(gaps), np.isnan(gaps)
        assert y.dtype == np.float64
        assert_array_equal(y[:n_steps][~missing], x[:n_steps][~missing])
        assert np.isfinite(y[:n_steps]).all()
        assert np.isnan(y[n_steps:]).all()


def test_sequences_without_missing_values_are_not_changed(fitted, ragged):
    filled = fitted.impute(ragged)
    assert lists(filled) == lists(ragged)
    assert not any(np.shares_memory(x, y) for x, y in zip(filled, ragged, strict=True))


def test_a_sequence_without_values_is_replaced_by_the_mean_of_training(fitted_on_missing, ragged):
    X = [np.full((4, 2), NAN), np.ones((3, 2))]
    filled = fitted_on_missing.impute(X)
    steps = np.concatenate(ragged)
    assert (np.abs(filled[0] - np.nanmean(steps, axis=0)) < np.nanstd(steps, axis=0)).all()
    assert_array_equal(filled[1], X[1])


@pytest.mark.long
def test_filling_is_far_better_than_the_mean(filler, levels):
    given, true = levels
    filled = filler.impute(given)
    gaps, y, x = (np.concatenate(part) for part in (given, filled, true))
    missing = np.isnan(gaps)
    by_mean = np.broadcast_to(np.nanmean(gaps, axis=0), x.shape)
    error, baseline = (np.sqrt(np.mean((z - x)[missing] ** 2)) for z in (y, by_mean))
    assert error < 0.5 * baseline


@pytest.mark.long
def test_imputed_values_depend_on_their_sequence_alone(filler, levels):
    together = filler.impute(levels[0][:9])
    for x, y in zip(levels[0][:9], together, strict=True):
        assert_allclose(filler.impute([x])[0], y, atol=1e-5)


def test_errors_correlate_within_sequences_only():
    walk = np.cumsum(np.random.default_rng(0).normal(size=4000))
    steps = np.diff(walk)
    errors = as_sequences([np.column_stack([walk[1:], steps])])
    long, none = imputation.step_correlation(errors)
    assert 0.98 < long <= imputation.MAX_CORRELATION
    assert none < 0.1
    apart = as_sequences([[1.0], [1.0], [1.0, NAN]])
    assert imputation.step_correlation(apart).tolist() == [0.0]


def test_a_bridge_joins_the_errors_at_the_ends_of_a_gap_and_fades_away_from_them():
    errors = as_sequences([[2.0, NAN, NAN, NAN, 2.0], [NAN, NAN, 1.0, NAN], [NAN] * 3, []])
    straight = imputation.bridge(errors, np.array([0.999]))[:, 0]
    assert_allclose(straight[:5], 2.0, atol=0.01)
    assert_allclose(straight[5:9], 1.0, atol=0.01)
    fading = imputation.bridge(errors, np.array([0.5]))[:, 0]
    assert_allclose(fading[:5], [2.0, 1.1765, 0.9412, 1.1765, 2.0], atol=1e-3)
    assert_allclose(fading[5:], [0.25, 0.5, 1.0, 0.5, 0, 0, 0])
    assert_allclose(imputation.bridge(errors, np.array([0.0]))[5:, 0], [0, 0, 1, 0, 0, 0, 0])


def test_a_bridge_is_the_conditional_mean_of_the_process():
    rho, steps = 0.7, np.arange(6)
    covariance = rho ** np.abs(steps[:, None] - steps)
    known, given = [0, 3], np.array([1.0, -2.0])
    expected = covariance[:, known] @ np.linalg.solve(covariance[np.ix_(known, known)], given)
    errors = np.full(6, NAN)
    errors[known] = given
    assert_allclose(imputation.bridge(as_sequences([errors]), np.array([rho]))[:, 0], expected)


def test_neighbours_of_a_gap_make_filling_better_than_the_reconstruction_alone(ragged):
    # A linear path sees to the neighbours itself.
    ae = LSTMAutoencoderTransformer(**TINY, shortcut=None).fit(ragged)
    rng = np.random.default_rng(1)
    gaps = [np.where(rng.random(x.shape) < 0.2, NAN, x) for x in ragged]
    missing = np.isnan(np.concatenate(gaps))
    true, filled, written = map(np.concatenate, (ragged, ae.impute(gaps), ae.reconstruct(gaps)))
    errors = [np.mean((part - true)[missing] ** 2) for part in (filled, written)]
    assert errors[0] < 0.6 * errors[1]


# Sampling


def test_samples_have_the_form_and_range_of_lengths_that_fit_saw(fitted, ragged, wide, tiny):
    samples = fitted.sample(50, random_state=0)
    lengths = {len(x) for x in ragged}
    assert len(samples) == 50
    assert {x.shape[1] for x in samples} == {2}
    assert min(lengths) <= min(map(len, samples)) <= max(map(len, samples)) <= max(lengths)
    assert all(np.isfinite(x).all() for x in samples)
    assert len(fitted.sample()) == 1
    frame = pd.DataFrame(wide, columns=list("abcde"))
    for X in (wide, wide[:, :, None], frame):
        drawn = LSTMAutoencoderTransformer(**tiny).fit(X).sample(3, random_state=0)
        assert type(drawn) is type(X)
        assert drawn.shape == (3, *X.shape[1:])
    assert drawn.columns.tolist() == list("abcde")


def test_random_state_decides_the_samples_as_in_scikit_learn(fitted):
    one, same = (lists(fitted.sample(4, random_state=1)) for _ in range(2))
    assert one == same
    assert lists(fitted.sample(4, random_state=2)) != one
    before = np.random.get_state()[1].tolist()
    assert lists(fitted.sample(4)) != lists(fitted.sample(4))
    assert np.random.get_state()[1].tolist() == before
    rng = np.random.RandomState(1)
    first, second = lists(fitted.sample(4, rng)), lists(fitted.sample(4, rng))
    assert first != second
    assert lists(fitted.sample(4, np.random.RandomState(1))) == first


@pytest.mark.parametrize("used", [False, True])
def test_a_pickle_samples_the_same_and_holds_no_training_sequences(fitted, used):
    ae = copy.deepcopy(fitted)
    if used:
        ae.sample(random_state=0)
    other = pickle.loads(pickle.dumps(ae))
    assert other._fitted_model._density.sequences is None
    assert lists(other.sample(4, random_state=1)) == lists(fitted.sample(4, random_state=1))


def test_the_density_is_of_the_weights_and_sequences_of_the_last_training(fitted, ragged):
    ae = copy.deepcopy(fitted)
    ae.sample(random_state=0)
    moved = [x + 20 for x in ragged]
    for _ in range(3):
        ae.partial_fit(moved)
    drawn, _ = ae._fitted_model.draw(2000, np.random.RandomState(0))
    Z = ae.transform(moved)
    assert_allclose(drawn.mean(axis=0), Z.mean(axis=0), atol=0.1)
    assert np.abs(drawn.mean(axis=0) - fitted.transform(ragged).mean(axis=0)).max() > 0.3


def test_statistics_of_sequences_are_sampled_with_their_codes(ragged, tiny):
    tiny |= {"n_components": 6, "scaler": "per_sequence"}
    X = [x + 100 * (i % 2) for i, x in enumerate(ragged)]
    samples = LSTMAutoencoderTransformer(**tiny).fit(X).sample(60, random_state=0)
    means = np.array([x.mean() for x in samples if len(x)])
    assert np.mean(means > 50) == pytest.approx(0.5, abs=0.25)


# The density itself


def make_density(codes, seed=0):
    sequences = as_sequences([[1.0]] * len(codes))
    made = CodeDensity(sequences, seed)
    made.settle(lambda kept: np.asarray(codes, dtype=np.float32))
    return made


def test_groups_of_codes_are_sampled_as_groups_in_any_order():
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0, 5], [5, 0, 0], [0, 5, 0], [5, 5, 5]])
    groups = rng.integers(0, 4, 200)
    drawn = make_density(centres[groups] + 0.1 * rng.normal(size=(200, 3))).draw(
        400, np.random.RandomState(0)
    )
    distances = np.linalg.norm(drawn[:, None] - centres, axis=2)
    assert distances.min(axis=1).max() < 1.0
    nearest = distances.argmin(axis=1)
    assert np.bincount(nearest, minlength=4).min() > 50
    # Gaussian by Gaussian, three changes would do.
    assert np.count_nonzero(np.diff(nearest)) > 200


@pytest.mark.parametrize("codes", [[[1.0, 2.0]], [[1.0, 2.0]] * 3, [[1.0, 2.0], [1.0, 2.0000001]]])
def test_codes_that_are_all_one_are_drawn_as_they_are(codes):
    assert_allclose(make_density(codes).draw(3, np.random.RandomState(0)), [[1.0, 2.0]] * 3)


@pytest.mark.parametrize("n_codes", [2, 3, 5, 20])
def test_few_codes_have_a_density_that_is_no_wider_than_they_are(n_codes):
    codes = np.random.default_rng(n_codes).normal(size=(n_codes, 64))
    drawn = make_density(codes).draw(200, np.random.RandomState(0))
    assert np.isfinite(drawn).all()
    assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.5)
    assert 0.5 < drawn.std() / codes.std() < 1.5


def test_of_many_sequences_or_long_ones_a_random_part_is_kept(monkeypatch):
    sequences = as_sequences([[float(i)] * 5 for i in range(100)])
    assert CodeDensity(sequences, 0).sequences.values.shape == (500, 1)
    monkeypatch.setattr(code_density, "MAX_SEQUENCES", 20)
    kept = CodeDensity(sequences, 0).sequences
    assert len(kept) == 20
    assert kept.values.max() > 60
    assert_array_equal(CodeDensity(sequences, 0).sequences.values, kept.values)
    assert CodeDensity(sequences, 1).sequences.values.tolist() != kept.values.tolist()
    monkeypatch.setattr(code_density, "MAX_VALUES", 37)
    assert len(CodeDensity(sequences, 0).sequences) == 7
    monkeypatch.setattr(code_density, "MAX_VALUES", 3)
    assert len(CodeDensity(sequences, 0).sequences) == 1
