"""What people pass that is nearly a container: each is read, or refused with what to do instead."""

import re
import sys
from types import ModuleType, SimpleNamespace

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_seqae import LSTMAutoencoderTransformer, SequenceScaler
from sklearn_seqae.containers import convert, from_channel_first, from_long
from sklearn_seqae.containers.registry import as_sequences, to_container
from tests.conftest import make_ragged

NAN = np.nan


def same(arrays, others):
    """Tell whether two lists hold equal arrays."""
    return len(arrays) == len(others) and all(map(np.array_equal, arrays, others))


def column(arrays):
    """Return arrays in an object array (n, 1)."""
    cells = np.empty((len(arrays), 1), dtype=object)
    for i, array in enumerate(arrays):
        cells[i, 0] = array
    return cells


# Marks of missing values

GAP = pd.Series([1.0, pd.NA, 2.0], dtype=object)


@pytest.mark.parametrize(
    "X",
    [
        [[1.0, pd.NA, 2.0]],
        [np.array(GAP)],
        [GAP],
        np.array([[1.0, pd.NA, 2.0]], dtype=object),
        np.array([[[1.0], [pd.NaT], [2.0]]], dtype=object),
        [GAP.to_frame("x")],
        GAP.to_frame("x").set_axis(pd.MultiIndex.from_product([["a"], [0, 1, 2]])),
        GAP.to_frame().T,
        pd.DataFrame({"x": [[1.0, pd.NA, 2.0]]}),
        pd.DataFrame({"x": [GAP]}),
    ],
)
@pytest.mark.parametrize("choose", [None, "from_dtype"])
def test_pandas_marks_are_missing_values_in_objects_of_any_container(X, choose):
    assert_array_equal(as_sequences(X, choose).values[:, 0], [1.0, NAN, 2.0])


def test_a_column_of_objects_beside_others_leaves_these_as_they_are():
    frame = pd.DataFrame({"x": GAP, "y": pd.array([1, None, 3], dtype="Int64"), "z": [1, 2, 3]})
    assert_array_equal(
        as_sequences([frame]).values, [[1.0, 1.0, 1.0], [NAN, NAN, 2.0], [2.0, 3.0, 3.0]]
    )


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]"])
def test_nullable_booleans_are_numbers_in_lists_and_frames(dtype):
    flags = pd.Series(pd.array([True, None, False], dtype=dtype))
    for X in ([flags], [flags.to_frame()], pd.DataFrame({"x": [flags]})):
        for choose in (None, "from_dtype"):
            assert_array_equal(as_sequences(X, choose).values[:, 0], [1.0, NAN, 0.0])


@pytest.mark.parametrize(
    "X", [[[[1.0, 2.0], None]], [([1.0, 2.0], None)], pd.DataFrame({"x": [[[1.0, 2.0], None]]})]
)
def test_none_among_vectors_is_refused_as_it_does_not_say_of_how_many_channels(X):
    with pytest.raises(ValueError, match="sequence 0 has None at step 1; give NaN for each value"):
        as_sequences(X)
    assert as_sequences([[[1.0, 2.0], [NAN, NAN]]]).n_channels == 2


# Object arrays


def test_an_object_array_with_one_column_of_sequences_is_read_and_comes_back():
    arrays = make_ragged()
    for cells in (column(arrays), column([x[:, 0] for x in arrays])):
        sequences = as_sequences(cells)
        assert_array_equal(sequences.values, as_sequences(list(cells[:, 0])).values)
        back = to_container(sequences)
        assert back.shape == cells.shape
        assert same(back[:, 0], to_container(as_sequences(list(cells[:, 0]))))
    assert same(as_sequences(column([pd.DataFrame(x) for x in arrays])), as_sequences(arrays))


def test_bagging_fits_on_sequences_in_one_column():
    X = column(make_ragged())
    y = np.arange(len(X)) % 2
    encoder = LSTMAutoencoderTransformer(4, units=4, epochs=1, random_state=0)
    model = make_pipeline(encoder, LogisticRegression())
    bagging = BaggingClassifier(model, n_estimators=2, random_state=0).fit(X, y)
    assert bagging.predict(X).shape == y.shape


def test_an_object_array_with_more_columns_of_sequences_is_refused_with_the_frame_to_make():
    X = np.hstack([column([np.ones(2), np.ones(3)])] * 2)
    with pytest.raises(ValueError, match=r"shape \(2, 2\) whose cells are arrays; make a nested"):
        as_sequences(X)
    assert as_sequences(pd.DataFrame(X)).n_channels == 2


# Empty batches


@pytest.mark.parametrize("X", [[[]], [[], np.empty(0)], column([[]]), pd.DataFrame({"x": [[]]})])
def test_empty_sequences_alone_have_the_channels_that_fit_saw(fitted, X):
    assert fitted.n_channels_in_ > 1
    Z = fitted.transform(X)
    assert_array_equal(Z, fitted.transform([np.empty((0, fitted.n_channels_in_))] * len(X)))
    assert type(fitted.reconstruct(X)) is type(X)
    scaled = SequenceScaler().fit(make_ragged()).transform(X)
    assert as_sequences(scaled).lengths.tolist() == [0] * len(X)


def test_an_empty_sequence_that_says_how_many_channels_it_has_is_believed(fitted):
    for X in ([np.empty((0, 1))], np.full((1, 3), NAN)):
        with pytest.raises(ValueError, match="X has 1 channels"):
            fitted.transform(X)


# Categories in awkward arrays


@pytest.mark.parametrize(
    "X",
    [
        ak.Array([["a", "b"], ["c"]]),
        ak.Array([[["a", "b"], ["b", "c"]], [["c", "a"]]]),
        ak.Array([[["a", None]], [["c", "d"]]]),
        ak.to_regular(ak.Array([[["a", "b"], ["b", "c"]], [["c", "a"]]]), axis=2),
        ak.Array([[{"x": "a", "y": 1.0}], [{"x": "b", "y": 2.0}]]),
    ],
)
def test_text_of_an_awkward_array_comes_back(X):
    back = to_container(as_sequences(X, "from_dtype"))
    assert back.to_list() == X.to_list()
    assert back.type.content.content == X.type.content.content


def test_categories_that_are_numbers_come_back_in_vectors_of_an_awkward_array():
    X = ak.Array([[[10, 1.5]], [[20, 2.5]]])
    assert to_container(as_sequences(X, [0])).to_list() == X.to_list()


def test_categories_are_converted_to_awkward_arrays_as_categories():
    texts = [np.array([["a", "b"]]), np.array([["c", "b"], ["a", "a"]])]
    X = convert(texts, "awkward")
    assert X.to_list() == [x.tolist() for x in texts]
    assert [x.tolist() for x in convert(X, "list")] == [x.tolist() for x in texts]
    mixed = [np.array([["a", 1.0], ["b", 2.0]], dtype=object)]
    X = convert(mixed, "awkward")
    assert X.to_list() == [[{"0": "a", "1": 1.0}, {"0": "b", "1": 2.0}]]
    assert convert(X, "list")[0].tolist() == mixed[0].tolist()


# Names


def test_from_long_reads_a_column_whose_name_the_index_has_too():
    frame = pd.DataFrame({"id": ["b", "a", "b"], "v": [1.0, 2.0, 3.0]}, index=[5, 5, 6])
    expected = from_long(frame, id="id")
    assert expected.index.tolist() == [("b", 0), ("a", 0), ("b", 1)]
    pd.testing.assert_frame_equal(from_long(frame.rename_axis("id"), id="id"), expected)


def test_columns_of_the_same_name_are_channels_each():
    steps = pd.DataFrame([["a", 0, 1.0, 2.0], ["a", 1, 2.0, 3.0]], columns=["id", "t", "v", "v"])
    for channels in (None, ["v"], ["v", "v"]):
        X = from_long(steps, id="id", time="t", channels=channels)
        assert X.columns.tolist() == ["v", "v"]
        assert_array_equal(as_sequences(X).values, [[1.0, 2.0], [2.0, 3.0]])
    for kind in ("frames", "nested", "long", "arrow"):
        assert_array_equal(as_sequences(convert(X, kind)).values, [[1.0, 2.0], [2.0, 3.0]])
    for kind in ("polars", "awkward"):
        with pytest.raises(ValueError, match=r"different names for .*, got \['v', 'v'\]; rename"):
            convert(X, kind)


@pytest.mark.parametrize("columns", [["id", "id", "v"], ["id", "t", "t"]])
def test_an_id_or_a_time_of_which_there_are_two_is_refused(columns):
    frame = pd.DataFrame([["a", 0, 1.0]], columns=columns)
    with pytest.raises(ValueError, match="rename the columns"):
        from_long(frame, id="id", time=columns[1])


# Remedies

STEPS = pd.DataFrame({"id": ["a", "a", "b"], "v": [1.0, 2.0, 3.0]})
BY_ID = STEPS[["v"]].groupby(STEPS["id"])


@pytest.mark.parametrize(
    ("X", "remedy"),
    [
        ("abc", "[list(X)]"),
        (["ab", "c"], "[list(x) for x in X]"),
        (np.array(["ab", "c"]), "[list(x) for x in X]"),
        (pd.Series(["ab", "c"], dtype=object), "[list(x) for x in X]"),
        (ak.Array(["ab", "c"]), "[list(x) for x in X]"),
        ((x for x in [[1.0]]), "list(X)"),
        ({"a": [1.0]}.values(), "list(X)"),
        (SimpleNamespace, "x is [x]"),
        ({"a": [1.0]}, "list(X.values())"),
        (BY_ID, "[group for _, group in X]"),
        (BY_ID["v"], "[group for _, group in X]"),
        (list(BY_ID), "[group for _, group in X]"),
        (pl.from_pandas(STEPS[["v"]]).group_by("v"), "[group for _, group in X]"),
        (pl.LazyFrame({"v": [[1.0]]}), "X.collect()"),
        (sparse.csr_array(np.eye(2)), "X.toarray()"),
        (sparse.dia_array(np.eye(2)), "X.toarray()"),
        ([sparse.csr_array(np.eye(2))], "[x.toarray() for x in X]"),
        ([(x for x in [1.0])], "[list(x) for x in X]"),
        ([{"a": [1.0]}], "[pandas.DataFrame(x) for x in X]"),
        (pd.Series([STEPS[["v"]]]), "X.tolist()"),
        (pd.DataFrame({"a": [STEPS[["v"]]]}), "X['a'].tolist()"),
        ([np.ones((3, 5)), np.ones((3, 7))], "sklearn_seqae.containers.from_channel_first(X)"),
    ],
)
def test_the_remedy_that_an_error_names_is_one(X, remedy):
    with pytest.raises((TypeError, ValueError), match=re.escape(remedy)):
        as_sequences(X)
    if remedy != "x is [x]":
        names = {"X": X, "pandas": pd, "sklearn_seqae": sys.modules["sklearn_seqae"]}
        assert len(as_sequences(eval(remedy, names), "from_dtype"))


def test_a_data_set_of_tensorflow_becomes_a_list():
    tensorflow = pytest.importorskip("tensorflow", reason="Keras has another backend here")
    X = tensorflow.data.Dataset.from_tensor_slices(np.ones((2, 3, 1)))
    with pytest.raises(TypeError, match=r"Make a list of it: list\(X\)"):
        as_sequences(X)
    assert as_sequences(list(X)).lengths.tolist() == [3, 3]


def test_sequences_that_differ_in_steps_and_channels_are_no_hint_of_channels_first():
    with pytest.raises(ValueError, match=r"where one is missing\.$"):
        as_sequences([np.ones((2, 3)), np.ones((4, 5))])
    assert from_channel_first([np.ones((3, 5)), np.ones((3, 7))])[1].shape == (7, 3)


# Of torch


class Tensor:
    """As much of torch's tensors as is asked of them here."""

    def __init__(self, values, is_nested=False):
        self.values, self.is_nested = values, is_nested

    def unbind(self):
        return [Tensor(x) for x in self.values]

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.values


class PackedSequence(tuple):
    """A tuple, as that of torch is."""

    __slots__ = ()


def test_nested_tensors_and_packed_sequences_are_read_as_lists(monkeypatch):
    torch, arrays = ModuleType("torch"), make_ragged()
    torch.Tensor = Tensor
    torch.nn = SimpleNamespace(
        utils=SimpleNamespace(
            rnn=SimpleNamespace(
                PackedSequence=PackedSequence, unpack_sequence=lambda X: list(map(Tensor, X))
            )
        )
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    for X in (Tensor(arrays, is_nested=True), PackedSequence(arrays)):
        assert same(to_container(as_sequences(X)), to_container(as_sequences(arrays)))


# Structs


def of_structs(frames, order):
    """Return a table of one column, whose steps are structs with these fields."""
    steps = [[{name: float(row[name]) for name in order} for row in frame] for frame in frames]
    return pa.table({"s": steps})


@pytest.fixture(scope="module")
def walks():
    rng = np.random.default_rng(0)
    return [[{"x": v, "y": v**2 + 9} for v in rng.normal(size=6)] for _ in range(20)]


def test_fields_of_structs_are_matched_by_name(walks):
    X = of_structs(walks, "xy")
    ae = LSTMAutoencoderTransformer(4, units=4, epochs=2, random_state=0).fit(X)
    turned = of_structs(walks, "yx")
    for other in (turned, pl.from_arrow(turned), turned["s"]):
        assert_array_equal(ae.transform(other), ae.transform(X))
        names = as_sequences(ae.reconstruct(other)).form.fields
        values = as_sequences(ae.reconstruct(other)).values[:, [names.index("x"), names.index("y")]]
        assert_array_equal(values, as_sequences(ae.reconstruct(X)).values)
    with pytest.raises(ValueError, match=r"Expected the columns that fit saw, \['x', 'y'\], got"):
        ae.transform(pa.table({"s": [[{"x": 1.0, "z": 2.0}]]}))


def test_columns_of_a_record_batch_have_names(walks):
    X = pa.table({name: [[row[name] for row in walk] for walk in walks] for name in "xy"})
    (batch,) = X.to_batches()
    assert convert(batch, "polars").columns == ["x", "y"]
    assert as_sequences(batch, ["y"]).categories[0] is None
    ae = LSTMAutoencoderTransformer(4, units=4, epochs=1, random_state=0).fit(X)
    assert_array_equal(ae.transform(batch), ae.transform(X))
    with pytest.raises(ValueError, match=r"columns that fit saw, \['x', 'y'\], got \['y', 'x'\]"):
        ae.transform(batch.select(["y", "x"]))


def test_an_error_names_the_column_that_holds_no_numbers():
    table = pa.table({"x": [["a"]], "y": [["b"]]})
    for X in (table, pl.from_arrow(table), convert(table, "nested")):
        with pytest.raises(TypeError, match=r"channel 1 of column 'y'.* holds text"):
            as_sequences(X, ["x"])
    with pytest.raises(TypeError, match="Expected real numbers, but column 'y' of the DataFrame"):
        as_sequences(convert(table, "long"), ["x"])


@pytest.mark.parametrize(
    "empty", [np.array([], "U1"), np.array([], object), pd.Series([], dtype=str)]
)
def test_an_empty_sequence_may_have_any_dtype(empty):
    for choice in (None, "from_dtype"):
        sequences = as_sequences([np.array([1.0, 2.0]), empty], choice)
        assert sequences.lengths.tolist() == [2, 0]
        assert sequences.categories == ()
        assert as_sequences([empty], None).lengths.tolist() == [0]


@pytest.mark.long
def test_categories_in_fields_of_structs_are_matched_by_name():
    steps = [[{"s": "ab"[i % 2], "v": float(i)} for i in range(n)] for n in (2, 3, 4, 5) * 4]
    turned = [[{"v": step["v"], "s": step["s"]} for step in sequence] for sequence in steps]
    ae = LSTMAutoencoderTransformer(4, units=4, epochs=1, random_state=0)
    ae.fit(pa.array(steps))
    assert_array_equal(ae.transform(pa.array(turned)), ae.transform(pa.array(steps)))
    assert ae.reconstruct(pa.array(turned)).type == pa.array(steps).type
