"""Fixed kernels find the same in a sequence wherever it stands, and never fail."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.network import minirocket
from sklearn_seqae.network.batching import pad
from sklearn_seqae.network.encoder_layers import KernelFeatures
from tests.conftest import CANCELLING, TINY, make_cancelling, make_ragged


def make_kernels(sequences, n_components=5):
    dilations = minirocket.choose_dilations(sequences.lengths)
    return dilations, minirocket.fit(sequences, dilations, n_components, seed=0)


def summarize(sequences, dilations, kernel_weights):
    longest = max(1, sequences.lengths.max())
    return minirocket.Kernels(dilations, kernel_weights)(
        pad(sequences, np.arange(len(sequences)), longest)
    )


def test_dilations_grow_as_far_as_sequences_reach_and_are_twelve_at_least():
    assert minirocket.choose_dilations(np.array([0, 5, 9])) == (1,) * 6 + (2,) * 6
    assert minirocket.choose_dilations(np.full(3, 100)) == (
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
        6,
        6,
        8,
        8,
        11,
        11,
    )
    assert max(minirocket.choose_dilations(np.full(3, 10**5))) == 11585


@pytest.mark.kernels
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_padding_does_not_change_a_summary(missing):
    sequences = as_sequences(make_ragged(missing=missing))
    dilations, kernel_weights = make_kernels(sequences)
    expected = summarize(sequences, dilations, kernel_weights)
    for width in (10, 11, 16, 23, 90):
        padded = minirocket.Kernels(dilations, kernel_weights)(pad(sequences, np.arange(40), width))
        assert_allclose(padded, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.kernels
@pytest.mark.parametrize("soft_step", ["clip", "tanh"])
def test_the_keras_layer_finds_what_numpy_finds(soft_step):
    sequences = as_sequences(make_ragged(missing=0.2))
    dilations, kernel_weights = make_kernels(sequences)
    batch = pad(sequences, np.arange(len(sequences)), 11)
    layer = KernelFeatures(dilations, 5, soft_step)
    layer.build(batch.shape)
    layer.set_weights(list(kernel_weights.values()))
    assert_allclose(
        layer(batch), minirocket.Kernels(dilations, kernel_weights, soft_step)(batch), atol=1e-4
    )


@pytest.mark.kernels
@pytest.mark.parametrize("at_once", [2**18, 2000])  # all steps in one block, or in several
def test_pooled_features_are_means_of_what_lies_between_the_bounds_of_a_soft_step(
    at_once, monkeypatch
):
    monkeypatch.setattr(minirocket, "RESPONSES_AT_ONCE", at_once)
    sequences = as_sequences(make_ragged(n_sequences=12, longest=30))
    dilations, kernel_weights = (2, 1, 7, 1), make_kernels(sequences)[1]
    kernel_weights = {name: kernel_weights[name][:4] for name in ("kernels", "biases")}
    found = summarize(sequences, dilations, kernel_weights).reshape(len(sequences), 4, -1)
    for row in range(len(sequences)):
        x = np.pad(sequences[row].astype(np.float64), [(30, 30), (0, 0)])
        for i, dilation in enumerate(dilations):
            means = [
                np.clip(
                    x[t - 4 * dilation : t + 4 * dilation + 1 : dilation].ravel()
                    @ kernel_weights["kernels"][i]
                    + kernel_weights["biases"][i],
                    -1,
                    1,
                )
                for t in range(30, len(x) - 30)
            ]
            expected = np.mean(means, axis=0) if means else np.zeros(84)
            assert_allclose(found[row, i], expected, atol=1e-5)


def test_summaries_tell_shapes_apart_that_differ_in_where_they_stand():
    rng = np.random.default_rng(0)
    shapes = [np.sin(np.arange(20) / 2), np.sign(np.sin(np.arange(20) / 2))]
    X, y = [], np.arange(60) % 2
    for label in y:
        noise = 0.1 * rng.normal(size=(80, 1))
        start = rng.integers(0, 60)
        noise[start : start + 20, 0] += shapes[label]
        X.append(noise)
    sequences = as_sequences(X)
    dilations, kernel_weights = make_kernels(sequences)
    found = summarize(sequences, dilations, kernel_weights)
    distances = np.linalg.norm(found[:, None] - found[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert np.mean(y[distances.argmin(axis=1)] == y) > 0.9


@pytest.mark.kernels
@pytest.mark.parametrize(
    "X",
    [
        pytest.param([[1.0, 2.0]], id="one sequence"),
        pytest.param([[], [1.0], []], id="empty ones"),
        pytest.param([[3.0, 3.0, 3.0]] * 4, id="constant"),
        pytest.param([[1.0, 2.0, 4.0]] * 4, id="all alike"),
        pytest.param([[np.nan, np.nan], [1.0, np.nan, 2.0]], id="missing"),
    ],
)
def test_a_summary_is_finite_whatever_there_is_to_learn_from(X):
    sequences = as_sequences(X)
    dilations, kernel_weights = make_kernels(sequences)
    assert all(np.isfinite(weights).all() for weights in kernel_weights.values())
    assert np.abs(summarize(sequences, dilations, kernel_weights)).max() < 100
    others = as_sequences([[1e3, -1e3, 5.0], [np.nan], [0.0]])
    assert np.isfinite(summarize(others, dilations, kernel_weights)).all()


def test_the_kernels_are_those_of_the_seed_and_are_not_trained(ragged):
    def kernel_weights(**changes):
        ae = LSTMAutoencoderTransformer(**TINY | {"n_components": 40} | changes).fit(ragged)
        return ae.encoder_.get_layer("summary").get_weights()

    for first, longer, other in zip(
        kernel_weights(), kernel_weights(epochs=4), kernel_weights(random_state=1), strict=True
    ):
        assert_array_equal(first, longer)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("n_components", "changes", "n_summary"),
    [
        (32, {}, 0),
        (40, {}, 8),
        (200, {}, 100),
        (200, {"shortcut": None}, 150),
        (200, {"multiscale": False}, 0),
        (200, {"multiscale": False, "shortcut": None}, 0),
        (36, {"scaler": "per_sequence"}, 0),
        (44, {"scaler": "per_sequence"}, 8),
    ],
)
def test_half_of_the_code_is_pooled_or_three_quarters_but_not_the_first_32_components(
    ragged, n_components, changes, n_summary
):
    ae = LSTMAutoencoderTransformer(**TINY | {"epochs": 1, "n_components": n_components} | changes)
    codes = ae.fit_transform(ragged)
    assert codes.shape == (len(ragged), n_components)
    layers = {layer.name: layer for layer in ae.encoder_.layers}
    assert ("summary" in layers) is (n_summary > 0)
    if n_summary:
        assert layers["summary"].output.shape[1] == n_summary
        n_encoded = ae.encoder_.output_shape[1]
        codes[:, n_encoded - n_summary : n_encoded] += 1.0
        back = ae.inverse_transform(codes, lengths=[len(x) for x in ragged])
        assert_array_equal(np.concatenate(back), np.concatenate(ae.reconstruct(ragged)))


def test_gaps_are_filled_along_straight_lines():
    nan = np.nan
    x = np.array([[nan, 1, nan, nan, 4, nan], [2, nan, 3, nan, nan, nan], [nan] * 6])
    y = np.array([[nan] * 5 + [0], [nan] * 6, [nan] * 6])
    filled, real = minirocket.fill(np.stack([x, y], axis=-1).astype(np.float32))
    assert_array_equal(real.sum(axis=1), [6, 3, 0])
    assert_allclose(filled[0, :, 0], [1, 1, 2, 3, 4, 4], rtol=1e-6)
    assert_allclose(filled[1, :, 0], [2, 2.5, 3, 0, 0, 0])
    assert not filled[..., 1].any()
    assert not filled[2].any()


def assert_each_alone_is_as_beside_the_others(sequences, dilations, kernel_weights):
    together = summarize(sequences, dilations, kernel_weights)
    longest = sequences.lengths.max()
    for i in range(0, len(sequences), 9):
        for width in (max(1, sequences.lengths[i]), longest + 13):
            alone = minirocket.Kernels(dilations, kernel_weights)(
                pad(sequences, np.array([i]), width)
            )[0]
            assert_allclose(alone, together[i], rtol=0, atol=1e-5 * np.abs(together).max())


@pytest.mark.kernels
def test_a_summary_depends_on_its_sequence_alone():
    rng = np.random.default_rng(0)
    sequences = as_sequences([rng.normal(size=(n, 3)) for n in rng.integers(0, 150, 80)])
    assert_each_alone_is_as_beside_the_others(sequences, *make_kernels(sequences, n_components=40))


@pytest.mark.kernels
@pytest.mark.parametrize("kind", CANCELLING)
@pytest.mark.parametrize("seed", range(2))
def test_a_summary_is_no_rounding_where_channels_cancel(kind, seed):
    sequences = as_sequences(make_cancelling(kind, seed))
    dilations, kernel_weights = make_kernels(sequences, n_components=40)
    assert summarize(sequences, dilations, kernel_weights).std() > 0.1
    assert_each_alone_is_as_beside_the_others(sequences, dilations, kernel_weights)


def test_what_kernels_find_does_not_depend_on_the_unit():
    sequences = as_sequences(make_ragged(n_sequences=60, longest=40))
    small = sequences.with_values(sequences.values * np.float32(2**-20))
    summaries = [summarize(x, *make_kernels(x)) for x in (sequences, small)]
    assert_allclose(*summaries, rtol=1e-4, atol=1e-4)
