"""What to pass in place of data that are no container of sequences: the last sentence of errors."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .numeric import is_frame, is_stream

LAZY = (
    "Only transform takes such collections: call other methods for each partition, as by "
    "X.map_partitions(model.predict, meta=...), or compute it: X.compute()."
)


def for_container(X: Any) -> str:
    """Return what to do about an object that is read as no container."""
    if isinstance(X, str):
        return "Pass [list(X)] if the characters of a text are the steps of a sequence."
    if isinstance(X, np.ndarray):
        is_text = X.ndim == 1 and X.dtype.kind in "UT"
        advice = "Reshape your data: one single sequence x is [x]."
        return for_element(str(X[0])) if is_text and len(X) else advice
    if hasattr(X, "toarray"):
        return "Sparse data become dense by X.toarray()."
    if _is_of_frames(X, "GroupBy"):
        return "Make a list of its groups: [group for _, group in X]."
    if _is_of_frames(X, "LazyFrame"):
        return "Collect it: X.collect()."
    if isinstance(X, Mapping):
        return "Make a list of its values: list(X.values())."
    if is_stream(X):
        return (
            "Make a list of it: list(X). If it gives parts of several sequences each, call the "
            "method for each of these: for part in X."
        )
    if isinstance(X, Iterable) and not isinstance(X, bytes):
        return "Make a list of it: list(X)."
    return "Reshape your data: one single sequence x is [x]."


def for_element(element: Any) -> str:
    """Return what to do about an element of a list that is read as no sequence."""
    single = "For one single sequence x pass [x]"
    if isinstance(element, str):
        return f"{single}; where the characters of each text are steps, [list(x) for x in X]."
    if element is None:
        return "Give an empty one, [], or leave it out."
    if hasattr(element, "toarray"):
        return "Sparse data become dense by toarray: [x.toarray() for x in X]."
    if isinstance(element, tuple) and any(map(is_frame, element)):
        return "Keep the groups of such pairs of key and group: [group for _, group in X]."
    if isinstance(element, Mapping):
        return "Make frames of channels by name: [pandas.DataFrame(x) for x in X]."
    if isinstance(element, Iterable) and not hasattr(element, "__array__"):
        return "Make lists of them: [list(x) for x in X]."
    return f"{single}."


def _is_of_frames(X: Any, ending: str) -> bool:
    """Tell whether this is an object of pandas or polars whose class has a name with this end."""
    kind = type(X)
    return kind.__module__.startswith(("pandas.", "polars.")) and kind.__name__.endswith(ending)
