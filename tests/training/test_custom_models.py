"""Networks and optimizers of the user's own are trained as `fit` of Keras trains them."""

import functools

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.network import keras_network
from sklearn_seqae.training import loop, training_data
from sklearn_seqae.training.network_keys import network_key
from sklearn_seqae.training.program import TrainingProgram
from sklearn_seqae.training.program_cache import programs

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
    original = training_data.epoch_chunks

    def unshuffled(lengths, widths, batch_size, chunk_size, rng, *rest):
        return original(lengths, widths, batch_size, chunk_size, None, *rest)

    monkeypatch.setattr(training_data, "epoch_chunks", unshuffled)


def fit_by_keras(ae, optimizer, data, epochs, **arguments):
    """Return the network of a fitted estimator as Keras trains it from its first weights."""
    model = keras_network.build(ae._fitted_model.architecture, ae._fitted_model._seed)
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
        pytest.param(read_sparsely, marks=pytest.mark.long),
        read_with_penalties,
        pytest.param(read_within_limits, marks=pytest.mark.long),
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


@pytest.mark.long
def test_own_models_are_trained_the_same_under_xla(monkeypatch):
    in_order(monkeypatch)

    def encoder(**sizes):
        return read_within_limits(**sizes, activity_regularizer="l2")

    plain, compiled = (make(encoder=encoder, jit_compile=choice).fit(X) for choice in (False, True))
    assert_same_weights(compiled, plain.model_)
    assert_allclose(compiled.history_["added_loss"], plain.history_["added_loss"], rtol=1e-5)


@pytest.mark.long
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


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.long)])
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


@pytest.mark.parametrize(
    "encoder", [read_with_dropout, pytest.param(read_and_draw, marks=pytest.mark.long)]
)
def test_what_own_layers_draw_depends_on_the_seed_alone(encoder):
    ae = make(encoder=encoder).fit(X)
    codes = ae.transform(X)
    assert_array_equal(ae.transform(X), codes)
    make(encoder=encoder, epochs=3).fit(X[:5])
    assert_array_equal(make(encoder=encoder).fit(X).transform(X), codes)
    ae.partial_fit(X)
    assert make(encoder=encoder).fit(X).partial_fit(X).history_ == ae.history_


# Programs


WIDTH = 5


def read_a_global(n_steps, n_channels, n_components):
    return read(n_steps, n_channels, n_components, layers=[keras.layers.Dense(WIDTH)])


class Reader:
    def __init__(self, activation):
        self.activation = activation

    def build(self, **sizes):
        return read(**sizes, activation=self.activation)


def read_with(activation="tanh", **sizes):
    return read(**sizes, activation=activation)


@pytest.fixture(scope="module")
def architecture():
    return make(encoder=read, epochs=1).fit(X)._fitted_model.architecture


@pytest.fixture
def like(architecture):
    """What `network_keys` says of the network that an encoder makes, which is kept."""
    kept = []

    def say(encoder):
        changed = functools.partial(type(architecture), **vars(architecture) | {"encoder": encoder})
        kept.append(keras_network.build(changed(), 0))
        return network_key(kept[-1], changed())

    return say


def test_equal_networks_are_alike_whatever_function_built_them(like):
    reader, partial = Reader("tanh"), functools.partial(read_with, activation="tanh")
    for encoder in (partial, clone(partial, safe=False), lambda **sizes: read_with(**sizes)):
        assert like(encoder) == like(reader.build) == like(read_with)


def test_what_a_builder_reads_makes_another_network(like, monkeypatch):
    reader = Reader("tanh")
    before = like(reader.build)
    reader.activation = "relu"
    assert like(reader.build) != before
    before = like(read_a_global)
    monkeypatch.setitem(globals(), "WIDTH", 6)
    assert like(read_a_global) != before
    assert like(read_sparsely) != like(read)


def relu(x):
    return x


class Dense(keras.layers.Dense):
    pass


@pytest.mark.parametrize(
    "layer",
    [
        functools.partial(keras.layers.Dense, 3, activation=relu),
        functools.partial(keras.layers.Dense, 3, kernel_regularizer=lambda w: 0.0),
        functools.partial(Dense, 3),
        functools.partial(keras.layers.Activation, relu),
    ],
)
def test_a_network_with_code_that_is_not_that_of_keras_is_like_itself_only(layer, like):
    def encoder(**sizes):
        return read(**sizes, layers=[layer()])

    mine = like(encoder)
    assert mine == mine
    assert like(encoder) != mine


@pytest.mark.long
def test_a_builder_that_reads_a_global_is_trained_with_what_it_is_now(monkeypatch):
    first = make(encoder=read_a_global, epochs=1).fit(X)
    n_parameters = first.model_.count_params()
    monkeypatch.setitem(globals(), "WIDTH", 6)
    monkeypatch.setattr(programs, "_idle", type(programs._idle)())  # as if they had been forgotten
    assert first.transform(X).shape == (12, 3)  # by the network that was fitted
    with pytest.raises(ValueError, match="must return the same network whenever they are called"):
        first.partial_fit(X)
    assert make(encoder=read_a_global, epochs=1).fit(X).model_.count_params() > n_parameters


# Optimizers


def choose(variable):
    return keras.optimizers.SGD(0.1 if "bias" in variable.path else 0.02, momentum=0.9)


def multiple(**arguments):
    names = {".*bias": keras.optimizers.SGD(0.1), ".*kernel": keras.optimizers.Adam(0.01)}
    chosen = keras.optimizers.OptimizerMap(keras.optimizers.RMSprop(0.001), names)
    return keras.optimizers.MultiOptimizer(chosen, **arguments)


def selective():
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias", "recurrent"])
    return optimizer


def averaged(**arguments):
    return keras.optimizers.SGD(0.2, use_ema=True, ema_momentum=0.5, **arguments)


OPTIMIZERS = {
    "averages": averaged,
    "averages that overwrite": functools.partial(averaged, ema_overwrite_frequency=3),
    "scaled loss": lambda: keras.optimizers.SGD(0.2, loss_scale_factor=64.0),
    "scaled loss, Adam": lambda: keras.optimizers.Adam(0.01, loss_scale_factor=64.0),
    "scaled by itself": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01), initial_scale=2.0**127, dynamic_growth_steps=3
    ),
    "scaled averages": lambda: keras.optimizers.LossScaleOptimizer(averaged()),
    "excluding": selective,
    "several": multiple,
    "several, scaled": functools.partial(multiple, loss_scale_factor=64.0),
    "several, by a function": lambda: keras.optimizers.MultiOptimizer(choose),
    "accumulating": lambda: keras.optimizers.SGD(0.2, gradient_accumulation_steps=2),
    "a rate of a function": lambda: keras.optimizers.SGD(lambda: 0.2),
}


# Of those that go the same way through our code, one; the others at length.
BRIEFLY = ("averages", "scaled by itself", "excluding", "several", "accumulating")


def long(value):
    return pytest.param(value, marks=pytest.mark.long)


@pytest.mark.filterwarnings("ignore:.*includes a `lambda`:UserWarning")
@pytest.mark.parametrize("name", [name if name in BRIEFLY else long(name) for name in OPTIMIZERS])
def test_an_optimizer_does_what_it_does_in_keras(name, monkeypatch):
    in_order(monkeypatch)
    optimizer = OPTIMIZERS[name]()
    ae = make(encoder=read, optimizer=optimizer, epochs=3).fit(X)
    assert not optimizer.built
    model, _ = fit_by_keras(ae, OPTIMIZERS[name](), X, epochs=3)
    assert_same_weights(ae, model)
    first = ae.model_.get_weights()
    for ours, theirs in zip(ae.fit(X).model_.get_weights(), first, strict=True):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["averages", "scaled by itself", long("several")])
def test_an_optimizer_goes_on_where_it_was_and_is_traced_once(name, monkeypatch):
    in_order(monkeypatch)
    ae = make(encoder=read, optimizer=OPTIMIZERS[name]()).fit(X)
    monkeypatch.setattr(TrainingProgram, "__init__", None)
    model, _ = fit_by_keras(ae, OPTIMIZERS[name](), X, epochs=2)
    ae.partial_fit(X)
    model.fit(X, X, batch_size=8, shuffle=False, verbose=0)
    assert_same_weights(ae, model)


@pytest.mark.parametrize("swap_on_epoch", [long(None), long(False), True])
def test_moving_averages_are_held_against_what_is_held_out_where_a_callback_swaps_them(
    swap_on_epoch, monkeypatch
):
    in_order(monkeypatch)
    monkeypatch.setattr(loop, "hold_out", lambda *_: (np.arange(9), np.arange(3)))

    def callbacks():
        swap = keras.callbacks.SwapEMAWeights
        return [] if swap_on_epoch is None else [swap(swap_on_epoch=swap_on_epoch)]

    ae = make(encoder=read, optimizer=averaged(), early_stopping=True, callbacks=callbacks()).fit(X)
    assert ae.best_epoch_ == 1
    model, history = fit_by_keras(
        ae, averaged(), X[:9], epochs=2, validation_data=(X[:3], X[:3]), callbacks=callbacks()
    )
    assert_allclose(ae.history_["val_loss"], history["val_loss"], rtol=1e-4)
    assert_same_weights(ae, model)


def test_weights_that_no_fit_has_cannot_be_excluded_from_decay():
    optimizer = keras.optimizers.AdamW(0.01)
    optimizer.exclude_from_weight_decay(var_list=[keras.Variable(0.0)])
    with pytest.raises(ValueError, match=r"exclude them by name, for example .*\['bias'\]"):
        make(optimizer=optimizer).fit(X)
