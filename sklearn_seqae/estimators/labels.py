"""Ids, time stamps and names of channels of results, where the container has them."""

from typing import Any

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers.sequences import SequenceIndex, Sequences


def labelled_errors(
    errors: Any, index: SequenceIndex | None, names: Any, n_channels: int, per: str
) -> Any:
    """Return errors as Series and DataFrames of pandas, if its containers have labels.

    Parameters
    ----------
    errors : ndarray or list of ndarray
        As `reconstruction_error` has them.
    index : SequenceIndex or None
        Ids and time stamps, if any.
    names : tuple or None
        Names of the channels, if any.
    n_channels : int
    per : {"sequence", "step", "channel", "value"}
    """
    if index is None:
        return errors
    columns = names if len(names or ()) == n_channels else None
    if per in ("sequence", "channel"):
        if index.ids is None and (per == "sequence" or columns is None):
            return errors
        pandas = load("pandas")
        if per == "sequence":
            return pandas.Series(errors, index=index.ids)
        return pandas.DataFrame(errors, index=index.ids, columns=columns)
    if index.times is None:
        return errors
    pandas = load("pandas")
    times = times_by_sequence(index, [len(one) for one in errors])
    if per == "step":
        return [pandas.Series(e, index=t) for e, t in zip(errors, times, strict=True)]
    return [
        pandas.DataFrame(e, index=t, columns=columns) for e, t in zip(errors, times, strict=True)
    ]


def times_by_sequence(index: SequenceIndex, lengths: list[int]) -> list[Any]:
    """Return the time stamps of each sequence, as pandas Indexes."""
    if isinstance(index.times, list):
        return index.times
    times, start = [], 0
    for length in lengths:
        times.append(index.times[start : start + length])
        start += length
    return times


def times_of_steps(sequences: Sequences, owners: list[int], steps: list[Any]) -> list[Any] | None:
    """Return the time stamps of steps of sequences; None if they have none.

    Where `steps` has None, so has the result.
    """
    index = sequences.index
    if index is None or index.times is None:
        return None
    times = times_by_sequence(index, sequences.lengths.tolist())
    return [None if at is None else times[i][at] for i, at in zip(owners, steps, strict=True)]
