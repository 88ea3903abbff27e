"""The one inner form of data, and the two doors between it and the containers people have.

Every kind of container is one entry of ``_KINDS``; no other file knows containers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

__all__ = ["Form", "Sequences", "as_sequences", "row_labels", "to_container"]

_EXPECTED = (
    "a list of (n_steps, n_channels) arrays or of 1-D sequences, an array (n_sequences, n_steps, "
    "n_channels), or a 2-D array or DataFrame with one one-channel sequence per row"
)


@dataclass(frozen=True)
class Form:
    """The container that sequences came from, without its data.

    `kind` is "list", "list_1d", "object", "object_1d" (object array of arrays), "3d", "2d" or
    "frame"; `width` the number of steps, for kinds that pad; `columns` the labels of a frame.
    """

    kind: str = "list"
    width: int | None = None
    columns: tuple[Any, ...] | None = None


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of any length under each other, in Arrow's list layout.

    Parameters
    ----------
    values : ndarray of shape (total_steps, n_channels), float32
        All real steps of all sequences; NaN is a missing value. Kept as a read-only view.
    offsets : ndarray of shape (n_sequences + 1,), int64
        Sequence ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    form : Form, default=Form("list")
        The container that :func:`to_container` gives back.

    Examples
    --------
    >>> Sequences.from_lengths(np.arange(6.0).reshape(3, 2), [1, 0, 2])[-1]
    array([[2., 3.],
           [4., 5.]], dtype=float32)
    """

    values: NDArray[np.float32]
    offsets: NDArray[np.int64]
    form: Form = field(default_factory=Form)

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float32)
        offsets = np.ascontiguousarray(self.offsets, dtype=np.int64)
        bounds = offsets[[0, -1]].tolist() if offsets.ndim == 1 and len(offsets) else []
        falls = bounds != [0, len(values)] or (np.diff(offsets) < 0).any()
        if falls or np.ndim(self.values) != 2:
            raise ValueError(
                "Expected values of shape (total_steps, n_channels) and offsets that rise from 0 "
                f"to total_steps, got values of shape {np.shape(self.values)} and offsets {bounds}."
            )
        # Values may be the caller's own memory: a read-only view keeps it from being written to.
        for name, array in (("values", values), ("offsets", offsets)):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @classmethod
    def from_lengths(
        cls, values: NDArray[Any], lengths: ArrayLike, form: Form | None = None
    ) -> Sequences:
        """Make sequences from (total_steps, n_channels) values and the steps of each sequence."""
        return cls(values, _offsets(np.asarray(lengths, dtype=np.int64)), form or Form())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of steps of each sequence, (n_sequences,) int64."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Index of the sequence that each step belongs to, (total_steps,) int64."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def n_channels(self) -> int:
        """Number of channels of every step."""
        return int(self.values.shape[1])

    @property
    def n_features(self) -> int:
        """What scikit-learn counts as features: columns of a 2-D array or frame, else channels."""
        columns = self.form.width if _KINDS[self.form.kind].one_channel else None
        return self.n_channels if columns is None else columns

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        """Return one sequence, (n_steps, n_channels), as a read-only view."""
        position = range(len(self))[index]
        return self.values[self.offsets[position] : self.offsets[position + 1]]

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return iter(_cut(self.values, self.offsets))

    def take(self, indices: Any) -> Sequences:
        """Choose sequences by what NumPy takes as an index: integers, a boolean mask, a slice."""
        chosen = np.arange(len(self))[indices]
        lengths = self.lengths[chosen]
        offsets = _offsets(lengths)
        # From where a step lies after the choice to where it lies now: one shift per sequence.
        shifts = self.offsets[chosen] - offsets[:-1]
        rows = np.arange(offsets[-1]) + np.repeat(shifts, lengths)
        return Sequences(self.values[rows], offsets, self.form)

    def with_values(self, values: NDArray[Any]) -> Sequences:
        """Return sequences of the same lengths and form with other (total_steps, any) values."""
        return Sequences(values, self.offsets, self.form)


def as_sequences(X: Any) -> Sequences:
    """Read any supported container of sequences.

    Parameters
    ----------
    X : Sequences, list, tuple, ndarray, DataFrame or array-like
        A list, tuple or object array of (n_steps, n_channels) arrays, DataFrames or nested lists,
        or of 1-D sequences, which have one channel; an array (n_sequences, n_steps, n_channels); or
        an array or DataFrame (n_sequences, n_steps) of one-channel sequences. All-NaN steps at the
        end of a row of an array or DataFrame are padding; every other NaN (or None) is a missing
        value. Sequences may be empty.

    Returns
    -------
    Sequences
        The sequences, in float32. They may share memory with `X`, which is never changed.

    Raises
    ------
    TypeError, ValueError
        If `X` is no such container, is empty, mixes numbers of channels, or holds anything but
        real numbers within the range of float32 and NaN.

    Examples
    --------
    >>> sequences = as_sequences([[0.1, 0.2], [], [0.3]])
    >>> len(sequences), sequences.n_channels, sequences.form.kind
    (3, 1, 'list_1d')
    """
    if isinstance(X, Sequences):
        return X
    is_array_like = hasattr(X, "__array__") and not _is_frame(X)
    container = _asarray(X, type(X).__name__) if is_array_like else X
    for kind in _KINDS.values():
        sequences = kind.read(container)
        if sequences is not None:
            return sequences
    is_array = isinstance(container, np.ndarray)
    given = f"an array of shape {container.shape}" if is_array else f"a {type(X).__name__}"
    raise (ValueError if is_array else TypeError)(
        f"Expected {_EXPECTED}; got {given}. Reshape your data: one single sequence x is "
        "[x], sparse data become dense by x.toarray()."
    )


def to_container(sequences: Sequences, form: Form | None = None, *, index: Any = None) -> Any:
    """Give sequences back in the container that `form` describes, by default their own.

    The data are float32, writable, and no part of `sequences`. Arrays are padded with NaN to
    ``form.width`` steps, or to the longest sequence if that is longer; a frame takes `index` as row
    labels (see :func:`row_labels`) and refuses more steps than it has columns.
    """
    form = form or sequences.form
    if _KINDS[form.kind].one_channel and sequences.n_channels != 1:
        raise ValueError(
            f"Expected sequences of one channel for the form {form.kind!r}, got "
            f"{sequences.n_channels} channels; ask for the form 'list' or '3d' instead."
        )
    return _KINDS[form.kind].write(sequences, form, index)


def row_labels(X: Any) -> Any:
    """Return the index of a DataFrame, or None for any other container."""
    return X.index if _is_frame(X) else None


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64, copy=False)


def _cut(values: NDArray[Any], offsets: NDArray[np.int64]) -> list[NDArray[Any]]:
    return [values[start:stop] for start, stop in pairwise(offsets.tolist())]


def _is_frame(X: Any) -> bool:
    # A frame can only exist where pandas is imported already, so we never import it to ask.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


def _is_array(X: Any, ndim: int) -> bool:
    return isinstance(X, np.ndarray) and X.ndim == ndim and (ndim > 1 or X.dtype.kind == "O")


def _refuse_zero(what: str, shape: tuple[int, ...], *counts: int) -> None:
    if 0 in counts:
        raise ValueError(
            f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required."
        )


def _asarray(X: Any, where: str) -> NDArray[Any]:
    if isinstance(X, np.ma.MaskedArray):  # np.asarray would drop the mask without a word
        raise TypeError(
            f"Expected arrays that mark missing values with NaN, but {where} is a masked array; "
            "pass x.astype(float).filled(np.nan)."
        )
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"Expected the same number of channels at every step, but {where} is ragged ({error})."
        ) from error


def _real(array: NDArray[Any], where: str) -> NDArray[Any]:
    """Return an array of real numbers, or refuse it."""
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported, got {where}; give real and imaginary part as channels."
        )
    reason = f"has dtype {array.dtype}"
    if array.dtype.kind == "O":
        try:
            # float("1.5") would work, but text among numbers is a mistake in the data.
            if not any(isinstance(item, str | bytes) for item in array.flat):
                return array.astype(np.float64)
            reason = "holds text"
        except (TypeError, ValueError) as error:
            reason = f"holds an object that is no number ({error})"
    raise TypeError(f"Expected real numbers, but {where} {reason}; convert it to numbers first.")


def _read_elements(X: Any, kind: str) -> Sequences | None:
    if not (isinstance(X, list | tuple) if kind == "list" else _is_array(X, 1)):
        return None
    _refuse_zero("sample(s)", (0,), len(X))
    arrays = [_element(element, position) for position, element in enumerate(X)]
    # np.shape([]) is (0,), so an empty sequence leaves the channels to the others.
    steps = {i: array.shape[1:] for i, array in enumerate(arrays) if array.shape != (0,)}
    first, step = next(iter(steps.items()), (0, ()))
    if len(set(steps.values())) > 1:
        at = next(i for i, other in steps.items() if other != step)
        raise ValueError(
            f"Got sequences of mixed channels: sequence {at} has shape {arrays[at].shape}, but "
            f"sequence {first} has shape {arrays[first].shape}. Give all as (n_steps, n_channels) "
            "with the same channels, filled with NaN where one is missing."
        )
    _refuse_zero("channel(s)", arrays[first].shape, *step)
    lengths = np.fromiter(map(len, arrays), dtype=np.int64, count=len(arrays))
    values = np.empty((lengths.sum(), *step), dtype=np.float32)
    if steps:
        with np.errstate(over="ignore"):
            np.concatenate([arrays[i] for i in steps], out=values, casting="unsafe")
    form = Form(kind if step else f"{kind}_1d")
    sequences = Sequences.from_lengths(values if step else values[:, None], lengths, form)
    if np.isinf(values).any():  # also what too large numbers became
        at = sequences.owners[np.isinf(sequences.values).any(axis=1)][0]
        raise ValueError(
            "Input X contains infinity or a value too large for dtype('float32') in sequence "
            f"{at}; rescale the data, or give NaN for what is missing."
        )
    return sequences


def _element(element: Any, position: int) -> NDArray[Any]:
    """Return one element of a list as a 1-D or 2-D array of real numbers."""
    where = f"sequence {position}"
    if _is_frame(element):
        return _frame_values(element, where)
    array = _asarray(element, where)
    if array.ndim not in (1, 2):
        given = f"has shape {array.shape}" if array.ndim else f"is a {type(element).__name__}"
        raise ValueError(
            "Expected every sequence to be an array of shape (n_steps, n_channels) or (n_steps,), "
            f"but {where} {given}. For one single sequence x pass [x]."
        )
    return _real(array, where)


def _read_array(X: Any, ndim: int) -> Sequences | None:
    """Read (n_sequences, n_steps[, n_channels]); all-NaN steps at the end of a row are padding."""
    if not _is_array(X, ndim):
        return None
    if X.dtype.kind != "O":  # objects are left to check_array, whose words scikit-learn asks for
        _real(X, f"the {ndim}-D array")
    _refuse_zero("channel(s)", X.shape, *X.shape[2:])
    with np.errstate(over="ignore"):
        array = check_array(
            X, dtype=np.float32, allow_nd=True, ensure_all_finite="allow-nan", input_name="X"
        )
    array = array.reshape((*X.shape, 1)[:3])
    steps = np.arange(X.shape[1])
    lengths = np.where(np.isnan(array).all(axis=2), 0, steps + 1).max(axis=1, initial=0)
    values = array[steps < lengths[:, None]]
    return Sequences.from_lengths(values, lengths, Form(f"{ndim}d", width=len(steps)))


def _read_frame(X: Any) -> Sequences | None:
    if not _is_frame(X):
        return None
    if X.index.nlevels > 1:
        raise ValueError(
            "Expected a DataFrame with one sequence per row, got a row index of "
            f"{X.index.nlevels} levels; pass [x for _, x in X.groupby(level=0)]."
        )
    sequences = as_sequences(_frame_values(X, "the DataFrame"))
    return replace(sequences, form=Form("frame", X.shape[1], tuple(X.columns)))


def _frame_values(frame: Any, where: str) -> NDArray[Any]:
    """Return the numbers of a DataFrame, with NaN where pandas has its own mark."""
    for position, (name, dtype) in enumerate(frame.dtypes.items()):
        if getattr(dtype, "kind", "O") not in "fiub":
            _real(frame.iloc[:, position].to_numpy(dtype=object), f"column {name!r} of {where}")
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def _write_list(sequences: Sequences, form: Form, index: Any) -> list[NDArray[np.float32]]:
    values = sequences.values.copy()
    return _cut(values[:, 0] if _KINDS[form.kind].one_channel else values, sequences.offsets)


def _write_object(sequences: Sequences, form: Form, index: Any) -> NDArray[np.object_]:
    # Filled one by one: NumPy would make one 3-D array of arrays of the same length.
    array = np.empty(len(sequences), dtype=object)
    for position, sequence in enumerate(_write_list(sequences, form, index)):
        array[position] = sequence
    return array


def _write_3d(sequences: Sequences, form: Form, index: Any) -> NDArray[np.float32]:
    lengths = sequences.lengths
    width = max(form.width or 0, int(lengths.max(initial=0)))
    array = np.full((len(lengths), width, sequences.n_channels), np.nan, dtype=np.float32)
    array[np.arange(width) < lengths[:, None]] = sequences.values
    return array


def _write_2d(sequences: Sequences, form: Form, index: Any) -> NDArray[np.float32]:
    return _write_3d(sequences, form, index)[:, :, 0]


def _write_frame(sequences: Sequences, form: Form, index: Any) -> Any:
    import pandas as pd

    array = _write_2d(sequences, form, index)
    columns = list(range(array.shape[1]) if form.columns is None else form.columns)
    if array.shape[1] > len(columns):
        raise ValueError(
            f"Expected sequences of at most {len(columns)} steps, one per column of the DataFrame, "
            f"got one of {array.shape[1]}; give shorter lengths or ask for the form '2d'."
        )
    return pd.DataFrame(array, index=index, columns=pd.Index(columns))


@dataclass(frozen=True)
class _Kind:
    """How to write one kind of container, and to read it: None for what is not of this kind."""

    write: Callable[[Sequences, Form, Any], Any]
    read: Callable[[Any], Sequences | None] = lambda X: None
    one_channel: bool = False


_KINDS: dict[str, _Kind] = {
    "list": _Kind(_write_list, partial(_read_elements, kind="list")),
    "list_1d": _Kind(_write_list, one_channel=True),  # read as "list", see _read_elements
    "object": _Kind(_write_object, partial(_read_elements, kind="object")),
    "object_1d": _Kind(_write_object, one_channel=True),
    "3d": _Kind(_write_3d, partial(_read_array, ndim=3)),
    "2d": _Kind(_write_2d, partial(_read_array, ndim=2), one_channel=True),
    "frame": _Kind(_write_frame, _read_frame, one_channel=True),
}
