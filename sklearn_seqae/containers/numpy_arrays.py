"""Lists and arrays of sequences, plain ones and those with NumPy's mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, as_given, combine, has_categorical_dtype, is_plain
from .numeric import as_array, floating, is_frame
from .raw_sequences import RawSequences
from .remedies import for_element
from .sequences import FlatListForm, Form, ListForm, SequenceIndex, Sequences, offsets_of, with_mask


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


def refuse_unequal(
    steps: list[Any], where: Sequence[str], place: Callable[[int], str], filler: str
) -> None:
    """Raise unless columns have the same steps in each sequence.

    Columns are called as in `where`, a sequence as `place` calls it, and what is missing `filler`.
    """
    for own, name in zip(steps[1:], where[1:], strict=False):
        if not np.array_equal(own, steps[0]):
            at = int(np.argmax(np.not_equal(own, steps[0])))
            raise ValueError(
                f"Expected all channels of a sequence to have the same steps, but in {place(at)} "
                f"{name} has {own[at]} and {where[0]} has {steps[0][at]}; fill the shorter one "
                f"with {filler}."
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


def read_elements(X: Any) -> RawSequences | None:
    """Read a list, tuple or object array of what holds one sequence."""
    is_list = isinstance(X, list | tuple)
    if not is_list and not _is_array(X, 1):
        return None
    refuse_zero("sample(s)", (0,), len(X))
    elements = list(X) if _are_plain(X) else list(map(_element, X, range(len(X))))
    shapes = [element.shape for element in elements]
    # np.shape([]) is (0,), so an empty sequence leaves the channels to the others.
    n_without = shapes.count((0,))
    first = next((i for i, shape in enumerate(shapes) if shape != (0,)), 0)
    step = shapes[first][1:]
    if len({shape[1:] for shape in shapes if shape != (0,)}) > 1:
        steps = {i: shape[1:] for i, shape in enumerate(shapes) if shape != (0,)}
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
    refuse_zero("channel(s)", shapes[first], *step)
    kinds = (FlatListForm, ListForm) if is_list else (FlatObjectArray, ObjectArray)
    form = kinds[bool(step)](masked=_has_masked(X), dtype=str(floating(*_dtypes(elements))))
    if 0 < n_without < len(elements):
        elements = [x if x.shape != (0,) else elements[first][:0] for x in elements]
    columns = Columns(elements, "sequence {}".format)
    return RawSequences([columns], offsets_of([shape[0] for shape in shapes]), form)


def _are_plain(X: Any) -> bool:
    """Tell whether all are arrays of numbers, as most are: nothing has to be asked of each."""
    if set(map(type, X)) != {np.ndarray}:
        return False
    dtypes, dimensions = {x.dtype for x in X}, {x.ndim for x in X}
    return dimensions <= {1, 2} and all(dtype.kind in "fiub" for dtype in dtypes)


def _has_masked(X: Any) -> bool:
    return any(issubclass(kind, np.ma.MaskedArray) for kind in set(map(type, X)))


def _dtypes(elements: list[Any]) -> set[np.dtype[Any]]:
    """Return the dtypes of numbers in elements; those of empty ones say nothing beside others."""
    filled = list(filter(len, elements)) or elements
    found = {x.dtype if isinstance(x, np.ndarray) else np.asarray(x).dtype for x in filled}
    # Objects are read as Python's numbers.
    return {dtype if dtype.kind in "fiub" else np.dtype(np.float64) for dtype in found}


def _element(element: Any, position: int) -> Any:
    """Return one element of a list as a 1-D or 2-D array, a DataFrame or a categorical Series."""
    if is_plain(element) and element.ndim in (1, 2):
        return element
    where = f"sequence {position}"
    if isinstance(element, tuple) and any(map(is_frame, element)):  # of list(groupby)
        raise _no_sequence(f"{where} is a tuple with a DataFrame in it", element)
    if is_frame(element) or has_categorical_dtype(element):
        return element
    array = as_given(element, where)
    if array.ndim not in (1, 2):
        given = f"has shape {array.shape}" if array.ndim else f"is a {type(element).__name__}"
        raise _no_sequence(f"{where} {given}", element)
    return array


def _no_sequence(given: str, element: Any) -> ValueError:
    return ValueError(
        "Expected every sequence to be an array of shape (n_steps, n_channels) or (n_steps,), but "
        f"{given}. {for_element(element)}"
    )


def read_array(X: Any, ndim: int, names: Sequence[Any] = ()) -> RawSequences | None:
    """Read (n_sequences, n_steps[, n_channels]); all-NaN steps at the end of a row are padding.

    `names` are those of the columns of a table, if it has some.
    """
    if not _is_array(X, ndim):
        return None
    where = f"the {ndim}-D array"
    kind = Array2D if ndim == 2 else Array3D
    form = kind(X.shape[1], str(floating(X.dtype)), isinstance(X, np.ma.MaskedArray))
    refuse_zero("sample(s)", X.shape, len(X))
    refuse_zero("feature(s)" if ndim == 2 else "channel(s)", X.shape, X.shape[-1])
    steps = as_array(X, where).reshape(X.shape[0] * X.shape[1], *X.shape[2:] or (1,))
    offsets = np.arange(len(X) + 1) * X.shape[1]
    columns = Columns([steps], [where].__getitem__)
    return RawSequences([columns], offsets, form, is_padded=True, step_names=names)


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
