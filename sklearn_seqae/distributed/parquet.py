"""Encoding of Parquet files, file by file: here, or by the workers of Dask."""

from __future__ import annotations

import contextlib
import functools
import glob
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_seqae._utils.atomic_write import replacing
from sklearn_seqae._utils.optional_imports import load as load_package
from sklearn_seqae._utils.threads import at_most
from sklearn_seqae.estimators.load import load
from sklearn_seqae.streaming import ParquetSequences
from sklearn_seqae.streaming.parquet_files import SUFFIXES
from sklearn_seqae.streaming.parquet_sequences import located

# Key of the metadata of a file of codes, which says what they were computed from.
ORIGIN = b"sklearn_seqae"


def encode_parquet(
    model: Any,
    source: Any,
    target: Any,
    *,
    id: str | None = None,  # noqa: A002 (what it is called everywhere)
    channels: Sequence[str] | None = None,
    time: str | None = None,
    client: Any = None,
) -> list[Path]:
    """Encode the sequences in Parquet files; write one file of codes for each file.

    A file is written as a whole or not at all. If a call is interrupted, the same call goes on with
    the files that are missing: those of the same model and of an unchanged file are kept.

    Parameters
    ----------
    model : LSTMAutoencoderTransformer, str or PathLike
        The fitted estimator, or the path of a file that its `save` wrote. With a `client` it must
        be possible to save it without code: custom networks need `trusted`, see `load`.
    source : str or PathLike
        A file, a folder or a pattern, as in `ParquetSequences`.
    target : str or PathLike
        The folder to write to, which is made if needed. Files have the names of those in `source`,
        in the same folders. If `source` is a single file and `target` ends in ".parquet", the file
        to write.
    id : str, default=None
        The column with the ids of sequences, which becomes the first column of codes. None means
        that there are no ids: codes are in the order of rows.
    channels : list of str, default=None
        The columns with values. None means all others.
    time : str, default=None
        The column with time stamps, if rows are steps.
    client : dask.distributed.Client, default=None
        The client of the workers that encode. They read `source` and write to `target` by the same
        paths, and do not load TensorFlow. If a worker is killed, others encode its file anew. None
        means this process, with all of its cores.

    Returns
    -------
    list of Path
        The files of codes. A sequence whose rows are in two files is in the first.

    Raises
    ------
    ValueError
        If a file is damaged, or lacks a column: see `ParquetSequences`.

    See Also
    --------
    sklearn_seqae.streaming.ParquetSequences : The same files as `X` of an estimator.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn_seqae import LSTMAutoencoderTransformer
    >>> from sklearn_seqae.distributed import encode_parquet
    >>> X = [[1.0, 2.0, 3.0], [2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]
    >>> ae = LSTMAutoencoderTransformer(4, units=8, epochs=2, random_state=0).fit(X)
    >>> folder = tempfile.TemporaryDirectory()
    >>> pulses = pd.DataFrame({"patient": ["a", "a", "b"], "pulse": [1.0, 2.0, 3.0]})
    >>> pulses.to_parquet(Path(folder.name, "pulses.parquet"))
    >>> written = encode_parquet(ae, folder.name, Path(folder.name, "codes"), id="patient")
    >>> pd.read_parquet(written[0]).shape
    (2, 5)
    >>> folder.cleanup()
    """
    job = Encoding(model, source, target, id=id, channels=channels, time=time)
    for _ in job.run(client):
        pass
    return job.paths


class Encoding:
    """What `encode_parquet` does: see there.

    Attributes
    ----------
    paths : list of Path
        The files of codes.
    """

    def __init__(
        self,
        model: Any,
        source: Any,
        target: Any,
        *,
        id: str | None,  # noqa: A002 (what it is called everywhere)
        channels: Sequence[str] | None,
        time: str | None,
    ) -> None:
        X = ParquetSequences(source, id=id, channels=channels, time=time)
        len(X)  # refuses what is not sorted before anything is written; workers know borders then
        self._X = X
        self._model = model
        self._content = _saved(model)
        self._digest = hashlib.sha256(self._content).hexdigest()
        names = X._files.relative_paths
        self._folder = Path(target)
        is_single = os.path.isfile(source) and not self._folder.is_dir()
        if is_single and self._folder.suffix in SUFFIXES:
            self._folder, names = self._folder.parent, [self._folder.name]
        self.paths = [self._folder / name for name in names]
        for path, own in zip(self.paths, X._files.paths, strict=True):
            if path.resolve() == Path(own).resolve():
                raise ValueError(
                    f"Expected a target other than the source, got {str(path)!r} for both: give "
                    "another folder."
                )

    def run(self, client: Any) -> Iterator[Any]:
        """Encode the files, and yield after each of them."""
        jobs = []
        for i, path in enumerate(self.paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            origin = _origin(self._X, i, self._digest)
            if _read_origin(path) == origin:
                yield path
            else:
                jobs.append((self._X, i, str(path.absolute()), origin))
        if client is None:
            is_path = isinstance(self._model, str | os.PathLike)
            estimator = load(BytesIO(self._content)) if is_path else self._model
            for job in jobs:
                _write_codes(estimator, *job)
                yield job
        elif jobs:
            with _travelling(self._content, self._folder, self._digest) as saved:
                futures = [client.submit(_encode_file, saved, *job, pure=False) for job in jobs]
                try:
                    yield from load_package("distributed").as_completed(futures, raise_errors=True)
                    client.gather(futures)  # raises the error of a file
                finally:
                    client.cancel(futures)
                    _remove_pieces(self.paths)


def _saved(model: Any) -> bytes:
    if isinstance(model, str | os.PathLike):
        return Path(model).read_bytes()
    if not hasattr(model, "transform") or not hasattr(model, "save"):
        raise TypeError(
            "Expected a fitted LSTMAutoencoderTransformer, or the path of a saved one, got "
            f"{model!r}: give one of these."
        )
    file = BytesIO()
    model.save(file)
    return file.getvalue()


@contextlib.contextmanager
def _travelling(content: bytes, folder: Path, digest: str) -> Iterator[str]:
    """Lay the saved model where workers find it, whichever of them are there and restart."""
    path = folder.absolute() / f".{digest[:16]}.model.zip"
    with replacing(path) as file:
        file.write(content)
    try:
        yield str(path)
    finally:
        path.unlink()


def _remove_pieces(paths: list[Path]) -> None:
    """Remove what workers that were killed have left of files."""
    for path in paths:
        for piece in path.parent.glob(f".{glob.escape(path.name[:100])}.*.tmp"):
            piece.unlink()


def _encode_file(saved: str, X: ParquetSequences, file: int, path: str, origin: str) -> None:
    """Encode a file in a worker, in one thread: a worker has as many tasks at once as threads."""
    with at_most(1):
        _write_codes(_loaded(saved), X, file, path, origin)


@functools.lru_cache(maxsize=1)
def _loaded(saved: str) -> Any:
    return load(saved)


def _write_codes(model: Any, X: ParquetSequences, file: int, path: str, origin: str) -> None:
    pa, parquet = load_package("pyarrow"), load_package("pyarrow.parquet")
    names = model.get_feature_names_out().tolist()
    ids = [] if X.id is None else [X._files.id_field]
    schema = pa.schema(
        [*ids, *((name, pa.float32()) for name in names)], metadata={ORIGIN: origin.encode()}
    )
    with replacing(path) as sink, parquet.ParquetWriter(sink, schema) as writer:
        for part in X._of_file(file):
            with located(part):
                codes = np.asarray(model.transform(part))
            columns = [pa.array(column) for column in codes.T]
            if ids:
                index = part.index
                index = index.unique(level=0) if index.nlevels > 1 else index
                columns.insert(0, pa.array(index).cast(schema.field(0).type))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _origin(X: ParquetSequences, file: int, digest: str) -> str:
    """Return what codes depend on: the model, the file, and its columns."""
    size, changed = X._files.states[file]
    columns = [X.id, X.time, *X._files.channels]
    return json.dumps({"model": digest, "size": size, "changed": changed, "columns": columns})


def _read_origin(path: Path) -> str | None:
    """Return what the codes in a file depend on; None if it is none of them."""
    if not path.exists():
        return None
    try:
        metadata = load_package("pyarrow.parquet").read_schema(path).metadata or {}
    except (OSError, ValueError):  # damaged, or no Parquet at all: it is replaced
        return None
    found = metadata.get(ORIGIN)
    return None if found is None else found.decode()
