"""LSTM and GRU in NumPy, without gradients.

A step is an array (features, batch): the gates are then contiguous blocks of rows, and one matrix
product of ``[kernel, bias, recurrent kernel]`` with ``[inputs, 1, hidden]`` makes them all.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float32 or float64, as the weights are
Step = Callable[[Floats, Floats], None]


class Recurrence(ABC):
    """A recurrent layer; `weights` (4 * units, inputs + 1 + units) makes all gates of a step.

    Rows for a sigmoid are halved, since sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, and the hyperbolic
    tangent is the function that NumPy is fast at.
    """

    units: int
    weights: Floats

    @abstractmethod
    def __init__(self, kernel: Floats, recurrent_kernel: Floats, bias: Floats) -> None:
        """Take the weights as Keras lays them out."""

    @abstractmethod
    def begin(self, n_rows: int, constant: Floats | None = None) -> Step:
        """Return a function that makes a step: of a column, and where to write the hidden state.

        A column (inputs + 1 + units, n_rows) holds inputs, ones and the hidden state before. A
        `constant` (k, n_rows) stands for the first k inputs of every step, which columns lack.
        """

    def column(self, n_rows: int) -> Floats:
        """Return the column of a first step, its inputs not yet set."""
        column = np.zeros((self.weights.shape[1], n_rows), self.weights.dtype)
        column[-self.units - 1] = 1.0
        return column

    def run(self, inputs: Floats, constant: Floats | None = None) -> Floats:
        """Return the hidden states (n_steps, units, n_rows) over inputs (n_steps, k, n_rows)."""
        n_steps, width, n_rows = inputs.shape
        columns = np.empty((n_steps + 1, width + 1 + self.units, n_rows), self.weights.dtype)
        columns[:-1, :width] = inputs
        columns[:, width] = 1.0
        hidden = columns[:, width + 1 :]
        hidden[0] = 0.0
        step = self.begin(n_rows, constant)
        for t in range(n_steps):
            step(columns[t], hidden[t + 1])
        return hidden[1:]

    def _gates(self, n_rows: int, constant: Floats | None) -> tuple[Floats, Callable]:
        """Return an array for the gates, and a function that fills it from a column."""
        gates = np.empty((len(self.weights), n_rows), self.weights.dtype)
        if constant is None:
            return gates, lambda column: np.matmul(self.weights, column, out=gates)
        of_constant, weights = np.split(self.weights, [len(constant)], axis=1)
        addend = of_constant @ constant

        def fill(column: Floats) -> None:
            np.matmul(weights, column, out=gates)
            np.add(gates, addend, out=gates)

        return gates, fill


class LSTM(Recurrence):
    """The layer that `keras.layers.LSTM` is by default."""

    def __init__(self, kernel: Floats, recurrent_kernel: Floats, bias: Floats) -> None:
        self.units = len(recurrent_kernel)
        i, f, c, o = np.split(np.vstack([kernel, bias, recurrent_kernel]).T, 4)
        self.weights = np.concatenate([0.5 * i, 0.5 * f, 0.5 * o, c])

    def begin(self, n_rows: int, constant: Floats | None = None) -> Step:
        """Return a function that makes a step; see `Recurrence`."""
        gates, fill = self._gates(n_rows, constant)
        i, f, o, c = np.split(gates, 4)
        sigmoids = gates[: 3 * self.units]
        cell_state = np.zeros((self.units, n_rows), self.weights.dtype)
        squashed = np.empty_like(cell_state)

        def step(column: Floats, hidden: Floats) -> None:
            fill(column)
            np.tanh(gates, out=gates)
            np.multiply(sigmoids, 0.5, out=sigmoids)
            np.add(sigmoids, 0.5, out=sigmoids)
            np.multiply(cell_state, f, out=cell_state)
            np.multiply(i, c, out=i)
            np.add(cell_state, i, out=cell_state)
            np.tanh(cell_state, out=squashed)
            np.multiply(o, squashed, out=hidden)

        return step


class GRU(Recurrence):
    """The layer that `keras.layers.GRU` is by default, with two biases."""

    def __init__(self, kernel: Floats, recurrent_kernel: Floats, bias: Floats) -> None:
        units = self.units = len(recurrent_kernel)
        k = len(kernel)
        # Rows: z, r, and what inputs and state add to the candidate, which r weighs.
        self.weights = np.zeros((4 * units, k + 1 + units), kernel.dtype)
        self.weights[: 3 * units, :k] = kernel.T
        self.weights[: 3 * units, k] = bias[0]
        self.weights[: 2 * units, k + 1 :] = recurrent_kernel.T[: 2 * units]
        self.weights[: 2 * units, k] += bias[1][: 2 * units]
        self.weights[3 * units :, k + 1 :] = recurrent_kernel.T[2 * units :]
        self.weights[3 * units :, k] = bias[1][2 * units :]
        self.weights[: 2 * units] *= 0.5

    def begin(self, n_rows: int, constant: Floats | None = None) -> Step:
        """Return a function that makes a step; see `Recurrence`."""
        gates, fill = self._gates(n_rows, constant)
        z, r, to_state, from_state = np.split(gates, 4)
        sigmoids = gates[: 2 * self.units]
        change = np.empty((self.units, n_rows), self.weights.dtype)

        def step(column: Floats, hidden: Floats) -> None:
            fill(column)
            np.tanh(sigmoids, out=sigmoids)
            np.multiply(sigmoids, 0.5, out=sigmoids)
            np.add(sigmoids, 0.5, out=sigmoids)
            np.multiply(from_state, r, out=from_state)
            np.add(to_state, from_state, out=to_state)
            np.tanh(to_state, out=to_state)
            np.subtract(column[-self.units :], to_state, out=change)
            np.multiply(change, z, out=change)
            np.add(to_state, change, out=hidden)

        return step
