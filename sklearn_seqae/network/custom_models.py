"""Models of the user's own as the encoder or decoder of a network."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from .architecture import Architecture, Builder
from .decoder_layers import Activate
from .encoder_layers import DTYPE, EndMask, Patch


def keras_input(shape: tuple, name: str | None = None) -> Any:
    """Return an input of numbers as all our layers take them, whatever Keras' policy is."""
    return keras.Input(shape, dtype=DTYPE, name=name)


def wrap_encoder(
    architecture: Architecture, builder: Builder, patch: Patch, seed: int
) -> keras.Model:
    """Put a user's own encoder behind `patch`, so that it sees zeros and a Keras mask, not NaN."""
    shape = (None, architecture.n_steps, architecture.n_channels)
    _, n_patches, width = patch.compute_output_shape(shape)
    with _seeded(seed):
        model = builder(n_steps=n_patches, n_channels=width, n_components=architecture.n_components)
    _check_model("encoder", model, (n_patches, width), (architecture.n_components,))
    _draw_by_own_generators(model)
    model.supports_masking = True  # else Keras warns that the mask ends here, where it should
    fixed = model.input_shape[1] is not None
    sequence = keras_input((shape[1] if fixed else None, shape[2]), name="sequence")
    code = EndMask(name="code")(model(patch(sequence)))
    return keras.Model(sequence, code, name="encoder")


def wrap_decoder(architecture: Architecture, builder: Builder, seed: int) -> keras.Model:
    """Give a user's own decoder the activation of categories, and an output of our numbers."""
    with _seeded(seed):
        model = builder(
            n_steps=architecture.n_steps,
            n_channels=architecture.n_channels,
            n_components=architecture.n_components,
        )
    _check_model(
        "decoder",
        model,
        (architecture.n_components,),
        (architecture.n_steps, architecture.n_channels),
    )
    _draw_by_own_generators(model)
    code = keras_input((architecture.n_components,), name="code")
    steps = model(code)
    if architecture.category_widths:
        steps = Activate(architecture.outputs, name="activation")(steps)
    elif steps.dtype != DTYPE:  # by a policy of the user's
        steps = EndMask(name=DTYPE)(steps)
    return keras.Model(code, steps, name="decoder")


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators for the block: Keras draws what has no seed from Python's."""
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def _draw_by_own_generators(model: keras.Model) -> None:
    """Have dropout without a seed draw from its layer's generator; under torch it would not."""
    for layer in model._flatten_layers():
        for generator in layer._seed_generators:
            generator._initial_seed = int(generator.state.numpy()[0])


def _check_model(role: str, model: Any, input_shape: tuple, output_shape: tuple) -> None:
    """Raise unless a user's `model` maps the one shape to the other (None fits any size)."""
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"{role} must be a callable that returns a keras.Model, but it returned "
            f"{type(model).__name__}: build a keras.Sequential or keras.Model and return that."
        )
    if not model.built:
        raise ValueError(
            f"The model that {role} returned is not built: begin it with "
            f"keras.Input({input_shape})."
        )
    if not hasattr(model, "input_shape"):
        raise ValueError(
            f"The model that {role} returned does not tell its shapes, as a subclass of "
            "keras.Model does not: build a keras.Sequential, or a keras.Model of inputs and "
            "outputs, and return that."
        )
    if others := {weight.dtype for weight in model.trainable_weights} - {DTYPE}:
        raise ValueError(
            f"The model that {role} returned has weights of {others.pop()}, but trains together "
            f"with some of {DTYPE}: give its inputs and layers dtype={DTYPE!r}, or build it under "
            "a policy whose weights are of that type, as 'mixed_bfloat16'."
        )
    for side, given, expected in (
        ("take inputs", model.input_shape, input_shape),
        ("give outputs", model.output_shape, output_shape),
    ):
        sizes = tuple(given[1:]) if isinstance(given, tuple) else (given,)
        fits = len(sizes) == len(expected) and all(
            size in (None, wanted) for size, wanted in zip(sizes, expected, strict=True)
        )
        if not fits:
            raise ValueError(
                f"The model that {role} returned must {side} of shape {expected} a sequence, but "
                f"has {sizes}: use the sizes that the callable receives."
            )
