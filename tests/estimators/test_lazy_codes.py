"""Codes of collections of Dask."""

import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines

dask = pytest.importorskip("dask", reason="`make test` installs it")
array = pytest.importorskip("dask.array", reason="`make test` installs it")
bag = pytest.importorskip("dask.bag", reason="`make test` installs it")
frames = pytest.importorskip("dask.dataframe", reason="`make test` installs it")
utils = pytest.importorskip("dask.dataframe.utils", reason="`make test` installs it")

SMALL = {"n_components": 8, "units": 8, "epochs": 1, "random_state": 0}


@pytest.fixture(scope="module", name="X")
def sines():
    return make_ragged_sines(30, random_state=0)[0]


@pytest.fixture(scope="module")
def model(X):
    return LSTMAutoencoderTransformer(**SMALL).fit(X)


@pytest.fixture(scope="module")
def lists(X):
    """A frame of list columns, whose ids are its index."""
    kind = pd.ArrowDtype(pa.list_(pa.float64()))  # Dask would make text of other lists
    columns = {name: pd.Series([x[:, j] for x in X], dtype=kind) for j, name in enumerate("ab")}
    return pd.DataFrame(columns).set_index(pd.Index([f"s{i:02}" for i in range(len(X))], name="id"))


@pytest.fixture(autouse=True)
def in_threads():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def test_a_frame_of_lists_has_a_frame_of_codes_with_its_index(tmp_path, model, lists, X):
    lists.to_parquet(tmp_path / "lists.parquet", row_group_size=7)
    read = frames.read_parquet(
        tmp_path, dtype_backend="pyarrow", split_row_groups=True, columns=["a", "b"]
    )
    for given in (read, frames.from_pandas(lists, npartitions=4)):
        codes = model.transform(given)
        assert isinstance(codes, frames.DataFrame)
        assert codes.npartitions == given.npartitions > 3
        assert codes.columns.tolist() == model.get_feature_names_out().tolist()
        assert set(codes.dtypes) == {np.dtype("float32")}
        utils.assert_eq(codes, codes, scheduler="threads")  # what is computed is what it says it is
        found = codes.compute()
        assert found.index.tolist() == lists.index.tolist()
        assert found.index.name == "id"
        np.testing.assert_allclose(found, model.transform(X), atol=1e-6)


def test_a_single_column_of_lists_is_one_channel(lists):
    ae = LSTMAutoencoderTransformer(**SMALL).fit(lists["a"])
    codes = ae.transform(frames.from_pandas(lists, npartitions=3)["a"])
    np.testing.assert_allclose(codes.compute(), ae.transform(lists["a"]), atol=1e-6)


def test_a_bag_of_sequences_has_an_array_of_codes(model, X):
    codes = model.transform(bag.from_sequence(X, npartitions=4))
    assert isinstance(codes, array.Array)
    assert (codes.dtype, codes.ndim, codes.numblocks) == (np.float32, 2, (4, 1))
    assert codes.shape[1] == 8
    found = codes.compute()
    np.testing.assert_allclose(found, model.transform(X), atol=1e-6)
    assert float(codes.mean().compute()) == pytest.approx(found.mean(), abs=1e-6)


def test_partitions_without_sequences_have_no_codes(model, lists, X):
    few = frames.from_pandas(lists, npartitions=4)
    few = few[few.index == "s29"]
    np.testing.assert_allclose(model.transform(few).compute(), model.transform(X[29:]), atol=1e-6)
    none = bag.from_sequence(X, npartitions=4).filter(lambda x: len(x) > 1000)
    assert model.transform(none).compute().shape == (0, 8)


def test_codes_are_those_of_the_estimator_when_they_were_asked_for(X, lists):
    ae = LSTMAutoencoderTransformer(**SMALL).fit(X)
    expected = ae.transform(X)
    codes = ae.transform(frames.from_pandas(lists, npartitions=2))
    ae.partial_fit(X)
    np.testing.assert_allclose(codes.compute(), expected, atol=1e-6)
    assert np.abs(ae.transform(X) - expected).max() > 1e-4


def test_the_model_is_in_the_graph_once(model, lists, X):
    size = len(pickle.dumps(model))
    for given in (frames.from_pandas(lists, npartitions=15), bag.from_sequence(X, npartitions=15)):
        (codes,) = dask.optimize(model.transform(given))
        holders = [task for task in dict(codes.dask).values() if len(pickle.dumps(task)) > size / 2]
        assert len(holders) == 1


def test_what_is_not_encoded_lazily_is_refused_with_a_remedy(lists):
    model = LSTMAutoencoderTransformer(**SMALL).fit(lists)
    lazy = frames.from_pandas(lists, npartitions=2)
    objects = frames.from_pandas(pd.DataFrame({"a": [[1.0], [2.0]]}), npartitions=1)
    wide = LSTMAutoencoderTransformer(**SMALL).set_output(transform="pandas").fit(lists)
    for act, words in (
        (lambda: wide.transform(lazy), r"set_output\(transform='default'\)"),
        (lambda: model.transform(objects), "Dask makes of lists.*convert-string"),
        (lambda: model.transform(array.ones((4, 5))), "DataFrame or a Bag of Dask, got Array"),
        (lambda: model.fit(lazy), "data in memory"),
        (lambda: model.score(bag.from_sequence([[1.0]])), "Only transform takes such collections"),
        (lambda: model.transform(lazy[["b", "a"]]).compute(), "columns"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            act()
    with pytest.raises(NotFittedError):
        LSTMAutoencoderTransformer().transform(lazy)
