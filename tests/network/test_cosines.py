"""The linear path: in NumPy, in Keras, for any lengths, gaps and numbers of components."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.containers.registry import Sequences, as_sequences
from sklearn_seqae.estimators.fitted_model import GAIN, FittedModel
from sklearn_seqae.network import cosines
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.batching import pad
from sklearn_seqae.network.layer_specs import initial_weights
from sklearn_seqae.network.numpy_network import Network
from sklearn_seqae.training import loop

LENGTHS = (12, 7, 1, 0, 9, 12, 5, 3, 12, 10)


def make_sequences(n_channels=2, lengths=LENGTHS, gaps=False, seed=0):
    rng = np.random.default_rng(seed)
    parts = [rng.normal(size=(n, n_channels)).cumsum(axis=0) for n in lengths]
    values = np.concatenate(parts).astype(np.float32)
    if gaps:
        values[rng.random(values.shape) < 0.3] = np.nan
    return Sequences(values, np.concatenate([[0], np.cumsum(lengths)]))


def make_architecture(n_components, decoder="repeat", n_linear=None, **changes):
    n_linear = n_components if n_linear is None else n_linear
    fields = {
        "n_steps": 12,
        "n_channels": 2,
        "n_components": n_components,
        "units": (4,),
        "cell": "lstm",
        "bidirectional": True,
        "pooling": "mean_max",
        "decoder": decoder,
        "encoder": None,
        "patch_size": 2,
        "activation": "linear",
        "indicators": False,
        "decodes_length": True,
        "n_linear": n_linear,
        "n_frequencies": 12,
    }
    return Architecture(**fields | changes)


def make_weights(architecture, sequences, seed=0):
    """Return random weights, with the linear path of these sequences."""
    rng = np.random.default_rng(seed)
    weights = initial_weights(architecture, seed)
    weights |= {
        name: rng.normal(size=array.shape, scale=0.3).astype(np.float32)
        for name, array in weights.items()
        if not array.any()
    }
    path = cosines.fit(sequences, architecture.n_frequencies, architecture.n_linear, seed)
    weights |= cosines.place(path, weights)
    if "decoder/mean/gain" in weights:
        weights["decoder/mean/gain"] = rng.random(architecture.n_channels).astype(np.float32)
    return weights


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("decoder", ["repeat", "reshape", "dense", "autoregressive"])
@pytest.mark.parametrize("n_linear", [5, 3], ids=["added", "beside"])
def test_keras_and_numpy_agree_on_codes_and_reconstructions(decoder, n_linear, gaps):
    from sklearn_seqae.network.keras_network import assign, build, decode, encode

    architecture = make_architecture(5, decoder, n_linear)
    sequences = make_sequences(gaps=gaps)
    weights = make_weights(architecture, sequences)
    model = build(architecture, 0)
    assign(model, weights)
    batch = pad(sequences, np.arange(len(sequences)), 12)
    network = Network(architecture, weights)
    encoder, decoder, lengths = model.layers[1], model.layers[2], sequences.lengths
    assert_allclose(encoder(batch), network.encode(batch), rtol=1e-4, atol=1e-5)
    codes = network.encode(batch, lengths)
    found = encode(encoder, architecture, batch, lengths, training=False)
    assert_allclose(found, codes, rtol=1e-4, atol=1e-5)
    found = decode(decoder, architecture, codes, 12, lengths=lengths)
    assert_allclose(found, network.decode(codes, lengths, 12), rtol=1e-4, atol=1e-5)
    # The decoder alone writes as many steps as it decodes from the code.
    decoded = np.rint(network.lengths(codes)).astype(int)
    expected = network.decode(codes, np.maximum(decoded, 0), 12)
    assert_allclose(decoder(codes), expected, rtol=1e-4, atol=1e-5)


def to_batch(sequences, width=None):
    return pad(sequences, np.arange(len(sequences)), width or int(sequences.lengths.max()))


def reconstruct(sequences, n_frequencies, n_components, seed=0):
    """Return padded sequences, their codes and what these stand for."""
    path = cosines.fit(sequences, n_frequencies, n_components, seed)
    batch = to_batch(sequences)
    codes = cosines.encode(batch, path, sequences.lengths)[0]
    return batch, codes, cosines.decode(codes, sequences.lengths, batch.shape[1], path)


@pytest.mark.parametrize("n_components", [24, 40], ids=["as_many", "more"])
@pytest.mark.parametrize("seed", range(2))
def test_components_as_many_as_coefficients_or_more_reconstruct_every_sequence(seed, n_components):
    sequences = make_sequences(seed=seed)
    batch, _, decoded = reconstruct(sequences, 12, n_components, seed)
    assert_allclose(decoded, np.nan_to_num(batch), atol=1e-4)


@pytest.mark.parametrize("n_components", [1, 3, 7])
def test_without_shrinkage_it_is_pca_of_sequences_of_one_length(monkeypatch, n_components):
    monkeypatch.setattr(cosines, "SHRINKAGE", 0.0)
    sequences = make_sequences(lengths=(9,) * 40)
    batch, codes, decoded = reconstruct(sequences, 9, n_components)
    flat = batch.reshape(40, -1)
    pca = PCA(n_components).fit(flat)
    expected = pca.inverse_transform(pca.transform(flat))
    assert_allclose(decoded.reshape(40, -1), expected, atol=1e-4)
    assert_allclose(codes.mean(axis=0), 0, atol=1e-4)
    assert_allclose(np.sqrt(codes.var(axis=0).mean()), cosines.SPREAD, rtol=0.02)


def test_sequences_of_one_shape_have_one_code_whatever_their_lengths_are():
    t = [(np.arange(n) + 0.5) / n for n in (40, 61, 80, 97, 53)]
    X = [np.stack([a * np.cos(np.pi * x), np.cos(2 * np.pi * x)], 1) for a, x in enumerate(t)]
    path = cosines.fit(as_sequences(X), 5, 2, 0)
    halves = as_sequences([x[::2] for x in X])
    codes = cosines.encode(to_batch(as_sequences(X)), path)[0]
    assert_allclose(cosines.encode(to_batch(halves), path)[0], codes, atol=0.05)
    assert np.ptp(codes, axis=0).max() > 0.5


def test_a_linear_code_depends_on_its_sequence_alone():
    sequences = make_sequences(gaps=True)
    path = cosines.fit(sequences, 12, 5, 0)
    together = cosines.encode(to_batch(sequences, 17), path, sequences.lengths)[0]
    for i in range(len(sequences)):
        one = sequences.take(np.array([i]))
        alone = cosines.encode(to_batch(one, max(1, one.lengths[0])), path, one.lengths)[0]
        assert_allclose(alone[0], together[i], rtol=1e-5, atol=1e-5)


def test_the_order_of_training_sequences_changes_no_code():
    sequences = make_sequences(gaps=True)
    order = np.random.default_rng(0).permutation(len(sequences))
    _, codes, _ = reconstruct(sequences, 12, 3)
    _, again, _ = reconstruct(sequences.take(order), 12, 3)
    assert_allclose(again, codes[order], atol=1e-4)


def make_waves(n=40, seed=0):
    """Return sequences of few cosines, without noise, of one length."""
    rng = np.random.default_rng(seed)
    t = (np.arange(30) + 0.5) / 30
    shapes = np.stack([np.cos(np.pi * k * t) for k in (0, 1, 2, 3)])
    values = rng.normal(size=(n, 2, 4)) @ shapes
    return as_sequences([x.T + 3.0 for x in values])


@pytest.mark.parametrize("seed", range(2))
def test_gaps_count_less_than_means_in_their_places(seed):
    whole = make_waves(seed=seed)
    gone = np.random.default_rng(seed).random(whole.values.shape) < 0.4
    gaps = whole.with_values(np.where(gone, np.nan, whole.values).astype(np.float32))
    path = cosines.fit(whole, 8, 8, seed)
    codes = cosines.encode(to_batch(whole), path)[0]
    means = np.nanmean(gaps.values, axis=0)
    zeros = gaps.with_values(np.where(gone, means, whole.values).astype(np.float32))
    off, off_zeros = (
        np.abs(cosines.encode(to_batch(x), path, x.lengths)[0] - codes).mean()
        for x in (gaps, zeros)
    )
    assert off < 0.2 * off_zeros
    _, _, decoded = reconstruct(gaps, 8, 8, seed)  # the gaps are in the training, too
    assert np.square(decoded - to_batch(whole)).mean() < 0.1 * whole.values.var()


@pytest.mark.parametrize("seed", range(2))
def test_gaps_are_filled_as_well_by_a_code_of_one_component(seed):
    whole = make_waves(80, seed)
    gone = np.random.default_rng(seed).random(whole.values.shape) < 0.4
    batch = to_batch(whole.with_values(np.where(gone, np.nan, whole.values).astype(np.float32)))
    path = cosines.fit(whole, 8, 1, seed)
    filled = cosines._fill(batch, path)
    assert np.square(filled - to_batch(whole)).mean() < 0.02 * whole.values.var()


@pytest.mark.parametrize("seed", range(3))
def test_what_is_missing_takes_no_variance_from_its_model(seed):
    whole = make_waves(200, seed)
    gone = np.random.default_rng(seed).random(whole.values.shape) < 0.9
    gaps = whole.with_values(np.where(gone, np.nan, whole.values).astype(np.float32))
    widths = []
    for sequences in (whole, gaps):
        path = cosines.fit(sequences, 8, 8, seed)
        # The projection is scaled so that components have one spread, whatever that of values is.
        widths.append(np.linalg.norm(path["synthesis"]))
    assert 0.8 < widths[1] / widths[0] < 1.15


@pytest.mark.parametrize("kind", ["ragged", "in_pieces"])
def test_a_code_with_a_direction_for_lengths_has_them_exactly(kind):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 1)).cumsum(axis=0) for n in rng.integers(20, 300, 40)]
    ae = LSTMAutoencoderTransformer(n_components=80, units=4, epochs=1, random_state=0)
    if kind == "ragged":
        ae.fit(X)
    else:  # the first ones do not say what lengths there will be
        ae.partial_fit([x[:20] for x in X]).partial_fit(X)
        assert np.abs(ae.transform(X)).max() < 20
    assert ae._fitted_model.architecture.has_linear_length
    assert "length_loss" not in ae.history_
    new = [*X, X[0][:0], X[0][:1], np.tile(X[0], (2, 1))[:590]]
    written = ae.inverse_transform(ae.transform(new))
    limit = 2 * max(map(len, X))
    assert [len(x) for x in written] == [min(len(x), limit) for x in new]
    length = ae.model_.get_layer("length")(ae.transform(X)[:, :80])
    assert_allclose(length, [len(x) for x in X], rtol=1e-4)


@pytest.mark.parametrize("seed", range(2))
def test_kernels_read_what_the_linear_path_says_of_gaps(seed):
    whole = make_waves(seed=seed)
    gone = np.random.default_rng(seed).random(whole.values.shape) < 0.6
    gone[whole.offsets[1:] - 1] = False  # else a model of Keras' takes them for padding
    gaps = whole.with_values(np.where(gone, np.nan, whole.values).astype(np.float32))
    X, with_gaps = (np.split(x.values, x.offsets[1:-1]) for x in (whole, gaps))
    ae = LSTMAutoencoderTransformer(units=4, epochs=1, random_state=seed, scaler=None).fit(X)
    lines = [x.copy() for x in with_gaps]
    for x in lines:
        for channel in x.T:
            missing = np.isnan(channel)
            channel[missing] = np.interp(
                *map(np.flatnonzero, (missing, ~missing)), channel[~missing]
            )
    codes, found, along_lines = (ae.transform(x)[:, 128:] for x in (X, with_gaps, lines))
    assert np.abs(found - codes).mean() < 0.8 * np.abs(along_lines - codes).mean()
    assert_allclose(ae.encoder_(to_batch(gaps))[:, 128:], found, atol=1e-3)
    # They were fitted to filled sequences, too.
    ae.fit(with_gaps)
    assert np.abs(ae.transform(with_gaps)[:, 128:].mean(axis=0)).max() < 0.01


@pytest.mark.parametrize("seed", range(2))
def test_values_missing_at_the_end_do_not_stretch_the_others(seed):
    whole = make_waves(seed=seed)
    path = cosines.fit(whole, 8, 8, seed)
    batch = to_batch(whole)
    batch[:, 20:] = np.nan
    codes = cosines.encode(batch, path, whole.lengths)[0]
    decoded = cosines.decode(codes, whole.lengths, 30, path)
    assert np.square(decoded[:, :20] - batch[:, :20]).mean() < 0.02 * whole.values.var()
    assert np.abs(cosines.encode(batch, path)[0] - codes).max() > 0.1  # as if 20 steps were all


def make_constant(value, gaps=False):
    sequences = make_sequences(gaps=gaps)
    values = np.where(np.isnan(sequences.values), np.nan, np.float32(value))
    return sequences.with_values(values.astype(np.float32))


def change(scale=1.0, offset=0.0, **changes):
    sequences = make_sequences(**changes)
    return sequences.with_values((sequences.values * scale + offset).astype(np.float32))


def make_one_constant():
    sequences = make_sequences()
    return sequences.with_values(sequences.values * np.float32([1, 0]) + np.float32([0, 1000]))


# With the greatest error of the reconstruction, in parts of the largest value.
HARD = {
    "zeros": (make_constant(0.0), 1e-6),
    "constant": (make_constant(1000.0), 1e-6),
    "constant_with_gaps": (make_constant(0.0, gaps=True), 1e-6),
    "one_constant": (make_one_constant(), 1e-4),
    "far_away": (change(offset=1e4), 1e-4),
    "huge": (change(scale=1e15), 1e-4),
    "huge_with_gaps": (change(scale=1e15, gaps=True), 1.0),
    "tiny": (change(scale=1e-15), 1e-4),
    "single_steps": (make_sequences(lengths=(1,) * 6), 1e-4),
    "single_sequence": (make_sequences(lengths=(12,)), 1e-4),
    "all_missing": (make_constant(np.nan), None),
    "empty": (make_sequences(lengths=(0, 0)), None),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", HARD)
def test_hard_sequences_have_finite_codes_and_reconstructions(name):
    sequences, most = HARD[name]
    n_frequencies = cosines.count_frequencies(2, 24)
    path = cosines.fit(sequences, n_frequencies, 24, 0)
    batch = to_batch(sequences, max(1, sequences.lengths.max()))
    for x in (batch, batch.astype(np.float64)):
        codes = cosines.encode(x, path, sequences.lengths)[0]
        decoded = cosines.decode(codes, sequences.lengths, x.shape[1], path)
        assert np.isfinite(codes).all()
        assert np.isfinite(decoded).all()
        assert np.abs(codes).max() < 20
        if most is not None:
            errors = np.nan_to_num(decoded - x)
            assert np.abs(errors).max() <= most * np.nanmax(np.abs(x))


def test_a_channel_that_is_constant_is_no_direction():
    sequences = make_constant(1000.0)
    path = cosines.fit(sequences, 12, 4, 0)
    noisy = to_batch(sequences) * (1 + 1e-7)
    assert np.abs(cosines.encode(noisy, path, sequences.lengths)[0]).max() < 0.01


def test_more_channels_than_coefficients_have_one_frequency_each():
    n_channels = cosines.MAX_COEFFICIENTS + 50
    sequences = make_sequences(n_channels, lengths=(3, 2, 3, 1))
    assert cosines.count_frequencies(n_channels, 64) == 1
    _, codes, _ = reconstruct(sequences, 1, 3)
    assert np.isfinite(codes).all()
    assert codes.std() > 0.1


def test_few_sequences_are_computed_in_float64():
    architecture = make_architecture(5, n_linear=3)
    sequences = make_sequences(gaps=True)
    network = Network(architecture, make_weights(architecture, sequences))
    batch = to_batch(sequences)
    codes = network.in_double.encode(batch, sequences.lengths)
    decoded = network.in_double.decode(codes, sequences.lengths, 12)
    assert codes.dtype == decoded.dtype == np.float64
    assert_allclose(network.encode(batch, sequences.lengths), codes, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("decoder", ["reshape", "dense"])
def test_a_decoder_of_few_steps_writes_the_first_ones_of_a_long_sequence(decoder):
    from sklearn_seqae.network.keras_network import assign, build, decode

    architecture = make_architecture(5, decoder)
    weights = make_weights(architecture, make_sequences())
    long = make_sequences(lengths=(24, 20))
    network = Network(architecture, weights)
    codes = network.encode(to_batch(long))
    model = build(architecture, 0)
    assign(model, weights)
    found = decode(model.layers[2], architecture, codes, 12, lengths=long.lengths)
    assert_allclose(found, network.decode(codes, long.lengths, 12), rtol=1e-4, atol=1e-5)


def fit(X, **changes):
    parameters = {"n_components": 3, "units": 4, "epochs": 2, "random_state": 0, "scaler": None}
    return LSTMAutoencoderTransformer(**parameters | changes).fit(X)


def make_pulses(n=60):
    """Return sequences that no few cosines describe: a pulse somewhere."""
    places = np.random.default_rng(0).uniform(3, 17, n)
    return [np.exp(-((np.arange(20) - place) ** 2))[:, None] for place in places]


def test_the_linear_path_alone_is_kept_where_training_is_worse():
    X = make_sequences(lengths=(12,) * 40)
    X = np.split(X.values, 40)
    ae = fit(X, learning_rate=1.0)
    assert ae.n_epochs_ == 2
    weights = ae._fitted_model.network.weights
    assert not weights["decoder/values/kernel"].any()
    path = cosines.fit(as_sequences(X), cosines.count_frequencies(2, 3), 3, ae._seed)
    # The recurrent layers add next to nothing, so that constants of two lengths differ.
    assert_allclose(ae.transform(X), cosines.encode(np.stack(X), path)[0], atol=0.03)


def test_what_training_adds_to_the_linear_path_is_kept_where_it_is_better(monkeypatch):
    monkeypatch.setattr(loop, "LEAST_GAIN", 0.0)
    X = make_pulses()
    ae = fit(X, n_components=2, units=16, epochs=30, learning_rate=0.01)
    assert ae._fitted_model.network.weights["decoder/values/kernel"].any()
    alone = reconstruct(as_sequences(X), 20, 2)[2]
    error = np.square(np.stack(ae.reconstruct(X)) - X).mean()
    assert error < np.square(alone - X).mean()


def test_a_warm_start_keeps_a_small_gain(monkeypatch):
    X = make_pulses()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "LEAST_GAIN", 0.0)
        ae = fit(X, n_components=2, units=16, epochs=30, learning_rate=0.01, warm_start=True)
    before = ae._fitted_model.network.weights["decoder/values/kernel"]
    first = min(ae.history_["val_loss"])
    ae.set_params(epochs=1, learning_rate=1e-4).fit(X)
    gain = 1 - min(ae.history_["val_loss"]) / first
    assert 0 < gain < loop.LEAST_GAIN
    assert (ae._fitted_model.network.weights["decoder/values/kernel"] != before).any()


def test_more_training_goes_on_with_the_linear_path_of_the_first_data():
    X = make_pulses()
    ae = fit(X, warm_start=True, early_stopping=False)
    before = ae._fitted_model.network.weights
    ae.fit([x + 0.5 for x in X])
    ae.partial_fit([2 * x for x in X])
    after = ae._fitted_model.network.weights
    for name, values in before.items():
        if "/linear/" in name:
            np.testing.assert_array_equal(after[name], values)
    assert (after["encoder/code/kernel"] != before["encoder/code/kernel"]).any()


def test_the_recurrent_decoder_counts_in_channels_where_it_helps_only():
    rng = np.random.default_rng(0)
    targets = make_sequences(5, lengths=(10,) * 30)
    noise = rng.normal(size=(2, *targets.values.shape))
    gains = {}
    model = SimpleNamespace(
        # Two channels of numbers, and a category of three.
        architecture=SimpleNamespace(n_channels=5, channel_groups=(1, 1, 3)),
        network=SimpleNamespace(assign=gains.update),
    )

    def compare_scaled(sequences):
        recurrent = targets.values + noise[1] * [0.1, 10, 0.1, 0.1, 0.1]
        linear = targets.values + noise[0]
        mixed = linear + gains[GAIN] * (recurrent - linear)
        return targets, targets.with_values(mixed.astype(np.float32))

    model.compare_scaled = compare_scaled
    assert FittedModel._weigh(model, targets)
    assert gains[GAIN][0] > 0.9
    assert gains[GAIN][1] == 0
    assert gains[GAIN][2] == gains[GAIN][3] == gains[GAIN][4] > 0.9
    noise[1] *= 100
    assert not FittedModel._weigh(model, targets)
    assert not gains[GAIN].any()


def test_a_recurrent_decoder_without_training_does_not_count_beside_a_linear_path():
    X = make_sequences(lengths=(12,) * 40)
    ae = fit(np.split(X.values, 40), n_components=80, epochs=1)
    assert not ae._fitted_model.network.weights[GAIN].any()
