"""Layers and weights are declared once, and every network has those that are declared."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.keras_network import build, named_variables, read_weights
from sklearn_seqae.network.layer_specs import initial_weights, misfit, weight_specs, within
from tests.conftest import ARCHITECTURE

CHOICES = [
    {},
    {"cell": "gru", "units": (5, 3), "pooling": "last", "patch_size": 2},
    {"bidirectional": False, "indicators": True, "patch_size": 4, "decodes_length": False},
    {
        "n_components": 9,
        "n_summary": 5,
        "dilations": (1, 2),
        "category_widths": (2,),
        "n_channels": 3,
    },
    {"n_linear": 4, "n_frequencies": 3, "category_widths": (1,)},
    {"n_components": 9, "n_linear": 3, "n_frequencies": 5, "n_summary": 2, "dilations": (1,)},
]
DECODERS = ["repeat", "reshape", "dense", "autoregressive"]


def make(**changes):
    return Architecture(**{**ARCHITECTURE, **changes})


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("choices", CHOICES)
def test_the_keras_model_has_the_declared_weights_under_their_names(decoder, choices):
    architecture = make(decoder=decoder, **choices)
    model = build(architecture, 0)
    variables = named_variables(model)
    declared = weight_specs(architecture)
    assert list(variables) == list(declared)
    assert [tuple(v.shape) for v in variables.values()] == [s.shape for s in declared.values()]
    assert [v.trainable for v in variables.values()] == [s.is_trained for s in declared.values()]
    assert len(model.trainable_variables) == sum(s.is_trained for s in declared.values())


def test_a_model_starts_from_the_weights_that_the_seed_draws():
    architecture = make()
    first, other = initial_weights(architecture, 1), initial_weights(architecture, 2)
    assert misfit(architecture, first) is None
    for name, value in read_weights(build(architecture, 1)).items():
        assert_array_equal(value, first[name])
    kernels = [name for name in first if name.endswith("kernel")]
    assert not any(np.array_equal(first[name], other[name]) for name in kernels)
    assert len({first[name].tobytes()[:40] for name in kernels}) == len(kernels)


def test_weights_depend_on_their_own_name_and_shape_alone():
    first, other = (initial_weights(make(decoder=d), 0) for d in ("repeat", "autoregressive"))
    for name, value in first.items():
        if name.startswith(("encoder/", "length/")):
            assert_array_equal(other[name], value)


def test_initial_weights_are_at_the_scale_of_keras():
    weights = initial_weights(make(units=(64,), n_components=32), 0)
    kernel = weights["encoder/code/kernel"]
    limit = np.sqrt(6 / sum(kernel.shape))
    assert 0.9 * limit < np.abs(kernel).max() <= limit
    recurrence = within(weights, "encoder/recurrence_0/forward")
    gram = recurrence["recurrent_kernel"] @ recurrence["recurrent_kernel"].T
    np.testing.assert_allclose(gram, np.eye(64), atol=1e-5)
    assert_array_equal(recurrence["bias"], np.repeat([0.0, 1.0, 0.0, 0.0], 64))


@pytest.mark.parametrize("number", [-1.0, np.nan, 0.5, 1e30, np.inf])
def test_frequencies_are_whole_numbers(number):
    architecture = make(n_linear=4, n_frequencies=3)
    weights = initial_weights(architecture, 0)
    assert misfit(architecture, weights) is None
    weights["decoder/linear/frequencies"] = np.array([0, 1, number], np.float32)
    assert "linear/frequencies to be whole numbers from 0" in misfit(architecture, weights)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.pop("decoder/values/bias"), "'decoder/values/bias' is missing"),
        (lambda w: w.update(more=np.zeros(1)), "'more' is unknown"),
        (lambda w: w.update({"encoder/code/bias": np.zeros(4)}), "found float64"),
        (lambda w: w.update({"encoder/code/bias": np.zeros(5, "f4")}), r"found .* shape \(5,\)"),
    ],
)
def test_weights_that_are_not_the_declared_ones_are_named(change, words):
    architecture = make()
    weights = initial_weights(architecture, 0)
    change(weights)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(misfit(architecture, weights))
