"""Pure factories: sizes and choices in, one Keras model with named submodels out."""

from itertools import count
from typing import Any

import keras
import numpy as np
from keras import ops

from .architecture import Architecture
from .cosine_layers import CosineDecoder, CosineEncoder, CosineLength, Join, Mean, Sum
from .custom_models import keras_input, wrap_decoder, wrap_encoder
from .decoder_layers import (
    Activate,
    AutoregressiveRecurrence,
    CodeRecurrence,
    CodeSplit,
    Length,
    StepLayer,
    first_steps,
)
from .encoder_layers import (
    DTYPE,
    CodePart,
    KernelFeatures,
    Patch,
    Pool,
    RecurrentLevel,
    dense,
    recurrence,
)
from .layer_specs import SUBMODELS, Weights, initial_weights

# Layers in which Keras' recurrent layers, and ours around them, keep their weights.
_CELLS = ("lstm_cell", "gru_cell", "recurrence")

_LENGTHS = (Length, CosineLength)


def build(architecture: Architecture, seed: int) -> keras.Model:
    """Return the autoencoder: submodels "encoder", "decoder" and, with decoded lengths, "length".

    Input (batch, n_steps, n_channels) float32 with NaN for padding and missing values, for any
    n_steps; output (batch, architecture.n_steps, n_channels), beside the lengths (batch,) if the
    model decodes them. It has the weights of `initial_weights`; models of the user's own have what
    their builders give them, called with this seed.
    """
    encoder_seed, decoder_seed = (int(s) for s in np.random.SeedSequence(seed).generate_state(2))
    encoder = _build_encoder(architecture, encoder_seed)
    decoder = _build_decoder(architecture, decoder_seed)
    sequence = keras_input(encoder.input_shape[1:], name="sequence")
    code = encoder(sequence)
    outputs = decoder(code)
    if architecture.decodes_length:
        code_input = keras_input((architecture.n_components,), name="code")
        steps = _length(architecture, code_input, _recurrent_part(architecture, code_input))
        outputs = [outputs, keras.Model(code_input, steps, name="length")(code)]
    model = keras.Model(sequence, outputs, name="autoencoder")
    assign(model, initial_weights(architecture, seed))
    return model


def named_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the weights of an autoencoder under the names of `layer_specs.weight_specs`.

    Those of models of the user's own are numbered, as names that Keras makes up differ from build
    to build. The states of the generators that their dropout draws from are among them.
    """
    found: dict[str, keras.Variable] = {}
    n_own = count()
    for name in SUBMODELS:
        part = model.get_layer(name) if name in {layer.name for layer in model.layers} else None
        for layer in part.layers if part is not None else ():
            if isinstance(layer, _LENGTHS) and name != "length":  # a copy: see `copy_length`
                continue
            if isinstance(layer, keras.Model):
                own = [*layer.weights, *seed_states(layer)]
                found |= {f"own/{next(n_own)}": variable for variable in own}
                continue
            for weight in layer.weights:
                path = weight.path.split("/")
                within = [p for p in path[path.index(layer.name) + 1 :] if p not in _CELLS]
                found["/".join([name, layer.name, *within])] = weight
    return found


def read_weights(model: keras.Model) -> Weights:
    """Return the values of `named_variables`."""
    variables = named_variables(model)
    if keras.backend.backend() != "tensorflow":
        return {name: variable.numpy() for name, variable in variables.items()}
    import tensorflow as tf

    # Whoever has the Keras model may change its weights, so all are read before each encoding. A
    # variable's own `numpy` takes three times as long as the operation and the copy within it.
    return {
        name: tf.raw_ops.ReadVariableOp(resource=value.handle, dtype=value.dtype).numpy()
        for name, value in ((name, variable.value) for name, variable in variables.items())
    }


def assign(model: keras.Model, weights: Weights) -> None:
    """Set weights by their names; others stay as they are."""
    variables = named_variables(model)
    for name, value in weights.items():
        variables[name].assign(value)
    copy_length(model)


def copy_length(model: keras.Model) -> None:
    """Bring a decoder's copy of the layer up to date: Keras cannot load models that share one."""
    for layer in model.get_layer("decoder").layers:
        if isinstance(layer, _LENGTHS):
            layer.set_weights(model.get_layer("length").get_layer("steps").get_weights())


def seed_states(model: keras.Model) -> list[keras.Variable]:
    """Return the states of the generators that dropout and the like draw from.

    Keras counts them among a model's variables, but not among its weights.
    """
    return [v for v in model.variables if v.name == "seed_generator_state"]


def encode(
    encoder: keras.Model, architecture: Architecture, batch: Any, lengths: Any, training: bool
) -> Any:
    """Return the codes of a network that is trained, without pooled features.

    `lengths` (batch,) tell a linear path which values are missing at the end of a sequence: the
    model itself takes them for padding.
    """
    if not architecture.n_linear:
        return encoder(batch, training=training)
    linear, _ = encoder.get_layer("linear")(batch, lengths=lengths)
    x = batch
    for layer in encoder.layers:
        if not isinstance(layer, keras.layers.InputLayer | CosineEncoder | Join):
            x = layer(x)
    return encoder.get_layer("all")([linear, x])


def decode(
    decoder: keras.Model,
    architecture: Architecture,
    code: Any,
    n_steps: Any,
    n_real: Any = None,
    teacher: Any = None,
    lengths: Any = None,
) -> Any:
    """Write `n_steps` steps, (batch, n_steps, n_channels), where the model itself writes them all.

    `n_steps` is a multiple of the patch size. Steps from `n_real` on, a scalar tensor, may be
    anything. `lengths` (batch,) are those of the sequences, for a linear path. `teacher` holds the
    true values (batch, n_steps, n_channels) for decoders that are trained with them; a missing one
    counts as zero.
    """
    if callable(architecture.decoder):
        return decoder(code)[:, :n_steps]
    size = architecture.patch_size
    n_patches = n_steps // size
    mask = None
    if n_real is not None:
        n_real = -(-n_real // size)
        mask = first_steps(ops.shape(code)[0], n_patches, n_real)

    def write_linear(n_steps: Any) -> Any:
        return decoder.get_layer("linear")(code, lengths=lengths, n_steps=n_steps)

    x = code
    for layer in decoder.layers:
        if isinstance(layer, (keras.layers.InputLayer, CosineDecoder, *_LENGTHS)):
            continue
        if isinstance(layer, AutoregressiveRecurrence):
            base = write_linear(n_steps) if architecture.adds_to_linear else None
            x = layer(x, n_steps=n_patches, n_real=n_real, teacher=teacher, base=base)
        elif isinstance(layer, Sum):
            # Some decoders have written more or fewer steps than these.
            x = layer([x, write_linear(ops.shape(x)[1])])
        elif isinstance(layer, StepLayer):
            x = layer(x, n_steps=n_patches, n_real=n_real)
        elif isinstance(layer, keras.layers.RNN):
            # A copy carries no mask, of which the layers behind would warn: it has served its end.
            x = ops.copy(layer(x, mask=mask))
        else:
            x = layer(x)
    return x[:, :n_steps]


def _build_encoder(architecture: Architecture, seed: int) -> keras.Model:
    patch = Patch(
        architecture.patch_size,
        architecture.indicators,
        keeps_first=architecture.encoder is not None,
        name="patch",
    )
    if architecture.encoder is not None:
        return wrap_encoder(architecture, architecture.encoder, patch, seed)
    layers: list[keras.layers.Layer] = [keras_input((None, architecture.n_channels)), patch]
    for i, units in enumerate(architecture.units):
        layers.append(
            RecurrentLevel(
                units,
                architecture.cell,
                architecture.bidirectional,
                name=f"recurrence_{i}",
            )
        )
    layers.append(
        Pool(
            architecture.pooling,
            architecture.bidirectional,
            counts=architecture.learns_length,
            name="pool",
        )
    )
    layers.append(dense(architecture.n_recurrent, name="code"))
    if not architecture.n_summary and not architecture.n_linear:
        return keras.Sequential(layers, name="encoder")
    sequence = code = keras_input((None, architecture.n_channels), name="sequence")
    for layer in layers[1:]:
        code = layer(code)
    parts, completed = [code], sequence
    if architecture.n_linear:
        path = CosineEncoder(
            architecture.n_frequencies,
            architecture.n_linear,
            architecture.has_linear_length,
            name="linear",
        )
        linear, completed = path(sequence)
        parts.insert(0, linear)
    if architecture.n_summary:
        how = architecture.dilations, architecture.n_summary, architecture.soft_step
        parts.append(KernelFeatures(*how, name="summary")(completed))
    return keras.Model(
        sequence, Join(architecture.adds_to_linear, name="all")(parts), name="encoder"
    )


def _recurrent_part(architecture: Architecture, code: Any) -> Any:
    start, stop = architecture.recurrent_part
    if stop - start == architecture.n_components:
        return code
    return CodePart(start, stop, name="part")(code)


def _length(architecture: Architecture, code: Any, part: Any, trainable: bool = True) -> Any:
    """Return the number of steps that a code, with its recurrent part, stands for."""
    if architecture.has_linear_length:
        return CosineLength(architecture.n_linear, name="steps")(code)
    return Length(name="steps", trainable=trainable)(part)


def _build_decoder(architecture: Architecture, seed: int) -> keras.Model:
    if callable(architecture.decoder):
        return wrap_decoder(architecture, architecture.decoder, seed)
    units = architecture.units[::-1]
    n_outputs = architecture.patch_size * architecture.n_channels
    layers: list[keras.layers.Layer] = []
    if architecture.decoder == "autoregressive":
        layers.append(
            AutoregressiveRecurrence(
                architecture.n_patches,
                units,
                architecture.cell,
                n_outputs,
                architecture.outputs,
                name="autoregress",
            )
        )
    elif architecture.decoder == "dense":
        for i, width in enumerate(units):
            layers.append(dense(width, name=f"hidden_{i}", activation="tanh"))
        layers.append(dense(architecture.n_patches * n_outputs, name="values"))
    else:
        cell, n_patches = architecture.cell, architecture.n_patches
        if architecture.decoder == "repeat":
            layers.append(CodeRecurrence(n_patches, units[0], cell, name="recurrence_0"))
        else:
            layers.append(CodeSplit(n_patches, name="cut"))
            layers.append(recurrence(cell, units[0], name="recurrence_0"))
        for i, width in enumerate(units[1:], start=1):
            layers.append(recurrence(cell, width, name=f"recurrence_{i}"))
        layers.append(dense(n_outputs, name="values"))
    unfold = keras.layers.Reshape((-1, architecture.n_channels), dtype=DTYPE, name="unfold")
    layers.append(unfold)
    is_linear = all(activation == "linear" for _, activation in architecture.outputs)
    if not is_linear and architecture.decoder != "autoregressive":
        layers.append(Activate(architecture.outputs, name="activation"))
    code = keras_input((architecture.n_components,), name="code")
    x = _recurrent_part(architecture, code)
    linear = None
    if architecture.n_linear:
        path = CosineDecoder(
            architecture.n_patches * architecture.patch_size,
            architecture.n_frequencies,
            architecture.n_linear,
            architecture.n_channels,
            name="linear",
        )
        lengths = None
        if architecture.decodes_length:
            lengths = _length(architecture, code, x, trainable=False)
        linear = path(code, lengths=lengths)
        if not architecture.adds_to_linear:
            layers.append(Mean(architecture.outputs, name="mean"))
        elif architecture.decoder != "autoregressive":  # which adds step by step
            layers.insert(layers.index(unfold) + 1, Sum(architecture.outputs, name="sum"))
    for layer in layers:
        if isinstance(layer, Sum):
            x = layer([x, linear])
        elif isinstance(layer, AutoregressiveRecurrence) and architecture.adds_to_linear:
            x = layer(x, base=linear)
        else:
            x = layer(x)
    return keras.Model(code, x, name="decoder")
