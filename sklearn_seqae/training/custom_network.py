"""Encoding and decoding by Keras, where a part of the network is a user's own model."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import check_process
from sklearn_seqae.network.architecture import Architecture

from .network_keys import network_key
from .program import InferenceProgram, backend, lent_variables
from .program_cache import programs

ROWS_MULTIPLE = 16


class CustomNetwork:
    """Encodes and decodes padded batches as `numpy_network.Network` does, by a compiled program.

    Parameters
    ----------
    model : keras.Model
        As `keras_network.build` made it; it keeps its weights.
    architecture : Architecture
    """

    steps_at_once: int | None = None
    decodes_alone = False

    def __init__(self, model: keras.Model, architecture: Architecture) -> None:
        self.architecture = architecture
        self._weights = [ops.convert_to_tensor(variable) for variable in lent_variables(model)]
        self._fixed_width = model.get_layer("encoder").input_shape[1]
        key = (InferenceProgram, network_key(model, architecture))
        self._program: Any = programs.share(key, lambda: InferenceProgram(model, architecture))

    @property
    def in_double(self) -> "CustomNetwork":
        """The same network: Keras models have one dtype."""
        return self

    def array_width(self, width: int) -> int:
        """Return the width of a batch of sequences of up to `width` steps."""
        return self._fixed_width or backend().array_width(width, self.architecture.patch_size)

    def encode(self, batch: NDArray[np.float32], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the codes (n_rows, n_components) of (n_rows, n_steps, n_channels)."""
        return self._run(self._program.encode, batch)

    def decode(
        self, codes: NDArray[np.float32], lengths: NDArray[np.int64], n_steps: int
    ) -> NDArray[np.float32]:
        """Return (n_rows, n_steps, n_channels)."""
        return self._run(self._program.decode, codes, n_steps)

    def extend(
        self, codes: NDArray[np.float32], lengths: NDArray[np.int64], n_steps: int
    ) -> NDArray[np.float32]:
        """Return the same as `decode`."""
        return self.decode(codes, lengths, n_steps)

    def lengths(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the number of steps that each code stands for, as real numbers (n_rows,)."""
        return self._run(self._program.lengths, codes)

    def _run(self, function: Any, x: NDArray[np.float32], *sizes: int) -> NDArray[np.float32]:
        check_process()
        # Some backends compile every shape, so rows are repeated up to one of few numbers of them.
        filled = np.resize(x, (backend().array_width(len(x), ROWS_MULTIPLE), *x.shape[1:]))
        result = function(self._weights, ops.convert_to_tensor(filled), *sizes)
        return ops.convert_to_numpy(result)[: len(x)]
