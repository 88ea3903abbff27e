"""Lists of Arrow: columns, tables and frames of pyarrow, polars and pandas, one row a sequence.

Arrow lays lists out as `Sequences` does, so floats in one chunk are not copied.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load

from .arrow_types import is_list, leaf_field, read_schema, step_width, with_value_type, write_schema
from .columns import Chooser, Labels, is_frame, is_series, restore
from .numpy_arrays import read_blocks, refuse_zero
from .pandas_frames import columns_of, ids_of
from .sequences import Form, SequenceIndex, Sequences


def read_arrow(X: Any, choose: Chooser | None) -> Sequences | None:
    """Read list columns: of a table or frame one a channel, or one alone whose steps are vectors.

    A vector is a list, of which all have the same length, or a struct.
    """
    kind = _kind_of(X)
    if kind is None:
        return None
    names, columns = _OPEN[kind](X)
    have_lists = [is_list(column.type) for column in columns]
    if not any(have_lists):
        return None
    if not all(have_lists):
        kept = [name for name, yes in zip(names, have_lists, strict=True) if yes]
        raise ValueError(
            "Expected a list in every row of every column, but the columns "
            f"{[name for name in names if name not in kept]} hold none; select those of lists, "
            f"{kept}."
        )
    pa = load("pyarrow")
    refuse_zero("sample(s)", (len(columns[0]), len(columns)), len(columns[0]))
    where = [f"column {name!r}" if kind in _TABLES else "the array" for name in names]
    offsets = _shared_offsets(columns, where)
    blocks: list[NDArray[Any]] = []
    channels: list[Any] = []
    for column, name in zip(columns, where, strict=True):
        block, fields = _block(column, name, offsets)
        blocks += block
        channels += fields
    if len(columns) > 1 and len(channels) > len(columns):
        raise ValueError(
            "Expected one channel a column, or one single column of vectors, but some of the "
            f"columns {list(names)} hold vectors; select one of these alone."
        )
    is_struct = len(columns) == 1 and pa.types.is_struct(columns[0].type.value_type)
    field_names = tuple(channels) if is_struct else ()
    if len(columns) == len(channels) and not is_struct:
        channels = list(names) if kind in _TABLES else [None]
    types = [(str(name), column.type) for name, column in zip(names, columns, strict=True)]
    schema = X.schema if kind in ("arrow_table", "arrow_batch") else pa.schema(types)
    form = Form(kind, columns=tuple(names), layout=write_schema(schema), fields=field_names)
    index = None
    if is_frame(X) or is_series(X):
        form = replace(form, names=(X.index.name, *(X.columns.names if is_frame(X) else ())))
        index = SequenceIndex(X.index)
    owners = [where[min(j, len(where) - 1)] for j in range(len(blocks))]
    known = None if None in channels else tuple(channels)
    return read_blocks(blocks, owners, known, offsets, form, choose, index)


def write_arrow(sequences: Sequences, form: Form, index: SequenceIndex | None) -> Any:
    """Write list columns; NaN becomes null. Lists of a fixed size become others if lengths vary."""
    pa = load("pyarrow")
    n_channels = sequences.n_channels
    names = range(n_channels) if form.columns is None else form.columns
    value_type = pa.from_numpy_dtype(form.dtype)
    schema = pa.schema([(str(name), pa.list_(value_type)) for name in names])
    if form.layout:
        schema = read_schema(form.layout)
    fields = list(schema)
    width = len(fields) if len(fields) > 1 else step_width(fields[0].type.value_type)
    if width not in (None, n_channels):
        raise ValueError(
            f"Expected sequences of {width} channels for the form {form.kind!r}, got "
            f"{n_channels} channels; ask for the form 'list' or '3d' instead."
        )
    columns = []
    for j, values in enumerate(sequences.values.T):
        found = sequences.labels[j] if sequences.labels else None
        field = leaf_field(fields[min(j, len(fields) - 1)].type, j)
        columns.append(_leaf(values, found, field))
        if found is not None and len(fields) == n_channels:  # symbols need not be floating
            fields[j] = fields[j].with_type(with_value_type(fields[j].type, columns[j].type))
    if len(fields) == 1:
        columns = [_join(columns, fields[0].type.value_type)]
    arrays = [
        _lists(column, sequences.offsets, field.type)
        for column, field in zip(columns, fields, strict=True)
    ]
    fields = [field.with_type(array.type) for field, array in zip(fields, arrays, strict=True)]
    schema = pa.schema(fields, metadata=schema.metadata)
    return _CLOSE[form.kind](pa.Table.from_arrays(arrays, schema=schema), form, index)


def order_fields(sequences: Sequences, names: tuple[str, ...]) -> Sequences:
    """Return sequences whose steps are structs with the fields in another order."""
    form = sequences.form
    order = [form.fields.index(name) for name in names]
    labels = tuple(sequences.labels[j] for j in order) if sequences.labels else ()
    schema = read_schema(form.layout)
    field = schema.field(0)
    step = load("pyarrow").struct([field.type.value_type.field(name) for name in names])
    schema = schema.set(0, field.with_type(with_value_type(field.type, step)))
    form = replace(form, layout=write_schema(schema), fields=names)
    values = sequences.values[:, order]
    return Sequences(values, sequences.offsets, form, labels, sequences.index)


# Containers


def _kind_of(X: Any) -> str | None:
    pandas, polars, pyarrow = map(sys.modules.get, ("pandas", "polars", "pyarrow"))
    if polars is not None and isinstance(X, polars.DataFrame | polars.Series):
        is_frame_of_polars = isinstance(X, polars.DataFrame)
        # Asked of polars, since all but lists are read without pyarrow.
        dtypes = X.dtypes if is_frame_of_polars else [X.dtype]
        if not any(isinstance(dtype, polars.List | polars.Array) for dtype in dtypes):
            return None
        return "polars_frame" if is_frame_of_polars else "polars_series"
    if pyarrow is None:
        return None
    if pandas is not None and isinstance(X, pandas.DataFrame | pandas.Series):
        dtypes = list(X.dtypes) if is_frame(X) else [X.dtype]
        if X.index.nlevels > 1 or not any(is_list(getattr(d, "pyarrow_dtype", d)) for d in dtypes):
            return None
        return "arrow_frame" if is_frame(X) else "arrow_series"
    kinds = {
        "arrow_table": pyarrow.Table,
        "arrow_batch": pyarrow.RecordBatch,
        "arrow_chunks": pyarrow.ChunkedArray,
        "arrow_array": pyarrow.Array,
    }
    return next((kind for kind, owner in kinds.items() if isinstance(X, owner)), None)


_Opened = tuple[tuple[Any, ...], list[Any]]


def _open_table(X: Any) -> _Opened:
    return tuple(X.schema.names), [load("pyarrow").chunked_array(column) for column in X.columns]


def _open_array(X: Any) -> _Opened:
    return ("",), [load("pyarrow").chunked_array([X])]


def _open_polars(X: Any) -> _Opened:
    pa = load("pyarrow")
    series = X.get_columns() if hasattr(X, "get_columns") else [X]
    return tuple(one.name for one in series), [pa.chunked_array([one.to_arrow()]) for one in series]


def _open_pandas(X: Any) -> _Opened:
    pa = load("pyarrow")
    series = [X.iloc[:, j] for j in range(X.shape[1])] if is_frame(X) else [X]
    columns = []
    for one in series:
        # What else a column holds does not matter: it is refused.
        is_arrow = hasattr(one.dtype, "pyarrow_dtype")
        # A Series of pandas 2 has no C stream, by which pyarrow would take it as it is.
        column = pa.array(one) if is_arrow else pa.nulls(len(one))
        is_whole = isinstance(column, pa.ChunkedArray)
        columns.append(column if is_whole else pa.chunked_array([column]))
    return tuple(one.name for one in series), columns


_OPEN: dict[str, Callable[[Any], _Opened]] = {
    "arrow_table": _open_table,
    "arrow_batch": _open_table,
    "arrow_chunks": lambda X: (("",), [X]),
    "arrow_array": _open_array,
    "polars_frame": _open_polars,
    "polars_series": _open_polars,
    "arrow_frame": _open_pandas,
    "arrow_series": _open_pandas,
}
KINDS = tuple(_OPEN)
_TABLES = ("arrow_table", "arrow_batch", "polars_frame", "arrow_frame")
_Closer = Callable[[Any, Form, SequenceIndex | None], Any]


def _close_pandas(table: Any, form: Form, index: SequenceIndex | None) -> Any:
    pd = load("pandas")
    rows = ids_of(index, form, len(table))
    columns = [
        pd.Series(pd.array(c, dtype=pd.ArrowDtype(c.type)), index=rows) for c in table.columns
    ]
    if form.kind == "arrow_series":
        return columns[0].rename(form.columns[0] if form.columns else None)
    frame = pd.concat(columns, axis=1)
    names = form.columns or tuple(table.schema.names)
    return frame.set_axis(columns_of(replace(form, columns=names)), axis=1)


_CLOSE: dict[str, _Closer] = {
    "arrow_table": lambda table, form, index: table,
    "arrow_batch": lambda table, form, index: table.to_batches()[0],
    "arrow_chunks": lambda table, form, index: table.column(0),
    "arrow_array": lambda table, form, index: table.column(0).chunk(0),
    "polars_frame": lambda table, form, index: load("polars").from_arrow(table),
    "polars_series": lambda table, form, index: load("polars").from_arrow(table).to_series(),
    "arrow_frame": _close_pandas,
    "arrow_series": _close_pandas,
}


# Values


def _shared_offsets(columns: list[Any], where: list[str]) -> NDArray[np.int64]:
    """Return where sequences begin, which all columns have to agree upon."""
    offsets = _offsets(columns[0], where[0])
    for column, name in zip(columns[1:], where[1:], strict=True):
        own = _offsets(column, name)
        if not np.array_equal(own, offsets):
            lengths = np.diff([offsets, own])
            row = int(np.argmax(lengths[0] != lengths[1]))
            raise ValueError(
                f"Expected all channels of a sequence to have the same steps, but in row {row} "
                f"{name} has {lengths[1, row]} and {where[0]} has {lengths[0, row]}; fill the "
                "shorter one with nulls."
            )
    return offsets


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
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _block(
    column: Any, where: str, offsets: NDArray[np.int64]
) -> tuple[list[NDArray[Any]], list[Any]]:
    """Return the steps of a column in parts (total_steps, n), and the names of all channels."""
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
        return columns, [field.name for field in step]
    if not is_list(step):
        return [_concatenate([_to_numpy(chunk) for chunk in chunks])[:, None]], [None]
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
    return [flat.reshape(-1, n_channels)], [None] * n_channels


def _vector_lengths(vectors: Any) -> NDArray[np.int64]:
    lengths = load("pyarrow.compute").list_value_length(vectors)
    return np.asarray(lengths.fill_null(-1).to_numpy(), dtype=np.int64)


def _to_numpy(values: Any) -> NDArray[Any]:
    array: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return array


def _concatenate(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _leaf(values: NDArray[Any], labels: Labels | None, field: Any) -> Any:
    """Return the values of a channel as Arrow has them, with null for NaN if it may be there."""
    pa = load("pyarrow")
    if labels is not None:
        is_number, kind = labels.values.dtype.kind in "iub", field.type
        items = restore(values, labels).tolist()
        if pa.types.is_dictionary(kind):  # pyarrow 18 makes them of few types only
            encoded = pa.array(items, kind.value_type, from_pandas=True).dictionary_encode()
            indices = encoded.indices.cast(kind.index_type)
            return pa.DictionaryArray.from_arrays(indices, encoded.dictionary, ordered=kind.ordered)
        if pa.types.is_floating(kind):
            kind = pa.from_numpy_dtype(labels.values.dtype) if is_number else None
        return pa.array(items, type=kind, from_pandas=True)
    numbers = values.astype(field.type.to_pandas_dtype())
    return pa.array(numbers, type=field.type, from_pandas=field.nullable)


def _join(channels: list[Any], step: Any) -> Any:
    """Return channels as the values of the steps that they are part of."""
    pa = load("pyarrow")
    if pa.types.is_struct(step):
        return pa.StructArray.from_arrays(channels, fields=list(step))
    if not is_list(step):
        return channels[0]
    n_channels, n_steps = len(channels), len(channels[0])
    order = np.arange(n_channels * n_steps).reshape(n_channels, n_steps).T.ravel()
    flat = pa.concat_arrays(channels).take(pa.array(order))
    return _lists(flat, np.arange(n_steps + 1) * n_channels, step)


def _lists(values: Any, offsets: NDArray[np.int64], kind: Any) -> Any:
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
