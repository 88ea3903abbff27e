"""The container of steps that follow those of sequences."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from .numpy_arrays import Array3D
from .pandas_columns import columns_of
from .pandas_frames import WideFrame
from .registry import to_container
from .sequences import SequenceIndex, Sequences
from .time_index import read_clock, tell


def write_following(steps: Sequences, sequences: Sequences) -> Any:
    """Return as many steps after each of some sequences in their container, with their ids.

    Regular time stamps go on; others are 0, 1, ...
    """
    n_steps = int(steps.lengths.max(initial=0))
    form, index = sequences.form, sequences.index
    if isinstance(form, Array3D):
        form = replace(form, width=n_steps)
    elif isinstance(form, WideFrame):
        known = columns_of(form.columns, form.column_names)
        is_full = (sequences.lengths == len(known)).all()
        columns = _next(known, n_steps) if is_full else None
        columns = tell(None, n_steps) if columns is None else columns
        form = replace(form, columns=tuple(columns), column_names=tuple(columns.names))
    if index is not None:
        times = index.times
        if times is not None:
            if not isinstance(times, list):
                times = [times[a:b] for a, b in pairwise(sequences.offsets.tolist())]
            found = [_next(stamps, n_steps) for stamps in times]
            is_regular = all(stamps is not None for stamps in found)
            times = found if is_regular else [tell(None, n_steps) for _ in found]
        index = SequenceIndex(index.ids, times)
    return to_container(steps, form, index=index)


def _next(times: Any, n_steps: int) -> Any:
    """Return the time stamps after regular ones; None if these are not regular."""
    clock = read_clock([times])
    if clock is None:
        return None
    return tell(clock, len(times) + n_steps)[len(times) :].rename(times.name)
