"""What is known of the losses of Keras holds for the version that is installed."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.training import losses
from sklearn_seqae.training.keras_arguments import make_metric

KERAS = {
    name: function
    for name in dir(keras.losses)
    if callable(function := getattr(keras.losses, name))
    and getattr(function, "__name__", "") == name.lower() == name
    and name not in ("get", "serialize", "deserialize")
}
WIDE = np.random.default_rng(0).uniform(size=(12, 6))


@pytest.mark.filterwarnings("ignore:In loss categorical:SyntaxWarning")
@pytest.mark.parametrize("name", KERAS)
def test_which_losses_of_keras_are_means_of_values(name, monkeypatch):
    def judge():
        try:
            return losses.is_mean_of_values(KERAS[name], 3)
        except ValueError:
            return "refused"

    known = judge()
    monkeypatch.setattr(losses, "name_in_keras", lambda function: "")
    assert known == judge()


def test_a_function_of_the_users_is_tried():
    def mean(true, predicted):
        return ops.mean(ops.abs(true - predicted), axis=-1)

    def largest(true, predicted):
        return ops.max(ops.abs(true - predicted), axis=-1)

    @functools.wraps(keras.losses.mean_squared_error)
    def weighted(true, predicted):
        return ops.mean(ops.arange(1.0, 4.0) * (true - predicted) ** 2, axis=-1)

    class Own(keras.losses.Huber):
        def call(self, true, predicted):
            return ops.max(ops.abs(true - predicted), axis=-1)

    found = [losses.MaskedLoss(loss, n_numbers=3) for loss in (mean, largest, weighted, Own())]
    assert [loss.by_value for loss in found] == [True, False, False, False]


@pytest.mark.parametrize("name", ["accuracy", "binary_accuracy"])
def test_a_binary_accuracy_is_that_of_real_values(name):
    metric = losses.MaskedMetric(make_metric(name, 1), 1)
    true = np.array([[[1.0], [0.0], [np.nan]], [[1.0], [np.nan], [np.nan]]], "float32")
    predicted = np.full(true.shape, 0.9, "float32")
    metric.update(ops.convert_to_tensor(true), ops.convert_to_tensor(predicted))
    assert float(metric.metric.result()) == pytest.approx(2 / 3)


def test_an_axis_that_is_not_the_channels_is_not_a_mean_of_values():
    assert not losses.MaskedLoss(keras.losses.BinaryCrossentropy(axis=1), n_numbers=3).by_value
    assert losses.MaskedLoss(keras.losses.BinaryCrossentropy(), n_numbers=3).by_value


@pytest.mark.parametrize(
    ("instance", "function", "arguments"),
    [
        (keras.losses.Huber, keras.losses.huber, {"delta": 0.1}),
        (
            keras.losses.BinaryCrossentropy,
            keras.losses.binary_crossentropy,
            {"label_smoothing": 0.1},
        ),
        (keras.losses.BinaryCrossentropy, keras.losses.binary_crossentropy, {"from_logits": True}),
    ],
)
def test_a_partial_of_a_loss_trains_as_its_instance_does(instance, function, arguments):
    def fit(loss):
        ae = LSTMAutoencoderTransformer(
            4, units=4, epochs=2, scaler=None, loss=loss, random_state=0
        ).fit(WIDE)
        return ae.history_["loss"], ae._fitted_model.architecture.activation

    assert fit(instance(**arguments)) == fit(functools.partial(function, **arguments))
