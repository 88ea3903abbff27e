"""Training that goes on: by `partial_fit`, and by `fit` with `warm_start`."""

import functools
import warnings

import keras
import numpy as np
import pytest
from keras import Input, Sequential, layers
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer, TrainingDisplay

TINY = {"n_components": 4, "units": 4, "epochs": 2, "random_state": 0}


def waves(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [np.sin(np.arange(n)[:, None] / 2 + rng.uniform(0, 6)) for n in lengths]


EQUAL = waves([6] * 12)
UNEQUAL = waves([4, 6, 9, 12] * 5, seed=1)


def make(**changes):
    return LSTMAutoencoderTransformer(**{**TINY, **changes})


# Lengths


def test_lengths_are_decoded_though_the_first_piece_had_one_only():
    ae = make(learning_rate=0.02).partial_fit(EQUAL)
    assert {len(x) for x in ae.inverse_transform(ae.transform(EQUAL))} == {6}
    for _ in range(40):
        ae.partial_fit(UNEQUAL)
    decoded = [len(x) for x in ae.inverse_transform(ae.transform(UNEQUAL))]
    assert np.abs(np.array(decoded) - [4, 6, 9, 12] * 5).mean() < 1.5
    assert np.corrcoef(decoded, [4, 6, 9, 12] * 5)[0, 1] > 0.8
    assert ae._fitted_model._density.length_range == (4, 12)


def test_lengths_beyond_twice_those_of_the_first_piece_can_be_decoded():
    ae = make().partial_fit(waves([3] * 8)).partial_fit(waves([20, 30] * 4))
    length = ae.model_.get_layer("length").get_layer("steps")
    length.location.assign(30.0)
    length.scale.assign(1e-6)
    assert {len(x) for x in ae.inverse_transform(ae.transform(UNEQUAL))} == {30}


def test_pieces_of_equal_lengths_come_back_with_that_length():
    wide = np.random.default_rng(0).normal(size=(12, 5)).cumsum(axis=1)
    ae = make().partial_fit(wide).partial_fit(wide[:6])
    back = ae.inverse_transform(ae.transform(wide))
    assert back.shape == wide.shape
    assert np.isfinite(back).all()


def test_a_fit_of_equal_lengths_that_goes_on_with_others_warns_what_to_do():
    ae = make(warm_start=True).fit(EQUAL)
    with pytest.warns(UserWarning, match=r"of 4 to 12 steps.*all had 6.*begin with partial_fit"):
        ae.partial_fit(UNEQUAL)
    with pytest.warns(UserWarning, match="all had 6"):
        ae.fit(UNEQUAL)
    assert {len(x) for x in ae.inverse_transform(ae.transform(UNEQUAL))} == {6}


# The history


@pytest.fixture(scope="module")
def mixed():
    """An estimator that was trained with and without held-out sequences, and other metrics."""
    ae = make(epochs=3).partial_fit(UNEQUAL).set_params(warm_start=True).fit(UNEQUAL)
    return ae.set_params(metrics=["mae"]).partial_fit(UNEQUAL)


def test_all_lists_of_the_history_have_an_entry_an_epoch(mixed):
    assert mixed.n_epochs_ == 5
    assert {len(values) for values in mixed.history_.values()} == {5}
    measured = {name: np.isfinite(values).tolist() for name, values in mixed.history_.items()}
    assert measured["loss"] == [True] * 5
    assert measured["val_loss"] == [False, True, True, True, False]
    assert measured["mae"] == [False] * 4 + [True]


def test_the_best_epoch_is_an_index_into_every_list():
    ae = make(epochs=3).partial_fit(UNEQUAL).set_params(warm_start=True).fit(UNEQUAL)
    held_out = ae.history_["val_loss"]
    assert ae.best_epoch_ == np.nanargmin(held_out)
    display = TrainingDisplay.from_estimator(ae)
    assert display.best_.get_ydata()[0] == held_out[ae.best_epoch_]
    ae.partial_fit(UNEQUAL)
    assert ae.best_epoch_ == 4
    display = TrainingDisplay.from_estimator(ae)
    assert display.best_.get_ydata()[0] == ae.history_["loss"][4]
    assert ">nan<" not in ae._repr_html_()


def test_what_is_interrupted_in_its_first_epoch_leaves_history_and_best_epoch():
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    ae = make(warm_start=True).fit(UNEQUAL)
    best, history = ae.best_epoch_, ae.history_
    with pytest.warns(UserWarning, match="interrupted after 0 of 2"):
        ae.set_params(callbacks=Interrupt).fit(UNEQUAL)
    assert (ae.best_epoch_, ae.history_) == (best, history)


# The same network


def halve(x):
    return x / 2


def double(x):
    return x * 2


@pytest.mark.parametrize(
    "make_scaler",
    [StandardScaler, functools.partial(FunctionTransformer, halve, inverse_func=double)],
)
def test_training_goes_on_with_a_scaler_of_equal_parameters(make_scaler):
    ae = make(scaler=make_scaler()).fit(UNEQUAL)
    ae.set_params(scaler=make_scaler().fit(np.ones((3, 1)))).partial_fit(UNEQUAL)
    assert ae.n_epochs_ == 3


def test_training_does_not_go_on_with_a_scaler_that_was_changed():
    ae = make(scaler=StandardScaler()).fit(UNEQUAL)
    with pytest.raises(ValueError, match="built with scaler=StandardScaler"):
        ae.set_params(scaler=StandardScaler(with_mean=False)).partial_fit(UNEQUAL)
    ae = make(scaler=StandardScaler()).fit(UNEQUAL)
    ae.scaler.set_params(with_std=False)
    with pytest.raises(ValueError, match="built with scaler=StandardScaler"):
        ae.partial_fit(UNEQUAL)


# Errors


def own_encoder(n_steps, n_channels, n_components):
    return Sequential([Input((None, n_channels)), layers.GRU(n_components)])


@pytest.mark.parametrize("changes", [{"shortcut": None}, {"encoder": own_encoder}])
def test_a_warning_that_is_an_error_leaves_weights_and_figures_as_they_were(changes):
    ae = make(warm_start=True, learning_rate=0.02, **changes).fit(UNEQUAL)
    model, weights, codes = ae.model_, ae.model_.get_weights(), ae.transform(UNEQUAL)
    state = dict(vars(ae._fitted_model))
    ae.set_params(epochs=20)
    attributes = dict(vars(ae))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning, match="Use more epochs"):
            ae.fit(UNEQUAL)
    assert vars(ae) == attributes
    assert ae.model_ is model
    assert all(map(np.array_equal, ae.model_.get_weights(), weights))
    assert_array_equal(ae.transform(UNEQUAL), codes)
    for name, value in state.items():
        assert getattr(ae._fitted_model, name) is value


def test_a_detector_whose_fit_ends_in_an_error_judges_as_before(monkeypatch):
    detector = LSTMAutoencoderDetector(**TINY, warm_start=True).fit(UNEQUAL)
    scores = detector.score_samples(UNEQUAL)

    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(LSTMAutoencoderDetector, "_calibrate", fail)
    with pytest.raises(MemoryError):
        detector.fit(UNEQUAL)
    assert_allclose(detector.score_samples(UNEQUAL), scores, rtol=1e-6)


def test_a_clone_knows_nothing_of_what_was_learned():
    ae = make(scaler=StandardScaler()).fit(UNEQUAL)
    assert vars(clone(ae)).keys() == ae.get_params(deep=False).keys()
