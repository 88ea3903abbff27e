"""The estimator scales by itself, on real steps only, and gives everything back in its units."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import MaxAbsScaler, PowerTransformer, StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.network import keras_network

SCALERS = ["standard", "minmax", "robust", "per_sequence", None, MaxAbsScaler()]
# Channels of very different sizes: a height in metres, a concentration, a count.
SIZES, OFFSETS = np.array([1e3, 1e-6, 1e6]), np.array([5e3, 0.0, -1e6])
SMALL = {"n_components": 7, "units": 4, "epochs": 1, "random_state": 0}


def make_data(n=12, sizes=SIZES, offsets=OFFSETS):
    rng = np.random.default_rng(0)
    lengths = [0, 9, *rng.integers(3, 10, size=n - 2)]
    waves = [
        np.sin(np.arange(k)[:, None] / 2 + rng.uniform(0, 6, size=(1, 3))) + rng.normal(size=3)
        for k in lengths
    ]
    return [sizes * wave + offsets for wave in waves]


def pad_with_nan(X, width):
    return np.stack([np.pad(x, [(0, width - len(x)), (0, 0)], constant_values=np.nan) for x in X])


def same_state(a, b):
    """Tell whether two fitted scalers learned the same, bit for bit."""
    if a is None or b is None:
        return a is b
    fitted = [name for name in vars(a) if name.endswith("_")]
    return bool(fitted) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in fitted
    )


@pytest.fixture(scope="module", params=SCALERS, ids=str)
def fitted(request):
    """A fit with every choice of scaler; data of size one where nothing is scaled."""
    X = make_data(sizes=1.0, offsets=0.0) if request.param is None else make_data()
    return LSTMAutoencoderTransformer(**SMALL, scaler=request.param).fit(X), X


def test_padding_and_containers_do_not_enter_the_scaling_or_the_codes(fitted):
    ae, X = fitted
    codes = ae.transform(X)
    for width in (9, 15):
        padded = pad_with_nan(X, width)
        assert_allclose(ae.transform(padded), codes, atol=1e-5)
        again = LSTMAutoencoderTransformer(**ae.get_params(deep=False)).fit(padded)
        assert same_state(again.scaler_.scaler_, ae.scaler_.scaler_)
        assert_array_equal(again.scaler_.statistics(padded), ae.scaler_.statistics(X))
        assert_allclose(again.transform(X), codes, atol=1e-5)


def test_the_network_sees_values_of_the_size_of_one(fitted):
    ae, X = fitted
    scaled = np.concatenate(ae.scaler_.transform(X))
    assert np.abs(scaled).max(axis=0).min() > 0.1
    assert np.abs(scaled).max() < 10
    assert ae.history_["loss"][0] < 10


def test_reconstructions_are_outputs_of_the_network_in_the_units_of_the_data(fitted):
    ae, X = fitted
    Z, lengths = ae.transform(X), [len(x) for x in X]
    network = ae.encoder_.output_shape[-1]
    # By itself the decoder decodes the lengths, too.
    written = keras_network.decode(
        ae.decoder_,
        ae._fitted_model.architecture,
        Z[:, :network],
        max(lengths),
        lengths=np.array(lengths, np.float32),
    )
    written = np.asarray(written)
    scaled = [steps[:n] for steps, n in zip(written, lengths, strict=True)]
    statistics = ae.scaler_.statistics(X)
    assert_allclose(Z[:, network:], statistics, atol=1e-6)
    expected = np.concatenate(ae.scaler_.inverse_transform(scaled, statistics))
    sizes = np.ptp(np.concatenate(X), axis=0)
    for back in (ae.inverse_transform(Z, lengths=lengths), ae.reconstruct(X)):
        assert [x.shape for x in back] == [x.shape for x in X]
        assert (np.abs(np.concatenate(back) - expected) < 1e-5 * sizes).all()
        # Which is of the size of the data, channel by channel, though hardly trained.
        worst = np.abs(np.concatenate(back) - np.concatenate(X)).max(axis=0)
        assert (worst < 2 * sizes).all()


def test_a_trained_reconstruction_has_the_units_of_the_data():
    X = make_data(n=16)
    ae = LSTMAutoencoderTransformer(
        n_components=16,
        units=24,
        epochs=60,
        batch_size=4,
        learning_rate=0.01,
        early_stopping=False,
        random_state=0,
    ).fit(X)
    true, back = np.concatenate(X), np.concatenate(ae.reconstruct(X))
    errors = ((true - back) ** 2).mean(axis=0) / true.var(axis=0)
    assert errors.max() < 0.3
    assert_allclose(ae.score(X), 1 - errors.mean(), atol=1e-3)


def test_the_choice_of_units_changes_no_code():
    ae = LSTMAutoencoderTransformer(**SMALL)
    codes = ae.fit_transform(make_data(sizes=1.0, offsets=0.0))
    assert_allclose(ae.fit_transform(make_data()), codes, atol=1e-3)


def test_per_sequence_gives_each_sequence_its_own_mean_and_scale_back():
    rng = np.random.default_rng(1)
    means, scales = rng.normal(0, 1e4, size=20), 10 ** rng.uniform(2, 4, size=20)
    X = [m + s * np.sin(np.arange(30) / 2) for m, s in zip(means, scales, strict=True)]
    ae = LSTMAutoencoderTransformer(
        8, units=16, scaler="per_sequence", epochs=60, learning_rate=0.01, random_state=0
    ).fit(X)
    Z = ae.transform(X)
    assert Z.shape == (20, 8)
    assert ae.encoder_.output_shape[-1] == 6
    back = ae.inverse_transform(Z)
    for x, y in zip(X, back, strict=True):
        assert_allclose(np.mean(y), np.mean(x), atol=0.5 * np.std(x))
        assert_allclose(np.std(y), np.std(x), rtol=0.5)
    # The network's own part of the code does not know them.
    shifted = ae.transform([1000 + 3 * x for x in X])
    assert_allclose(shifted[:, :6], Z[:, :6], atol=0.01)
    assert np.abs(shifted[:, 6:] - Z[:, 6:]).max(axis=0).min() > 0.05


def test_a_given_scaler_is_neither_fitted_nor_replaced():
    theirs = StandardScaler()
    X = make_data()
    ae = LSTMAutoencoderTransformer(**SMALL, scaler=theirs).fit(X)
    assert ae.scaler is theirs
    assert not hasattr(theirs, "mean_")
    assert_allclose(ae.scaler_.scaler_.mean_, np.concatenate(X).mean(axis=0), rtol=1e-4, atol=1e-9)
    other = LSTMAutoencoderTransformer(**SMALL, scaler="standard").fit(X)
    assert_array_equal(ae.transform(X), other.transform(X))


def test_a_scaler_that_bends_is_undone_too():
    X = [np.exp(x) for x in make_data(sizes=1.0, offsets=0.0)]
    ae = LSTMAutoencoderTransformer(**SMALL, scaler=PowerTransformer("box-cox")).fit(X)
    back = np.concatenate(ae.reconstruct(X))
    assert (back > 0).all()
    assert back.max() < 2 * np.concatenate(X).max()


def test_missing_values_are_neither_scaled_nor_learned():
    X = make_data()
    gaps = [x.copy() for x in X]
    gaps[1][2] = np.nan
    gaps[2][1, 0] = np.nan
    ae = LSTMAutoencoderTransformer(**SMALL).fit(gaps)
    assert_allclose(ae.scaler_.scaler_.mean_, np.nanmean(np.concatenate(gaps), axis=0), rtol=1e-4)
    assert np.isfinite(ae.history_["loss"]).all()
    assert np.isfinite(ae.transform(gaps)).all()
    assert all(np.isfinite(x).all() for x in ae.reconstruct(gaps))
