"""The network of a fitted model: its weights, held in one place, and what runs with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_seqae._utils.optional_imports import load_keras
from sklearn_seqae.network import numpy_network
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.inference import Network
from sklearn_seqae.network.layer_specs import (
    LayerSpec,
    Weights,
    initial_weights,
    layer_specs,
    read_layers,
)
from sklearn_seqae.onnx import engine as onnx_network
from sklearn_seqae.onnx.engine import chosen_engine

if TYPE_CHECKING:
    import keras


class NetworkState:
    """An architecture with its weights.

    These are arrays by name or, once somebody asked for the Keras model, the variables of that
    model: never both, so that they cannot disagree.

    Parameters
    ----------
    architecture : Architecture
    seed : int
        Decides the initial weights.
    """

    def __init__(self, architecture: Architecture, seed: int) -> None:
        self.architecture = architecture
        self._seed = seed
        self._holder: Weights | keras.Model
        # With the weights that it has, and its engine.
        self._runner: tuple[Weights, str, Network] | None = None
        if architecture.is_built_in:
            self._holder = initial_weights(architecture, seed)
        else:  # the weights of the user's own models are what Keras gives them
            self._holder = self._build()

    @property
    def model(self) -> keras.Model:
        """The Keras model; whoever sets its weights sets those of this state."""
        if isinstance(self._holder, dict):
            from sklearn_seqae.network.keras_network import assign, named_variables

            model = self._build()
            if named_variables(model).keys() != self._holder.keys():
                raise ValueError("another network than the one that these weights are of was built")
            assign(model, self._holder)
            self._holder = model
        return self._holder

    @property
    def weights(self) -> Weights:
        """The present weights by name; they are no part of the state."""
        if isinstance(self._holder, dict):
            return self._holder
        from sklearn_seqae.network.keras_network import read_weights

        return read_weights(self._holder)

    def assign(self, weights: Weights) -> None:
        """Set weights by name; others stay as they are."""
        if isinstance(self._holder, dict):
            self._holder = self._holder | weights
            return
        from sklearn_seqae.network.keras_network import assign

        assign(self._holder, weights)

    @property
    def runner(self) -> Network:
        """What encodes and decodes with the present weights."""
        weights, engine = self.weights, chosen_engine()
        known = self._runner
        if known is None or known[1] != engine or not _same(known[0], weights):
            known = self._runner = weights, engine, self._make_runner(weights, engine)
        return known[2]

    @property
    def readable_steps(self) -> int | None:
        """The number of steps that a user's own encoder is built for; None for any number."""
        if self.architecture.encoder is None:
            return None
        steps: int | None = self.model.get_layer("encoder").input_shape[1]
        return steps

    @property
    def n_parameters(self) -> int:
        """Number of the weights' entries, trained or not."""
        arrays = self.weights.values()
        return sum(
            array.size for array in arrays if array.dtype.kind == "f"
        )  # else states of seeds

    def layers(self) -> list[LayerSpec]:
        """Return the layers; nothing is loaded or built to know them.

        Of models of the user's own these are known as long as there is the Keras model.
        """
        if self.architecture.is_built_in:
            return layer_specs(self.architecture)
        if not isinstance(self._holder, dict):
            return read_layers(self._holder)
        names = ["encoder", "decoder"] + ["length"] * self.architecture.decodes_length
        return [LayerSpec(name, "", "not loaded: see model_", ()) for name in names]

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with arrays in place of what runs."""
        return vars(self) | {"_holder": self.weights, "_runner": None}

    def _build(self) -> keras.Model:
        load_keras()
        from sklearn_seqae.network.keras_network import build

        return build(self.architecture, self._seed)

    def _make_runner(self, weights: Weights, engine: str) -> Network:
        if self.architecture.is_built_in:
            if engine == "numpy":
                return numpy_network.Network(self.architecture, weights)
            network = onnx_network.Network(self.architecture, weights)
            if self._runner is not None:
                network.share(self._runner[2])
            return network
        from sklearn_seqae.training.custom_network import CustomNetwork

        return CustomNetwork(self.model, self.architecture)


def _same(first: Weights, second: Weights) -> bool:
    return first is second or all(np.array_equal(first[name], second[name]) for name in second)
