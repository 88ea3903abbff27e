"""Forecasts: linear ones, and those of the recurrent decoder as far as they are better."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.threads import single_threaded
from sklearn_seqae.containers.sequences import Sequences
from sklearn_seqae.network import inference, linear_forecast
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.linear_forecast import LinearForecast

from .gains import least_squares_gains

# How sure it must be that the recurrent decoder lowers the squared error of a channel, and by what
# share. In a held-out block of a random walk it may be a sixth by chance, and costs a third later.
SURE = 0.95
LEAST_LOWERED = 0.2
MOST_WEIGHED = 1024


class Forecaster:
    """Continues scaled sequences by the steps of a horizon.

    Parameters
    ----------
    linear : tuple of LinearForecast
    gains : ndarray of shape (n_channels,)
        How much the recurrent decoder counts.
    n_shown : int
        The last steps that the recurrent encoder reads, at most as many as it saw in training.
    """

    def __init__(
        self, linear: tuple[LinearForecast, ...], gains: NDArray[np.float64], n_shown: int
    ) -> None:
        self.linear = linear
        self.gains = gains
        self.n_shown = n_shown

    @classmethod
    def fit(
        cls,
        network: inference.Network,
        scaled: Sequences,
        split: tuple[NDArray[np.int64], NDArray[np.int64]],
        groups: NDArray[np.int64] | None,
        known: Self | None,
    ) -> Self | None:
        """Fit the linear forecasts, unless they are known, and weigh those of the network.

        They are weighed by the ends of held-out sequences or, if there are none, of all. Returns
        what is known if no sequence is longer than the horizon.
        """
        horizon = network.architecture.horizon
        long = np.flatnonzero(scaled.lengths > horizon)
        if not len(long):
            return known
        chosen, held_out = (np.intersect1d(rows, long) for rows in split)
        chosen = chosen if len(chosen) else long
        judged = (held_out if len(held_out) else long)[:MOST_WEIGHED]
        n_shown = int(scaled.lengths.max()) - horizon
        with single_threaded():
            linear = known.linear if known else linear_forecast.fit(scaled.take(chosen), horizon)
        ends = scaled.take(judged)
        shown, future = _hide_ends(ends, horizon)
        found = cls(linear, np.ones(scaled.n_channels), n_shown)
        ahead = linear_forecast.apply(linear, shown)
        change = found._recurrent(network, shown) - ahead
        # Ends that overlap are one piece of evidence.
        blocks = np.arange(len(judged))
        if groups is not None and groups.ndim == 2:
            blocks = groups[judged, 1] // horizon
        elif groups is not None:
            blocks = groups[judged]
        blocks = np.unique(blocks, return_inverse=True)[1]
        found.gains = least_squares_gains(
            np.concatenate(future - ahead),
            np.concatenate(change),
            np.repeat(blocks, horizon),
            network.architecture.channel_groups,
            int(blocks.max()) + 1,
            SURE,
            LEAST_LOWERED,
        )
        if not known:  # nothing else depends on them, so they may know all sequences
            with single_threaded():
                found.linear = linear_forecast.fit(scaled, horizon)
        return found

    def __call__(
        self, network: inference.Network, scaled: Sequences, filled: Sequences, n_steps: int
    ) -> NDArray[np.float64]:
        """Return the steps (n_sequences, n_steps, n_channels) after the end of scaled sequences.

        `filled` are the same without missing values.
        """
        architecture = network.architecture
        most = max(self.n_shown, self.linear[0].n_lags)
        parts: list[NDArray[np.float64]] = []
        while sum(part.shape[1] for part in parts) < n_steps:
            if parts:
                last = _as_given(parts[-1], architecture)
                scaled, filled = _append(scaled, last), _append(filled, last)
            scaled, filled = _tail(scaled, most), _tail(filled, most)
            ahead = linear_forecast.apply(self.linear, filled)
            if self.gains.any():
                ahead += self.gains * (self._recurrent(network, scaled) - ahead)
            parts.append(_within_bounds(ahead, architecture))
        return np.concatenate(parts, axis=1)[:, :n_steps]

    def _recurrent(self, network: inference.Network, scaled: Sequences) -> NDArray[np.float32]:
        shown = _tail(scaled, self.n_shown)
        codes = inference.encode(network, shown)
        return inference.extend(network, codes, shown.lengths, network.architecture.horizon)


def _hide_ends(scaled: Sequences, horizon: int) -> tuple[Sequences, NDArray[np.float32]]:
    """Return sequences without their last steps, and these, (n_sequences, horizon, n_channels)."""
    steps = np.arange(len(scaled.values)) - scaled.offsets[scaled.owners]
    is_shown = steps < (scaled.lengths - horizon)[scaled.owners]
    shown = Sequences.from_lengths(scaled.values[is_shown], scaled.lengths - horizon)
    return shown, scaled.values[~is_shown].reshape(len(scaled), horizon, scaled.n_channels)


def _tail(scaled: Sequences, n_steps: int) -> Sequences:
    """Return at most so many last steps of each sequence."""
    if scaled.lengths.max() <= n_steps:
        return scaled
    left = scaled.offsets[1:][scaled.owners] - np.arange(len(scaled.values))
    lengths = np.minimum(scaled.lengths, n_steps)
    return Sequences.from_lengths(scaled.values[left <= n_steps], lengths)


def _append(scaled: Sequences, ahead: NDArray[Any]) -> Sequences:
    """Return sequences with steps (n_sequences, n_steps, n_channels) at their ends."""
    pairs = zip(scaled, ahead.astype(np.float32), strict=True)
    values = np.concatenate([part for pair in pairs for part in pair])
    return Sequences.from_lengths(values, scaled.lengths + ahead.shape[1])


def _as_given(ahead: NDArray[np.float64], architecture: Architecture) -> NDArray[np.float64]:
    """Return forecasts as the network reads them: the most probable category alone."""
    ahead, start = ahead.copy(), architecture.n_channels - sum(architecture.category_widths)
    for width in architecture.category_widths:
        part = ahead[..., start : start + width]
        part[...] = np.eye(width)[part.argmax(axis=-1)]
        start += width
    return ahead


def _within_bounds(ahead: NDArray[np.float64], architecture: Architecture) -> NDArray[np.float64]:
    """Return forecasts with probabilities between 0 and 1, which linear ones may leave."""
    start = 0
    for width, activation in architecture.outputs:
        if activation != "linear":
            part = ahead[..., start : start + width]
            np.clip(part, 0.0, 1.0, out=part)
        start += width
    return ahead
