"""Tables of sequences, read and written in chunks: CSV, Parquet and NPZ.

A chunk has whole sequences, so it can be processed independently of the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae._utils.printing import printable
from sklearn_seqae.containers import from_long
from sklearn_seqae.containers.registry import as_sequences

from .table_csv import read_csv
from .table_files import File
from .table_times import read_times

if TYPE_CHECKING:
    import pandas as pd

# Number of rows that are read at once.
CHUNK_ROWS = 100_000
# Maximum length of the names of columns in an error.
SHOWN_LENGTH = 200


@dataclass(frozen=True)
class Columns:
    """The columns of a table.

    Parameters
    ----------
    id : str or None
        Column with the ids of sequences.
    time : str or None
        Column with time stamps. If None, rows are in order.
    channels : tuple of str or None
        Columns with values. If None, all others.
    text : tuple of str, default=()
        Columns of categories, which are text even if they look like numbers.
    numbers : tuple of str, default=()
        Columns of numbers. The types of other columns are inferred from all of their values, which
        requires the whole table.
    """

    id: str | None
    time: str | None
    channels: tuple[str, ...] | None
    text: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    @property
    def chosen(self) -> list[str] | None:
        """The columns to read; None for all."""
        if self.channels is None:
            return None
        return [*filter(None, (self.id, self.time)), *self.channels]


def read_sequences(file: File, columns: Columns, is_whole: bool = False) -> Iterator[Any]:
    """Yield containers of whole sequences.

    The rows of a sequence in a long table are consecutive. If values in a Parquet file are lists, a
    row is a sequence. An NPZ file is one chunk: a padded array "X", or "values" (n_steps,
    n_channels) of all sequences with "offsets" (n_sequences + 1,), and optionally "ids".

    Parameters
    ----------
    file : File
    columns : Columns
    is_whole : bool, default=False
        Whether to read a CSV file as one chunk.
    """
    if file.form == "npz":
        yield _npz_sequences(file)
        return
    if columns.id is None and file.form == "csv":
        raise ValueError("Expected the column with the ids of sequences: give it by --id.")
    read = _csv_chunks if file.form == "csv" else _parquet_chunks
    chunks = read(file, columns, is_whole)
    first = next(chunks, None)
    if first is not None and not _has_lists(first):
        check_columns(first, file, columns)
    if first is None or not len(first):
        raise ValueError(f"Expected rows in {file.path!r}, got none: there is nothing to read.")
    chunks = _chain(first, chunks)
    if _has_lists(first):
        yield from chunks
        return
    if columns.id is None:
        raise ValueError("Expected the column with the ids of sequences: give it by --id.")
    for chunk in _whole(chunks, columns.id):
        yield from_long(chunk, id=columns.id, time=columns.time, channels=columns.channels)


def read_rows(file: File, numbers: list[str]) -> Iterator[pd.DataFrame]:
    """Yield chunks of a table whose rows are independent, such as codes.

    Columns of CSV other than `numbers` are text.
    """
    if file.form == "npz":
        arrays = _npz(file)
        codes = arrays.get("codes")
        if codes is None or codes.ndim != 2:
            raise ValueError(
                f"Expected an array 'codes' of two dimensions in {file.path!r}, got "
                f"{ {name: array.shape for name, array in arrays.items()} }: give what "
                "transform wrote."
            )
        frame = load("pandas").DataFrame(codes)
        if "ids" in arrays:
            frame.insert(0, "id", arrays["ids"])
        yield frame
    elif file.form == "csv":
        yield from read_csv(file, None, set(numbers), None, CHUNK_ROWS)
    else:
        yield from _parquet_chunks(file, Columns(None, None, None))


@contextlib.contextmanager
def writing(file: File, matrix: str = "") -> Iterator[Writer]:
    """Open a table to write in chunks; a file exists once it is complete.

    Parameters
    ----------
    file : File
    matrix : {"", "codes", "values"}, default=""
        Arrays of an NPZ file. "codes": "ids", the first column, and "codes", all others; "values":
        "ids" and "offsets" of sequences, and "values", all columns but the first two; "": one array
        per column.
    """
    with file.replaced() as sink:
        writer = Writer(sink, file, matrix)
        yield writer
        writer.finish()


class Writer:
    """Writer of chunks of one table: see `writing`."""

    def __init__(self, sink: IO[bytes], file: File, matrix: str) -> None:
        self.sink, self.form, self.matrix = sink, file.form, matrix
        self._delimiter = file.delimiter
        self._chunks: list[pd.DataFrame] = []
        self._has_header = False
        self._parquet: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        if self.form == "npz":
            self._chunks.append(frame)
        elif self.form == "csv":
            text = frame.to_csv(
                sep=self._delimiter,
                index=False,
                header=not self._has_header,
                lineterminator="\n",
            )
            self._has_header = True
            if self.sink.isatty():  # which would interpret control characters of ids or categories
                text = printable(text)
            self.sink.write(text.encode())
        else:
            table = load("pyarrow").Table.from_pandas(frame, preserve_index=False)
            if self._parquet is None:
                self._parquet = load("pyarrow.parquet").ParquetWriter(self.sink, table.schema)
            self._parquet.write_table(table.cast(self._parquet.schema))

    def finish(self) -> None:
        """Write the end of the file."""
        if self._chunks:
            np.savez(self.sink, **self._arrays())
        elif self._parquet is not None:
            self._parquet.close()

    def _arrays(self) -> dict[str, Any]:
        frame = load("pandas").concat(self._chunks, ignore_index=True)
        arrays = {str(name): _plain(frame[name]) for name in frame}
        if not self.matrix:
            return arrays
        ids, *others = arrays.values()
        if self.matrix == "codes":
            return {"ids": ids, "codes": np.stack(others, axis=1)}
        starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
        # The first column after the ids has step numbers or time stamps.
        if len({array.dtype.kind == "U" for array in others[1:]}) > 1:
            raise ValueError(
                "Expected numerical or categorical channels for the array 'values' of an NPZ "
                "file, got both: write CSV or Parquet, by --output-format or the output's name."
            )
        values = np.stack(others[1:], axis=1)
        return {"ids": ids[starts], "offsets": np.r_[starts, len(ids)], "values": values}


def _csv_chunks(file: File, columns: Columns, is_whole: bool) -> Iterator[pd.DataFrame]:
    text = {*filter(None, (columns.id, columns.time)), *columns.text}
    n_rows = None if is_whole else CHUNK_ROWS
    for frame in read_csv(file, text, set(columns.numbers), columns.chosen, n_rows):
        yield _with_times(frame, columns.time, is_whole)


def _parquet_chunks(file: File, columns: Columns, is_whole: bool = False) -> Iterator[pd.DataFrame]:
    parquet = load("pyarrow.parquet")
    pd, pa = load("pandas"), load("pyarrow")
    with file.opened() as source:
        with file.readable():
            reader = parquet.ParquetFile(source)
            names = columns.chosen
            known = set(reader.schema_arrow.names)
            names = None if names is None or not known.issuperset(names) else names
            batches = reader.iter_batches(batch_size=CHUNK_ROWS, columns=names)
        while True:
            with file.readable():
                batch = next(batches, None)
                if batch is None:
                    return
                table = pa.Table.from_batches([batch])
                has_lists = any(_is_list(field.type) for field in table.schema)
                mapper = pd.ArrowDtype if has_lists else None
                frame = table.to_pandas(ignore_metadata=True, types_mapper=mapper)
            if has_lists:
                yield frame if columns.id not in frame else frame.set_index(columns.id)
            else:
                yield _with_times(frame, columns.time, is_whole=False)


def check_columns(frame: pd.DataFrame, file: File, columns: Columns) -> None:
    """Raise unless a table has the requested columns."""
    found = [name for name in (*frame.index.names, *frame) if name is not None]
    for name, remedy in (
        (columns.id, "name the one with the ids of sequences by --id"),
        (columns.time, "name the one with time stamps by --time"),
        *((name, "name those of the channels by --channels") for name in columns.channels or ()),
    ):
        if name is not None and name not in found:
            listed = ", ".join(map(repr, found))
            shown = listed if len(listed) <= SHOWN_LENGTH else f"{listed[:SHOWN_LENGTH]} ..."
            raise ValueError(
                f"Expected a column {name!r} in {file.path!r}, got {shown}: {remedy}, or the "
                "delimiter of CSV by --delimiter."
            )


def _with_times(frame: pd.DataFrame, time: str | None, is_whole: bool) -> pd.DataFrame:
    if time is None or time not in frame:
        return frame
    return frame.assign(**{time: read_times(frame[time], time, is_whole)})


def _whole(chunks: Iterator[pd.DataFrame], identity: str) -> Iterator[pd.DataFrame]:
    """Yield chunks of a long table that are split between sequences."""
    concat = load("pandas").concat
    seen: set[Any] = set()
    held: list[pd.DataFrame] = []  # rows of the last sequence so far, which may be incomplete
    for chunk in chunks:
        ids = chunk[identity].to_numpy()
        changes = np.flatnonzero(ids[1:] != ids[:-1]) + 1
        begins = [0, *changes] if not held or held[-1][identity].iloc[-1] != ids[0] else changes
        for new in ids[begins].tolist():
            if new in seen:
                raise ValueError(
                    f"Expected consecutive rows for each sequence, but those of {new!r} are "
                    f"in more than one place: sort the table by {identity!r} first."
                )
            seen.add(new)
        if len(begins):
            last = int(begins[-1])
            whole = [*held, chunk.iloc[:last]]
            held = [chunk.iloc[last:]]
            if sum(map(len, whole)):
                yield concat(whole, ignore_index=True)
        else:
            held.append(chunk)
    yield concat(held, ignore_index=True)


def _npz_sequences(file: File) -> Any:
    path, arrays = file.path, _npz(file)
    ids = arrays.get("ids")
    if "X" in arrays:
        sequences = arrays["X"] if ids is None else list(as_sequences(arrays["X"]))
    elif {"values", "offsets"} <= arrays.keys():
        values, offsets = arrays["values"], arrays["offsets"]
        if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not len(offsets):
            raise ValueError(f"Expected whole numbers in 'offsets' of {path!r}: see --help.")
        if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            raise ValueError(
                f"Expected 'offsets' of {path!r} to increase from 0 to the {len(values)} rows of "
                f"'values', got {offsets[:3]} ... {offsets[-1:]}: give the start of "
                "each sequence, and the end of the last."
            )
        sequences = np.split(values, offsets[1:-1])
    else:
        raise ValueError(
            f"Expected an array 'X', or arrays 'values' and 'offsets', in {path!r}, got "
            f"{sorted(arrays)}: save them by these names."
        )
    if ids is None:
        return sequences
    if ids.shape != (len(sequences),):
        raise ValueError(
            f"Expected one of 'ids' for each of {len(sequences)} sequences in {path!r}, got "
            f"{ids.shape}: give as many."
        )
    return load("pandas").Series(sequences, index=ids)


def _npz(file: File) -> dict[str, Any]:
    with file.opened() as source, file.readable():
        arrays = np.load(source, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array; use np.savez")
        found = {name: arrays[name] for name in arrays.files}
        if invalid := [name for name, array in found.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{invalid[0]!r} in it is not an array")
        return found


def _has_lists(frame: pd.DataFrame) -> bool:
    return any(_is_list(getattr(dtype, "pyarrow_dtype", None)) for dtype in frame.dtypes)


def _is_list(kind: Any) -> bool:
    types = load("pyarrow.types") if kind is not None else None
    return types is not None and (
        types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    )


def _plain(column: pd.Series) -> Any:
    """Return a column as an array that can be saved without pickle."""
    array = column.to_numpy()
    return array if array.dtype.kind != "O" else array.astype(str)


def _chain(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others
