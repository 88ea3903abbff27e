"""Networks and optimizers of the user's own are trained as `fit` of Keras trains them."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_seqae import LSTMAutoencoderTransformer, networks, training

STEPS = np.linspace(0, 3, 6)
# Twelve sequences of one length: a batch of eight, and one of four.
X = np.stack([np.stack([np.sin(STEPS + i), np.cos(STEPS * i)], axis=1) for i in range(12)])
X = X.astype(np.float32)
SMALL = {"n_components": 3, "units": 4, "random_state": 0, "batch_size": 8, "scaler": None}


def make(**changes):
    return LSTMAutoencoderTransformer(
        **{**SMALL, "epochs": 2, "early_stopping": False, "decoder": write, **changes}
    )


def read(n_steps, n_channels, n_components, layers=(), **options):
    return keras.Sequential(
        [
            keras.Input((n_steps, n_channels)),
            keras.layers.LSTM(5),
            *layers,
            keras.layers.Dense(n_components, **options),
        ]
    )


def write(n_steps, n_channels, n_components):
    return keras.Sequential(
        [
            keras.Input((n_components,)),
            keras.layers.Dense(n_steps * n_channels),
            keras.layers.Reshape((n_steps, n_channels)),
        ]
    )


def in_order(monkeypatch):
    """Have a fit take the sequences in their order, as Keras does without `shuffle`."""
    original = training.epoch_chunks

    def unshuffled(lengths, widths, batch_size, chunk_size, rng, *rest):
        return original(lengths, widths, batch_size, chunk_size, None, *rest)

    monkeypatch.setattr(training, "epoch_chunks", unshuffled)


def fit_by_keras(ae, optimizer, data, epochs, **arguments):
    """Return the network of a fitted estimator as Keras trains it from its first weights."""
    model = networks.build(ae._codec.architecture, ae._codec._seed)
    model.compile(optimizer=optimizer, loss="mse")
    history = model.fit(
        data, data, batch_size=8, epochs=epochs, shuffle=False, verbose=0, **arguments
    )
    return model, history.history


def assert_same_weights(ae, model, **tolerance):
    for ours, theirs in zip(ae.model_.weights, model.weights, strict=True):
        assert_allclose(
            ours, theirs, err_msg=theirs.path, **{"rtol": 1e-4, "atol": 1e-6, **tolerance}
        )


# Layers


@keras.saving.register_keras_serializable(package="tests")
class Draw(keras.layers.Layer):
    """A code that is drawn from a normal distribution, as a variational autoencoder's is."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.generator = keras.random.SeedGenerator(3)

    def call(self, inputs, training=None):
        mean, log_variance = ops.split(inputs, 2, axis=-1)
        divergence = ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0
        self.add_loss(0.05 * ops.mean(ops.sum(divergence, axis=-1)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.generator)
        return mean + ops.exp(0.5 * log_variance) * noise


def read_and_draw(n_steps, n_channels, n_components):
    sequence = keras.Input((n_steps, n_channels))
    both = keras.layers.Dense(2 * n_components)(keras.layers.LSTM(5)(sequence))
    return keras.Model(sequence, Draw()(both))


def read_sparsely(**sizes):
    return read(**sizes, activity_regularizer="l1")


def read_with_penalties(**sizes):
    return read(**sizes, kernel_regularizer="l2", bias_regularizer="l1")


def read_within_limits(**sizes):
    return read(**sizes, kernel_constraint=keras.constraints.MaxNorm(0.5))


def read_normalized(**sizes):
    return read(**sizes, layers=[keras.layers.BatchNormalization()])


def read_with_dropout(**sizes):
    return read(**sizes, layers=[keras.layers.Dropout(0.5)])


@pytest.mark.parametrize(
    "encoder",
    [
        read_and_draw,
        read_sparsely,
        read_with_penalties,
        read_within_limits,
        read_normalized,
        read_with_dropout,
    ],
)
def test_own_models_are_trained_as_keras_trains_them(encoder, monkeypatch):
    in_order(monkeypatch)
    ae = make(encoder=encoder, optimizer=keras.optimizers.Adam(0.01)).fit(X)
    model, history = fit_by_keras(ae, keras.optimizers.Adam(0.01), X, epochs=2)
    assert_same_weights(ae, model)
    assert_allclose(ae.history_["loss"], history["loss"], rtol=1e-5)


def test_own_models_are_trained_the_same_under_xla(monkeypatch):
    in_order(monkeypatch)

    def encoder(**sizes):
        return read_within_limits(**sizes, activity_regularizer="l2")

    plain, compiled = (make(encoder=encoder, jit_compile=choice).fit(X) for choice in (False, True))
    assert_same_weights(compiled, plain.model_)
    assert_allclose(compiled.history_["added_loss"], plain.history_["added_loss"], rtol=1e-5)


def test_what_own_models_add_to_the_loss_is_in_the_history_of_both_losses():
    ae = make(encoder=read_and_draw, early_stopping=True, validation_fraction=0.25).fit(X)
    for prefix in ("", "val_"):
        added = np.array(ae.history_[f"{prefix}added_loss"])
        assert (added > 0).all()
        assert (added < ae.history_[f"{prefix}loss"]).all()
    assert "added_loss" not in make(encoder=read).fit(X).history_


def pool(n_steps, n_channels, n_components):
    return keras.Sequential(
        [
            keras.Input((None, n_channels)),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.BatchNormalization(momentum=0.0),
            keras.layers.Dense(n_components),
        ]
    )


@pytest.mark.parametrize("jit_compile", [False, True])
def test_layers_see_the_sequences_of_a_batch_and_nothing_that_fills_it_up(jit_compile):
    data = [x[: 3 + i % 4] for i, x in enumerate(X[:11])]
    data[4], data[5] = np.empty((0, 2)), np.full((2, 2), np.nan)
    ae = make(encoder=pool, batch_size=16, jit_compile=jit_compile, epochs=1).fit(data)
    normalization = ae.encoder_.layers[2].layers[-2]
    # One without an observed value counts as a step of zeros.
    means = np.array([x.mean(axis=0) if i not in (4, 5) else [0, 0] for i, x in enumerate(data)])
    assert_allclose(normalization.moving_mean[:2], means.mean(axis=0), rtol=1e-4, atol=1e-6)
    assert_allclose(normalization.moving_variance[:2], means.var(axis=0), rtol=1e-4, atol=1e-6)
    assert np.isfinite(ae.transform(data)).all()


@pytest.mark.parametrize("encoder", [read_with_dropout, read_and_draw])
def test_what_own_layers_draw_depends_on_the_seed_alone(encoder):
    ae = make(encoder=encoder).fit(X)
    codes = ae.transform(X)
    assert_array_equal(ae.transform(X), codes)
    make(encoder=encoder, epochs=3).fit(X[:5])
    assert_array_equal(make(encoder=encoder).fit(X).transform(X), codes)
    ae.partial_fit(X)
    assert make(encoder=encoder).fit(X).partial_fit(X).history_ == ae.history_
