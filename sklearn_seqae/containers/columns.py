"""From what holds one sequence (an array, a list, a frame) to channels of numbers or of categories.

A categorical channel becomes codes 0, 1, ... beside the `Categories` that they stand for; `restore`
and `combine` go the way back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Decides which channels are categorical, given which hold text or pandas' categories, and names.
Chooser = Callable[[list[bool], tuple[Any, ...] | None], Sequence[bool]]
# Sums of squares of larger numbers are infinite in float64, so no scale could be learned of them.
LARGEST = 1e150
# scikit-learn's words, which its checks ask for.
TOO_LARGE = "Input X contains infinity or a value too large for dtype('float64')"
SMALLER = (
    "rescale the data, or give NaN for what is missing (squares of numbers above "
    f"{LARGEST:.0e} are infinite)"
)


@dataclass(frozen=True, eq=False)
class Categories:
    """The categories of a channel: code ``i`` stands for ``values[i]``.

    `dtype` is the pandas dtype of a column of them, where it says more than an array's. The last
    `n_joined` values are infrequent, and count as the one before them to a network.
    """

    values: NDArray[Any]
    dtype: Any = None
    n_joined: int = 0

    @property
    def width(self) -> int:
        """Number of categories that a network tells apart."""
        return len(self.values) - self.n_joined


def is_frame(X: Any) -> bool:
    """Tell whether this is a DataFrame of pandas."""
    return _is_pandas(X, "DataFrame")


def is_series(X: Any) -> bool:
    """Tell whether this is a Series of pandas."""
    return _is_pandas(X, "Series")


def has_categorical_dtype(X: Any) -> bool:
    """Tell whether this is a Series of pandas' categories or text, whatever is in it."""
    kinds = ("CategoricalDtype", "StringDtype")
    return is_series(X) and any(_is_pandas(X.dtype, kind) for kind in kinds)


def as_array(X: Any, where: str) -> NDArray[Any]:
    """Return an array-like as an array, with NaN for what is masked, or refuse what is ragged."""
    if isinstance(X, np.ma.MaskedArray):  # np.asarray would drop the mask without a word
        if X.dtype.kind in "fiub":
            return np.where(np.ma.getmaskarray(X), np.nan, X.data.astype(floating(X.dtype)))
        if X.dtype.kind in "OSUT":
            objects = X.data.astype(object)
            objects[np.ma.getmaskarray(X)] = None
            return objects
        return X.data
    try:
        return np.asarray(X)
    except ValueError as error:
        if isinstance(X, list | tuple) and None in [step if step is None else 0 for step in X]:
            raise ValueError(
                f"Expected a vector of channels at every step, but {where} has None at step "
                f"{X.index(None)}; give NaN for each value that is missing there."
            ) from error
        raise ValueError(
            f"Expected the same number of channels at every step, but {where} is ragged ({error})."
        ) from error


def as_given(X: Any, where: str) -> NDArray[Any]:
    """Return an array-like as an array that still tells numbers and None from text in a list."""
    array = as_array(X, where)
    if array.dtype.kind == "U" and isinstance(X, list | tuple):
        # NumPy makes text of everything beside text: 1.5 becomes "1.5", NaN becomes "nan".
        objects = np.asarray(X, dtype=object)
        return array if all(isinstance(item, str) for item in objects.flat) else objects
    return array


def floating(*dtypes: Any) -> np.dtype[Any]:
    """Return the floating dtype of NumPy that values of these dtypes come back in.

    It is their own if they have one; decoded integers are not whole, so they get the least one that
    holds them.
    """
    kinds = {np.dtype(dtype) for dtype in dtypes}
    if kinds and all(dtype.kind == "f" for dtype in kinds):
        return np.result_type(*kinds)
    numeric = [dtype for dtype in kinds if dtype.kind in "fiub"]
    return np.result_type(np.float32 if numeric else np.float64, *numeric)


def inner_dtype(*dtypes: Any) -> np.dtype[Any]:
    """Return the dtype that `Sequences` keep numbers of these in: float32 if it holds them all.

    Others are float64, lest values that vary little around a large offset become one.
    """
    exact = all(np.can_cast(dtype, np.float32) for dtype in dtypes)
    return np.dtype(np.float32 if exact else np.float64)


def inner(array: NDArray[Any]) -> NDArray[Any]:
    """Return numbers in their `inner_dtype`; what overflows there is infinite."""
    with np.errstate(over="ignore"):  # of NumPy's long double
        return array.astype(inner_dtype(array.dtype), copy=False)


def largest(values: NDArray[Any]) -> float:
    """Return the largest absolute value, 0.0 where all are NaN; it takes no memory for others."""
    high = np.fmax.reduce(values, axis=None, initial=0.0)
    low = np.fmin.reduce(values, axis=None, initial=0.0)
    return max(float(high), -float(low))


def real(array: NDArray[Any], where: str) -> NDArray[Any]:
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
                return with_nan(array).astype(np.float64)
            reason = "holds text"
        except (TypeError, ValueError) as error:
            reason = f"holds an object that is no number ({error})"
    raise TypeError(f"Expected real numbers, but {where} {reason}; convert it to numbers first.")


def with_nan(objects: NDArray[Any]) -> NDArray[Any]:
    """Return objects with NaN in place of None and pandas' marks, which float refuses."""
    missing = is_missing(objects.ravel()).reshape(objects.shape)
    return np.where(missing, np.nan, objects)


def frame_values(frame: Any, where: str) -> NDArray[Any]:
    """Return the numbers of a DataFrame, with NaN where pandas has its own mark.

    They are float32 if that holds all columns, else float64.
    """
    kinds = [getattr(dtype, "kind", "O") for dtype in frame.dtypes]
    stamps = [name for name, kind in zip(frame.columns, kinds, strict=True) if kind in "mM"]
    if stamps:
        raise TypeError(
            f"Expected real numbers, but column {stamps[0]!r} of {where} holds time stamps; make "
            "it the index by set_index, or leave it out."
        )
    plain = [kind in "fiub" for kind in kinds]
    if all(plain):
        dtypes = {getattr(dtype, "numpy_dtype", dtype) for dtype in frame.dtypes}
        known = all(isinstance(dtype, np.dtype) for dtype in dtypes)
        dtype = inner_dtype(*dtypes) if known else np.float64
        return np.asarray(frame.to_numpy(dtype=dtype, na_value=np.nan))
    columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
    return np.stack(
        [
            column.to_numpy(dtype=np.float64, na_value=np.nan)
            if is_plain
            else real(column.to_numpy(dtype=object), f"column {column.name!r} of {where}")
            for column, is_plain in zip(columns, plain, strict=True)
        ],
        axis=1,
    )


def holds_categories(element: Any, n_channels: int) -> list[bool]:
    """Tell which channels of an array, Series or DataFrame hold text or pandas' categories."""
    if is_frame(element):
        columns = [element.iloc[:, j] for j in range(n_channels)]
        return [
            has_categorical_dtype(c) or any(holds_categories(np.asarray(c), 1)) for c in columns
        ]
    if has_categorical_dtype(element):
        return [True]
    if element.dtype.kind in "UT":
        return [True] * n_channels
    if element.dtype.kind != "O":
        return [False] * n_channels
    columns = element.reshape(-1, n_channels).T
    return [any(isinstance(item, str) for item in column) for column in columns]


def channel(element: Any, index: int) -> Any:
    """Return one channel of an array, Series or DataFrame."""
    if is_frame(element):
        return element.iloc[:, index]
    return element if element.ndim == 1 else element[:, index]


def read_channels(
    channels: list[list[Any]], categorical: Sequence[bool], owners: Sequence[str]
) -> tuple[NDArray[Any], tuple[Categories | None, ...]]:
    """Read channels of numbers and categorical ones.

    Parameters
    ----------
    channels : list of list of (ndarray or Series)
        For each channel its pieces, which are 1-D.
    categorical : sequence of bool
        Which channels are categorical.
    owners : sequence of str
        For errors: what each piece is part of.

    Returns
    -------
    values : ndarray of shape (total_steps, n_channels), dtype float32 or float64
        Numbers, and codes of categories; NaN is missing.
    categories : tuple of (Categories or None)
        None for numbers.
    """
    columns: list[NDArray[Any]] = []
    categories: list[Categories | None] = []
    for j, (pieces, is_categorical) in enumerate(zip(channels, categorical, strict=True)):
        where = [f"channel {j} of {owner}" for owner in owners]
        if is_categorical:
            codes, found = _read_categories(pieces, where)
            columns.append(codes)
            categories.append(found)
        else:
            columns.append(_read_numbers(pieces, where))
            categories.append(None)
    return np.stack(columns, axis=1), tuple(categories)


def restore(codes: NDArray[Any], categories: Categories) -> NDArray[Any]:
    """Return the categories of codes; None, or NaN among numbers, where a code is missing."""
    known = ~np.isnan(codes)
    if known.all():
        return categories.values[codes.astype(np.int64)]
    if categories.values.dtype.kind in "fiub":
        dtype = np.result_type(categories.values, np.float32)
        restored = np.full(codes.shape, np.nan, dtype=dtype)
    else:
        restored = np.full(codes.shape, None, dtype=object)
    restored[known] = categories.values[codes[known].astype(np.int64)]
    return restored


def combine(
    values: NDArray[Any], categories: tuple[Categories | None, ...], dtype: str
) -> NDArray[Any]:
    """Return steps (n_steps, n_channels) with categories for codes, in a dtype that holds them all.

    Numbers have the given dtype before.
    """
    if not categories:
        return values.astype(dtype)
    columns = [
        values[:, j].astype(dtype) if found is None else restore(values[:, j], found)
        for j, found in enumerate(categories)
    ]
    kinds = {column.dtype.kind for column in columns}
    # Text and numbers side by side would all become text.
    as_objects = "O" in kinds or ("U" in kinds and len(kinds) > 1)
    steps = np.empty(values.shape, dtype=object if as_objects else np.result_type(*columns))
    for j, column in enumerate(columns):
        steps[:, j] = column
    return steps


def _is_pandas(X: Any, kind: str) -> bool:
    # pandas' objects exist only where it is imported already, so we never import it to ask.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, getattr(pandas, kind))


def _read_numbers(pieces: list[Any], where: list[str]) -> NDArray[Any]:
    arrays = []
    for piece, name in zip(pieces, where, strict=True):
        if is_series(piece):
            piece = frame_values(piece.to_frame(), name.rpartition(" of ")[2])[:, 0]
        arrays.append(real(piece, name))
    values = inner(np.concatenate(arrays))
    if largest(values) > LARGEST:
        raise ValueError(f"{TOO_LARGE} in {where[0].partition(' of ')[0]}; {SMALLER}.")
    return values


def _read_categories(pieces: list[Any], where: list[str]) -> tuple[NDArray[np.float32], Categories]:
    arrays = [_items(*piece) for piece in zip(pieces, where, strict=True)]
    # Joined as they are, text and numbers would all become text.
    if len({array.dtype.kind in "fiub" for array in arrays}) > 1:
        arrays = [array.astype(object) for array in arrays]
    items = np.concatenate(arrays)
    declared = _declared_categories(pieces)
    known = ~is_missing(items)
    codes = np.full(items.shape, np.nan, dtype=np.float32)
    if declared is None and items.dtype.kind != "O":
        values, codes[known] = np.unique(items[known], return_inverse=True)
        return codes, Categories(values, _column_dtype(pieces))
    found = items[known].tolist()
    if declared is None:
        _check_items(found, pieces, where)
        categories = sorted(set(found))
        values = (
            as_objects(categories)
            if isinstance(next(iter(categories), ""), str)
            else np.array(categories)
        )
    else:
        plain = getattr(declared.categories.dtype, "kind", "O") in "fiub"
        values = declared.categories.to_numpy(dtype=None if plain else object)
        categories = values.tolist()
    index = {label: code for code, label in enumerate(categories)}
    codes[known] = np.fromiter((index[item] for item in found), np.float32, len(found))
    return codes, Categories(values, declared or _column_dtype(pieces))


def _items(piece: Any, where: str) -> NDArray[Any]:
    """Return a piece as an array of numbers, text or objects."""
    if is_series(piece):
        kept = isinstance(piece.dtype, np.dtype) and piece.dtype.kind in "fiub"
        return piece.to_numpy() if kept else piece.to_numpy(dtype=object)
    if piece.dtype.kind == "T":  # NumPy's text of any width
        return piece.astype(object)
    if piece.dtype.kind not in "fiubUO":
        raise TypeError(
            f"Expected categories to be text or numbers, but {where} has dtype {piece.dtype}; "
            "convert it to text first."
        )
    return piece


def is_missing(items: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which items of a 1-D array are NaN, None or another mark of pandas."""
    if items.dtype.kind != "O":
        return np.isnan(items) if items.dtype.kind == "f" else np.zeros(items.shape, dtype=bool)
    pandas = sys.modules.get("pandas")
    if pandas is not None:  # it has marks of its own
        missing: NDArray[np.bool_] = pandas.isna(items)
        return missing
    return np.array(
        [x is None or (isinstance(x, float | np.floating) and x != x) for x in items], dtype=bool
    )


def _check_items(found: list[Any], pieces: list[Any], where: list[str]) -> None:
    """Raise unless the categories of a channel are all text, or all numbers."""
    is_text = [isinstance(item, str) for item in found]
    if all(is_text) or (not any(is_text) and all(isinstance(item, Real) for item in found)):
        return
    for piece, name in zip(pieces, where, strict=True):
        for item in np.asarray(piece, dtype=object):
            is_odd = isinstance(item, str) is not is_text[0] or not isinstance(item, str | Real)
            if is_odd and not is_missing(np.array([item, None], dtype=object))[0]:
                raise TypeError(
                    "Expected the categories of a channel to be all text or all numbers, but "
                    f"{name} holds {item!r} beside others such as {found[0]!r}; convert them to "
                    "text, and give None for what is missing."
                )


def _declared_categories(pieces: list[Any]) -> Any:
    """Return the pandas dtype with all categories that the pieces declare; None if they do not."""
    dtypes = [p.dtype for p in pieces if _is_pandas(p.dtype, "CategoricalDtype")]
    if not dtypes or len(dtypes) < len(pieces):
        return None
    first = dtypes[0]
    if all(dtype == first for dtype in dtypes):
        return first
    union = dict.fromkeys(label for dtype in dtypes for label in dtype.categories)
    return sys.modules["pandas"].CategoricalDtype(list(union))


def _column_dtype(pieces: list[Any]) -> Any:
    """Return the dtype that pandas has for these columns beside NumPy's, if all have the same."""
    dtypes = {getattr(piece, "dtype", None) for piece in pieces}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    return None if isinstance(dtype, np.dtype) else dtype


def as_objects(items: list[Any]) -> NDArray[np.object_]:
    """Return a 1-D array of objects as they are."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array
