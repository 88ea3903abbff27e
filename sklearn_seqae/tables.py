"""Tables in files, read and written a piece at a time: CSV, Parquet and NPZ.

A piece has whole sequences, so that what is done with one needs no other. pandas reads and writes
CSV, pyarrow Parquet, NumPy NPZ.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from .containers import from_long
from .files import replacing
from .importing import load
from .printing import printable
from .sequences import as_sequences

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "parquet", "npz")
STREAM = "-"
# Rows that are read at once: few enough to hold, and enough to be fast.
PIECE_ROWS = 100_000


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are what.

    Parameters
    ----------
    id : str or None
        Names the sequence that a row belongs to.
    time : str or None
        Has the time stamp of a row; None: rows are in order.
    channels : tuple of str or None
        Hold the values; None: all others.
    text : tuple of str, default=()
        Hold symbols, which are text even where they look like numbers.
    """

    id: str | None
    time: str | None
    channels: tuple[str, ...] | None
    text: tuple[str, ...] = ()

    @property
    def chosen(self) -> list[str] | None:
        """The columns to read; None for all."""
        if self.channels is None:
            return None
        return [*filter(None, (self.id, self.time)), *self.channels]


def format_of(path: str, given: str | None) -> str:
    """Return the format of a file: the given one, else by its suffix, else CSV for a stream."""
    if given is not None:
        return given
    suffix = Path(path).suffix.lower().lstrip(".")
    if path == STREAM:
        return "csv"
    if suffix not in FORMATS:
        raise ValueError(
            f"Expected a file that ends in .csv, .parquet or .npz, got {path!r}: rename it, or say "
            "which format it has by --format."
        )
    return suffix


def read_sequences(path: str, form: str, columns: Columns) -> Iterator[Any]:
    """Yield containers of whole sequences.

    Long tables have the rows of a sequence under each other. A Parquet file may have lists for
    values, and then a row is a sequence. An NPZ file is one piece: a padded array "X", or "values"
    (n_steps, n_channels) of all sequences with "offsets" (n_sequences + 1,), and maybe "ids".
    """
    if form == "npz":
        yield _npz_sequences(path)
        return
    if columns.id is None and form == "csv":
        raise ValueError("Expected the column that names the sequences: give it by --id.")
    pieces = _csv_pieces(path, columns) if form == "csv" else _parquet_pieces(path, columns)
    first = next(pieces, None)
    if first is None or not len(first):
        raise ValueError(f"Expected rows in {path!r}, got none: there is nothing to read.")
    pieces = _chain(first, pieces)
    if _has_lists(first):
        yield from pieces
        return
    if columns.id is None:
        raise ValueError("Expected the column that names the sequences: give it by --id.")
    for piece in _whole(pieces, columns.id):
        yield from_long(piece, id=columns.id, time=columns.time, channels=columns.channels)


def read_rows(path: str, form: str, text: tuple[str, ...]) -> Iterator[pd.DataFrame]:
    """Yield pieces of a table of which each row is for itself, such as codes."""
    if form == "npz":
        with _npz(path) as arrays:
            codes = arrays.get("codes")
            if codes is None or codes.ndim != 2:
                raise ValueError(
                    f"Expected an array 'codes' of two dimensions in {path!r}, got "
                    f"{ {name: array.shape for name, array in arrays.items()} }: give what "
                    "transform wrote."
                )
            frame = load("pandas").DataFrame(codes)
            if "ids" in arrays:
                frame.insert(0, "id", arrays["ids"])
            yield frame
    elif form == "csv":
        yield from _csv_pieces(path, Columns(None, None, None, text))
    else:
        yield from _parquet_pieces(path, Columns(None, None, None))


@contextlib.contextmanager
def writing(path: str, form: str, matrix: str = "") -> Iterator[Writer]:
    """Open a table to write in pieces: a file that is there once it is whole, or a stream.

    Parameters
    ----------
    path : str
        Where to; "-" is the standard output.
    form : str
        One of `FORMATS`.
    matrix : {"", "codes", "values"}, default=""
        What an NPZ file has. "codes": "ids", the first column, and "codes", all others; "values":
        "ids" and "offsets" of sequences, and "values", all columns but the first two; "": an array
        for each column.
    """
    with contextlib.nullcontext(sys.stdout.buffer) if path == STREAM else replacing(path) as sink:
        writer = Writer(sink, form, matrix)
        yield writer
        writer.finish()
        sink.flush()


class Writer:
    """Writes pieces of one table: see `writing`."""

    def __init__(self, sink: IO[bytes], form: str, matrix: str) -> None:
        self.sink, self.form, self.matrix = sink, form, matrix
        self._pieces: list[pd.DataFrame] = []
        self._has_header = False
        self._parquet: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        if self.form == "npz":
            self._pieces.append(frame)
        elif self.form == "csv":
            text = frame.to_csv(index=False, header=not self._has_header, lineterminator="\n")
            self._has_header = True
            if self.sink.isatty():  # which would obey what an id or a symbol says
                text = printable(text)
            self.sink.write(text.encode())
        else:
            table = load("pyarrow").Table.from_pandas(frame, preserve_index=False)
            if self._parquet is None:
                self._parquet = load("pyarrow.parquet").ParquetWriter(self.sink, table.schema)
            self._parquet.write_table(table.cast(self._parquet.schema))

    def finish(self) -> None:
        """Write what comes last."""
        if self._pieces:
            np.savez(self.sink, **self._arrays())
        elif self._parquet is not None:
            self._parquet.close()

    def _arrays(self) -> dict[str, Any]:
        frame = load("pandas").concat(self._pieces, ignore_index=True)
        arrays = {str(name): _plain(frame[name]) for name in frame}
        if not self.matrix:
            return arrays
        ids, *others = arrays.values()
        if self.matrix == "codes":
            return {"ids": ids, "codes": np.stack(others, axis=1)}
        starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
        # The first column beside the ids counts steps or has their time stamps.
        values = np.stack(others[1:], axis=1)
        return {"ids": ids[starts], "offsets": np.r_[starts, len(ids)], "values": values}


def _csv_pieces(path: str, columns: Columns) -> Iterator[pd.DataFrame]:
    pd = load("pandas")
    as_text = dict.fromkeys([*filter(None, [columns.id]), *columns.text], str)
    source = sys.stdin.buffer if path == STREAM else path
    with pd.read_csv(source, dtype=as_text, chunksize=PIECE_ROWS) as reader:
        for frame in reader:
            yield _chosen(_with_dates(frame, columns.time), columns)


def _parquet_pieces(path: str, columns: Columns) -> Iterator[pd.DataFrame]:
    parquet = load("pyarrow.parquet")
    source = io.BytesIO(sys.stdin.buffer.read()) if path == STREAM else path
    pd, pa = load("pandas"), load("pyarrow")
    with parquet.ParquetFile(source) as file:
        names = columns.chosen
        known = set(file.schema_arrow.names)
        names = None if names is None or not known.issuperset(names) else names
        for batch in file.iter_batches(batch_size=PIECE_ROWS, columns=names):
            table = pa.Table.from_batches([batch])
            if any(_is_list(field.type) for field in table.schema):
                frame = table.to_pandas(ignore_metadata=True, types_mapper=pd.ArrowDtype)
                yield frame if columns.id is None else frame.set_index(columns.id)
            else:
                frame = table.to_pandas(ignore_metadata=True)
                yield _with_dates(frame, columns.time)


def _chosen(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Leave out the columns that were not asked for, which may be of any kind."""
    names = columns.chosen
    return frame if names is None or not set(frame).issuperset(names) else frame[names]


def _with_dates(frame: pd.DataFrame, time: str | None) -> pd.DataFrame:
    """Read time stamps that are text as dates, as text does not rise as they do."""
    pd = load("pandas")
    if time is None or time not in frame or pd.api.types.is_numeric_dtype(frame[time]):
        return frame
    try:
        return frame.assign(**{time: pd.to_datetime(frame[time], format="ISO8601")})
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0].partition(". You might")[0]
        raise ValueError(
            f"Expected numbers or dates as 2026-11-24 or 2026-11-24T10:00 in column {time!r}, got "
            f"others ({reason}): write them so."
        ) from error


def _whole(pieces: Iterator[pd.DataFrame], identity: str) -> Iterator[pd.DataFrame]:
    """Cut pieces of a long table between sequences rather than anywhere."""
    concat = load("pandas").concat
    seen: set[Any] = set()
    held: list[pd.DataFrame] = []  # rows of the last sequence so far, which may go on
    for piece in pieces:
        if identity not in piece:
            raise ValueError(
                f"Expected a column {identity!r}, got the columns {list(piece)}: name the one with "
                "the ids of sequences by --id."
            )
        ids = piece[identity].to_numpy()
        changes = np.flatnonzero(ids[1:] != ids[:-1]) + 1
        begins = [0, *changes] if not held or held[-1][identity].iloc[-1] != ids[0] else changes
        for new in ids[begins].tolist():
            if new in seen:
                raise ValueError(
                    f"Expected the rows of a sequence under each other, but those of {new!r} are "
                    f"in more than one place: sort the table by {identity!r} first."
                )
            seen.add(new)
        if len(begins):
            last = int(begins[-1])
            whole = [*held, piece.iloc[:last]]
            held = [piece.iloc[last:]]
            if sum(map(len, whole)):
                yield concat(whole, ignore_index=True)
        else:
            held.append(piece)
    yield concat(held, ignore_index=True)


def _npz_sequences(path: str) -> Any:
    with _npz(path) as arrays:
        ids = arrays.get("ids")
        if "X" in arrays:
            sequences = arrays["X"] if ids is None else list(as_sequences(arrays["X"]))
        elif {"values", "offsets"} <= arrays.keys():
            values, offsets = arrays["values"], arrays["offsets"]
            if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not len(offsets):
                raise ValueError(f"Expected whole numbers in 'offsets' of {path!r}: see --help.")
            if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
                raise ValueError(
                    f"Expected 'offsets' of {path!r} to rise from 0 to the {len(values)} rows of "
                    f"'values', got {offsets[:3]} ... {offsets[-1:]}: give where each sequence "
                    "begins, and the end of the last."
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


@contextlib.contextmanager
def _npz(path: str) -> Iterator[dict[str, Any]]:
    source = io.BytesIO(sys.stdin.buffer.read()) if path == STREAM else path
    with np.load(source, allow_pickle=False) as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError(f"Expected an NPZ file, got a single array in {path!r}: use np.savez.")
        yield {name: file[name] for name in file.files}


def _has_lists(frame: pd.DataFrame) -> bool:
    return any(_is_list(getattr(dtype, "pyarrow_dtype", None)) for dtype in frame.dtypes)


def _is_list(kind: Any) -> bool:
    types = load("pyarrow.types") if kind is not None else None
    return types is not None and (
        types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    )


def _plain(column: pd.Series) -> Any:
    """Return a column as an array that is saved without pickle."""
    array = column.to_numpy()
    return array if array.dtype.kind != "O" else array.astype(str)


def _chain(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others
