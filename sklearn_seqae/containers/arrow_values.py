"""Values of Arrow's lists as arrays of NumPy, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .arrow_types import is_list
from .columns import Categories, restore
from .numpy_arrays import refuse_unequal, refuse_zero
from .sequences import offsets_of


def shared_offsets(columns: list[Any], where: list[str]) -> NDArray[np.int64]:
    """Return where sequences begin, which all columns have to agree upon."""
    offsets = list(map(_offsets, columns, where))
    if len(columns) > 1:
        refuse_unequal(list(map(np.diff, offsets)), where, "row {}".format, "nulls")
    return offsets[0]


def _offsets(column: Any, where: str) -> NDArray[np.int64]:
    """Return where the lists of a column begin in its flat values; Arrow's own if they fit."""
    pa = load("pyarrow")
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise ValueError(
            f"Expected a list in every row, but {where} has null in row {row}; give an empty list, "
            "or drop the row."
        )
    if column.num_chunks == 1:
        lists = column.chunk(0)
        if pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type):
            offsets = lists.offsets.to_numpy().astype(np.int64, copy=False)
            return offsets if not offsets[0] else offsets - offsets[0]
    lengths = load("pyarrow.compute").list_value_length(column).to_numpy()
    return offsets_of(lengths)


def read_block(
    column: Any, where: str, offsets: NDArray[np.int64]
) -> tuple[list[NDArray[Any]], tuple[str, ...]]:
    """Return the steps of a column in blocks (total_steps, n), and the fields of structs."""
    pa = load("pyarrow")
    chunks = [chunk.flatten() for chunk in column.chunks]
    step = column.type.value_type
    is_struct = pa.types.is_struct(step)
    inner = [field.type for field in step] if is_struct else [getattr(step, "value_type", step)]
    if any(is_list(kind) or pa.types.is_struct(kind) for kind in inner):
        raise ValueError(
            f"Expected numbers, vectors or structs of numbers at every step, but {where} has "
            f"{step}; make one vector of all that belongs to a step."
        )
    if is_struct:
        refuse_zero("channel(s)", (int(offsets[-1]), step.num_fields), step.num_fields)
        parts = [[_to_numpy(field) for field in chunk.flatten()] for chunk in chunks]
        columns = [np.concatenate(part)[:, None] for part in zip(*parts, strict=True)]
        return columns, tuple(field.name for field in step)
    if not is_list(step):
        return [_concatenate([_to_numpy(chunk) for chunk in chunks])[:, None]], ()
    lengths = np.concatenate([_vector_lengths(chunk) for chunk in chunks])
    n_channels = int(lengths[0]) if len(lengths) else 1
    if pa.types.is_fixed_size_list(step):
        n_channels = step.list_size
    refuse_zero("channel(s)", (len(lengths), n_channels), n_channels)
    if (lengths != n_channels).any():
        at = int(np.argmax(lengths != n_channels))
        sequence = int(np.searchsorted(offsets, at, side="right")) - 1
        given = "null" if lengths[at] < 0 else f"{lengths[at]} values"
        raise ValueError(
            f"Expected {n_channels} channels at every step, as at the first, but {where} has "
            f"{given} at step {at - offsets[sequence]} of row {sequence}; give null for each value "
            "that is missing."
        )
    flat = _concatenate([_to_numpy(chunk.flatten()) for chunk in chunks])
    return [flat.reshape(-1, n_channels)], ()


def _vector_lengths(vectors: Any) -> NDArray[np.int64]:
    lengths = load("pyarrow.compute").list_value_length(vectors)
    return np.asarray(lengths.fill_null(-1).to_numpy(), dtype=np.int64)


def _to_numpy(values: Any) -> NDArray[Any]:
    array: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return array


def _concatenate(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def write_leaf(values: NDArray[Any], categories: Categories | None, field: Any) -> Any:
    """Return the values of a channel as Arrow has them, with null for NaN if it may be there."""
    pa = load("pyarrow")
    if categories is not None:
        is_number, kind = categories.values.dtype.kind in "iub", field.type
        items = restore(values, categories).tolist()
        if pa.types.is_dictionary(kind):  # pyarrow 18 makes them of few types only
            encoded = pa.array(items, kind.value_type, from_pandas=True).dictionary_encode()
            indices = encoded.indices.cast(kind.index_type)
            return pa.DictionaryArray.from_arrays(indices, encoded.dictionary, ordered=kind.ordered)
        if pa.types.is_floating(kind):
            kind = pa.from_numpy_dtype(categories.values.dtype) if is_number else None
        return pa.array(items, type=kind, from_pandas=True)
    numbers = values.astype(field.type.to_pandas_dtype())
    return pa.array(numbers, type=field.type, from_pandas=field.nullable)


def join(channels: list[Any], step: Any) -> Any:
    """Return channels as the values of the steps that they are part of."""
    pa = load("pyarrow")
    if pa.types.is_struct(step):
        return pa.StructArray.from_arrays(channels, fields=list(step))
    if not is_list(step):
        return channels[0]
    n_channels, n_steps = len(channels), len(channels[0])
    order = np.arange(n_channels * n_steps).reshape(n_channels, n_steps).T.ravel()
    flat = pa.concat_arrays(channels).take(pa.array(order))
    return write_lists(flat, np.arange(n_steps + 1) * n_channels, step)


def write_lists(values: Any, offsets: NDArray[np.int64], kind: Any) -> Any:
    """Return lists of these values, of this type."""
    pa = load("pyarrow")
    if pa.types.is_fixed_size_list(kind):
        # Of no size it divides by it (pyarrow 26).
        if kind.list_size and (np.diff(offsets) == kind.list_size).all():
            return pa.FixedSizeListArray.from_arrays(values, type=kind)
        kind = pa.list_(kind.value_field)
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=kind)
    if pa.types.is_large_list(kind):
        return pa.LargeListArray.from_arrays(pa.array(offsets), values, type=kind)
    views = pa.ListViewArray if kind.id == pa.lib.Type_LIST_VIEW else pa.LargeListViewArray
    width = pa.int32() if views is pa.ListViewArray else pa.int64()
    starts, sizes = pa.array(offsets[:-1], width), pa.array(np.diff(offsets), width)
    return views.from_arrays(starts, sizes, values, type=kind)
