"""Files of tables: their formats, how they are opened, and errors for damaged ones."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sklearn_seqae._utils.atomic_write import replacing
from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae._utils.printing import one_line

FORMATS = ("csv", "parquet", "npz")
STREAM = "-"
# How many characters of somebody else's error are shown.
REASON_LENGTH = 300


@dataclass(frozen=True)
class File:
    """A file of a table, or a stream.

    Parameters
    ----------
    path : str
        "-" is a stream.
    form : str
        One of `FORMATS`.
    delimiter : str, default=","
        Stands between the columns of CSV.
    """

    path: str
    form: str
    delimiter: str = ","

    @classmethod
    def of(cls, path: str, form: str | None, delimiter: str) -> File:
        """Return a file of the given format, else that of its suffix, else CSV for a stream."""
        if form is None:
            form = "csv" if path == STREAM else _suffixes(path)[0].removeprefix(".")
        if form not in FORMATS:
            raise ValueError(
                f"Expected a file that ends in .csv, .csv.gz, .parquet or .npz, got {path!r}: "
                "rename it, or say which format it has by --format."
            )
        if form != "csv" and _suffixes(path)[1]:
            raise ValueError(
                f"Expected a file of format {form} that is not compressed as a whole, got "
                f"{path!r}: unpack it first."
            )
        return cls(path, form, delimiter)

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the file to be read, out of its compression."""
        with contextlib.ExitStack() as stack:
            source: Any = sys.stdin.buffer
            if self.path != STREAM:
                with self.readable():
                    source = stack.enter_context(open(self.path, "rb"))
                    source = stack.enter_context(self._compression(source, "r"))
            if self.form != "csv" and not source.seekable():  # its end says where things are
                source = io.BytesIO(source.read())
            yield source

    @contextlib.contextmanager
    def replaced(self) -> Iterator[IO[bytes]]:
        """Open the file to be written, which is in its place at the end, or the stream."""
        if self.path == STREAM:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        with replacing(self.path) as file, self._compression(file, "w") as sink:
            yield sink

    @property
    def _compression(self) -> Callable[[IO[bytes], Any], Any]:
        return _COMPRESSIONS[_suffixes(self.path)[1]]

    @contextlib.contextmanager
    def readable(self) -> Iterator[None]:
        """Say in a line what a library says of a file that it cannot read."""
        try:
            yield
        except Exception as error:  # whatever a library may raise for damaged bytes
            is_access = isinstance(error, OSError) and error.errno is not None
            if is_access or isinstance(error, ImportError):
                raise
            raise ValueError(
                f"Expected a whole file of format {self.form}, got {self.path!r}, which cannot be "
                f"read ({one_line(error)[:REASON_LENGTH] or type(error).__name__}): get it again, "
                "or say which format it has by --format."
            ) from error


def _suffixes(path: str) -> tuple[str, str]:
    """Return the suffix of a format and that of a compression, if there is one."""
    *_, before, last = "", "", *(suffix.lower() for suffix in Path(path).suffixes)
    return (before, last) if last in _COMPRESSIONS else (last, "")


@contextlib.contextmanager
def _zip(file: IO[bytes], mode: Any) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(file, mode, zipfile.ZIP_DEFLATED) as archive:
        members = archive.namelist() if mode == "r" else ["table.csv"]
        if len(members) != 1:
            raise ValueError(f"it has {len(members)} files in it, not one")
        with archive.open(members[0], mode) as member:
            yield member


def _zstandard(file: IO[bytes], mode: str) -> Any:
    if mode == "w":  # Arrow would close the file before it is in its place
        raise ValueError(
            "Expected a file to write that ends in .csv or, packed, in .csv.gz, .bz2, .xz or .zip, "
            "got one that ends in .zst, which is only read: give another name."
        )
    return load("pyarrow").CompressedInputStream(file, "zstd")


# By their suffix, how a file is read ("r") and written ("w") through them.
_COMPRESSIONS: dict[str, Callable[[IO[bytes], Any], Any]] = {
    "": lambda file, mode: contextlib.nullcontext(file),
    ".gz": lambda file, mode: gzip.GzipFile("", mode + "b", fileobj=file, mtime=0),
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zip": _zip,
    ".zst": _zstandard,
}
