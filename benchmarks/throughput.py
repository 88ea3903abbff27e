"""Sequences a second from Parquet to codes, by workers of Dask: `python -m benchmarks.throughput`.

And seconds of a fit to these files, beside one to the same sequences in memory; and, where aeon and
tsfresh are installed, processor time of their features. docs/scaling.md has the figures.
"""

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

N_FILES, N_SEQUENCES, N_STEPS = 8, 4000, 100
CHANNELS = ("a", "b", "c")
REPEATS = 3


def main() -> None:
    """Measure, and print."""
    rng = np.random.default_rng(0)
    shape = N_FILES, N_SEQUENCES, N_STEPS, len(CHANNELS)
    X = rng.normal(size=shape).cumsum(axis=2).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        files.mkdir()
        for i, part in enumerate(X):
            pq.write_table(_table(part, i * N_SEQUENCES), files / f"{i}.parquet")
        _encode(X[0, :500], files, Path(folder))
        _fit(list(X.reshape(-1, *shape[2:])), files)
    _peers(X[0, :400])


def _table(X: NDArray[np.float32], first_id: int) -> pa.Table:
    columns: dict[str, Any] = {"id": np.arange(first_id, first_id + len(X))}
    for j, name in enumerate(CHANNELS):
        lists = pa.FixedSizeListArray.from_arrays(X[..., j].ravel(), N_STEPS)
        columns[name] = lists.cast(pa.list_(pa.float32()))
    return pa.table(columns)


def _encode(X: NDArray[np.float32], files: Path, folder: Path) -> None:
    from dask.distributed import Client, LocalCluster

    from sklearn_seqae import LSTMAutoencoderTransformer
    from sklearn_seqae.distributed import encode_parquet

    model = LSTMAutoencoderTransformer(epochs=2, random_state=0).fit(list(X))
    for engine in ("onnxruntime", "numpy"):
        os.environ["SKLEARN_SEQAE_ENGINE"] = engine
        for n_workers in (1, 2):
            rates = []
            for repeat in range(REPEATS):
                target = folder / f"{engine}-{n_workers}-{repeat}"
                cluster = LocalCluster(
                    n_workers=n_workers, threads_per_worker=1, dashboard_address=None
                )
                with cluster, Client(cluster) as client:
                    client.run(__import__, "sklearn_seqae.estimators.load")  # no import is counted
                    seconds = _seconds(
                        lambda c=client, t=target: encode_parquet(
                            model, files, t, id="id", client=c
                        )
                    )
                rates.append(N_FILES * N_SEQUENCES / seconds)
            print(f"{engine}, {n_workers} workers: {median(rates):.0f} sequences/s", flush=True)
    del os.environ["SKLEARN_SEQAE_ENGINE"]


def _fit(X: list[NDArray[np.float32]], files: Path) -> None:
    from sklearn_seqae import LSTMAutoencoderTransformer
    from sklearn_seqae.streaming import ParquetSequences

    data = {"files": ParquetSequences(files, id="id"), "memory": X}
    times: dict[str, list[float]] = {where: [] for where in data}
    for _ in range(REPEATS + 1):  # the first compiles
        for where, sequences in data.items():
            ae = LSTMAutoencoderTransformer(
                epochs=1,
                batch_size=64,
                early_stopping=False,
                multiscale=False,
                jit_compile=True,
                random_state=0,
            )
            times[where].append(_seconds(partial(ae.fit, sequences)))
    for where, seconds in times.items():
        print(f"one epoch, {where}: {median(seconds[1:]):.1f} s", flush=True)


def _peers(X: NDArray[np.float32]) -> None:
    if find_spec("aeon"):
        from aeon.transformations.collection.convolution_based import MiniRocket

        turned = np.ascontiguousarray(X.transpose(0, 2, 1))
        features = MiniRocket(n_jobs=1, random_state=0).fit(turned)
        features.transform(turned)  # compiles
        print(f"MiniRocket: {_cost(lambda: features.transform(turned), len(X)):.5f} s a sequence")
    if find_spec("tsfresh"):
        import pandas as pd
        from tsfresh import extract_features
        from tsfresh.feature_extraction import EfficientFCParameters

        some = X[:40]
        frame = pd.DataFrame(some.reshape(-1, len(CHANNELS)), columns=list(CHANNELS))
        frame["id"] = np.repeat(np.arange(len(some)), N_STEPS)
        options = {"default_fc_parameters": EfficientFCParameters(), "disable_progressbar": True}
        cost = _cost(
            lambda: extract_features(frame, column_id="id", n_jobs=0, **options), len(some)
        )
        print(f"tsfresh, efficient: {cost:.3f} s a sequence")


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _cost(function: Callable[[], Any], n_sequences: int) -> float:
    """Return seconds of processor time a sequence."""
    start = time.process_time()
    function()
    return (time.process_time() - start) / n_sequences


if __name__ == "__main__":
    main()
