"""The linear path: in NumPy, in Keras, for any lengths, gaps and numbers of components."""

import numpy as np
import pytest

from sklearn_seqae.containers.registry import Sequences
from sklearn_seqae.network import cosines
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.batching import pad
from sklearn_seqae.network.layer_specs import initial_weights
from sklearn_seqae.network.numpy_network import Network

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
    weights |= {name: path[name.split("/")[-1]] for name in weights if "/linear/" in name}
    if "decoder/mean/gain" in weights:
        weights["decoder/mean/gain"] = rng.random(architecture.n_channels).astype(np.float32)
    return weights


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("decoder", ["repeat", "reshape", "dense", "autoregressive"])
@pytest.mark.parametrize("n_linear", [5, 3], ids=["added", "beside"])
def test_keras_and_numpy_agree_on_codes_and_reconstructions(decoder, n_linear, gaps):
    from sklearn_seqae.network.keras_network import assign, build, decode

    architecture = make_architecture(5, decoder, n_linear)
    sequences = make_sequences(gaps=gaps)
    weights = make_weights(architecture, sequences)
    model = build(architecture, 0)
    assign(model, weights)
    batch = pad(sequences, np.arange(len(sequences)), 12)
    network = Network(architecture, weights)
    codes = network.encode(batch)
    np.testing.assert_allclose(
        np.asarray(model.get_layer("encoder")(batch)), codes, rtol=1e-4, atol=1e-5
    )
    expected = network.decode(codes, sequences.lengths, 12)
    found = decode(model.get_layer("decoder"), architecture, codes, 12, lengths=sequences.lengths)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4, atol=1e-5)


def test_as_many_components_as_coefficients_reconstruct_every_sequence():
    sequences = make_sequences()
    path = cosines.fit(sequences, 12, 24, 0)
    batch = pad(sequences, np.arange(len(sequences)), 12)
    decoded = cosines.decode(cosines.encode(batch, path), sequences.lengths, 12, path)
    np.testing.assert_allclose(decoded, np.nan_to_num(batch), atol=1e-5)
