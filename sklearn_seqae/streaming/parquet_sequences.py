"""Sequences in Parquet files, as a source that estimators read part by part."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers.conversion import from_long

from .parquet_files import ParquetFiles, RowGroup

# Name of the attribute of a part, as pandas keeps such, that says where it was read.
SOURCE = "source"


@contextlib.contextmanager
def located(part: Any) -> Iterator[None]:
    """Add to errors about a part from which file and row group it is."""
    try:
        yield
    except ValueError as error:
        source = getattr(part, "attrs", {}).get(SOURCE)
        if source is None:
            raise
        raise ValueError(f"{error} (Found in {source}.)") from error


@dataclass(frozen=True)
class Borders:
    """Where sequences of a long table begin.

    Parameters
    ----------
    n_leading : ndarray of shape (n_groups,), int64
        First rows of each row group, which belong to a sequence of the group before.
    n_sequences : ndarray of shape (n_groups,), int64
        Number of sequences that begin in each row group.
    """

    n_leading: NDArray[np.int64]
    n_sequences: NDArray[np.int64]


class ParquetSequences:
    """Sequences in Parquet files, which are read part by part.

    Accepted as `X` by `fit`, `partial_fit`, `transform`, `score` and `score_samples` of
    `LSTMAutoencoderTransformer`, and by `fit`, `predict`, `decision_function` and `score_samples`
    of `LSTMAutoencoderDetector`. Memory does not depend on the size of the files. An iteration
    gives one DataFrame after the other; ``len`` is the number of sequences.

    There are two layouts. If values are lists, a row is a sequence and a column a channel (or steps
    are vectors in a single column). Otherwise a row is a step of a sequence, and rows of a sequence
    follow each other, also across row groups and files.

    Parameters
    ----------
    path : str or PathLike
        A file, a folder with files that end in ".parquet" (also in folders in it; names that start
        with "." or "_" are left out), or a pattern such as ``"data/*.parquet"``. Files are read in
        the order of their paths.
    id : str, default=None
        The column with the ids of sequences. Required if rows are steps; otherwise None means that
        sequences are numbered 0, 1, ...
    channels : list of str, default=None
        The columns with values. None means all others.
    time : str, default=None
        The column with time stamps if rows are steps, which must increase within a sequence. None
        means that rows are in order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a folder has no Parquet files, if a file is damaged, lacks a column, or has one of
        another type than the first file, or if there are no rows.

    See Also
    --------
    sklearn_seqae.distributed.encode_parquet : Encode files on several cores or machines.

    Notes
    -----
    In the layout with one row per step the column of ids is read first, as a whole, to find where
    sequences begin. A file must not change while it is used.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn_seqae.streaming import ParquetSequences
    >>> visits = pd.DataFrame({"patient": ["a", "a", "b"], "pulse": [60.0, 64.0, 71.0]})
    >>> folder = tempfile.TemporaryDirectory()
    >>> visits.to_parquet(Path(folder.name, "visits.parquet"))
    >>> X = ParquetSequences(folder.name, id="patient")
    >>> len(X)
    2
    >>> [len(part) for part in X]  # rows: the last sequence of a row group comes by itself
    [2, 1]
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: Any,
        *,
        id: str | None = None,  # noqa: A002 (what it is called everywhere)
        channels: Sequence[str] | None = None,
        time: str | None = None,
    ) -> None:
        load("pandas")  # what parts are
        if isinstance(channels, str):
            channels = [channels]
        self.path = path
        self.id = id
        self.channels = channels
        self.time = time
        self._files = ParquetFiles.find(path, id, channels, time)
        self._borders: Borders | None = None

    def __repr__(self) -> str:
        return (
            f"ParquetSequences({str(self.path)!r}, id={self.id!r}, channels={self.channels!r}, "
            f"time={self.time!r})"
        )

    def __len__(self) -> int:
        return int(self._n_sequences().sum())

    def __iter__(self) -> Iterator[Any]:
        return self._read_groups(range(len(self._files.groups)))

    def _shuffled(self, rng: np.random.Generator) -> Iterator[Any]:
        """Yield the same sequences, with row groups in random order."""
        return self._read_groups(rng.permutation(len(self._files.groups)).tolist())

    def _of_file(self, file: int) -> Iterator[Any]:
        """Yield the sequences that begin in one of the files."""
        groups = [i for i, group in enumerate(self._files.groups) if group.file == file]
        return self._read_groups(groups)

    def _read_groups(self, groups: Sequence[int]) -> Iterator[Any]:
        numbers = self._n_sequences()
        firsts = np.cumsum(numbers) - numbers
        for i in groups:
            group = self._files.groups[i]
            is_long = self._files.is_long
            parts = self._long_parts(i) if is_long else self._list_parts(group, int(firsts[i]))
            for part in parts:
                part.attrs[SOURCE] = (
                    f"row group {group.number} of {self._files.paths[group.file]!r}"
                )
                yield part

    def _n_sequences(self) -> NDArray[np.int64]:
        """Return the number of sequences that begin in each row group."""
        if not self._files.is_long:
            return np.array([group.n_rows for group in self._files.groups])
        if self._borders is None:
            self._borders = self._find_borders()
        return self._borders.n_sequences

    def _list_parts(self, group: RowGroup, first: int) -> Iterator[Any]:
        pd, pa = load("pandas"), load("pyarrow")
        keys = [] if self.id is None else [self.id]
        for batch in self._files.read(group, [*keys, *self._files.channels]):
            table = pa.Table.from_batches([batch])
            frame = table.select(self._files.channels).to_pandas(
                ignore_metadata=True, types_mapper=pd.ArrowDtype
            )
            if self.id is None:
                frame.index = pd.RangeIndex(first, first + len(frame))
            else:
                ids = table.column(self.id).to_pandas()
                self._refuse_missing(ids.isna().to_numpy(), group)
                frame.index = pd.Index(ids, name=self.id)
            first += len(frame)
            yield frame

    def _long_parts(self, i: int) -> Iterator[Any]:
        """Yield the sequences that begin in a row group, whose last one may end in another."""
        borders = self._borders
        assert borders is not None
        assert self.id is not None
        concat = load("pyarrow").concat_tables
        if not borders.n_sequences[i]:
            return
        held: list[Any] = []  # rows of the last sequence so far, which may be incomplete
        for table in self._tables(i, int(borders.n_leading[i]), None):
            ids = self._ids(table)
            changes = np.flatnonzero(ids[1:] != ids[:-1]) + 1
            if held and self._ids(held[-1])[-1] != ids[0]:
                changes = np.append(0, changes)
            if len(changes):
                yield self._long(concat([*held, table.slice(0, int(changes[-1]))]), i)
                held = [table.slice(int(changes[-1]))]
            else:
                held.append(table)
        for j in range(i + 1, len(self._files.groups)):
            n_leading = int(borders.n_leading[j])
            held += self._tables(j, 0, n_leading)
            if n_leading < self._files.groups[j].n_rows:
                break
        yield self._long(concat(held), i)

    def _tables(self, i: int, first: int, last: int | None) -> Iterator[Any]:
        """Yield the rows of a row group from one to another, in pieces."""
        pa = load("pyarrow")
        columns = [name for name in (self.id, self.time) if name is not None]
        start, last = 0, self._files.groups[i].n_rows if last is None else last
        if first >= last:
            return
        for batch in self._files.read(self._files.groups[i], [*columns, *self._files.channels]):
            rows = slice(max(first - start, 0), min(last - start, len(batch)))
            if rows.start < rows.stop:
                chosen = batch.slice(rows.start, rows.stop - rows.start)
                yield pa.Table.from_batches([chosen])
            start += len(batch)
            if start >= last:
                return

    def _long(self, table: Any, i: int) -> Any:
        frame = table.to_pandas(ignore_metadata=True)
        try:
            return from_long(frame, id=self.id, time=self.time, channels=self._files.channels)
        except ValueError as error:
            group = self._files.groups[i]
            raise ValueError(
                f"{error} (Found in sequences that begin in row group {group.number} of "
                f"{self._files.paths[group.file]!r}.)"
            ) from error

    def _ids(self, table: Any) -> NDArray[Any]:
        column = table.column(self.id)
        if load("pyarrow.types").is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return np.asarray(column.to_pandas())

    def _find_borders(self) -> Borders:
        """Read all ids, to find where sequences begin, and that each begins only once."""
        pa, pd = load("pyarrow"), load("pandas")
        assert self.id is not None
        n_leading, firsts, hashes = [], [], []
        last: Any = None
        rises = True
        for group in self._files.groups:
            batches = self._files.read(group, [self.id])
            ids = self._ids(pa.Table.from_batches(batches))
            self._refuse_missing(pd.isna(ids), group)
            changes = np.flatnonzero(ids[1:] != ids[:-1]) + 1
            is_continued = last is not None and bool(ids[0] == last)
            begins = changes if is_continued else np.append(0, changes)
            n_leading.append(int(begins[0]) if len(begins) else len(ids))
            found = ids[begins]
            firsts.append(len(found))
            if len(found):
                rises &= bool((found[1:] > found[:-1]).all())
                rises &= last is None or bool(found[0] > last)
            hashes.append(pd.util.hash_array(found, categorize=False))
            last = ids[-1]
        borders = Borders(np.array(n_leading), np.array(firsts))
        if not rises:  # otherwise no id can be there twice
            self._refuse_repeated(np.concatenate(hashes), borders)
        return borders

    def _refuse_repeated(self, hashes: NDArray[np.uint64], borders: Borders) -> None:
        order = np.argsort(hashes, kind="stable")
        again = order[1:][hashes[order[1:]] == hashes[order[:-1]]]
        if len(again):
            ends = np.cumsum(borders.n_sequences)
            place = int(np.searchsorted(ends, again.min(), side="right"))
            group = self._files.groups[place]
            raise ValueError(
                "Expected the rows of each sequence to follow each other, but a sequence in row "
                f"group {group.number} of {self._files.paths[group.file]!r} has rows elsewhere, "
                f"too: sort the rows by {self.id!r}, and name the files in that order."
            )

    def _refuse_missing(self, missing: NDArray[np.bool_], group: RowGroup) -> None:
        if missing.any():
            raise ValueError(
                f"Expected an id in every row, but column {self.id!r} is missing one in row group "
                f"{group.number} of {self._files.paths[group.file]!r}: fill it in."
            )
