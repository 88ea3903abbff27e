"""The fast recurrent layers equal Keras' own in values, gradients, masks, states and config."""

import itertools

import keras
import numpy as np
import pytest

from sklearn_seqae.network import block_lstm, recurrence
from sklearn_seqae.network.recurrence import GRU, LSTM

tf = pytest.importorskip("tensorflow", reason="Keras has another backend here")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the fast loops are TensorFlow's"
)

PAIRS = {"lstm": (LSTM, keras.layers.LSTM), "gru": (GRU, keras.layers.GRU)}
N_STATES = {"lstm": 2, "gru": 1}
BATCH, N_FEATURES, UNITS = 5, 3, 4


@pytest.fixture
def rng():
    return np.random.default_rng(0)


HOW = {"eager": None, "graph": False, "xla": True, "block": False}


@pytest.fixture
def jit_compile(request):
    """Give `jit_compile` for a name in `HOW`; "block" traces as programs without XLA do."""
    token = block_lstm.in_plain_graph.set(request.param == "block")
    yield HOW[request.param]
    block_lstm.in_plain_graph.reset(token)


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


@pytest.mark.kernels
@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("jit_compile", ["graph", "xla", "block"], indirect=True)
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
@pytest.mark.parametrize("jit_compile", ["graph", "xla", "block"], indirect=True)
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
@pytest.mark.parametrize("jit_compile", ["graph", "xla", "block"], indirect=True)
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


def recur_and_gradients(layer, n_steps, projected, constant, states, plain=False):
    """Return what `recur` gives on `n_steps` steps, and the gradients to all that goes in.

    The plain way materialises the sums, cuts the steps off, and fills up with zeros.
    """
    projected, constant = tf.convert_to_tensor(projected), tf.convert_to_tensor(constant)
    states = [tf.convert_to_tensor(state) for state in states]
    kernel = layer.cell.recurrent_kernel.value
    with tf.GradientTape() as tape:
        tape.watch([projected, constant, *states])
        if plain:
            outputs = layer.recur((projected + constant[:, None])[:, :n_steps], states)
            missing = tf.shape(projected)[1] - n_steps
            outputs = tf.pad(outputs, [[0, 0], [0, missing], [0, 0]])
        else:
            outputs = layer.recur(projected, states, constant=constant, n_steps=n_steps)
        weighted = tf.cast(tf.range(1, tf.shape(outputs)[1] + 1), outputs.dtype)[:, None]
        total = tf.reduce_sum(weighted * outputs + outputs**2)
    given = [projected, constant, *states, kernel]
    return outputs, tape.gradient(total, given, unconnected_gradients="zero")


def make_projected(cell, rng, batch, size):
    width = {"lstm": 4, "gru": 3}[cell] * UNITS
    projected = rng.normal(size=(batch, size, width)).astype("float32")
    return projected, rng.normal(size=(BATCH, width)).astype("float32")


@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("jit_compile", HOW, indirect=True)
def test_recur_runs_as_many_steps_as_asked_for_in_one_program(cell, shared, jit_compile, rng):
    fast, _ = make_pair(cell, rng)
    _, states, _ = make_data(cell, rng)
    size, batch = 6, 1 if shared else BATCH
    projected, constant = make_projected(cell, rng, batch, size)
    traces = []

    def run(n_steps, projected, constant, *states):
        traces.append(None)
        return recur_and_gradients(fast, n_steps, projected, constant, states)

    if jit_compile is not None:
        # XLA compiles for the sizes that it gets, whatever the trace leaves open.
        gates = constant.shape[1]
        open_batch = 1 if shared else None
        signature = [tf.TensorSpec([], tf.int32), tf.TensorSpec([open_batch, None, gates])]
        signature += [tf.TensorSpec([None, gates])] + [tf.TensorSpec([None, UNITS])] * len(states)
        run = tf.function(run, input_signature=signature, jit_compile=jit_compile)
    for n_steps in (0, 1, 4, size, size + 3):
        got = run(tf.constant(n_steps), projected, constant, *states)
        n_run = min(n_steps, size)
        expected = recur_and_gradients(fast, n_run, projected, constant, states, plain=True)
        assert_same(got, expected)
        assert not np.any(got[0][:, n_run:])
    assert jit_compile is None or len(traces) == 1


@pytest.mark.parametrize("cell", PAIRS)
def test_recur_takes_a_constant_without_states_or_a_number_of_steps(cell, rng):
    fast, _ = make_pair(cell, rng)
    projected, constant = make_projected(cell, rng, 1, 6)
    got = fast.recur(projected, constant=constant)
    assert_same(got, fast.recur(projected + constant[:, None]))
    assert_same(fast.recur(projected, constant=constant, n_steps=2)[:, :2], got[:, :2])


def right_pad(mask):
    return np.sort(mask, axis=1)[:, ::-1]


@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize("jit_compile", HOW, indirect=True)
def test_right_padded_layers_run_the_longest_sequence_in_one_program(cell, jit_compile, rng):
    fast, stock = make_pair(cell, rng, return_sequences=True, return_state=True)
    padded = type(fast).from_config(fast.get_config() | {"right_padded": True})
    padded.build((None, None, N_FEATURES))
    padded.set_weights(fast.get_weights())
    x, states, _ = make_data(cell, rng)
    traces = []

    def run(x, mask):
        traces.append(None)
        return outputs_and_gradients(padded, x, states, mask)

    if jit_compile is not None:
        signature = [tf.TensorSpec([None, None, N_FEATURES]), tf.TensorSpec([None, None], tf.bool)]
        run = tf.function(run, input_signature=signature, jit_compile=jit_compile)
    for lengths in ([1, 4, 0, 2, 4], [6, 0, 0, 0, 0], [2] * BATCH):
        n_run = max(lengths)
        mask = np.arange(x.shape[1]) < np.array(lengths)[:, None]
        (outputs, *ends), (d_x, *gradients) = run(x, mask)
        (some, *some_ends), (d_some, *expected) = outputs_and_gradients(
            stock, x[:, :n_run], states, None
        )
        assert_same([outputs[:, :n_run], d_x[:, :n_run]], [some, d_some])
        assert_same([ends, gradients], [some_ends, expected])
        assert not np.any(outputs[:, n_run:])
        assert not np.any(d_x[:, n_run:])
    assert jit_compile is None or len(traces) == 1


def test_a_right_padded_layer_without_steps_gives_its_states_back(rng):
    fast, _ = make_pair("lstm", rng, return_state=True)
    fast.right_padded = True
    x, states, mask = make_data("lstm", rng)
    last, *ends = fast(x, initial_state=states, mask=np.zeros_like(mask))
    assert_same([last, *ends], [states[0], *states])


def test_right_padded_layers_heed_the_whole_mask_in_the_stock_loop(rng, monkeypatch):
    fast, stock = make_pair("lstm", rng, return_sequences=True)
    fast.right_padded = True
    x, _, mask = make_data("lstm", rng)
    mask = right_pad(mask)
    monkeypatch.setattr(recurrence._FastRecurrence, "_is_fast", lambda self, dtype: False)
    np.testing.assert_array_equal(fast(x, mask=mask), stock(x, mask=mask))


def test_a_right_padded_layer_does_not_go_backwards():
    with pytest.raises(ValueError, match="by their lengths"):
        LSTM(UNITS, right_padded=True, go_backwards=True)


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
    part = fast.recur(projected[:1], states, constant=projected[:, 0], n_steps=tf.constant(2))
    assert_same(part[:, :2], fast.recur(projected[:1, :2] + projected[:, :1], states))
    assert not np.any(part[:, 2:])


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
@pytest.mark.parametrize("option", ["go_backwards", "right_padded"])
def test_a_saved_model_comes_back_with_config_and_outputs(cell, option, rng, tmp_path):
    fast = PAIRS[cell][0](UNITS, return_sequences=True, name="reader", **{option: True})
    x, _, _ = make_data(cell, rng)
    sequence = keras.Input((None, N_FEATURES))
    model = keras.Model(sequence, fast(sequence))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is type(fast)
    assert loaded.layers[-1].get_config() == fast.get_config()
    np.testing.assert_array_equal(loaded(x), model(x))
