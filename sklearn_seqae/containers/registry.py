"""The two doors between the inner form of data and the containers people have.

Every kind of container has a function in `READERS` and a class in `FORMS`. `containers` lists them
for users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from . import arrow, numpy_arrays, pandas_frames, pandas_nested, ragged, windows
from .ambiguity import check_table
from .numeric import as_array, is_frame, is_lazy
from .raw_sequences import RawSequences
from .remedies import LAZY, for_container
from .sequences import FlatListForm, Form, ListForm, SequenceIndex, Sequences

__all__ = ["Form", "Sequences", "as_sequences", "read", "row_labels", "to_container"]

_EXPECTED = (
    "a list of (n_steps, n_channels) arrays or of 1-D sequences, an array (n_sequences, n_steps, "
    "n_channels), a 2-D array or DataFrame with one one-channel sequence per row, or another "
    "container that sklearn_seqae.containers lists"
)


def as_sequences(X: Any, categorical_features: Any = None) -> Sequences:
    """Read any supported container of sequences.

    Parameters
    ----------
    X : Sequences or container
        One of those that :mod:`sklearn_seqae.containers` lists. All-NaN steps at the end of a row
        of an array or wide DataFrame are padding; every other NaN (or None, or null) is a missing
        value. Sequences may be empty.
    categorical_features : "from_dtype", array-like or None, default=None
        The categorical channels, as in `LSTMAutoencoderTransformer`; None if all hold numbers.

    Returns
    -------
    Sequences
        The sequences, in float32 where that holds all values of the dtypes of `X`, else in
        float64. They may share memory with `X`, which is never changed.

    Raises
    ------
    TypeError, ValueError
        If `X` is no such container, is empty, mixes numbers of channels, has time stamps that do
        not rise, or holds anything but real numbers of up to 1e150 and NaN (and
        categories in categorical channels).

    Examples
    --------
    >>> sequences = as_sequences([[0.1, 0.2], [], [0.3]])
    >>> len(sequences), sequences.n_channels, sequences.form.name
    (3, 1, 'list_1d')
    """
    return X if isinstance(X, Sequences) else read(X).encode(categorical_features)


def read(X: Any) -> RawSequences:
    """Read any supported container; its `encode` decides which channels are categorical."""
    if numpy_arrays.is_column(X):
        column = read(X[:, 0])
        if isinstance(column.form, numpy_arrays.ObjectArray):
            return replace(column, form=replace(column.form, is_column=True))
        return column
    if isinstance(X, windows.Windows):
        return windows.RawWindows.of(X)
    if is_lazy(X):
        raise TypeError(f"Expected data in memory, got a {type(X).__name__} of Dask. {LAZY}")
    tensors = ragged.unpack_torch(X)
    if tensors is not None:
        return read(tensors)
    for reader in READERS:
        sequences = reader(X)
        if sequences is not None:
            return sequences
    is_array_like = hasattr(X, "__array__") and not isinstance(X, np.ndarray)
    if is_array_like and not is_frame(X):
        names = check_table(X)
        array = as_array(X, type(X).__name__)
        if names is not None:
            sequences = numpy_arrays.read_array(array, 2, names)
            assert sequences is not None
            return sequences
        if array.ndim:
            return read(array)
        X = array
    is_array = isinstance(X, np.ndarray)
    given = f"an array of shape {X.shape}" if is_array else f"a {type(X).__name__}"
    raise (ValueError if is_array else TypeError)(
        f"Expected {_EXPECTED}; got {given}. {for_container(X)}"
    )


def to_container(
    sequences: Sequences, form: Form | None = None, *, index: SequenceIndex | None = None
) -> Any:
    """Give sequences back in the container that `form` describes, by default their own.

    The data are writable and no part of `sequences`. Numbers are in the floating dtypes that came,
    or those nearest to integers that came; categories are as they came. Arrays are padded with NaN
    (None beside text) to the number of steps of the form, or to the longest sequence if that is
    longer; a wide frame refuses more steps than it has columns. Ids and time stamps are those of
    `index`, by default the sequences' own; ids that are not known are 0, 1, ..., and time stamps go
    on as those of the first training sequence do.
    """
    form = form or sequences.form
    if form.one_channel and sequences.n_channels != 1:
        raise ValueError(
            f"Expected sequences of one channel for the form {form.name!r}, got "
            f"{sequences.n_channels} channels; ask for the form 'list' or '3d' instead."
        )
    names = form.channel_names
    if names is not None and len(names) not in (1, sequences.n_channels):
        raise ValueError(
            f"Expected sequences of {len(names)} channels for the form {form.name!r}, got "
            f"{sequences.n_channels} channels; ask for the form 'list' or '3d' instead."
        )
    with np.errstate(over="ignore"):  # of half precision
        return form.write(sequences, index or sequences.index)


def row_labels(codes: Any) -> SequenceIndex | None:
    """Return the ids that a DataFrame of codes, one row a sequence, gives them; else None."""
    return SequenceIndex(codes.index) if is_frame(codes) else None


# Those before lists and arrays could be taken for these.
READERS: tuple[Callable[[Any], RawSequences | None], ...] = (
    ragged.read_awkward,
    ragged.read_tensor,
    arrow.read_arrow,
    pandas_frames.read_frames,
    pandas_frames.read_long,
    pandas_nested.read_nested,
    pandas_frames.read_wide,
    numpy_arrays.read_elements,
    partial(numpy_arrays.read_array, ndim=3),
    partial(numpy_arrays.read_array, ndim=2),
)
FORMS: tuple[type[Form], ...] = (
    ListForm,
    FlatListForm,
    numpy_arrays.ObjectArray,
    numpy_arrays.FlatObjectArray,
    numpy_arrays.Array3D,
    numpy_arrays.Array2D,
    pandas_frames.WideFrame,
    pandas_frames.FrameList,
    pandas_frames.LongFrame,
    pandas_nested.NestedFrame,
    pandas_nested.NestedSeries,
    arrow.ArrowTable,
    arrow.RecordBatch,
    arrow.ArrowArray,
    arrow.ChunkedArray,
    arrow.ArrowFrame,
    arrow.ArrowSeries,
    arrow.PolarsFrame,
    arrow.PolarsSeries,
    ragged.AwkwardArray,
    ragged.RaggedTensor,
    windows.WindowArray,
)
