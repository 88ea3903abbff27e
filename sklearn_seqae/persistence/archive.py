"""A zip file of a JSON manifest and arrays, which can be read without trusting its source.

Members are stored, never compressed: what is read can be no larger than the file. `manifest.json`
comes first and has the SHA-256 of every array; `manifest.sha256` has that of the manifest. They
find damage, but do not prove who wrote a file.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.atomic_write import replacing
from sklearn_seqae.exceptions import FileFormatError

MANIFEST = "manifest.json"
CHECKSUM = "manifest.sha256"
# Kinds of dtypes that are plain numbers, text or times: an array of objects would be a pickle.
ARRAY_KINDS = "biufcUMm"
# Of the header of an array: NumPy parses literals, which must not be endless ones.
MAX_HEADER_BYTES = 1000
# Parsed JSON takes some ten times its size in memory; a manifest has a few thousand bytes.
MAX_MANIFEST_BYTES = 1 << 26

_ARRAY_NAME = re.compile(r"arrays/[A-Za-z0-9_.-]{1,200}\.npy")
_ZIP_START, _ZIP_END, _END_BYTES = b"PK\x03\x04", b"PK\x05\x06", 22
# What zipfile is known to raise for bytes that are no zip file.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,  # of zipfile, where it lacks a compression
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
    OSError,
    struct.error,
)
_REMEDY = "get the file again from where it came, or save it anew"


def write(target: Any, manifest: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Write a file, all of it or, after an error, nothing.

    Parameters
    ----------
    target : str, PathLike or binary file object
        A file that is there is replaced in one step; what a link points to, in place of the link.
    manifest : dict
        Plain JSON values; "members" is added.
    arrays : dict of str to ndarray
        By the names of their members.
    """
    data = _pack(manifest, arrays)
    if hasattr(target, "write"):
        _write_to(target, data)
    else:
        with replacing(_path(target)) as file:
            file.write(data)


class Archive:
    """A file that was read: its manifest, of which nothing is believed yet, and its arrays.

    Parameters
    ----------
    source : str, PathLike or binary file object

    Attributes
    ----------
    manifest : dict
        As in the file, which has the checksum that it says; the arrays are not looked at yet.
    """

    def __init__(self, source: Any) -> None:
        data = _read(source)
        if not data.startswith(_ZIP_START):
            raise FileFormatError(
                "Expected a file that save wrote, got one that does not begin as a zip file "
                f"({data[:4]!r}): give the path of such a file."
            )
        self._size = len(data)
        with _zip_errors():
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            if data[-_END_BYTES:][:4] != _ZIP_END or self._zip.comment:
                raise _damaged("there is something behind its end")
            self._members: dict[str, zipfile.ZipInfo] = {}
            for info in self._zip.infolist():
                _check_member(info)
                if info.filename in self._members:
                    raise _damaged(f"there are two members {info.filename!r}")
                self._members[info.filename] = info
            if sum(info.file_size for info in self._members.values()) > self._size:
                raise _damaged("its members are larger than the file")
        self.manifest = self._read_manifest()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays, each of which has the checksum that the manifest says."""
        expected = self.manifest.get("members")
        if not isinstance(expected, dict):
            raise _damaged("the manifest does not list its members")
        found = self._members.keys() - {MANIFEST, CHECKSUM}
        if unmatched := sorted(found ^ expected.keys()):
            which = "is not in the file" if unmatched[0] in expected else "is not in the manifest"
            raise _damaged(f"the member {unmatched[0]!r} {which}")
        return {name: self._array(name, checksum) for name, checksum in expected.items()}

    def _array(self, name: str, checksum: Any) -> NDArray[Any]:
        data = self._bytes(name)
        if hashlib.sha256(data).hexdigest() != checksum:
            raise _damaged(f"the member {name!r} has another checksum than it was written with")
        return _unpack(data, name)

    def _read_manifest(self) -> dict[str, Any]:
        for name in (MANIFEST, CHECKSUM):
            if name not in self._members:
                raise FileFormatError(
                    f"Expected a file that save wrote, got a zip file without the member {name!r}: "
                    "give the path of such a file."
                )
            if self._members[name].file_size > MAX_MANIFEST_BYTES:
                raise _damaged(f"the member {name!r} is larger than {MAX_MANIFEST_BYTES} bytes")
        data = self._bytes(MANIFEST)
        if self._bytes(CHECKSUM) != _checksum_line(data):
            raise _damaged("its manifest has another checksum than it was written with")
        try:
            text = data.decode(errors="surrogatepass")
            manifest = json.loads(
                text, object_pairs_hook=_without_repeats, parse_constant=_no_constant
            )
        except (ValueError, RecursionError) as error:
            raise _damaged(f"its manifest cannot be read ({error})") from error
        if not isinstance(manifest, dict):
            raise _damaged("its manifest is no JSON object")
        return manifest

    def _bytes(self, name: str) -> bytes:
        with _zip_errors():
            return self._zip.read(self._members[name])


def _path(target: Any) -> str:
    try:
        return os.fsdecode(target)
    except TypeError:
        raise TypeError(
            f"Expected a path or a binary file object, got {target!r}: give for example "
            "'autoencoder.zip'."
        ) from None


def _read(source: Any) -> bytes:
    if not hasattr(source, "read"):
        return Path(_path(source)).read_bytes()
    data = source.read()
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(
            f"Expected a binary file object, got one that gives {type(data).__name__}: open it "
            "with mode 'rb'."
        )
    return bytes(data)


def _damaged(what: str) -> FileFormatError:
    return FileFormatError(f"The file was damaged or altered: {what}; {_REMEDY}.")


@contextlib.contextmanager
def _zip_errors() -> Iterator[None]:
    try:
        yield
    except FileFormatError:
        raise
    except _ZIP_ERRORS as error:
        raise _damaged(f"it is no whole zip file ({error})") from error


def _check_member(info: zipfile.ZipInfo) -> None:
    """Raise unless a member is one that `write` could have written."""
    name = info.orig_filename
    if name not in (MANIFEST, CHECKSUM) and not _ARRAY_NAME.fullmatch(name):
        raise _damaged(f"it has a member of the strange name {name!r}")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _damaged(f"the member {name!r} is not a regular file")
    if info.flag_bits or info.compress_type != zipfile.ZIP_STORED:
        raise _damaged(f"the member {name!r} is compressed or encrypted, which save never does")
    if info.compress_size != info.file_size:
        raise _damaged(f"the member {name!r} is said to be of two sizes")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _checksum_line(manifest: bytes) -> bytes:
    """Return what `sha256sum manifest.json` prints."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()


def _unpack(data: bytes, name: str) -> NDArray[Any]:
    """Return the array of a .npy file, of which nothing is evaluated or believed."""
    stream = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("its header is of another version")
        shape, in_columns, dtype = np.lib.format.read_array_header_1_0(stream, MAX_HEADER_BYTES)
        # Not read by NumPy too, which makes an array of the shape before it looks for its bytes.
        n_bytes = math.prod(shape) * dtype.itemsize
        if dtype.kind not in ARRAY_KINDS or not dtype.itemsize:
            raise ValueError(f"its dtype is {dtype}")
        if len(data) - stream.tell() != n_bytes:
            raise ValueError(f"shape {shape} and dtype {dtype} are {n_bytes} bytes")
        order: Any = "F" if in_columns else "C"
        array: NDArray[Any] = np.ndarray(shape, dtype, data, stream.tell(), order=order)
        return array.copy(order="K")  # is aligned, and may be written to
    except Exception as error:  # whatever Python raises for what is no literal
        raise _damaged(f"the member {name!r} is no array that save wrote ({error})") from error


def _pack(manifest: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    packed = {}
    for name, array in arrays.items():
        stream = io.BytesIO()
        np.lib.format.write_array(stream, np.asarray(array), version=(1, 0), allow_pickle=False)
        packed[name] = stream.getvalue()
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in packed.items()}
    text = json.dumps(manifest | {"members": sums}, indent=1, allow_nan=False, ensure_ascii=False)
    data = text.encode(errors="surrogatepass")  # names of columns may be any text
    if len(data) > MAX_MANIFEST_BYTES:
        raise ValueError(
            f"Expected a manifest of up to {MAX_MANIFEST_BYTES} bytes, got {len(data)}: give "
            "arrays of numbers for long lists among the parameters."
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as file:
        members = {MANIFEST: data, CHECKSUM: _checksum_line(data), **packed}
        for name, content in members.items():
            info = zipfile.ZipInfo(name)  # of 1980, so that the same model makes the same bytes
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            file.writestr(info, content)
    return stream.getvalue()


def _write_to(target: Any, data: bytes) -> None:
    if isinstance(target, io.TextIOBase):
        raise TypeError(
            f"Expected a binary file object, got {target!r}, which takes text: open it with mode "
            "'wb'."
        )
    rest = memoryview(data)
    while rest:
        n_written = target.write(rest)  # an unbuffered file may take a part only
        rest = rest[len(rest) if n_written is None else n_written :]
