"""Cache keys of networks, apart from their weights, as part of the key of a program."""

import json
import re
import weakref
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import keras

from sklearn_seqae.network.architecture import Architecture


def network_key(model: keras.Model, architecture: Architecture) -> tuple[Architecture, Hashable]:
    """Return a key that is equal for networks that compute the same.

    It is made of the models that a user's builder returned, not of the builder, which may be a
    method or a partial, or may read globals. The configuration of Keras' own layers describes them
    completely. The code of a user's own layer or function cannot be compared, so a model that has
    any is equal to itself only.
    """
    built_in = replace(
        architecture,
        encoder=None,
        decoder="" if callable(architecture.decoder) else architecture.decoder,
    )
    own = {
        role: layer
        for role in ("encoder", "decoder")
        for layer in model.get_layer(role).layers
        if isinstance(layer, keras.Model)
    }
    if not all(_is_of_keras(part) for part in own.values()):
        return built_in, weakref.ref(model)
    configs = {role: keras.saving.serialize_keras_object(part) for role, part in own.items()}
    try:
        return built_in, json.dumps(_without_names(configs), sort_keys=True)
    except TypeError:  # the configuration is not plain data
        return built_in, weakref.ref(model)


def check_rebuilt(model: keras.Model, other: keras.Model, architecture: Architecture) -> None:
    """Raise unless `other`, built again by the same functions, equals `model`."""
    ours, theirs = (network_key(network, architecture) for network in (model, other))
    shapes = [[weight.shape for weight in network.weights] for network in (model, other)]
    custom = isinstance(ours[1], weakref.ref) and isinstance(theirs[1], weakref.ref)
    if shapes[0] != shapes[1] or (ours != theirs and not custom):
        raise ValueError(
            "encoder and decoder must return the same network whenever they are called, but "
            "another one than was fitted has been returned now: fit afresh, or have them depend on "
            "nothing that changes."
        )


def _is_of_keras(model: keras.Model) -> bool:
    """Tell whether a model holds no class and no function but those of Keras."""
    layers = [model, *model._flatten_layers(include_self=False)]
    operations = [operation for layer in layers for operation in getattr(layer, "operations", ())]
    for thing in (*layers, *operations):
        if not comes_from_keras(type(thing)):
            return False
        for value in vars(thing).values():  # activations, regularizers, constraints
            if callable(value) and not comes_from_keras(value):
                return False
    return True


def comes_from_keras(thing: Any) -> bool:
    """Tell whether a class or a function is defined in Keras."""
    return (getattr(thing, "__module__", None) or "").split(".")[0] == "keras"


def _without_names(config: Any) -> Any:
    """Return a configuration without the numbers in automatic names, such as dense_7.

    Names given by a user are kept, as optimizers may depend on them.
    """
    names: dict[str, str] = {}

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            inner = part.get("config")
            name = inner.get("name") if isinstance(inner, dict) else None
            if isinstance(name, str) and name not in names:
                kind = re.sub(r"_[0-9]+$", "", name)
                if kind.replace("_", "").endswith(part["class_name"].lower()):
                    names[name] = f"{kind}:{len(names)}"
            part = list(part.values())
        if isinstance(part, (list, tuple)):
            for item in part:
                collect(item)

    def rename(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: rename(value) for key, value in part.items()}
        if isinstance(part, (list, tuple)):
            return [rename(item) for item in part]
        return names.get(part, part) if isinstance(part, str) else part

    collect(config)
    return rename(config)
