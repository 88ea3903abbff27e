import os
import signal
import threading
import time
import warnings

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (its import enables)
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines
from sklearn_seqae.distributed import encode_parquet

N_FILES = 5

DASK = "Dask is not installed: make test has it"


@pytest.fixture(scope="module", name="X")
def sines():
    return make_ragged_sines(60, random_state=0)[0]


@pytest.fixture(scope="module")
def model(X):
    return LSTMAutoencoderTransformer(8, units=8, epochs=1, random_state=0).fit(X)


def write_long(folder, X, cuts):
    frames = [pd.DataFrame(x, columns=["a", "b"]).assign(id=f"s{i:03}") for i, x in enumerate(X)]
    table = pa.Table.from_pandas(pd.concat(frames), preserve_index=False)
    for i, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(table)], strict=True)):
        path = folder / f"part={i // 3:02}" / f"{i:02}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.slice(start, stop - start), path, 50)


@pytest.fixture(scope="module")
def source(tmp_path_factory, X):
    folder = tmp_path_factory.mktemp("long")
    n = sum(map(len, X))
    write_long(folder, X, [n * i // N_FILES for i in range(1, N_FILES)])
    return folder


def codes_in(paths):
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def check(paths, model, X):
    found = codes_in(paths)
    assert found.columns.tolist() == ["id", *model.get_feature_names_out()]
    assert not found["id"].duplicated().any()
    found = found.sort_values("id")
    assert found["id"].tolist() == [f"s{i:03}" for i in range(len(X))]
    codes = found.drop(columns="id").to_numpy()
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes, model.transform(X), atol=1e-6)


def test_each_file_becomes_one_of_codes_with_ids(tmp_path, source, model, X):
    written = encode_parquet(model, source, tmp_path / "codes", id="id")
    names = sorted(path.relative_to(source) for path in source.rglob("*.parquet"))
    assert [path.relative_to(tmp_path / "codes") for path in written] == names
    check(written, model, X)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == N_FILES


def test_paths_may_be_relative(tmp_path, source, model, X, monkeypatch):
    monkeypatch.chdir(source.parent)
    written = encode_parquet(model, source.name, "codes of relative paths", id="id")
    assert not written[0].is_absolute()
    assert [path.relative_to(written[0].parents[1]).as_posix() for path in written] == sorted(
        path.relative_to(source).as_posix() for path in source.rglob("*.parquet")
    )
    check(written, model, X)


def test_what_is_there_is_not_encoded_again(tmp_path, source, model, X):
    written = encode_parquet(model, source, tmp_path, id="id")
    before = [path.stat().st_mtime_ns for path in written]
    written[1].unlink()
    written[3].write_bytes(written[3].read_bytes()[:100])  # torn by another program
    model.save(tmp_path / "model.zip")
    assert encode_parquet(tmp_path / "model.zip", source, tmp_path, id="id") == written
    same = [path.stat().st_mtime_ns == old for path, old in zip(written, before, strict=True)]
    assert same == [True, False, True, False, True]
    check(written, model, X)
    other = LSTMAutoencoderTransformer(8, units=8, epochs=1, random_state=1).fit(X)
    check(encode_parquet(other, source, tmp_path, id="id"), other, X)


def test_a_single_file_may_be_written_to_another(tmp_path, model, X):
    lists = [pa.array([x[:, j] for x in X], pa.list_(pa.float32())) for j in range(2)]
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"a": lists[0], "b": lists[1], "id": pa.array(range(60))}), path)
    target = tmp_path / "out.parquet"
    assert encode_parquet(model, path, target, channels=["a", "b"]) == [target]
    np.testing.assert_allclose(pd.read_parquet(target), model.transform(X), atol=1e-6)
    assert encode_parquet(model, path, tmp_path / "new", id="id") == [tmp_path / "new/in.parquet"]
    frame = pd.read_parquet(tmp_path / "new")
    assert frame["id"].tolist() == list(range(60))
    with pytest.raises(ValueError, match="other than the source"):
        encode_parquet(model, path, tmp_path, id="id")
    with pytest.raises(TypeError, match="Expected a fitted LSTMAutoencoderTransformer"):
        encode_parquet(object(), path, tmp_path / "new", id="id")


def test_an_error_leaves_no_file_half_written(tmp_path, source, model, X, monkeypatch):
    calls = []
    original = LSTMAutoencoderTransformer.transform

    def transform(self, part):
        calls.append(part)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        return original(self, part)

    monkeypatch.setattr(LSTMAutoencoderTransformer, "transform", transform)
    with pytest.raises(OSError, match="No space"):
        encode_parquet(model, source, tmp_path, id="id")
    monkeypatch.undo()
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or path.suffix == ".parquet"
        assert path.is_dir() or len(pq.read_table(path)) > 0
    check(encode_parquet(model, source, tmp_path, id="id"), model, X)


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("dask.distributed", reason=DASK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages that a cluster imports
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        )
        with cluster, distributed.Client(cluster) as client:
            yield client


def modules_of_worker():
    import sys

    return [name for name in ("tensorflow", "keras") if name in sys.modules]


@pytest.mark.long
def test_workers_of_dask_encode_without_tensorflow(tmp_path, source, model, X, client):
    check(encode_parquet(model, source, tmp_path, id="id", client=client), model, X)
    assert set(map(tuple, client.run(modules_of_worker).values())) == {()}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == N_FILES


@pytest.mark.long
def test_workers_encode_frames_and_bags_of_dask_without_tensorflow(tmp_path, model, X, client):
    frames = pytest.importorskip("dask.dataframe", reason=DASK)
    for i, part in enumerate((X[:40], X[40:])):
        lists = [pa.array([x[:, j] for x in part], pa.list_(pa.float32())) for j in range(2)]
        pq.write_table(pa.table(lists, ["a", "b"]), tmp_path / f"{i}.parquet")
    lazy = frames.read_parquet(tmp_path, dtype_backend="pyarrow")
    bag = pytest.importorskip("dask.bag", reason=DASK).from_sequence(X, npartitions=3)
    for given in (lazy, bag):
        codes = client.compute(model.transform(given)).result()
        np.testing.assert_allclose(codes, model.transform(X), atol=1e-6)
    assert set(map(tuple, client.run(modules_of_worker).values())) == {()}


@pytest.mark.long
def test_a_killed_worker_costs_only_its_file(tmp_path, model, X, client):
    many, n = X * 10, 40
    n_steps = sum(map(len, many))
    write_long(tmp_path / "in", many, [n_steps * i // n for i in range(1, n)])
    killed = []

    def kill():
        while len(list((tmp_path / "out").rglob("*.parquet"))) < 4:
            time.sleep(0.005)
        name, worker = next(iter(client.run(os.getpid).items()))
        killed.append(name)
        os.kill(worker, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = encode_parquet(model, tmp_path / "in", tmp_path / "out", id="id", client=client)
    killer.join()
    assert killed
    assert len(written) == n
    check(written, model, many)
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(left) == n


@pytest.mark.long
def test_a_search_on_workers_of_dask_has_the_scores_of_one_here(X, client):
    ae = LSTMAutoencoderTransformer(4, units=4, epochs=1, random_state=0)
    for search in (
        GridSearchCV(ae, {"learning_rate": [0.001, 0.01]}, cv=2),
        HalvingGridSearchCV(ae, {"units": [4, 6]}, cv=2, min_resources=30, random_state=0),
    ):
        expected = clone(search).fit(X).cv_results_["mean_test_score"]
        with joblib.parallel_config("dask"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the engine
            found = clone(search).fit(X).cv_results_["mean_test_score"]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
