"""The two doors between the inner form of data and the containers people have.

Every kind of container is one entry of ``_KINDS``; no other file knows containers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from .elements import (
    Chooser,
    Labels,
    as_array,
    as_given,
    channel,
    combine,
    frame_values,
    holds_symbols,
    is_frame,
    read_channels,
    real,
    restore,
    says_symbols,
)
from .layout import Form, Sequences, cut

__all__ = ["Form", "Sequences", "as_sequences", "row_labels", "to_container"]

_EXPECTED = (
    "a list of (n_steps, n_channels) arrays or of 1-D sequences, an array (n_sequences, n_steps, "
    "n_channels), or a 2-D array or DataFrame with one one-channel sequence per row"
)


def as_sequences(X: Any, choose: Chooser | None = None) -> Sequences:
    """Read any supported container of sequences.

    Parameters
    ----------
    X : Sequences, list, tuple, ndarray, DataFrame or array-like
        A list, tuple or object array of (n_steps, n_channels) arrays, DataFrames or nested lists,
        or of 1-D sequences, which have one channel; an array (n_sequences, n_steps, n_channels); or
        an array or DataFrame (n_sequences, n_steps) of one-channel sequences. All-NaN steps at the
        end of a row of an array or DataFrame are padding; every other NaN (or None) is a missing
        value. Sequences may be empty.
    choose : callable, default=None
        ``choose(found, names)`` decides which channels hold symbols, one bool a channel. `found`
        tells which of them hold text or pandas' categories; `names` are those of the columns if `X`
        is a list of DataFrames, else None. None: all channels hold numbers.

    Returns
    -------
    Sequences
        The sequences, in float32. They may share memory with `X`, which is never changed.

    Raises
    ------
    TypeError, ValueError
        If `X` is no such container, is empty, mixes numbers of channels, or holds anything but
        real numbers within the range of float32 and NaN (and symbols where they are chosen).

    Examples
    --------
    >>> sequences = as_sequences([[0.1, 0.2], [], [0.3]])
    >>> len(sequences), sequences.n_channels, sequences.form.kind
    (3, 1, 'list_1d')
    """
    if isinstance(X, Sequences):
        return X
    is_array_like = hasattr(X, "__array__") and not is_frame(X)
    container = as_array(X, type(X).__name__) if is_array_like else X
    for kind in _KINDS.values():
        sequences = kind.read(container, choose)
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

    The data are float32 (symbols as they came), writable, and no part of `sequences`. Arrays are
    padded with NaN (None beside text) to ``form.width`` steps, or to the longest sequence if that
    is longer; a frame takes `index` as row labels (see :func:`row_labels`) and refuses more steps
    than it has columns.
    """
    form = form or sequences.form
    if form.one_channel and sequences.n_channels != 1:
        raise ValueError(
            f"Expected sequences of one channel for the form {form.kind!r}, got "
            f"{sequences.n_channels} channels; ask for the form 'list' or '3d' instead."
        )
    return _KINDS[form.kind].write(sequences, form, index)


def row_labels(X: Any) -> Any:
    """Return the index of a DataFrame, or None for any other container."""
    return X.index if is_frame(X) else None


def _is_array(X: Any, ndim: int) -> bool:
    return isinstance(X, np.ndarray) and X.ndim == ndim and (ndim > 1 or X.dtype.kind == "O")


def _refuse_zero(what: str, shape: tuple[int, ...], *counts: int) -> None:
    if 0 in counts:
        raise ValueError(
            f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required."
        )


def _read_elements(X: Any, choose: Chooser | None, kind: str) -> Sequences | None:
    if not (isinstance(X, list | tuple) if kind == "list" else _is_array(X, 1)):
        return None
    _refuse_zero("sample(s)", (0,), len(X))
    elements = [_element(element, i, choose is None) for i, element in enumerate(X)]
    # np.shape([]) is (0,), so an empty sequence leaves the channels to the others.
    steps = {i: element.shape[1:] for i, element in enumerate(elements) if element.shape != (0,)}
    first, step = next(iter(steps.items()), (0, ()))
    if len(set(steps.values())) > 1:
        at = next(i for i, other in steps.items() if other != step)
        raise ValueError(
            f"Got sequences of mixed channels: sequence {at} has shape {elements[at].shape}, but "
            f"sequence {first} has shape {elements[first].shape}. Give all as (n_steps, "
            "n_channels) with the same channels, filled with NaN where one is missing."
        )
    _refuse_zero("channel(s)", elements[first].shape, *step)
    lengths = np.fromiter(map(len, elements), dtype=np.int64, count=len(elements))
    form = Form(kind if step else f"{kind}_1d")
    if choose is not None and steps:
        others = [i for i in steps if not _holds_plain_numbers(elements[i])]
        found = _find_symbols([elements[i] for i in others], *step)
        symbolic = choose(found, _names(elements[first]))
        if any(symbolic):
            return _read_symbolic({i: elements[i] for i in steps}, symbolic, lengths, form)
        for i in others:
            elements[i] = _numbers(elements[i], i)
    values = np.empty((lengths.sum(), *step), dtype=np.float32)
    if steps:
        with np.errstate(over="ignore"):
            np.concatenate([elements[i] for i in steps], out=values, casting="unsafe")
    sequences = Sequences.from_lengths(values if step else values[:, None], lengths, form)
    if np.isinf(values).any():  # also what too large numbers became
        at = sequences.owners[np.isinf(sequences.values).any(axis=1)][0]
        raise ValueError(
            "Input X contains infinity or a value too large for dtype('float32') in sequence "
            f"{at}; rescale the data, or give NaN for what is missing."
        )
    return sequences


def _element(element: Any, position: int, numbers_only: bool) -> Any:
    """Return one element of a list as a 1-D or 2-D array, a DataFrame or a Series of symbols."""
    if _holds_plain_numbers(element) and element.ndim in (1, 2):
        return element
    where = f"sequence {position}"
    if is_frame(element) or (says_symbols(element) and not numbers_only):
        return _numbers(element, position) if numbers_only else element
    array = as_array(element, where) if numbers_only else as_given(element, where)
    if array.ndim not in (1, 2):
        given = f"has shape {array.shape}" if array.ndim else f"is a {type(element).__name__}"
        raise ValueError(
            "Expected every sequence to be an array of shape (n_steps, n_channels) or (n_steps,), "
            f"but {where} {given}. For one single sequence x pass [x]."
        )
    return real(array, where) if numbers_only else array


def _holds_plain_numbers(element: Any) -> bool:
    """Tell whether this is an array of numbers, as most are: nothing has to be asked of it."""
    return type(element) is np.ndarray and element.dtype.kind in "fiub"


def _numbers(element: Any, position: int) -> NDArray[Any]:
    where = f"sequence {position}"
    return frame_values(element, where) if is_frame(element) else real(np.asarray(element), where)


def _names(element: Any) -> tuple[Any, ...] | None:
    return tuple(element.columns) if is_frame(element) else None


def _find_symbols(elements: list[Any], n_channels: int = 1) -> list[bool]:
    found = np.zeros(n_channels, dtype=bool)
    for element in elements:
        found |= holds_symbols(element, n_channels)
    return [bool(has_symbols) for has_symbols in found]


def _read_symbolic(
    elements: dict[int, Any], symbolic: Any, lengths: NDArray[np.int64], form: Form
) -> Sequences:
    """Read the elements of a list, by position, of which some channels hold symbols."""
    first, names = next((i, _names(element)) for i, element in elements.items())
    if all(map(is_frame, elements.values())):
        form = Form("frames", columns=names)
        for i, element in elements.items():
            if _names(element) != names:
                raise ValueError(
                    f"Expected the same columns in all DataFrames, but sequence {i} has "
                    f"{list(element.columns)} and sequence {first} has {list(names or ())}; give "
                    "all the same columns in the same order."
                )
    pieces = [[channel(x, j) for x in elements.values()] for j in range(len(symbolic))]
    values, labels = read_channels(pieces, symbolic, [f"sequence {i}" for i in elements])
    return replace(Sequences.from_lengths(values, lengths, form), labels=labels)


def _read_array(X: Any, choose: Chooser | None, ndim: int) -> Sequences | None:
    """Read (n_sequences, n_steps[, n_channels]); all-NaN steps at the end of a row are padding."""
    if not _is_array(X, ndim):
        return None
    labels: tuple[Labels | None, ...] = ()
    if choose is not None and X.size:
        steps = X.reshape(-1, *X.shape[2:] or (1,))
        symbolic = choose(holds_symbols(steps, steps.shape[1]), None)
        if any(symbolic):
            pieces = [[channel(steps, j)] for j in range(len(symbolic))]
            values, labels = read_channels(pieces, symbolic, [f"the {ndim}-D array"])
            X = values.reshape(X.shape)
    if X.dtype.kind != "O":  # objects are left to check_array, whose words scikit-learn asks for
        real(X, f"the {ndim}-D array")
    _refuse_zero("channel(s)", X.shape, *X.shape[2:])
    with np.errstate(over="ignore"):
        array = check_array(
            X, dtype=np.float32, allow_nd=True, ensure_all_finite="allow-nan", input_name="X"
        )
    array = array.reshape((*X.shape, 1)[:3])
    steps = np.arange(X.shape[1])
    lengths = np.where(np.isnan(array).all(axis=2), 0, steps + 1).max(axis=1, initial=0)
    values = array[steps < lengths[:, None]]
    form = Form(f"{ndim}d", width=len(steps))
    return replace(Sequences.from_lengths(values, lengths, form), labels=labels)


def _read_frame(X: Any, choose: Chooser | None) -> Sequences | None:
    if not is_frame(X):
        return None
    if X.index.nlevels > 1:
        raise ValueError(
            "Expected a DataFrame with one sequence per row, got a row index of "
            f"{X.index.nlevels} levels; pass [x for _, x in X.groupby(level=0)]."
        )
    form = Form("frame", X.shape[1], tuple(X.columns))
    if choose is not None and X.size:
        symbolic = choose([any(holds_symbols(X, X.shape[1]))], None)
        if any(symbolic):
            # The columns are steps: one channel, read step by step.
            pieces = [channel(X, i) for i in range(X.shape[1])]
            names = [f"column {name!r}" for name in X.columns]
            values, labels = read_channels([pieces], symbolic, names)
            codes = values.reshape(X.shape[::-1]).T
            return replace(as_sequences(codes), form=form, labels=labels)
    return replace(as_sequences(frame_values(X, "the DataFrame")), form=form)


def _steps(sequences: Sequences, values: NDArray[np.float32]) -> NDArray[Any]:
    """Return (n_steps, n_channels) values of sequences with symbols in place of their codes."""
    return combine(values, sequences.labels) if sequences.labels else values


def _write_list(sequences: Sequences, form: Form, index: Any) -> list[NDArray[Any]]:
    values = _steps(sequences, sequences.values).copy()
    return cut(values[:, 0] if form.one_channel else values, sequences.offsets)


def _write_object(sequences: Sequences, form: Form, index: Any) -> NDArray[np.object_]:
    # Filled one by one: NumPy would make one 3-D array of arrays of the same length.
    array = np.empty(len(sequences), dtype=object)
    for position, sequence in enumerate(_write_list(sequences, form, index)):
        array[position] = sequence
    return array


def _write_frames(sequences: Sequences, form: Form, index: Any) -> list[Any]:
    import pandas as pd

    columns = []
    for column, found in zip(sequences.values.T, sequences.labels, strict=True):
        items = column.copy() if found is None else restore(column, found)
        columns.append(pd.Series(items, dtype=_column_dtype(items, found)))
    steps = pd.concat(columns, axis=1)
    steps.columns = pd.Index(list(form.columns or ()))
    bounds = pairwise(sequences.offsets.tolist())
    return [steps.iloc[start:stop].reset_index(drop=True) for start, stop in bounds]


def _write_3d(sequences: Sequences, form: Form, index: Any) -> NDArray[Any]:
    lengths = sequences.lengths
    width = max(form.width or 0, int(lengths.max(initial=0)))
    array = np.full((len(lengths), width, sequences.n_channels), np.nan, dtype=np.float32)
    array[np.arange(width) < lengths[:, None]] = sequences.values
    steps = _steps(sequences, array.reshape(-1, sequences.n_channels))
    return steps.reshape(array.shape)


def _write_2d(sequences: Sequences, form: Form, index: Any) -> NDArray[Any]:
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
    dtype = _column_dtype(array, sequences.labels[0] if sequences.labels else None)
    return pd.DataFrame(array, index=index, columns=pd.Index(columns), dtype=dtype)


def _column_dtype(items: NDArray[Any], labels: Labels | None) -> Any:
    if labels is not None and labels.dtype is not None:
        return labels.dtype
    return object if items.dtype.kind == "O" else None  # of which pandas would else make text


@dataclass(frozen=True)
class _Kind:
    """How to write one kind of container, and to read it: None for what is not of this kind."""

    write: Callable[[Sequences, Form, Any], Any]
    read: Callable[[Any, Chooser | None], Sequences | None] = lambda X, choose: None


_KINDS: dict[str, _Kind] = {
    "list": _Kind(_write_list, partial(_read_elements, kind="list")),
    "list_1d": _Kind(_write_list),  # read as "list", see _read_elements
    "object": _Kind(_write_object, partial(_read_elements, kind="object")),
    "object_1d": _Kind(_write_object),
    "frames": _Kind(_write_frames),  # read as "list", see _read_symbolic
    "3d": _Kind(_write_3d, partial(_read_array, ndim=3)),
    "2d": _Kind(_write_2d, partial(_read_array, ndim=2)),
    "frame": _Kind(_write_frame, _read_frame),
}
