"""The fast recurrent layers equal Keras' own in values, gradients, masks, states and config."""

import itertools

import keras
import numpy as np
import pytest

from sklearn_seqae import recurrence
from sklearn_seqae.recurrence import GRU, LSTM

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the fast loops are TensorFlow's"
)

PAIRS = {"lstm": (LSTM, keras.layers.LSTM), "gru": (GRU, keras.layers.GRU)}
N_STATES = {"lstm": 2, "gru": 1}
BATCH, N_FEATURES, UNITS = 5, 3, 4


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def forbid_stock_loop(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("Keras' own loop ran")

    monkeypatch.setattr(keras.layers.RNN, "inner_loop", fail)


def make_pair(cell, rng, **kwargs):
    """Return our layer and Keras', with the same random weights, biases included."""
    fast, stock = (cls(UNITS, **kwargs) for cls in PAIRS[cell])
    fast.build((None, None, N_FEATURES))
    stock.build((None, None, N_FEATURES))
    weights = [rng.normal(size=w.shape, scale=0.7) for w in stock.get_weights()]
    fast.set_weights(weights)
    stock.set_weights(fast.get_weights())
    return fast, stock


def make_data(cell, rng, n_steps=6):
    """Return inputs, initial states and a mask with holes, a late start and an empty sequence."""
    x = rng.normal(size=(BATCH, n_steps, N_FEATURES)).astype("float32")
    states = rng.normal(size=(N_STATES[cell], BATCH, UNITS)).astype("float32")
    mask = rng.random((BATCH, n_steps)) < 0.6
    mask[0], mask[1, 0], mask[2] = False, False, True
    return x, list(states), mask


def outputs_and_gradients(layer, x, states, mask):
    """Return all outputs, and the gradients of a nonlinear sum of them to all that goes in."""
    x, states = tf.convert_to_tensor(x), [tf.convert_to_tensor(s) for s in states]
    weights = [variable.value for variable in layer.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch([x, *states])
        outputs = layer(x, initial_state=states or None, mask=mask)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        total = sum(tf.reduce_sum((i + 1.0) * y + y * y) for i, y in enumerate(outputs))
    return outputs, tape.gradient(total, [x, *states, *weights])


def assert_same(got, expected):
    for a, b in zip(tf.nest.flatten(got), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_equals_the_stock_layer_in_outputs_states_and_gradients(cell, masked, jit_compile, rng):
    fast, stock = make_pair(cell, rng, return_sequences=True, return_state=True)
    x, states, mask = make_data(cell, rng)
    mask = mask if masked else None
    got = tf.function(outputs_and_gradients, jit_compile=jit_compile)(fast, x, states, mask)
    assert_same(got, outputs_and_gradients(stock, x, states, mask))


@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"go_backwards": True},
        {"return_state": True},
        {"go_backwards": True, "return_sequences": True, "return_state": True},
        {"zero_output_for_mask": True, "return_sequences": True, "return_state": True},
        {"zero_output_for_mask": True},
        {"use_bias": False, "return_sequences": True},
    ],
    ids=lambda options: "-".join(options) or "last",
)
def test_every_option_of_the_stock_layer_holds_under_a_mask(cell, options, rng):
    fast, stock = make_pair(cell, rng, **options)
    x, states, mask = make_data(cell, rng)
    for given in (states, []):
        got = outputs_and_gradients(fast, x, given, mask)
        assert_same(got, outputs_and_gradients(stock, x, given, mask))


@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_batch_and_time_serve_any_size_in_one_trace(cell, jit_compile, rng):
    fast, stock = make_pair(cell, rng, return_sequences=True)
    traces = []

    def run(x, mask):
        traces.append(None)
        return outputs_and_gradients(fast, x, [], mask)

    signature = [tf.TensorSpec([None, None, N_FEATURES]), tf.TensorSpec([None, None], tf.bool)]
    run = tf.function(run, input_signature=signature, jit_compile=jit_compile)
    for n_steps in (1, 2, 7):
        x, _, mask = make_data(cell, rng, n_steps)
        assert_same(run(x, mask), outputs_and_gradients(stock, x, [], mask))
    assert len(traces) == 1


@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_steps_in_a_loop_equal_those_of_the_stock_layer(cell, jit_compile, rng):
    fast, stock = make_pair(cell, rng)
    x, _, _ = make_data(cell, rng)

    def train(layer):
        def step(k):
            weights = layer.trainable_variables
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(layer(x) ** 2)
            for w, d in zip(weights, tape.gradient(loss, [w.value for w in weights]), strict=True):
                w.value.assign_sub(0.1 * d)
            return [k + 1]

        tf.while_loop(lambda k: k < 3, step, [0])

    tf.function(train, jit_compile=jit_compile)(fast)
    tf.function(train)(stock)
    assert_same(fast.get_weights(), stock.get_weights())


@pytest.mark.parametrize("cell", PAIRS)
def test_recur_continues_from_projected_inputs(cell, rng):
    fast, stock = make_pair(cell, rng, return_sequences=True)
    x, states, _ = make_data(cell, rng)
    kernel, _, bias = fast.get_weights()
    projected = x @ kernel + (bias[0] if cell == "gru" else bias)
    assert_same(fast.recur(projected), stock(x))
    assert_same(fast.recur(projected, states), stock(x, initial_state=states))


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("lstm", {}),
        ("lstm", {"activation": "relu"}),
        ("gru", {}),
        ("gru", {"use_bias": False}),
        ("gru", {"reset_after": False}),
    ],
)
def test_recur_has_a_fall_back_that_any_backend_can_run(cell, options, rng, monkeypatch):
    monkeypatch.setattr(recurrence._FastRecurrence, "_is_fast", lambda self, dtype: False)
    fast, stock = make_pair(cell, rng, return_sequences=True, **options)
    x, states, _ = make_data(cell, rng)
    kernel, *_ = weights = fast.get_weights()
    projected = x @ kernel
    if fast.use_bias:
        projected += weights[2][0] if weights[2].ndim == 2 else weights[2]
    assert_same(fast.recur(projected), stock(x))
    assert_same(fast.recur(projected, states), stock(x, initial_state=states))


@pytest.mark.parametrize("cell", PAIRS)
def test_default_layers_take_the_fast_loop(cell, rng, forbid_stock_loop):
    fast, stock = make_pair(cell, rng)
    x, _, mask = make_data(cell, rng)
    fast(x, mask=mask)
    with pytest.raises(AssertionError, match="own loop ran"):
        stock(x)


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("lstm", {"activation": "relu"}),
        ("lstm", {"recurrent_activation": "hard_sigmoid"}),
        ("gru", {"reset_after": False}),
        ("gru", {"recurrent_dropout": 0.1}),
        ("lstm", {"unroll": True}),
        ("lstm", {"dtype": "mixed_bfloat16"}),
    ],
)
def test_what_the_fast_loop_does_not_cover_runs_the_stock_loop(cell, options, rng):
    fast, stock = make_pair(cell, rng, **options)
    x, _, mask = make_data(cell, rng)
    np.testing.assert_array_equal(fast(x, mask=mask), stock(x, mask=mask))


def test_dropout_acts_in_training_only(rng):
    fast, stock = make_pair("lstm", rng, dropout=0.5, seed=1)
    x, _, _ = make_data("lstm", rng)
    assert_same(fast(x), stock(x))
    assert_same(fast(x, training=True), stock(x, training=True))


@pytest.mark.parametrize("cell", PAIRS)
def test_float64_and_stateful_layers_equal_the_stock_ones(cell, rng):
    fast, stock = make_pair(cell, rng, dtype="float64")
    x, _, _ = make_data(cell, rng)
    np.testing.assert_allclose(fast(x), stock(x), rtol=1e-12, atol=1e-12)
    fast, stock = (cls(UNITS, stateful=True) for cls in PAIRS[cell])
    for layer in (fast, stock):
        layer.build(x.shape)
    stock.set_weights(fast.get_weights())
    for _ in range(2):
        assert_same(fast(x), stock(x))


@pytest.mark.parametrize("cell", PAIRS)
def test_symbolic_calls_keep_the_shapes_of_the_stock_layer(cell):
    for cls, n_steps in itertools.product(PAIRS[cell], (None, 6)):
        x = keras.Input((n_steps, N_FEATURES))
        assert cls(UNITS, return_sequences=True)(x).shape == (None, n_steps, UNITS)
        assert cls(UNITS)(x).shape == (None, UNITS)


@pytest.mark.parametrize("cell", PAIRS)
def test_a_saved_model_comes_back_with_config_and_outputs(cell, rng, tmp_path):
    fast, _ = make_pair(cell, rng, go_backwards=True, return_sequences=True, name="reader")
    x, _, _ = make_data(cell, rng)
    sequence = keras.Input((None, N_FEATURES))
    model = keras.Model(sequence, fast(sequence))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is type(fast)
    assert loaded.layers[-1].get_config() == fast.get_config()
    np.testing.assert_array_equal(loaded(x), model(x))
