"""Lists and arrays of sequences, plain ones and those with NumPy's mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from .ambiguity import check_numbers, refuse_text_column
from .columns import (
    Categories,
    Chooser,
    as_given,
    channel,
    combine,
    has_categorical_dtype,
    holds_categories,
    read_channels,
)
from .numeric import (
    LARGEST,
    SMALLER,
    TOO_LARGE,
    as_array,
    floating,
    frame_values,
    inner,
    inner_dtype,
    is_frame,
    largest,
    real,
    with_nan,
)
from .remedies import for_element
from .sequences import (
    FlatListForm,
    Form,
    ListForm,
    SequenceIndex,
    Sequences,
    with_mask,
)


@dataclass(frozen=True)
class ObjectArray(ListForm):
    """An object array (n_sequences,) of arrays (n_steps, n_channels).

    Parameters
    ----------
    dtype, masked
        As in `ListForm`.
    is_column : bool, default=False
        Whether its shape is (n_sequences, 1).
    """

    name = "object"
    is_column: bool = False

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> NDArray[np.object_]:
        """Return an object array."""
        # Filled one by one: NumPy would make one 3-D array of arrays of the same length.
        array = np.empty(len(sequences), dtype=object)
        for position, sequence in enumerate(super().write(sequences, index)):
            array[position] = sequence
        return array[:, None] if self.is_column else array


@dataclass(frozen=True)
class FlatObjectArray(ObjectArray):
    """An object array (n_sequences,) of arrays (n_steps,)."""

    name = "object_1d"
    one_channel = True

    def with_channels(self, n_channels: int) -> Form:
        """Return an array of arrays with an axis of channels, if there is more than one."""
        return self if n_channels == 1 else ObjectArray(self.dtype, self.masked, self.is_column)


@dataclass(frozen=True)
class Array3D(Form):
    """An array (n_sequences, n_steps, n_channels), padded with NaN.

    Parameters
    ----------
    width : int, default=0
        The least number of steps.
    dtype : str, default="float32"
        The floating dtype of numbers.
    masked : bool, default=False
        Whether NumPy's mask says what is missing.
    """

    name = "3d"
    width: int = 0
    dtype: str = "float32"
    masked: bool = False

    @classmethod
    def of(cls, sequences: Sequences) -> Array3D:
        """Return the form for sequences of another container."""
        return cls(dtype=sequences.values.dtype.name)

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> NDArray[Any]:
        """Return an array."""
        array = pad(sequences, self.width, self.dtype)
        return with_mask(array) if self.masked else array


@dataclass(frozen=True)
class Array2D(Array3D):
    """An array (n_sequences, n_steps), padded with NaN."""

    name = "2d"
    one_channel = True
    is_wide = True

    @property
    def n_columns(self) -> int:
        """Number of steps."""
        return self.width

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> NDArray[Any]:
        """Return an array."""
        return super().write(sequences, index)[:, :, 0]


def _is_array(X: Any, ndim: int) -> bool:
    return isinstance(X, np.ndarray) and X.ndim == ndim and (ndim > 1 or X.dtype.kind == "O")


def refuse_zero(what: str, shape: tuple[int, ...], *counts: int) -> None:
    """Raise, in scikit-learn's words, if one of these counts is zero."""
    if 0 in counts:
        raise ValueError(
            f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required."
        )


def is_column(X: Any) -> bool:
    """Tell whether this is an object array (n, 1) of sequences, as scikit-learn hands on."""
    if not (isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "O"):
        return False
    if not any(isinstance(cell, list | tuple) or np.ndim(cell) for cell in X[:, 0]):
        return False
    if X.shape[1] > 1:
        raise ValueError(
            f"Expected one sequence a row, got an object array of shape {X.shape} whose cells are "
            "arrays; make a nested frame of a column a channel: pandas.DataFrame(X)."
        )
    return True


def read_elements(X: Any, choose: Chooser | None) -> Sequences | None:
    """Read a list, tuple or object array of what holds one sequence."""
    is_list = isinstance(X, list | tuple)
    if not is_list and not _is_array(X, 1):
        return None
    refuse_zero("sample(s)", (0,), len(X))
    elements = [_element(element, i, choose is None) for i, element in enumerate(X)]
    # np.shape([]) is (0,), so an empty sequence leaves the channels to the others.
    steps = {i: element.shape[1:] for i, element in enumerate(elements) if element.shape != (0,)}
    first, step = next(iter(steps.items()), (0, ()))
    if len(set(steps.values())) > 1:
        at = next(i for i, other in steps.items() if other != step)
        turned = len({elements[i].shape[:-1] for i in steps}) == 1
        turn = (
            "; where channels stand before steps, pass "
            "sklearn_seqae.containers.from_channel_first(X)"
            if turned
            else ""
        )
        raise ValueError(
            f"Got sequences of mixed channels: sequence {at} has shape {elements[at].shape}, but "
            f"sequence {first} has shape {elements[first].shape}. Give all as (n_steps, "
            f"n_channels) with the same channels, filled with NaN where one is missing{turn}."
        )
    refuse_zero("channel(s)", elements[first].shape, *step)
    lengths = np.fromiter(map(len, elements), dtype=np.int64, count=len(elements))
    kinds = (FlatListForm, ListForm) if is_list else (FlatObjectArray, ObjectArray)
    form = kinds[bool(step)](masked=_has_masked(X))
    if choose is not None and steps:
        others = [i for i in steps if not _holds_plain_numbers(elements[i])]
        found = _find_categorical([elements[i] for i in others], *step)
        names = tuple(elements[first].columns) if is_frame(elements[first]) else None
        categorical = choose(found, names)
        if any(categorical):
            form = replace(form, dtype=str(floating(*_dtypes(elements))))
            return _read_categorical({i: elements[i] for i in steps}, categorical, lengths, form)
        for i in others:
            elements[i] = _numbers(elements[i], i)
    dtypes = _dtypes(elements)
    form = replace(form, dtype=str(floating(*dtypes)))
    values = np.empty((lengths.sum(), *step), dtype=inner_dtype(*dtypes))
    if steps:
        with np.errstate(over="ignore"):
            np.concatenate([elements[i] for i in steps], out=values, casting="unsafe")
    sequences = Sequences.from_lengths(values if step else values[:, None], lengths, form)
    refuse_infinity(sequences)
    return sequences


def read_blocks(
    blocks: list[NDArray[Any]],
    owners: list[str],
    names: tuple[Any, ...] | None,
    offsets: NDArray[np.int64],
    form: Form,
    choose: Chooser | None,
    index: SequenceIndex | None = None,
) -> Sequences:
    """Read sequences that lie under each other already.

    Parameters
    ----------
    blocks : list of ndarray of shape (total_steps, n)
        The channels side by side, in one or more arrays; floats in one array are not copied.
    owners : list of str
        For errors: what each block is.
    names : tuple or None
        Names of the channels.
    offsets : ndarray of shape (n_sequences + 1,)
    form : Form
    choose : callable or None
        See `registry.as_sequences`.
    index : SequenceIndex or None
    """
    if choose is not None:
        found = [has for block in blocks for has in holds_categories(block, block.shape[1])]
        categorical = choose(found, names)
        if any(categorical):
            pieces = [[block[:, j]] for block in blocks for j in range(block.shape[1])]
            values, categories = read_channels(pieces, categorical, [owners[0]])
            return Sequences(values, offsets, form, categories, index)
    steps = [inner(real(block, owner)) for block, owner in zip(blocks, owners, strict=True)]
    values = steps[0] if len(steps) == 1 else np.hstack(steps)
    sequences = Sequences(values, offsets, form, index=index)
    refuse_infinity(sequences)
    return sequences


def refuse_infinity(sequences: Sequences) -> None:
    """Raise if a value is infinite, or so large that its square is."""
    values = sequences.values
    if largest(values) > LARGEST:
        at = sequences.owners[(np.abs(values.astype(np.float64)) > LARGEST).any(axis=1)][0]
        index = sequences.index
        name = at if index is None or index.ids is None else repr(index.ids[[at]].tolist()[0])
        raise ValueError(f"{TOO_LARGE} in sequence {name}; {SMALLER}.")


def _has_masked(X: Any) -> bool:
    return any(issubclass(kind, np.ma.MaskedArray) for kind in set(map(type, X)))


def _dtypes(elements: list[Any]) -> set[np.dtype[Any]]:
    """Return NumPy's dtypes of elements; those of empty ones say nothing, if there are others."""
    plain = [element for element in elements if isinstance(element, np.ndarray)]
    filled = {element.dtype for element in plain if element.size}
    return filled or {element.dtype for element in plain}


def _element(element: Any, position: int, numbers_only: bool) -> Any:
    """Return one element of a list as a 1-D or 2-D array, a DataFrame or a categorical Series."""
    if _holds_plain_numbers(element) and element.ndim in (1, 2):
        return element
    where = f"sequence {position}"
    if isinstance(element, tuple) and any(map(is_frame, element)):  # of list(groupby)
        raise _no_sequence(f"{where} is a tuple with a DataFrame in it", element)
    if is_frame(element) or (has_categorical_dtype(element) and not numbers_only):
        return _numbers(element, position) if numbers_only else element
    array = as_array(element, where) if numbers_only else as_given(element, where)
    if array.ndim not in (1, 2):
        given = f"has shape {array.shape}" if array.ndim else f"is a {type(element).__name__}"
        raise _no_sequence(f"{where} {given}", element)
    return real(array, where) if numbers_only else array


def _no_sequence(given: str, element: Any) -> ValueError:
    return ValueError(
        "Expected every sequence to be an array of shape (n_steps, n_channels) or (n_steps,), but "
        f"{given}. {for_element(element)}"
    )


def _holds_plain_numbers(element: Any) -> bool:
    """Tell whether this is an array of numbers, as most are: nothing has to be asked of it."""
    return type(element) is np.ndarray and element.dtype.kind in "fiub"


def _numbers(element: Any, position: int) -> NDArray[Any]:
    where = f"sequence {position}"
    return frame_values(element, where) if is_frame(element) else real(np.asarray(element), where)


def _find_categorical(elements: list[Any], n_channels: int = 1) -> list[bool]:
    found = np.zeros(n_channels, dtype=bool)
    for element in elements:
        found |= holds_categories(element, n_channels)
    return [bool(is_categorical) for is_categorical in found]


def _read_categorical(
    elements: dict[int, Any], categorical: Any, lengths: NDArray[np.int64], form: Form
) -> Sequences:
    """Read the elements of a list, by position, with categorical channels."""
    pieces = [[channel(x, j) for x in elements.values()] for j in range(len(categorical))]
    values, categories = read_channels(pieces, categorical, [f"sequence {i}" for i in elements])
    return replace(Sequences.from_lengths(values, lengths, form), categories=categories)


def read_array(
    X: Any, choose: Chooser | None, ndim: int, names: Sequence[Any] | None = None
) -> Sequences | None:
    """Read (n_sequences, n_steps[, n_channels]); all-NaN steps at the end of a row are padding.

    `names` are those of the columns of a table, which may be one of something else; () if it has
    none.
    """
    if not _is_array(X, ndim):
        return None
    form = (Array2D if ndim == 2 else Array3D)(X.shape[1], str(floating(X.dtype)))
    if isinstance(X, np.ma.MaskedArray):
        form = replace(form, masked=True)
        X = as_array(X, f"the {ndim}-D array")
    categories: tuple[Categories | None, ...] = ()
    if choose is not None and X.size:
        steps = X.reshape(-1, *X.shape[2:] or (1,))
        categorical = choose(holds_categories(steps, steps.shape[1]), None)
        if any(categorical):
            if X.shape[1:] == (1,):
                refuse_text_column(len(X))
            names = None
            pieces = [[channel(steps, j)] for j in range(len(categorical))]
            values, categories = read_channels(pieces, categorical, [f"the {ndim}-D array"])
            X = values.reshape(X.shape)
    if X.dtype.kind == "O":  # left to check_array, whose words scikit-learn asks for
        X = with_nan(X)
    else:
        real(X, f"the {ndim}-D array")
    refuse_zero("channel(s)", X.shape, *X.shape[2:])
    if names is not None:
        check_numbers(X, names)
    with np.errstate(over="ignore"):
        array = check_array(
            X,
            dtype=inner_dtype(X.dtype),
            allow_nd=True,
            ensure_all_finite="allow-nan",
            input_name="X",
        )
    array = array.reshape((*X.shape, 1)[:3])
    steps = np.arange(X.shape[1])
    lengths = np.where(np.isnan(array).all(axis=2), 0, steps + 1).max(axis=1, initial=0)
    values = array[steps < lengths[:, None]]
    sequences = Sequences.from_lengths(values, lengths, form)
    refuse_infinity(sequences)
    return replace(sequences, categories=categories)


def pad(sequences: Sequences, width: int, dtype: str) -> NDArray[Any]:
    """Return an array (n_sequences, n_steps, n_channels) of at least `width` steps."""
    lengths = sequences.lengths
    width = max(width, int(lengths.max(initial=0)))
    shape = (len(lengths), width, sequences.n_channels)
    # Codes of categories are cast to no narrower dtype.
    array = np.full(shape, np.nan, dtype=sequences.values.dtype if sequences.categories else dtype)
    array[np.arange(width) < lengths[:, None]] = sequences.values
    return combine(array.reshape(-1, sequences.n_channels), sequences.categories, dtype).reshape(
        shape
    )
