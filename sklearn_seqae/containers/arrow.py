"""Lists of Arrow: columns, tables and frames of pyarrow, polars and pandas, one row a sequence.

Arrow lays lists out as `Sequences` does, so floats in one chunk are not copied.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from sklearn_seqae._utils.optional_imports import load

from .arrow_types import is_list, leaf_field, read_schema, step_width, with_value_type, write_schema
from .arrow_values import join, read_block, shared_offsets, write_leaf, write_lists
from .columns import Columns
from .numeric import is_frame
from .numpy_arrays import refuse_zero
from .pandas_frames import columns_of, ids_of
from .raw_sequences import RawSequences
from .sequences import Form, SequenceIndex, Sequences

_Opened = tuple[tuple[Any, ...], list[Any]]


@dataclass(frozen=True)
class ArrowForm(Form):
    """Lists of Arrow, a row a sequence.

    Parameters
    ----------
    schema : str
        The schema of the columns: see `write_schema`.
    columns : tuple
        Names of the columns.
    fields : tuple of str, default=()
        Names of the channels where steps are structs; their order is of no account.
    """

    are_named: ClassVar[bool] = False  # whether columns have names
    schema: str
    columns: tuple[Any, ...]
    fields: tuple[str, ...] = ()

    @classmethod
    def of(cls, sequences: Sequences) -> Self:
        """Return the form for sequences of another container: a column of lists a channel."""
        names = sequences.channel_names or tuple(range(sequences.n_channels))
        pa = load("pyarrow")
        kind = pa.list_(pa.from_numpy_dtype(sequences.values.dtype))
        return cls(write_schema(pa.schema([(str(name), kind) for name in names])), names)

    @property
    def channel_names(self) -> tuple[Any, ...] | None:
        """Names of the fields of structs, else of the columns of a table."""
        return self.fields or (self.columns if self.are_named else None)

    @property
    def n_columns(self) -> int | None:
        """Number of columns of a table; None for what is none."""
        return len(self.columns) if self.is_table else None

    @property
    def has_order(self) -> bool:
        """Fields of structs have no order to users."""
        return not self.fields

    @staticmethod
    def open(X: Any) -> _Opened:
        """Return the names of columns, and the columns as chunked arrays of pyarrow."""
        return ("",), [load("pyarrow").chunked_array([X])]

    @abstractmethod
    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return the container of the columns of a table of pyarrow."""

    def write(self, sequences: Sequences, index: SequenceIndex | None) -> Any:
        """Return list columns; NaN is null. Lists of a fixed size become others if lengths vary."""
        pa = load("pyarrow")
        n_channels = sequences.n_channels
        schema = read_schema(self.schema)
        fields = list(schema)
        width = len(fields) if len(fields) > 1 else step_width(fields[0].type.value_type)
        if width not in (None, n_channels):
            raise ValueError(
                f"Expected sequences of {width} channels for the form {self.name!r}, got "
                f"{n_channels} channels; ask for the form 'list' or '3d' instead."
            )
        columns = []
        for j, values in enumerate(sequences.values.T):
            found = sequences.categories[j] if sequences.categories else None
            field = leaf_field(fields[min(j, len(fields) - 1)].type, j)
            columns.append(write_leaf(values, found, field))
            if found is not None and len(fields) == n_channels:  # categories need not be floating
                fields[j] = fields[j].with_type(with_value_type(fields[j].type, columns[j].type))
        if len(fields) == 1:
            columns = [join(columns, fields[0].type.value_type)]
        arrays = [
            write_lists(column, sequences.offsets, field.type)
            for column, field in zip(columns, fields, strict=True)
        ]
        fields = [field.with_type(array.type) for field, array in zip(fields, arrays, strict=True)]
        schema = pa.schema(fields, metadata=schema.metadata)
        return self.close(pa.Table.from_arrays(arrays, schema=schema), index)


@dataclass(frozen=True)
class ArrowTable(ArrowForm):
    """A table of pyarrow."""

    name = "arrow_table"
    is_table = True
    are_named = True

    @staticmethod
    def open(X: Any) -> _Opened:
        """Return names and columns."""
        return tuple(X.schema.names), [
            load("pyarrow").chunked_array(column) for column in X.columns
        ]

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return the table."""
        return table


@dataclass(frozen=True)
class RecordBatch(ArrowTable):
    """A record batch of pyarrow, which scikit-learn takes for no table."""

    name = "arrow_batch"
    is_table = False

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return the only batch."""
        return table.to_batches()[0]


@dataclass(frozen=True)
class ArrowArray(ArrowForm):
    """An array of pyarrow."""

    name = "arrow_array"

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return the only chunk of the only column."""
        return table.column(0).chunk(0)


@dataclass(frozen=True)
class ChunkedArray(ArrowForm):
    """A chunked array of pyarrow."""

    name = "arrow_chunks"

    @staticmethod
    def open(X: Any) -> _Opened:
        """Return the array as the only column."""
        return ("",), [X]

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return the only column."""
        return table.column(0)


@dataclass(frozen=True)
class PolarsSeries(ArrowForm):
    """A Series of polars."""

    name = "polars_series"

    @staticmethod
    def open(X: Any) -> _Opened:
        """Return the names and columns of a Series or DataFrame."""
        series = X.get_columns() if hasattr(X, "get_columns") else [X]
        chunked = load("pyarrow").chunked_array
        return tuple(one.name for one in series), [chunked([one.to_arrow()]) for one in series]

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return the only column."""
        return load("polars").from_arrow(table).to_series()


@dataclass(frozen=True)
class PolarsFrame(PolarsSeries):
    """A DataFrame of polars."""

    name = "polars_frame"
    is_table = True
    are_named = True

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return all columns."""
        return load("polars").from_arrow(table)


@dataclass(frozen=True)
class ArrowSeries(ArrowForm):
    """A Series of pandas with a dtype of Arrow.

    Parameters
    ----------
    schema, columns, fields
        As in `ArrowForm`.
    id_name : label, default=None
        Name of the index.
    column_names : tuple, default=()
        Names of the levels of the columns.
    """

    name = "arrow_series"
    id_name: Any = None
    column_names: tuple[Any, ...] = ()

    @staticmethod
    def open(X: Any) -> _Opened:
        """Return the names and columns of a Series or DataFrame."""
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

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return the only column."""
        return self._series(table, index)[0].rename(self.columns[0])

    def _series(self, table: Any, index: SequenceIndex | None) -> list[Any]:
        pd = load("pandas")
        rows = ids_of(index, self.id_name, len(table))
        return [
            pd.Series(pd.array(c, dtype=pd.ArrowDtype(c.type)), index=rows) for c in table.columns
        ]


@dataclass(frozen=True)
class ArrowFrame(ArrowSeries):
    """A DataFrame of pandas with dtypes of Arrow."""

    name = "arrow_frame"
    is_table = True
    are_named = True

    def close(self, table: Any, index: SequenceIndex | None) -> Any:
        """Return all columns."""
        frame = load("pandas").concat(self._series(table, index), axis=1)
        return frame.set_axis(columns_of(self.columns, self.column_names), axis=1)


def _form_of(X: Any) -> type[ArrowForm] | None:
    pandas, polars, pyarrow = map(sys.modules.get, ("pandas", "polars", "pyarrow"))
    if polars is not None and isinstance(X, polars.DataFrame | polars.Series):
        is_frame_of_polars = isinstance(X, polars.DataFrame)
        # Asked of polars, since all but lists are read without pyarrow.
        dtypes = X.dtypes if is_frame_of_polars else [X.dtype]
        if not any(isinstance(dtype, polars.List | polars.Array) for dtype in dtypes):
            return None
        return PolarsFrame if is_frame_of_polars else PolarsSeries
    if pyarrow is None:
        return None
    if pandas is not None and isinstance(X, pandas.DataFrame | pandas.Series):
        dtypes = list(X.dtypes) if is_frame(X) else [X.dtype]
        if X.index.nlevels > 1 or not any(is_list(getattr(d, "pyarrow_dtype", d)) for d in dtypes):
            return None
        return ArrowFrame if is_frame(X) else ArrowSeries
    kinds: dict[type[ArrowForm], type] = {
        ArrowTable: pyarrow.Table,
        RecordBatch: pyarrow.RecordBatch,
        ChunkedArray: pyarrow.ChunkedArray,
        ArrowArray: pyarrow.Array,
    }
    return next((form for form, owner in kinds.items() if isinstance(X, owner)), None)


def read_arrow(X: Any) -> RawSequences | None:
    """Read list columns: of a table or frame one a channel, or one alone whose steps are vectors.

    A vector is a list, of which all have the same length, or a struct.
    """
    kind = _form_of(X)
    if kind is None:
        return None
    names, columns = kind.open(X)
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
    where = [f"column {name!r}" if kind.are_named else "the array" for name in names]
    offsets = shared_offsets(columns, where)
    fields: tuple[str, ...] = ()
    read: list[Columns] = []
    for column, name in zip(columns, where, strict=True):
        blocks, fields = read_block(column, name, offsets)
        read += [Columns([block], [name].__getitem__) for block in blocks]
    if len(columns) > 1 and sum(one.n_channels for one in read) > len(columns):
        raise ValueError(
            "Expected one channel a column, or one single column of vectors, but some of the "
            f"columns {list(names)} hold vectors; select one of these alone."
        )
    types = [(str(name), column.type) for name, column in zip(names, columns, strict=True)]
    schema = X.schema if issubclass(kind, ArrowTable) else pa.schema(types)
    form = kind(write_schema(schema), names, fields if len(columns) == 1 else ())
    index = None
    if isinstance(form, ArrowSeries):
        levels = tuple(X.columns.names) if is_frame(X) else ()
        form = replace(form, id_name=X.index.name, column_names=levels)
        index = SequenceIndex(X.index)
    return RawSequences(read, offsets, form, index)


def order_fields(sequences: Sequences, names: tuple[str, ...]) -> Sequences:
    """Return sequences whose steps are structs with the fields in another order."""
    form = sequences.form
    assert isinstance(form, ArrowForm)
    order = [form.fields.index(name) for name in names]
    categories = tuple(sequences.categories[j] for j in order) if sequences.categories else ()
    schema = read_schema(form.schema)
    field = schema.field(0)
    step = load("pyarrow").struct([field.type.value_type.field(name) for name in names])
    schema = schema.set(0, field.with_type(with_value_type(field.type, step)))
    form = replace(form, schema=write_schema(schema), fields=names)
    values = sequences.values[:, order]
    return Sequences(values, sequences.offsets, form, categories, sequences.index)
