"""Containers of other libraries: each comes in, and comes back as it was."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_seqae import LSTMAutoencoderTransformer, SequenceScaler
from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae.containers import convert, from_channel_first, from_long, to_channel_first
from sklearn_seqae.containers.registry import (
    Sequences,
    as_sequences,
    row_labels,
    to_container,
)
from sklearn_seqae.estimators.save import STRUCTURES
from sklearn_seqae.persistence import versions
from sklearn_seqae.persistence.allowlist import Resolver
from sklearn_seqae.persistence.decoder import Decoder
from sklearn_seqae.persistence.encoder import Encoder
from tests.conftest import TINY, make_ragged

FORMATS = Path(__file__).parents[1] / "formats"
NAN = np.nan
FLOATS = st.floats(-1e6, 1e6, width=32) | st.just(NAN)


# Round trips


@st.composite
def arrays(draw, shortest=0):
    """Lists of (n_steps, n_channels) float32 arrays; a value at least is there."""
    c = draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(shortest, 4), min_size=1, max_size=5).filter(any))
    return [draw(npst.arrays(np.float32, (n, c), elements=FLOATS)) for n in lengths]


def flat(arrays):
    return np.concatenate(arrays)


def offsets(arrays):
    return np.concatenate([[0], np.cumsum([len(x) for x in arrays])])


def names(arrays):
    return list("xyz"[: arrays[0].shape[1]])


def as_long(arrays, dtype="float64", by_time=False):
    """Return a long frame, in which ids fall and time stamps have gaps."""
    ids = np.repeat(-np.arange(len(arrays)), [len(x) for x in arrays])
    times = np.concatenate([np.arange(len(x)) ** 2 for x in arrays])
    index = pd.MultiIndex.from_arrays([ids, times], names=["id", "t"])
    values = flat(arrays).astype("float64")
    frame = pd.DataFrame(values, index, pd.Index(names(arrays), name="channel")).astype(dtype)
    return frame.iloc[np.argsort(times, kind="stable")] if by_time else frame


def as_frames(arrays):
    return [
        pd.DataFrame(x, pd.date_range("2020", periods=len(x)), names(arrays), "float64")
        for x in arrays
    ]


def as_nested(arrays, cell):
    frame = pd.DataFrame(index=[f"row {i}" for i in range(len(arrays))])
    for j, name in enumerate(names(arrays)):
        cells = np.empty(len(arrays), dtype=object)
        cells[:] = [cell(x[:, j].astype(np.float64)) for x in arrays]
        frame[name] = pd.Series(cells, index=frame.index, dtype=object)
    return frame


def as_columns(arrays, kind):
    """Return one Arrow column a channel, with nulls for what is missing."""
    columns = {}
    for j, name in enumerate(names(arrays)):
        lists = [[None if v != v else v for v in x[:, j].tolist()] for x in arrays]
        columns[name] = pa.array(lists, type=kind)
    return columns


def as_vectors(arrays, kind):
    rows = [[[None if v != v else v for v in s] for s in x.tolist()] for x in arrays]
    return pa.array(rows, type=pa.list_(kind))


def as_structs(arrays):
    rows = [[dict(zip(names(arrays), s, strict=True)) for s in x.tolist()] for x in arrays]
    rows = [[{k: None if v != v else v for k, v in s.items()} for s in x] for x in rows]
    kind = pa.struct([(name, pa.float64()) for name in names(arrays)])
    return pa.chunked_array([pa.array(rows, type=pa.large_list(kind))])


def as_chunks(arrays):
    """Return an array in two chunks, both of which are parts of others."""
    whole = as_vectors(arrays, pa.list_(pa.float64(), arrays[0].shape[1]))
    twice = pa.concat_arrays([whole, whole])
    n = len(arrays)
    return pa.chunked_array([twice.slice(n, n // 2), twice.slice(n // 2, n - n // 2)])


def as_awkward(arrays, fields=False, dtype=np.float64):
    values = flat(arrays).astype(dtype)
    steps = dict(zip(names(arrays), values.T, strict=True))
    content = ak.zip(steps).layout if fields else ak.to_layout(values)
    lists = ak.contents.ListOffsetArray(ak.index.Index64(offsets(arrays)), content)
    return ak.Array(lists)


def as_records(arrays):
    fields = as_awkward(arrays, fields=True)
    return ak.zip({name: fields[name] for name in names(arrays)}, depth_limit=1)


def as_tensor(arrays, splits=np.int64, ragged=False):
    import tensorflow as tf

    values = flat(arrays).astype(np.float64)
    if ragged:
        starts = np.arange(len(values) + 1, dtype=splits) * values.shape[1]
        values = tf.RaggedTensor.from_row_splits(values.ravel(), starts)
    return tf.RaggedTensor.from_row_splits(values, offsets(arrays).astype(splits))


def as_masked(arrays, width=5):
    array = np.full((len(arrays), width, arrays[0].shape[1]), NAN)
    for i, x in enumerate(arrays):
        array[i, : len(x)] = x
    return np.ma.masked_invalid(array)


def same_frames(one, other):
    for x, y in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(x, y, check_freq=False)


def same_nested(one, other):
    pd.testing.assert_index_equal(one.index, other.index)
    pd.testing.assert_index_equal(one.columns, other.columns)
    for column in other:
        for x, y in zip(one[column], other[column], strict=True):
            assert type(x) is type(y)
            if isinstance(y, pd.Series):
                pd.testing.assert_series_equal(x, y, check_freq=False)
            else:
                assert_array_equal(x, y)


def same_arrow(one, other):
    assert type(one) is type(other)
    # NaN cannot be equal to itself; here null stands for it.
    assert one.equals(other)
    assert getattr(one, "schema", None) == getattr(other, "schema", None)


def same_awkward(one, other):
    assert one.type == other.type
    assert repr(one.to_list()) == repr(other.to_list())  # in which NaN is equal to itself


def same_tensor(one, other):
    assert one.dtype == other.dtype
    assert one.row_splits.dtype == other.row_splits.dtype
    assert one.ragged_rank == other.ragged_rank
    assert_array_equal(one.row_splits.numpy(), other.row_splits.numpy())
    assert_array_equal(one.flat_values.numpy(), other.flat_values.numpy())


def same_masked(one, other):
    for x, y in zip(one, other, strict=True):
        assert type(x) is type(y) is np.ma.MaskedArray
        assert x.dtype == y.dtype
        assert_array_equal(np.ma.getmaskarray(x), np.ma.getmaskarray(y))
        assert_array_equal(x.filled(0), y.filled(0))


def dated(values):
    return pd.Series(values, pd.date_range("2020-03-01", periods=len(values), freq="MS"))


KINDS = {
    "long": (as_long, pd.testing.assert_frame_equal),
    "long of float32": (lambda x: as_long(x, "float32"), pd.testing.assert_frame_equal),
    "long of nullables": (lambda x: as_long(x, "Float64"), pd.testing.assert_frame_equal),
    "long by time": (
        lambda x: as_long(x, by_time=True),
        pd.testing.assert_frame_equal,
    ),
    "frames": (as_frames, same_frames),
    "nested Series": (lambda x: as_nested(x, dated), same_nested),
    "nested arrays": (lambda x: as_nested(x, np.array), same_nested),
    "nested lists": (lambda x: as_nested(x, np.ndarray.tolist), same_nested),
    "table": (lambda x: pa.table(as_columns(x, pa.list_(pa.float32()))), same_arrow),
    "table of large lists": (
        lambda x: pa.table(as_columns(x, pa.large_list(pa.field("element", pa.float64())))),
        same_arrow,
    ),
    "record batch": (
        lambda x: pa.record_batch(as_columns(x, pa.list_(pa.float64()))),
        same_arrow,
    ),
    "table of views": (lambda x: pa.table(as_columns(x, pa.list_view(pa.float64()))), same_arrow),
    "large views": (
        lambda x: pa.table(as_columns(x, pa.large_list_view(pa.float32()))),
        same_arrow,
    ),
    "array of lists": (lambda x: as_vectors(x, pa.list_(pa.float64())), same_arrow),
    "structs": (as_structs, same_arrow),
    "chunks": (as_chunks, same_arrow),
    "polars": (lambda x: pl.DataFrame(pa.table(as_columns(x, pa.list_(pa.float64())))), same_arrow),
    "polars vectors": (
        lambda x: pl.from_arrow(as_vectors(x, pa.list_(pa.float32(), x[0].shape[1]))).rename("q"),
        same_arrow,
    ),
    "pandas and Arrow": (
        lambda x: pa.table(as_columns(x, pa.list_(pa.float32()))).to_pandas(
            types_mapper=pd.ArrowDtype
        ),
        lambda one, other: pd.testing.assert_frame_equal(
            one.map(list), other.map(list), check_dtype=one.dtypes.equals(other.dtypes)
        ),
    ),
    "awkward": (as_awkward, same_awkward),
    "awkward records": (lambda x: as_awkward(x, fields=True, dtype=np.float32), same_awkward),
    "records of lists": (as_records, same_awkward),
    "awkward None": (lambda x: ak.nan_to_none(as_awkward(x, fields=True)), same_awkward),
    "RaggedTensor": (as_tensor, same_tensor),
    "RaggedTensor twice": (lambda x: as_tensor(x, np.int32, ragged=True), same_tensor),
    "masked": (as_masked, same_masked),
    "masked list": (lambda x: [np.ma.masked_invalid(a) for a in x], same_masked),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_container_comes_back_as_it_was(kind, data):
    # A long frame has no rows for an empty sequence, and so cannot have one.
    drawn = data.draw(arrays(shortest=int(kind.startswith("long"))))
    build, assert_same = KINDS[kind]
    X = build(drawn)
    sequences = as_sequences(X)
    if kind == "masked":  # all-NaN steps at the end are padding
        drawn = [x[:n] for x, n in zip(drawn, sequences.lengths, strict=True)]
    assert sequences.lengths.tolist() == [len(x) for x in drawn]
    assert_array_equal(sequences.values, flat(drawn))
    assert_same(to_container(sequences), X)
    assert restored(sequences.form) == sequences.form
    # Ids and time stamps go with the sequences that are chosen.
    positions = np.arange(len(drawn))[::-1]
    chosen = to_container(sequences.take(positions))
    assert_same(to_container(as_sequences(chosen)), chosen)
    assert_array_equal(as_sequences(chosen).values, flat([drawn[i] for i in positions]))


def restored(form):
    """Return a form out of JSON."""
    encoder = Encoder(STRUCTURES)
    node = json.loads(json.dumps(encoder.encode(form, "form")))
    assert not encoder.arrays
    return Decoder(STRUCTURES, {}, Resolver(())).decode(node, "form")


PLAIN = {
    "list": lambda x: x,
    "list of float64": lambda x: [a.astype("float64") for a in x],
    "flat list": lambda x: [a[:, 0] for a in x],
    "object array": lambda x: np.array([*x, None], dtype=object)[:-1],
    "column of flat arrays": lambda x: np.array([*(a[:, 0] for a in x), None], object)[:-1, None],
    "3d": lambda x: np.ones((2, 3, 2)),
    "2d": lambda x: np.ones((2, 3)),
    "wide frame": lambda x: pd.DataFrame([[1.0, 2.0]], ["a"]).rename_axis("id"),
    "nested Series alone": lambda x: pd.Series([a[:, 0] for a in x], name="x"),
    "Series of Arrow": lambda x: pd.Series([[1.0]], dtype=pd.ArrowDtype(pa.list_(pa.float32()))),
}


@pytest.mark.newest("the forms have the units of dates that pandas 3 chooses")
@pytest.mark.parametrize("kind", [*KINDS, *PLAIN])
def test_a_container_of_a_file_of_format_1_is_read(kind):
    node = json.loads((FORMATS / "1.forms.json").read_text())[kind]
    manifest = {"format_version": 1, "form": node}
    versions.upgrade(manifest, {})
    build = PLAIN.get(kind) or KINDS[kind][0]
    expected = as_sequences(build([np.float32([[1, 2], [3, NAN]]), np.float32([[5, 6]])])).form
    if kind == "structs":  # whose fields were no part of it
        expected = replace(expected, fields=())
    form = Decoder(STRUCTURES, {}, Resolver(())).decode(manifest["form"], "form")
    assert type(form) is type(expected)
    assert form == expected


LONG = as_long([np.ones((2, 1)), np.ones((1, 1))])


@pytest.mark.parametrize(
    ("X", "dtype_of", "dtype"),
    [
        (LONG.astype("int64"), lambda X: X["x"].dtype, "float64"),
        (LONG.astype("int8"), lambda X: X["x"].dtype, "float32"),
        (LONG.astype("bool"), lambda X: X["x"].dtype, "float32"),
        (LONG.astype("Int64"), lambda X: X["x"].dtype, "Float64"),
        (LONG.astype("int64[pyarrow]"), lambda X: X["x"].dtype, "double[pyarrow]"),
        (LONG.astype("halffloat[pyarrow]"), lambda X: X["x"].dtype, "halffloat[pyarrow]"),
        (LONG.astype(object), lambda X: X["x"].dtype, "float64"),
        (pd.DataFrame([[1, 2]]), lambda X: X[0].dtype, "float64"),
        ([pd.DataFrame({"x": [1, 2]})], lambda X: X[0]["x"].dtype, "float64"),
        (pd.DataFrame({"x": [np.array([1, 2])]}), lambda X: X["x"][0].dtype, "float64"),
        (pd.DataFrame({"x": [np.float16([1, 2])]}), lambda X: X["x"][0].dtype, "float16"),
        (pa.table({"x": [[1, 2]]}), lambda X: X.schema.field(0).type, "list<item: double>"),
        (pa.array([[True, None]]), lambda X: X.type, "list<item: float>"),
        (pa.array([[None, None]]), lambda X: X.type, "list<item: double>"),
        (pl.DataFrame({"x": [[1, 2]]}), lambda X: X.schema["x"], "List(Float64)"),
        (ak.Array([[1, 2]]), lambda X: X.type, "1 * var * float64"),
        (ak.Array([[{"int64": 1}]]), lambda X: X.type, "1 * var * {int64: float64}"),
        (np.ma.masked_array([[1, 2]], [[0, 1]]), lambda X: X.dtype, "float64"),
    ],
)
def test_integers_come_back_as_the_floating_dtype_that_holds_them(X, dtype_of, dtype):
    assert str(dtype_of(to_container(as_sequences(X)))) == dtype


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int32", "bool"])
def test_every_dtype_of_a_ragged_tensor_is_read_and_floating_ones_come_back(dtype):
    import tensorflow as tf

    X = tf.RaggedTensor.from_row_splits(tf.cast([1, 0, 1], dtype), [0, 2, 3])
    sequences = as_sequences(X)
    assert_array_equal(sequences.values[:, 0], [1, 0, 1])
    expected = {"int32": "float64", "bool": "float32"}.get(dtype, dtype)
    assert to_container(sequences).dtype.name == expected


def test_mixed_dtypes_come_back_column_by_column():
    X = LONG.assign(y=np.float32(1), z=pd.array([1.0, None, 2.0], "Float32"))
    pd.testing.assert_frame_equal(to_container(as_sequences(X)), X)
    wide = pd.DataFrame({"t0": [1.0], "t1": np.float32([2])}, pd.Index(["a"], name="id"))
    pd.testing.assert_frame_equal(to_container(as_sequences(wide)), wide)


TEXT = [["a", "b", None], ["b"]]


@pytest.mark.parametrize(
    ("X", "assert_same"),
    [
        (
            pd.DataFrame(
                {"s": pd.Categorical(list("uvv"), list("wuv")), "n": [1.0, 2.0, NAN]}, LONG.index
            ),
            pd.testing.assert_frame_equal,
        ),
        (pd.DataFrame({"s": ["a", "b", None]}, LONG.index), pd.testing.assert_frame_equal),
        (pd.DataFrame({"s": [pd.Series(["a", "b"]), pd.Series(["b"])]}), same_nested),
        (pa.table({"s": TEXT, "n": [[1.0, 2.0, 3.0], [None]]}), same_arrow),
        (
            pa.table({"s": pa.array(TEXT, pa.list_(pa.dictionary(pa.int8(), pa.utf8())))}),
            same_arrow,
        ),
        (pl.DataFrame({"s": TEXT}), same_arrow),
        pytest.param(
            pl.DataFrame({"s": TEXT}, {"s": pl.List(pl.Enum(["z", "b", "a"]))}),
            same_arrow,
            marks=pytest.mark.newest("polars 1 makes categories of an Enum in lists"),
        ),
        (ak.Array(TEXT), same_awkward),
        (ak.Array([["a", "b"], []]), same_awkward),
        (
            [
                np.ma.masked_array(["a", "b"], [0, 1], object),
                np.ma.masked_array(["c"], dtype=object),
            ],
            lambda one, other: [x.tolist() for x in one] == [x.tolist() for x in other],
        ),
    ],
    ids=["categories", "text", "nested", "table", "dictionary", "polars", "Enum", *"abc"],
)
def test_categories_come_back_in_every_container_that_can_have_them(X, assert_same):
    sequences = as_sequences(X, "from_dtype")
    assert sequences.categories[0] is not None
    assert assert_same(to_container(sequences), X) is not False


@pytest.mark.parametrize(
    ("X", "type_of", "kind"),
    [
        (
            pa.table({"x": [[1, 2], [2]], "y": [[0.5, 1], [2]]}),
            lambda X: X["x"].type,
            "list<item: i",
        ),
        (ak.Array([[1, 2], [2]]), lambda X: X.type, "2 * var * int64"),
        (LONG.astype("int32"), lambda X: X["x"].dtype, "int32"),
    ],
)
def test_integers_that_are_categories_stay_integers(X, type_of, kind):
    sequences = as_sequences(X, [0])
    assert str(type_of(to_container(sequences))).startswith(kind)


def test_text_finds_room_where_it_has_a_type():
    assert convert([["a"], ["b", "c"]], "polars").to_series().to_list() == [["a"], ["b", "c"]]
    assert convert(pd.DataFrame({"s": ["a", "b", "c"]}, LONG.index), "arrow")["s"].to_pylist() == [
        ["a", "b"],
        ["c"],
    ]
    assert convert([["a"], []], "awkward").to_list() == [["a"], []]
    with pytest.raises(
        TypeError, match="for a RaggedTensor, got categories that are text; convert to"
    ):
        convert([["a"]], "ragged")


# What is shared


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.float32())])
def test_float32_in_lists_of_arrow_is_not_copied(kind):
    X = pa.array([[1.0, 2.0], [], [3.0]], type=kind)
    for container in (X, pa.table({"x": X}), X.slice(1)):
        sequences = as_sequences(container)
        assert np.shares_memory(sequences.values, X.values.to_numpy())
        assert not sequences.values.flags.writeable
    shares = np.shares_memory(as_sequences(X).offsets, X.offsets.to_numpy())
    assert shares == (kind == pa.large_list(pa.float32()))  # others are of 32 bits
    vectors = pa.array([[[1.0, 2.0]], []], type=pa.list_(pa.list_(pa.float32(), 2)))
    assert np.shares_memory(as_sequences(vectors).values, vectors.values.values.to_numpy())
    back = to_container(as_sequences(X))
    assert not np.shares_memory(back.values.to_numpy(), X.values.to_numpy())


def test_float32_of_polars_pandas_and_awkward_is_not_copied():
    table = pa.table({"x": pa.array([[1.0, 2.0], [3.0]], pa.list_(pa.float32()))})
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    values = as_sequences(frame).values
    assert np.shares_memory(values, frame["x"].array.__arrow_array__().chunk(0).values.to_numpy())
    polars = pl.DataFrame({"x": pl.Series([[1.0], [2.0]], dtype=pl.List(pl.Float32))})
    assert np.shares_memory(as_sequences(polars).values, polars["x"].to_arrow().values.to_numpy())
    for values in (np.ones(3, "f4"), np.ones((3, 2), "f4")):
        lists = ak.contents.ListOffsetArray(ak.index.Index64([0, 2, 3]), ak.to_layout(values))
        assert np.shares_memory(as_sequences(ak.Array(lists)).values, values)


def test_channels_first_are_turned_without_a_copy_and_back():
    X = np.random.default_rng(0).normal(size=(4, 2, 7))
    turned = from_channel_first(X)
    assert turned.shape == (4, 7, 2)
    assert np.shares_memory(turned, X)
    assert_array_equal(to_channel_first(turned), X)
    ragged = [x[:, :n] for n, x in enumerate(X, start=1)]
    for container in (ragged, tuple(ragged)):
        lists = from_channel_first(container)
        assert [x.shape for x in lists] == [(1, 2), (2, 2), (3, 2), (4, 2)]
        assert all(map(np.shares_memory, lists, ragged))
        assert_array_equal(to_channel_first(lists)[2], ragged[2])
    masked = from_channel_first([np.ma.masked_array([[1.0, 2.0]], [[0, 1]])])
    assert_array_equal(as_sequences(masked).values, [[1], [NAN]])


@pytest.mark.parametrize(
    ("turn", "X", "message"),
    [
        (from_channel_first, np.ones((2, 3)), r"\(n_sequences, n_channels, n_steps\), or a list"),
        (to_channel_first, [[1.0, 2.0]], r"\(n_steps, n_channels\), got one of shape \(2,\); seq"),
        (from_channel_first, np.ones((1, 1, 1, 1)), r"got an array of shape \(1, 1, 1, 1\)"),
    ],
)
def test_channels_first_need_an_axis_for_channels(turn, X, message):
    with pytest.raises(ValueError, match=message):
        turn(X)


# Ids and time stamps


def test_rows_of_a_sequence_may_be_anywhere_as_long_as_their_time_rises():
    X = as_long([np.ones((2, 1)), np.zeros((3, 1))]).iloc[[2, 0, 3, 1, 4]]
    sequences = as_sequences(X)
    assert sequences.index.ids.tolist() == [-1, 0]
    assert sequences.lengths.tolist() == [3, 2]
    assert_array_equal(sequences.values[:, 0], [0, 0, 0, 1, 1])
    pd.testing.assert_frame_equal(to_container(sequences), X)


def test_an_id_without_rows_is_no_sequence():
    ids = pd.CategoricalIndex(["b", "b"], ["a", "b", "c"])
    X = pd.DataFrame({"x": [1.0, 2.0]}, pd.MultiIndex.from_arrays([ids, [0, 1]]))
    assert as_sequences(X).lengths.tolist() == [2]
    pd.testing.assert_frame_equal(to_container(as_sequences(X)), X)
    assert as_sequences(LONG.drop(index=0, level=0)).index.ids.tolist() == [-1]


DATES = pd.date_range("2020-03-28", periods=3, freq="D", tz="Europe/Berlin")


@pytest.mark.parametrize(
    ("times", "more"),
    [
        (pd.RangeIndex(3), range(5)),
        (pd.Index([3, 5, 7]), range(3, 13, 2)),
        (pd.Index([1, 2, 4]), range(5)),
        (pd.Index([2, 3, 4], dtype="uint8"), pd.Index(range(2, 7), dtype="uint8")),
        (pd.Index([0.1, 0.2, 0.3]), 0.1 * np.arange(1, 6)),
        (pd.Index([7]), range(7, 12)),
        (DATES, pd.date_range(DATES[0], periods=5)),
        (DATES[:2], [DATES[0] + pd.Timedelta(i, "D") for i in range(2)] + [None] * 3),
        (pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"]).as_unit("ns"), "ME"),
        (pd.to_datetime(["2020-01-31", "2020-02-01", "2020-03-31"]), range(5)),
        (pd.timedelta_range("1s", periods=3, freq="90s"), pd.timedelta_range("1s", None, 5, "90s")),
        (pd.period_range("2020-01", periods=3, freq="M"), pd.period_range("2020-01", None, 5, "M")),
        (pd.period_range("2020", periods=6, freq="M")[::2], pd.period_range("2020", None, 9, "M")),
        (pd.Index(["2020-9-1", "2020-9-2", "2020-10-1"]), range(5)),
        (pd.Index([1, 2, 3], dtype="Int64"), range(5)),
    ],
)
def test_time_stamps_go_on_as_those_of_the_first_sequence_do(times, more):
    X = pd.DataFrame({"x": np.arange(len(times)) * 1.0}, times)
    if isinstance(more, str):
        more = pd.date_range(times[0], periods=5, freq=more, unit="ns")
    more = list(more)[::2] if len(more) == 9 else list(more)
    long = pd.concat({"a": X}, names=["id", "t"])
    for container, index_of in (
        (long, lambda X: X.loc[0].index),
        ([X], lambda X: X[0].index),
        (pd.DataFrame({"x": [X["x"]]}), lambda X: X["x"][0].index),
    ):
        form = as_sequences(container).form
        form = restored(form)
        steps = np.arange(5, dtype=np.float32)[:, None]
        index = index_of(to_container(Sequences.from_lengths(steps, [5]), form))
        known = [stamp for stamp in more if stamp is not None]
        if isinstance(index, pd.Index) and index.dtype.kind == "f":
            np.testing.assert_allclose(index, known)
        else:
            assert index[: len(known)].tolist() == known
        if len(times) == 3 and len(set(map(str, more))) and str(times[0]) == str(more[0]):
            assert index.dtype == times.dtype


def test_sequences_of_a_code_take_their_ids_from_its_frame():
    form = as_sequences(LONG).form
    sequences = Sequences.from_lengths(np.ones((3, 1)), [2, 1])
    codes = pd.DataFrame(np.ones((2, 4)), ["u", "v"])
    back = to_container(sequences, form, index=row_labels(codes))
    assert back.index.tolist() == [("u", 0), ("u", 1), ("v", 0)]
    assert back.index.names == ["id", "t"]
    assert to_container(sequences, form).index.tolist() == [(0, 0), (0, 1), (1, 0)]
    groups = pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])
    back = to_container(sequences, form, index=row_labels(codes.set_axis(groups)))
    assert back.index.get_level_values(0).tolist() == [("a", 1), ("a", 1), ("a", 2)]


# Refusals

PAIR = pd.MultiIndex.from_tuples([("a", 0), ("a", 1)])


def long(*index):
    return pd.DataFrame({"x": np.ones(len(index))}, pd.MultiIndex.from_tuples(index))


def frame(*indexes):
    return [pd.DataFrame({"x": np.ones(len(index))}, pd.Index(list(index))) for index in indexes]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            long(("a", 0), ("b", 5), ("b", 3)),
            "rise within each sequence, but sequence 'b' has 3 aft",
        ),
        (
            long(("a", 0), ("b", 5), ("b", 5)),
            "one step per time stamp, but sequence 'b' has 5 twice",
        ),
        (long(("a", 5), ("b", 0), ("a", 3)), "sequence 'a' has 3 after 5; sort it by time"),
        (long(("a", 1.5), ("a", NAN)), "sequence 'a' has a missing one; fill it in, or leave the"),
        (long((3, DATES[1]), (3, DATES[0])), r"sequence 3 has 2020-03-28 .* after 2020-03-29"),
        (long(("a", 0), ("a", "x")), "that can be put in order, got an index of dtype object"),
        (long(("a", 0), (None, 1)), "which sequence it belongs to, but row 1 has a missing id"),
        (
            long(("a", 0, 0)),
            "index of 3 levels|got one of 3 levels, .*; join those before the last",
        ),
        (long(("a", 0)).iloc[:0], r"0 sample\(s\) \(shape=\(0, 1\)\)"),
        (long(("a", 0))[[]], r"0 feature\(s\) \(shape=\(1, 0\)\)"),
        (long(("a", 0)).assign(x="u"), "column 'x' of the DataFrame holds text; convert it"),
        (
            long(("a", 0), ("b", 1)) * 1e300,
            "too large for .* in channel 0 of sequence 'a'; rescale",
        ),
        (long(("a", 0), ("a", 1))["x"], r"as a DataFrame, got a Series; pass X.to_frame\(\)"),
        (long(("a", "t1"), ("a", "t2")), "text such as 2026-11-24 .* 'a' has 't1'; convert them"),
        (long(("a", "2020-10-1"), ("a", "2020-9-1")), "'2020-9-1' after '2020-10-1'; make dates"),
        (frame(["9:30", "10:30"]), "sequence 0 has '9:30'; convert them by .* pd.to_timedelta"),
        (frame([0, 1], [1, 0]), r"labels that rise.* sequence 1 has 0 after 1; .*reset_index\("),
        (frame([0, 0]), r"sequence 0 has 0 after 0; .* number them anew by x.reset_index\("),
        ([x.rename_axis("day") for x in frame([1, 0])], "sequence 0 has 0 after 1; sort it by ti"),
        (frame([(7, 1), (7, 0)]), "sequence 0 has 0 after 1"),
        (
            [*frame([0]), frame([0])[0].assign(y=1)],
            r"mixed channels: sequence 1 has shape \(1, 2\)",
        ),
        ([*frame([0]), frame([0])[0].rename(columns={"x": "y"})], "same columns in all DataFrames"),
        (pd.DataFrame({"x": [[1.0], None]}), "column 'x' of row 1 has None; give an empty one"),
        (
            pd.DataFrame({"x": [[1.0]], "y": [[1.0, 2.0]]}),
            "row 0 column 'y' has 2 and column 'x' has",
        ),
        (
            pd.DataFrame({"x": [[1.0]], "y": [2.0]}),
            r"the columns \['y'\] hold none; leave them out",
        ),
        (pd.DataFrame({"x": [[[1.0]]], "y": [[[1.0]]]}), r"\(n_steps,\), as there are several"),
        (pd.DataFrame({"x": [pd.Series([1.0], [1])], "y": [pd.Series([1.0])]}), "same time stamps"),
        (pd.DataFrame({"x": [pd.Series([1.0, 2.0], [1, 0])]}), "row 0 has 0 after 1; if its rows"),
        (pd.DataFrame({"x": [pd.Series([1.0]), [1.0]]}), "row 1 holds a list beside Series"),
        (pd.DataFrame({"x": [["a"]]}), "column 'x' of row 0 has dtype <U1; convert it to numbers"),
        (pa.array([[1.0], None]), "in every row, but the array has null in row 1; give an empty"),
        (pl.DataFrame({"x": [[1.0], None]}), "but column 'x' has null in row 1"),
        (pa.table({"x": [[1.0]], "id": [1]}), r"columns \['id'\] hold none; select .* \['x'\]"),
        (pl.DataFrame({"x": [[1.0]], "id": [1]}), r"columns \['id'\] hold none"),
        (
            pa.table({"x": [[1.0], []], "y": [[1.0], [2.0]]}),
            "in row 1 column 'y' has 1 and column 'x",
        ),
        (
            pa.array([[[1.0, 2.0]], [[1.0]]]),
            "2 channels at every step.* 1 values at step 0 of row 1",
        ),
        (pa.array([[[1.0], None]]), "has null at step 1 of row 0; give null for each value"),
        (
            pa.table({"x": [[[1.0, 2.0]]], "y": [[1.0]]}),
            "or one single column of vectors, but some",
        ),
        (pa.table({"x": [["a"]]}), "column 'x' holds text; convert it to numbers"),
        (
            pa.array([[[[1.0]]]]),
            "vectors or structs of numbers at every step, but the array has li",
        ),
        (
            pa.table({"x": pa.array([], pa.list_(pa.float32()))}),
            r"0 sample\(s\) \(shape=\(0, 1\)\)",
        ),
        (pa.array([[1.0], [1e300]]), "too large for .* in channel 0 of sequence 1; rescale"),
        (ak.Array([[1.0], None]), "None for sequence 1; give an empty list, or leave it out"),
        (ak.Array([[[1.0, 2.0]], [[1.0]]]), "2 channels at every step.* 1 at step 0 of sequence 1"),
        (
            ak.Array([[[1.0], None]]),
            "1 channels at every step, as at the first, but .* 0 at step 1",
        ),
        (ak.Array([[[[1.0]]]]), "has arrays of 2 dimensions; make one vector of all"),
        (
            ak.Array([{"x": [1.0], "y": []}]),
            "sequence 0 the field 'y' has 0 and the field 'x' has 1",
        ),
        (ak.Array([["a"]]), "the awkward array holds text"),
        (ak.Array([["a", 1]]), r"has union\[string, int64\]; convert all to numbers first"),
        (ak.Array([[{"x": [1.0]}]]), "the field 'x' has arrays of 1 dimensions; make one vector"),
        (pa.array([[[]]], pa.list_(pa.list_(pa.float32()))), r"0 channel\(s\) \(shape=\(1, 0\)\)"),
        (pa.array([[{}]], pa.list_(pa.struct([]))), r"0 channel\(s\)"),
        (ak.Array([1.0, 2.0]), r"got an array of shape \(2,\). Reshape"),
        (ak.Array([[1.0]])[:0], r"0 sample\(s\)"),
        (np.ma.masked_array([[1j]], [[0]]), "Complex data not supported"),
        (np.ma.masked_array(DATES.tz_localize(None).to_numpy()[None]), "has dtype datetime64"),
        (np.ma.masked_array([["a"]]), "the 2-D array holds text; convert it to numbers"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        as_sequences(X)


@pytest.mark.parametrize(
    ("values", "splits", "message"),
    [
        (np.ones((2, 1, 1)), [0, 2], "or .*n_sequences, None, n_channels.*, got one of shape"),
        ([["a"]], [0, 1], "the RaggedTensor holds text"),
        (np.ones((0, 1)), [0], r"0 sample\(s\)"),
    ],
)
def test_a_ragged_tensor_of_anything_else_is_refused(values, splits, message):
    import tensorflow as tf

    X = tf.RaggedTensor.from_row_splits(tf.constant(values), splits)
    with pytest.raises((TypeError, ValueError), match=message):
        as_sequences(X)


def test_steps_of_a_ragged_tensor_have_the_same_channels():
    import tensorflow as tf

    with pytest.raises(
        ValueError, match=r"2 channels at every step.* has 1 at step 1 of sequence 0"
    ):
        as_sequences(tf.ragged.constant([[[1.0, 2.0], [3.0]]]))


@pytest.mark.parametrize(
    "X",
    [
        pa.table({"x": [[1.0]], "y": [[1.0]]}),
        pa.array([[1.0]]),
        pa.array([[[1.0, 2.0]]], pa.list_(pa.list_(pa.float32(), 2))),
        pa.array([[{"x": 1.0, "y": 2.0}]]),
        ak.Array([[{"x": 1.0, "y": 2.0}]]),
        ak.Array([{"x": [1.0], "y": [2.0]}]),
        ak.Array([[1.0]]),
        LONG.assign(y=1.0),
    ],
)
def test_more_channels_than_a_container_has_are_refused(X):
    form = as_sequences(X).form
    with pytest.raises(
        ValueError, match=r"channels for .*, got 3 channels; ask for the form 'list'"
    ):
        to_container(as_sequences(np.ones((1, 2, 3))), form)


def test_a_schema_comes_back_with_all_that_it_says():
    field = pa.field("x", pa.list_(pa.field("element", pa.float64(), False)), False, {"unit": "V"})
    schema = pa.schema([field], metadata={"author": "me"})
    X = pa.table({"x": [[1.0], [2.0, 3.0]]}, schema=schema)
    assert to_container(as_sequences(X)).schema.equals(schema, check_metadata=True)


def test_fixed_sizes_become_others_where_lengths_vary():
    sequences = as_sequences([[1.0], [2.0, 3.0]])
    for X in (pa.array([[1.0]], pa.list_(pa.float32(), 1)), ak.to_regular(ak.Array([[1.0]]))):
        assert to_container(sequences, as_sequences(X).form).tolist() == [[1.0], [2.0, 3.0]]


# Long frames by their columns

VISITS = pd.DataFrame(
    {"patient": ["b", "a", "b"], "day": [0, 3, 7], "pulse": [60, 71, 64], "note": list("xyz")}
)


def test_a_long_frame_is_named_by_its_columns():
    X = from_long(VISITS, id="patient", time="day", channels=["pulse"])
    assert X.index.tolist() == [("b", 0), ("a", 3), ("b", 7)]
    assert X.index.names == ["patient", "day"]
    assert X.columns.tolist() == ["pulse"]
    assert as_sequences(X).index.ids.tolist() == ["b", "a"]
    assert from_long(VISITS, id="patient", time="day").columns.tolist() == ["pulse", "note"]
    numbered = from_long(VISITS, id="patient", channels=["pulse"])
    assert numbered.index.tolist() == [("b", 0), ("a", 0), ("b", 1)]
    for table in (pl.from_pandas(VISITS), pa.Table.from_pandas(VISITS)):
        other = from_long(table, id="patient", time="day", channels=["pulse"])
        pd.testing.assert_frame_equal(other, X)
    back = to_container(as_sequences(X)).reset_index()
    assert_array_equal(back, VISITS[["patient", "day", "pulse"]])


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda X: X, {"id": "doctor"}, r"columns of the frame, \['patient', .*, got \['doctor'\]"),
        (lambda X: X, {"channels": ["mass"]}, r"got \['mass'\]; name some that are there"),
        (lambda X: X[["patient", "day"]], {}, r"one column of values beside \['patient', 'day'\]"),
        (lambda X: X.assign(patient=["a", None, "b"]), {}, "'patient' is missing one in row 1"),
        (lambda X: X.assign(day=[7, 3, 0]), {}, "sequence 'b' has 0 after 7; sort it by time"),
        (lambda X: X.assign(day=[7, 3, 7]), {}, "sequence 'b' has 7 twice; keep one of them"),
        (lambda X: X.assign(day=[7, 3, NAN]), {}, "sequence 'b' has a missing one"),
        (
            lambda X: X.to_numpy(),
            {},
            "of pandas or polars, or a pyarrow Table, got a ndarray; make",
        ),
    ],
)
def test_a_long_frame_with_faults_is_refused_by_name(change, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        from_long(change(VISITS), **{"id": "patient", "time": "day"} | arguments)


def test_text_is_in_order_as_the_dates_that_it_says():
    days = ["2020-9-1", "2020-10-1", "2020-09-30T23:59", "2020-10-01"]
    X = from_long(pd.DataFrame({"id": list("aabb"), "t": days, "x": 1.0}), id="id", time="t")
    assert X.index.get_level_values("t").tolist() == days
    pd.testing.assert_frame_equal(to_container(as_sequences(X)), X)
    steps = pd.CategoricalIndex(["start", "end"], ["start", "end"], ordered=True)
    assert as_sequences([pd.DataFrame({"x": [1.0, 2.0]}, steps)]).lengths.tolist() == [2]


def test_row_labels_of_groups_never_sort_their_steps():
    # Rows were in the order of time before they were grouped, and their labels are not.
    visits = pd.DataFrame({"id": [1, 2, 1, 2], "day": [7, 3, 0, 1], "x": [1.0, 2.0, 3.0, 4.0]})
    groups = [group[["x"]] for _, group in visits.sort_values("day").groupby("id")]
    with pytest.raises(ValueError, match=r"sequence 0 has 0 after 2; if its rows stand in the"):
        as_sequences(groups)
    anew = [group.reset_index(drop=True) for group in groups]
    assert_array_equal(as_sequences(anew).values[:, 0], [3, 1, 4, 2])


# From one container to another


@pytest.mark.parametrize("kind", ["list", "3d", "frames", "long", "nested", "arrow", "polars"])
@pytest.mark.parametrize("origin", ["long", "frames", "nested Series", "table", "awkward records"])
def test_any_container_becomes_any_other_with_its_names(origin, kind):
    drawn = [np.float32([[1, 2], [3, NAN]]), np.float32([[5, 6]])]
    X = convert(KINDS[origin][0](drawn), kind)
    sequences = as_sequences(X)
    assert_array_equal(sequences.values, flat(drawn))
    assert sequences.lengths.tolist() == [2, 1]
    if kind not in ("list", "3d"):
        assert sequences.form.columns == ("x", "y")


@pytest.mark.parametrize(
    "kind", ["frames", "long", "nested", "arrow", "polars", "awkward", "ragged"]
)
def test_arrays_become_any_container_too(kind):
    sequences = as_sequences(convert([np.ones((2, 3)), np.zeros((1, 3))], kind))
    assert sequences.lengths.tolist() == [2, 1]
    assert_array_equal(sequences.values, [[1, 1, 1], [1, 1, 1], [0, 0, 0]])
    assert as_sequences(convert(pd.DataFrame([[1.0, 2.0]]), kind)).lengths.tolist() == [2]


def test_a_nested_frame_keeps_all_of_a_long_one():
    X = as_long([np.ones((2, 2)), np.zeros((1, 2))]).assign(s=pd.Categorical(list("uvu")))
    X.index = X.index.set_levels(pd.date_range("2020", periods=2), level=1)
    nested = convert(X, "nested")
    assert nested.index.tolist() == [0, -1]
    assert nested.index.name == "id"
    assert nested["s"].iloc[1].tolist() == ["u"]
    pd.testing.assert_frame_equal(convert(nested, "long"), X, check_names=False)
    frames = convert(X, "frames")
    pd.testing.assert_frame_equal(frames[0], X.loc[0], check_names=False, check_freq=False)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"kind must be one of \['list', .*, got 'dask': choose"):
        convert([[1.0]], "dask")


# scikit-learn's splitters

UNSPLIT = ("long", "RaggedTensor", "record")
SPLIT = [x for x in KINDS if not x.startswith(UNSPLIT)]


@pytest.mark.parametrize("kind", SPLIT)
def test_splitters_take_whole_sequences(kind):
    drawn = [np.full((1 + i % 3, 2), i, dtype=np.float32) for i in range(8)]
    train, test = train_test_split(KINDS[kind][0](drawn), random_state=0)
    values = [as_sequences(part) for part in (train, test)]
    assert list(map(len, values)) == [6, 2]
    seen = [x[0, 0] for part in values for x in part]
    assert sorted(seen) == list(range(8))
    assert all(len(x) == 1 + x[0, 0] % 3 for part in values for x in part)


def test_a_long_frame_is_split_by_groups_or_nested():
    drawn = [np.full((2, 2), i, dtype=np.float32) for i in range(8)]
    X = as_long(drawn)
    scaler = SequenceScaler().fit(X)
    for train, test in GroupKFold(4).split(X, groups=X.index.get_level_values(0)):
        assert len(scaler.transform(X.iloc[train])) == 12
        assert as_sequences(X.iloc[test]).lengths.tolist() == [2, 2]
    nested = convert(X, "nested")
    for _, test in KFold(4).split(nested):
        assert as_sequences(nested.iloc[test]).lengths.tolist() == [2, 2]
    # Rows that are shuffled are steps out of order, which is found out; else nothing tells.
    with pytest.raises(ValueError, match="rise within each sequence"):
        as_sequences(train_test_split(X, random_state=0)[0])


def test_a_ragged_tensor_is_split_as_a_list():
    X = as_tensor([np.ones((2, 2))] * 4)
    with pytest.raises(TypeError, match="valid indices"):
        train_test_split(X)
    assert len(train_test_split(convert(X, "list"))[0]) == 3


# Estimators


@pytest.mark.parametrize("kind", KINDS)
def test_a_scaler_gives_the_container_back(kind):
    build, assert_same = KINDS[kind]
    X = build([np.float32([[1, 2], [3, 4]]), np.float32([[5, 8]])])
    scaler = SequenceScaler("minmax")
    scaled = scaler.fit_transform(X)
    assert type(scaled) is type(X)
    assert as_sequences(scaled).form == as_sequences(X).form
    lowest, highest = (f(as_sequences(scaled).values) for f in (np.min, np.max))
    assert (lowest, highest) == (0, 1)
    assert_same(scaler.inverse_transform(scaled), X)
    assert pickle.loads(pickle.dumps(scaler)).n_channels_in_ == 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_estimator_gives_any_container_back(kind, fitted):
    drawn = make_ragged(6, seed=1)[1:-1]
    drawn = [x if len(x) else np.ones((1, 2)) for x in drawn]
    drawn = [x.astype(np.float32) for x in drawn]
    if kind == "masked":
        drawn = [x[:5] for x in drawn]
    X = KINDS[kind][0](drawn)
    back, expected = as_sequences(fitted.reconstruct(X)), as_sequences(fitted.reconstruct(drawn))
    by_id = slice(None)
    if kind.startswith("long"):
        order = as_sequences(X).index.ids
        by_id = np.argsort(-order.to_numpy())
    values = back.take(by_id).values
    assert_array_equal(values.astype(expected.values.dtype), expected.values)
    assert_array_equal(fitted.transform(X)[by_id], fitted.transform(drawn))
    assert type(fitted.impute(X)) is type(X)
    assert len(fitted.reconstruction_error(X)) == len(drawn)


@pytest.fixture(scope="module")
def panel():
    """A long frame of thirty sequences of 2 to 6 days, ids and columns of which have names."""
    rng = np.random.default_rng(0)
    days = {
        f"p{i}": pd.DataFrame(
            rng.normal(size=(n, 2)).cumsum(axis=0),
            pd.date_range("2024-01-01", periods=n, name="day"),
            ["x", "y"],
        )
        for i, n in enumerate(rng.integers(2, 7, 30))
    }
    return pd.concat(days, names=["patient"])


@pytest.fixture(scope="module")
def of_panel(panel):
    """An estimator fitted on `panel`, as it comes out of a pickle."""
    ae = LSTMAutoencoderTransformer(**TINY).fit(panel)
    return pickle.loads(pickle.dumps(ae))


def test_codes_and_sequences_of_a_long_frame_have_its_ids(of_panel, panel):
    ids = [f"p{i}" for i in range(30)]
    assert of_panel.transform(panel).shape == (30, 4)
    assert of_panel.feature_names_in_.tolist() == ["x", "y"]
    assert of_panel.n_features_in_ == of_panel.n_channels_in_ == 2
    back = of_panel.reconstruct(panel)
    pd.testing.assert_index_equal(back.index, panel.index)
    assert back.dtypes.tolist() == [np.float64, np.float64]
    ae = pickle.loads(pickle.dumps(of_panel)).set_output(transform="pandas")
    Z = ae.transform(panel)
    assert Z.index.tolist() == ids
    assert Z.index.name == "patient"
    assert Z.columns.tolist() == ae.get_feature_names_out().tolist()
    assert_array_equal(Z, of_panel.transform(panel))
    lengths = as_sequences(panel).lengths
    decoded = ae.inverse_transform(Z, lengths=lengths)
    pd.testing.assert_frame_equal(decoded, back)
    few = ae.inverse_transform(Z.loc[["p7", "p3"]], lengths=[3, 9])
    assert few.index.get_level_values(0).unique().tolist() == ["p7", "p3"]
    assert few.loc["p3"].index.equals(pd.date_range("2024-01-01", periods=9, name="day"))
    unnamed = ae.inverse_transform(Z.to_numpy()[:2], lengths=[1, 0])
    assert unnamed.index.tolist() == [(0, pd.Timestamp("2024-01-01"))]
    assert unnamed.index.names == ["patient", "day"]
    drawn = ae.sample(3, random_state=0)
    assert drawn.index.get_level_values(0).unique().tolist() == [0, 1, 2]
    polars = pickle.loads(pickle.dumps(of_panel)).set_output(transform="polars").transform(panel)
    assert_array_equal(polars, Z)


@pytest.mark.parametrize("kind", ["nested", "arrow", "polars"])
def test_ids_and_names_are_those_of_other_tables_too(of_panel, panel, kind):
    X = convert(panel.astype("float32"), kind)
    ae = pickle.loads(pickle.dumps(of_panel)).set_output(transform="pandas")
    Z = ae.transform(X)
    assert_allclose(Z, ae.transform(panel), atol=1e-5)
    assert Z.index.tolist() == ([f"p{i}" for i in range(30)] if kind == "nested" else [*range(30)])
    assert type(ae.reconstruct(X)) is type(X)


@pytest.mark.parametrize("kind", ["long", "nested", "frames", "arrow", "polars", "awkward"])
def test_columns_are_those_of_fit_in_their_order(of_panel, panel, kind):
    for names in (["y", "x"], ["x", "z"]):
        X = convert(panel.set_axis(names, axis=1), kind)
        with pytest.raises(
            ValueError, match=r"should match those that|Expected the columns that fit"
        ):
            of_panel.transform(X)
    with pytest.raises(ValueError, match="X has 1 channels, but LSTMAutoencoderTransformer is"):
        of_panel.transform(convert(panel[["x"]], kind))
    # Without names there is nothing to compare.
    assert of_panel.transform(convert(panel, "list")).shape == (30, 4)


def test_a_pipeline_goes_from_a_long_frame_to_one_label_a_sequence(of_panel, panel):
    y = np.arange(30) % 2
    model = make_pipeline(LSTMAutoencoderTransformer(**TINY), LogisticRegression())
    assert model.fit(panel, y).predict(panel).shape == (30,)
    scores = cross_val_score(model, convert(panel, "nested"), y, cv=2)
    assert scores.shape == (2,)


def test_categories_in_a_long_frame_are_learned_by_the_names_of_columns(panel):
    mode = pd.Categorical(np.where(panel["x"] > 0, "up", "down"))
    X = panel.assign(mode=mode, level=(panel["y"] > 0).astype(int))
    ae = LSTMAutoencoderTransformer(**TINY, categorical_features=["mode", "level"]).fit(X)
    back = ae.reconstruct(X)
    assert back.dtypes.astype(str).tolist() == ["float64", "float64", "category", "int64"]
    pd.testing.assert_index_equal(back.index, X.index)
    with pytest.raises(ValueError, match=r"columns that fit saw, .*: give the same columns"):
        ae.transform(X[["mode", "x", "y", "level"]])


def test_sequences_that_were_read_once_are_a_container_as_well(of_panel, panel):
    ae = pickle.loads(pickle.dumps(of_panel)).set_output(transform="pandas")
    sequences = as_sequences(panel)
    assert ae.transform(sequences.take([3, 1])).index.tolist() == ["p3", "p1"]
    pd.testing.assert_frame_equal(ae.reconstruct(sequences), ae.reconstruct(panel))


# Packages


@pytest.mark.newest("scikit-learn before 1.9 imports pyarrow itself")
def test_importing_and_arrays_need_none_of_the_packages():
    names = ("pandas", "polars", "pyarrow", "awkward", "tensorflow")
    program = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in {names}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "import numpy as np\n"
        "from sklearn_seqae.containers.registry import as_sequences, to_container\n"
        "for X in ([[1.0]], np.ones((1, 2, 3)), np.ma.masked_array([[1, 2]], [[0, 1]])):\n"
        "    to_container(as_sequences(X))\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


@pytest.mark.parametrize(
    ("name", "extra"), [("pandas", "pandas"), ("pyarrow.compute", "arrow"), ("awkward", "awkward")]
)
def test_a_package_that_is_not_there_is_named_with_its_extra(monkeypatch, name, extra):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf'Expected the package {name}, .*seqae\[{extra}\]"'):
        load(name)
