"""Arrays of real numbers: their dtypes, missing values and limits."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, MappingView, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Sums of squares of larger numbers are infinite in float64, so no scale could be learned of them.
LARGEST = 1e150
# scikit-learn's words, which its checks ask for.
TOO_LARGE = "Input X contains infinity or a value too large for dtype('float64')"
SMALLER = (
    "rescale the data, or give NaN for what is missing (squares of numbers above "
    f"{LARGEST:.0e} are infinite)"
)


def is_frame(X: Any) -> bool:
    """Tell whether this is a DataFrame of pandas."""
    return is_pandas(X, "DataFrame")


def is_stream(X: Any) -> bool:
    """Tell whether this may give containers of sequences one after the other, any number of times.

    Such are iterables that have no elements by index or key, and no end but their own.
    """
    others = (str, bytes, Iterator, Mapping, MappingView, Set)
    # Some sparse matrices have a shape, and no elements by index.
    of_containers = ("__getitem__", "__array__", "shape")
    is_container = is_lazy(X) or any(hasattr(X, name) for name in of_containers)
    return isinstance(X, Iterable) and not isinstance(X, others) and not is_container


def is_lazy(X: Any) -> bool:
    """Tell whether this is a collection of Dask, which is not computed yet."""
    return type(X).__module__.partition(".")[0] == "dask"


def is_series(X: Any) -> bool:
    """Tell whether this is a Series of pandas."""
    return is_pandas(X, "Series")


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


def floating(*dtypes: Any) -> np.dtype[Any]:
    """Return the floating dtype of NumPy in which values of these dtypes are written.

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
    if array.dtype in (np.float32, np.float64):
        return array
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
                # float refuses None and pandas' marks.
                missing = is_missing(array.ravel()).reshape(array.shape)
                return np.where(missing, np.nan, array).astype(np.float64)
            reason = "holds text"
        except (TypeError, ValueError) as error:
            reason = f"holds an object that is no number ({error})"
    raise TypeError(f"Expected real numbers, but {where} {reason}; convert it to numbers first.")


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


def is_pandas(X: Any, kind: str) -> bool:
    """Tell whether this is an instance of a class of pandas, of this name."""
    # pandas' objects exist only where it is imported already, so we never import it to ask.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, getattr(pandas, kind))


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
