"""Forecasts: the steps after the end, in the container that came, and a part of what is fitted."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_seqae import LSTMAutoencoderTransformer, load
from sklearn_seqae.containers import convert
from sklearn_seqae.windows import sliding_windows
from tests.conftest import TINY

HORIZON = 4


def make_waves(n_sequences=30, seed=0, level=1e6):
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 6, size=n_sequences)
    return [
        level + np.sin(np.arange(n) / 3 + a) for n, a in zip(range(20, 50), phases, strict=True)
    ]


@pytest.fixture(scope="module")
def waves():
    return make_waves()


@pytest.fixture(scope="module")
def fitted(waves):
    return LSTMAutoencoderTransformer(**TINY, horizon=HORIZON).fit(waves)


@pytest.fixture(scope="module")
def visits():
    """Numbers and categories with a period of 3, as a long frame with hours."""
    rng = np.random.default_rng(0)
    frames = []
    for i in range(20):
        n = rng.integers(15, 25)
        times = pd.date_range("2026-11-01", periods=n, freq="h")
        index = pd.MultiIndex.from_arrays([[f"p{i}"] * n, times], names=["patient", "time"])
        room = np.array(["a", "b", "c"])[(np.arange(n) + i) % 3]
        pulse = 60.0 + i + np.arange(n) + 0.01 * rng.normal(size=n)
        frames.append(pd.DataFrame({"pulse": pulse, "room": room}, index=index))
    return pd.concat(frames)


@pytest.fixture(scope="module")
def of_visits(visits):
    return LSTMAutoencoderTransformer(**TINY, horizon=HORIZON).fit(visits)


@pytest.mark.parametrize("scaler", ["standard", "minmax", "robust", "per_sequence", None])
def test_forecasts_are_at_the_level_of_the_data(waves, scaler):
    parameters = {**TINY, "horizon": HORIZON, "scaler": scaler, "shortcut": None}
    level = 1e6 if scaler else 0.0
    X = [x - 1e6 + level for x in waves]
    ae = LSTMAutoencoderTransformer(**parameters).fit(X)
    ahead = ae.forecast([x[:-HORIZON] for x in X])
    errors = [a - x[-HORIZON:] for a, x in zip(ahead, X, strict=True)]
    assert np.sqrt(np.mean(np.square(errors))) < 0.1


def test_more_steps_than_the_horizon_are_forecast_from_forecasts(fitted, waves):
    x = waves[-1]
    (ahead,) = fitted.forecast([x[:37]], n_steps=11)
    assert ahead.shape == (11,)
    np.testing.assert_allclose(ahead, x[37:48], atol=0.15)
    (first,) = fitted.forecast([x[:37]])
    np.testing.assert_allclose(ahead[:HORIZON], first, rtol=1e-7)
    (fewer,) = fitted.forecast([x[:37]], n_steps=2)
    np.testing.assert_array_equal(fewer, first[:2])


def test_a_forecast_depends_on_its_own_sequence_alone(fitted, waves):
    together = fitted.forecast(waves)
    for i in (0, 7, 29):
        np.testing.assert_allclose(fitted.forecast([waves[i]])[0], together[i], rtol=1e-9)
    backwards = fitted.forecast(waves[::-1])
    np.testing.assert_allclose(np.stack(backwards[::-1]), np.stack(together), rtol=1e-9)


@pytest.mark.long
def test_the_recurrent_decoder_counts_where_it_is_better_on_held_out_sequences():
    rng = np.random.default_rng(0)
    # Which of two shapes follows is no linear function of what was.
    signs = rng.choice([-1.0, 1.0], size=(160, 2))
    X = np.zeros((160, 12))
    X[:, 1], X[:, 4] = signs.T
    X[:, 9:] = signs.prod(axis=1, keepdims=True)
    X += 0.05 * rng.normal(size=X.shape)
    parameters = {"units": 16, "epochs": 60, "horizon": 3, "random_state": 0, "batch_size": 8}
    ae = LSTMAutoencoderTransformer(8, **parameters, learning_rate=0.01).fit(X[:120])
    model = ae._fitted_model
    assert model._forecaster.gains[0] > 0.5
    error = np.square(np.stack(ae.forecast(list(X[120:, :9]))) - X[120:, 9:]).mean()
    assert error < 0.3  # linear forecasts have 1


def test_windows_are_continued_by_an_array(waves):
    x = np.sin(np.arange(300) / 5)
    windows = sliding_windows(x[:280], window_size=40)
    ae = LSTMAutoencoderTransformer(**TINY, horizon=10).fit(windows)
    assert ae.forecast(windows).shape == (len(windows), 10, 1)
    np.testing.assert_allclose(ae.forecast([x[:280]])[0], x[280:290], atol=0.1)
    np.testing.assert_allclose(ae.forecast(windows)[-1, :, 0], x[280:290], atol=0.1)


def test_a_long_frame_is_continued_with_its_ids_and_hours(of_visits, visits):
    ahead = of_visits.forecast(visits)
    assert ahead.index.names == ["patient", "time"]
    assert ahead.dtypes.equals(visits.dtypes)
    for patient, known in visits.groupby(level=0):
        mine = ahead.loc[patient]
        hours = pd.date_range(known.index[-1][1], periods=HORIZON + 1, freq="h")[1:]
        assert mine.index.equals(hours.rename("time"))
        expected = known["pulse"].iloc[-1] + np.arange(1, HORIZON + 1)
        np.testing.assert_allclose(mine["pulse"], expected, atol=0.5)
        period = known["room"].iloc[-3:].tolist()
        assert mine["room"].tolist() == [*period, period[0]]


def test_rows_of_a_long_frame_may_be_mixed(of_visits, visits):
    mixed = visits.sort_index(level="time", kind="stable", sort_remaining=False)
    pd.testing.assert_frame_equal(
        of_visits.forecast(mixed).sort_index(), of_visits.forecast(visits).sort_index()
    )


@pytest.mark.parametrize(
    "form", ["list", "3d", "frames", "long", "nested", "arrow", "polars", "awkward", "ragged"]
)
def test_forecasts_are_in_the_container_that_came(fitted, waves, form):
    X = convert([x[:, None] for x in waves[:5]], form)
    ahead = fitted.forecast(X)
    assert type(ahead) is type(X)
    expected = np.stack(fitted.forecast([x[:, None] for x in waves[:5]]))
    np.testing.assert_allclose(np.stack(convert(ahead, "list")), expected, rtol=1e-6)


def test_frames_go_on_with_their_own_time_stamps(fitted, waves):
    frames = [
        pd.DataFrame({"x": x}, index=pd.RangeIndex(10 * i, 10 * i + 2 * len(x), 2))
        for i, x in enumerate(waves[:3])
    ]
    for frame, ahead in zip(frames, fitted.forecast(frames), strict=True):
        last = frame.index[-1]
        assert ahead.index.tolist() == list(range(last + 2, last + 2 + 2 * HORIZON, 2))
        assert list(ahead.columns) == ["x"]
    irregular = [frame.set_axis([*range(len(frame) - 1), 999]) for frame in frames]
    assert fitted.forecast(irregular)[0].index.tolist() == [0, 1, 2, 3]


def test_columns_of_a_wide_frame_go_on_unless_rows_are_padded():
    X = pd.DataFrame(np.stack([x[:20] for x in make_waves(30)]), columns=range(1990, 2010))
    X.index = [f"row {i}" for i in range(30)]
    ae = LSTMAutoencoderTransformer(**TINY, horizon=3).fit(X)
    ahead = ae.forecast(X)
    assert ahead.columns.tolist() == [2010, 2011, 2012]
    assert ahead.index.tolist() == X.index.tolist()
    X.iloc[0, 15:] = np.nan
    ahead = ae.forecast(X)
    assert ahead.columns.tolist() == [0, 1, 2]
    np.testing.assert_allclose(ahead.iloc[0], ae.forecast([X.iloc[0, :15].to_numpy()])[0])


def test_missing_values_are_imputed_before_a_forecast(fitted, waves):
    x = waves[-1][:40].copy()
    complete = fitted.forecast([x])[0]
    x[[33, 36, 39]] = np.nan
    np.testing.assert_allclose(fitted.forecast([x])[0], complete, atol=0.5)
    with_gaps = [np.where(np.arange(len(x)) % 7 == 3, np.nan, x) for x in waves]
    ae = LSTMAutoencoderTransformer(**TINY, horizon=HORIZON).fit(with_gaps)
    assert np.isfinite(ae.forecast(with_gaps)).all()


def test_short_sequences_have_forecasts(fitted):
    ahead = fitted.forecast([[1e6], [1e6, 1e6 + 0.3, 1e6 + 0.5]])
    assert [len(x) for x in ahead] == [HORIZON, HORIZON]
    assert np.abs(np.stack(ahead) - 1e6).max() < 3


def test_forecasts_are_saved_pickled_and_cloned(of_visits, visits):
    expected = of_visits.forecast(visits, n_steps=6)
    file = io.BytesIO()
    of_visits.save(file)
    file.seek(0)
    loaded = load(file)
    pd.testing.assert_frame_equal(loaded.forecast(visits, n_steps=6), expected)
    pickled = pickle.loads(pickle.dumps(of_visits))
    pd.testing.assert_frame_equal(pickled.forecast(visits, n_steps=6), expected)
    again = clone(of_visits)
    assert again.horizon == HORIZON
    pd.testing.assert_frame_equal(again.fit(visits).forecast(visits, n_steps=6), expected)


@pytest.mark.long
def test_the_horizon_is_searched(waves):
    search = GridSearchCV(
        LSTMAutoencoderTransformer(**TINY), {"horizon": [0, 2]}, cv=2, error_score="raise"
    ).fit(waves)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.long
def test_training_in_parts_has_forecasts_too(waves):
    ae = LSTMAutoencoderTransformer(**TINY, horizon=HORIZON)
    ae.partial_fit(waves[::2])
    first = ae._fitted_model._forecaster.linear
    ae.partial_fit(waves[1::2]).partial_fit([x[:HORIZON] for x in waves])
    assert ae._fitted_model._forecaster.linear is first
    assert np.isfinite(ae.forecast(waves)).all()


@pytest.mark.long
@pytest.mark.parametrize("decoder", ["reshape", "dense", "autoregressive"])
def test_every_decoder_forecasts(waves, decoder):
    ae = LSTMAutoencoderTransformer(**TINY, horizon=HORIZON, decoder=decoder).fit(waves)
    ae._fitted_model._forecaster.gains[:] = 1.0  # whatever it has learned
    assert np.isfinite(ae.forecast(waves, n_steps=6)).all()


@pytest.mark.parametrize("n_components", [4, 40])
def test_the_decoder_writes_on_alike_in_numpy_and_keras(waves, n_components):
    parameters = TINY | {"n_components": n_components, "horizon": HORIZON, "multiscale": False}
    ae = LSTMAutoencoderTransformer(**parameters).fit([x[:30] for x in waves if len(x) > 30])
    model = ae._fitted_model
    model._forecaster.gains[:] = 1.0
    numpy = ae.forecast([waves[-1][:26]])[0]
    from sklearn_seqae.network.keras_network import decode, encode

    scaled = model.scaler.transform(ae._read([waves[-1][:26]])).values[None]
    lengths = np.array([26.0], np.float32)
    architecture = model.architecture
    if architecture.adds_to_linear:
        code = encode(ae.encoder_, architecture, scaled, lengths, False)
        written = decode(ae.decoder_, architecture, code, 30, lengths=lengths)
    else:
        trained = model.network.weights
        assert "decoder/mean/gain" in trained
        model.network.assign({"decoder/mean/gain": np.ones(1, np.float32)})
        written = ae.decoder_(ae.encoder_(scaled))
    expected = np.asarray(written)[0, 26:30]
    found = (numpy - ae.scaler_.scaler_.mean_) / ae.scaler_.scaler_.scale_
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-4)


def test_what_cannot_be_forecast_is_refused_in_words(fitted, waves):
    with pytest.raises(ValueError, match=r"forecast needs a fit with a horizon.*got horizon=0"):
        LSTMAutoencoderTransformer(**TINY).fit(waves).forecast(waves)
    for n_steps in (0, -1, 2.5, True, "all"):
        with pytest.raises(ValueError, match=r"n_steps must be a number of steps, 1 or more"):
            fitted.forecast(waves, n_steps)
    with pytest.raises(ValueError, match=r"at least one observed value, got 2 without any, first"):
        fitted.forecast([waves[0], [], [np.nan]])
    with pytest.raises(ValueError, match=r"horizon=60 needs sequences of more steps.*up to 49"):
        LSTMAutoencoderTransformer(**TINY, horizon=60).fit(waves)
    with pytest.raises(ValueError, match=r"The 'horizon' parameter"):
        LSTMAutoencoderTransformer(**TINY, horizon=1.5).fit(waves)


def test_an_error_leaves_forecasts_as_they_were(waves):
    ae = LSTMAutoencoderTransformer(**TINY, horizon=HORIZON).fit(waves)
    before = ae.forecast(waves)
    with pytest.raises(ValueError, match=r"channels"):
        ae.partial_fit([np.zeros((9, 2))])
    np.testing.assert_array_equal(np.stack(ae.forecast(waves)), np.stack(before))
