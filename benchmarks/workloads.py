"""What is measured: five kinds of data, and how long to train on each."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Ragged = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Workload:
    """Data and training that every contender gets alike.

    Attributes
    ----------
    n_steps : int
        Of every sequence; of the longest one if `ragged`.
    ragged : bool
        Whether lengths are log-normal (median 25, sigma 0.85, 5 to `n_steps`).
    """

    name: str
    n_sequences: int
    n_steps: int
    n_channels: int
    units: int
    epochs: int
    batch_size: int = 32
    ragged: bool = False

    def data(self) -> tuple[Ragged, Ragged]:
        """Return sequences to train on, and a tenth as many to judge by.

        They are cumulated noise, standardised per channel.
        """
        rng = np.random.default_rng(0)
        n_held_out = max(1, self.n_sequences // 10)
        lengths = np.full(self.n_sequences + n_held_out, self.n_steps)
        if self.ragged:
            drawn = np.exp(rng.normal(np.log(25), 0.85, size=len(lengths)))
            lengths = np.clip(drawn.round().astype(int), 5, self.n_steps)
            lengths[0] = self.n_steps
        walks = [rng.normal(size=(n, self.n_channels)).cumsum(axis=0) for n in lengths]
        steps = np.concatenate(walks)
        scaled = [((w - steps.mean(0)) / steps.std(0)).astype(np.float32) for w in walks]
        return scaled[: self.n_sequences], scaled[self.n_sequences :]

    def flops_per_epoch(self) -> float:
        """Return what training needs: three times forward, on real steps, the code projected once.

        Counts the matrix products of an LSTM encoder, an LSTM decoder and its dense layer.
        """
        u, c = self.units, self.n_channels
        per_step = 8 * u * (c + u) + 8 * u * u + 2 * u * c
        n_steps = sum(len(x) for x in self.data()[0])
        return 3.0 * (n_steps * per_step + self.n_sequences * 8 * u * u)

    def shrunk(self) -> "Workload":
        """Return a workload of seconds, to see whether everything runs."""
        n = 2 * self.batch_size
        return replace(self, n_sequences=n, n_steps=min(self.n_steps, 40), epochs=2)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("ragged", 1500, 250, 6, units=64, epochs=4, ragged=True),
        Workload("small", 1200, 10, 5, units=20, epochs=30),
        Workload("mid", 1500, 50, 5, units=64, epochs=10),
        Workload("long", 200, 1000, 1, units=64, epochs=2),
        Workload("wide", 512, 100, 8, units=128, epochs=4, batch_size=128),
    )
}
# Of another shape than all others: fitting it pays what a library does once per process.
WARM_UP = Workload("warm-up", 16, 7, 2, units=3, epochs=1, batch_size=8)


def pad(sequences: Ragged, n_steps: int) -> NDArray[np.float32]:
    """Return sequences as one array, with zeros after their ends."""
    padded = np.zeros((len(sequences), n_steps, sequences[0].shape[1]), dtype=np.float32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded
