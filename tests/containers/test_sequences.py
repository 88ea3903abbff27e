"""What the doors of the inner form take, give back and refuse."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_seqae.containers.numpy_arrays import Array2D, Array3D
from sklearn_seqae.containers.pandas_frames import WideFrame
from sklearn_seqae.containers.registry import (
    FORMS,
    Sequences,
    as_sequences,
    row_labels,
    to_container,
)
from sklearn_seqae.containers.sequences import FlatListForm

FLOATS = st.floats(-1e6, 1e6, width=32) | st.just(np.nan)
NAN = np.nan


@st.composite
def lists(draw, n_channels=None, elements=FLOATS):
    """Lists of (n_steps, n_channels) float32 arrays, some of them empty."""
    c = draw(st.integers(1, 3)) if n_channels is None else n_channels
    lengths = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6))
    return [draw(npst.arrays(np.float32, (n, c), elements=elements)) for n in lengths]


def assert_same(arrays, expected):
    assert len(arrays) == len(expected)
    for one, other in zip(arrays, expected, strict=True):
        assert one.shape == other.shape
        assert_array_equal(one, other)


def as_object(arrays):
    result = np.empty(len(arrays), dtype=object)
    for i, array in enumerate(arrays):
        result[i] = array
    return result


def padded(arrays, width):
    result = np.full((len(arrays), width, arrays[0].shape[1]), np.nan, np.float32)
    for i, array in enumerate(arrays):
        result[i, : len(array)] = array
    return result


def without_trailing_nan(array):
    real = np.flatnonzero(~np.isnan(array).all(axis=1))
    return array[: real[-1] + 1 if len(real) else 0]


@given(lists(), st.sampled_from([list, tuple, as_object]))
def test_a_list_of_arrays_comes_back_as_it_was(arrays, container):
    X = container(arrays)
    sequences = as_sequences(X)
    assert sequences.values.dtype == np.float32
    assert sequences.values.flags.c_contiguous
    assert sequences.offsets.dtype == sequences.lengths.dtype == np.int64
    assert sequences.lengths.tolist() == [len(array) for array in arrays]
    assert_same(list(sequences), arrays)
    assert_same([sequences[i] for i in range(len(sequences))], arrays)
    back = to_container(sequences)
    assert isinstance(back, np.ndarray if container is as_object else list)
    assert_same(back, arrays)


@given(lists(n_channels=1), st.sampled_from([list, as_object]))
def test_a_list_of_1d_sequences_comes_back_as_it_was(arrays, container):
    X = container([array[:, 0] for array in arrays])
    sequences = as_sequences(X)
    assert sequences.n_channels == 1
    assert_same(list(sequences), arrays)
    assert_same(to_container(sequences), X)


@given(lists(), st.integers(5, 7))
def test_a_3d_array_comes_back_as_it_was_without_its_padding_inside(arrays, width):
    X = padded(arrays, width)
    sequences = as_sequences(X)
    assert_same(list(sequences), [without_trailing_nan(array) for array in arrays])
    assert_array_equal(to_container(sequences), X)


@given(lists(n_channels=1), st.integers(5, 7), st.booleans())
def test_a_2d_array_or_frame_comes_back_as_it_was(arrays, width, frame):
    array = padded(arrays, width)[:, :, 0]
    X = pd.DataFrame(array, columns=[f"t{i}" for i in range(width)]) if frame else array
    X = X.iloc[::-1] if frame else X
    sequences = as_sequences(X)
    assert sequences.n_features == width
    assert sequences.n_channels == 1
    back = to_container(sequences, index=row_labels(X))
    if frame:
        pd.testing.assert_frame_equal(back, X)
    else:
        assert_array_equal(back, X)


@given(lists(), st.data())
def test_take_chooses_what_a_python_list_would(arrays, data):
    sequences = as_sequences(arrays)
    n = len(arrays)
    indices = data.draw(st.lists(st.integers(-n, n - 1), max_size=8))
    assert_same(list(sequences.take(indices)), [arrays[i] for i in indices])
    assert_same(list(sequences.take(np.array(indices, int))), [arrays[i] for i in indices])
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    assert_same(list(sequences.take(mask)), [a for a, m in zip(arrays, mask, strict=True) if m])
    assert_same(list(sequences.take(slice(None, None, -1))), arrays[::-1])
    assert sequences.take(indices).form == sequences.form


@given(lists())
def test_nested_python_lists_are_read_like_arrays(arrays):
    expected = as_sequences(arrays)
    nested = as_sequences([array.tolist() for array in arrays])
    # [] does not say its channels, so all empty means one channel.
    if len(expected.values):
        assert_array_equal(nested.values, expected.values)
    assert_array_equal(nested.offsets, expected.offsets)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "f8", "g", "O"])
@pytest.mark.parametrize("container", [list, np.asarray, lambda X: np.asarray(X)[:, :, 0]])
def test_every_real_dtype_becomes_float32_or_float64(dtype, container):
    X = container(np.array([[[0], [1]], [[1], [0]]]).astype(dtype))
    values = as_sequences(X).values
    assert_array_equal(values[:, 0], [0, 1, 1, 0])
    exact = dtype in ("bool", "int8", "float16", "float32")
    assert values.dtype == (np.float32 if exact else np.float64)


def test_a_nan_row_of_a_list_is_a_missing_value_and_keeps_the_length():
    X = [np.full((3, 2), np.nan), np.array([[1, NAN], [NAN, NAN]])]
    assert as_sequences(X).lengths.tolist() == [3, 2]


def test_only_trailing_steps_without_any_value_are_padding():
    X = np.array([[[NAN, NAN], [0, NAN], [NAN, NAN]], [[NAN, NAN]] * 3])
    sequences = as_sequences(X)
    assert sequences.lengths.tolist() == [2, 0]
    assert_array_equal(sequences.values, [[NAN, NAN], [0, NAN]])


def test_zeros_are_values_and_never_padding():
    assert as_sequences(np.zeros((2, 3, 1))).lengths.tolist() == [3, 3]


def test_an_empty_sequence_takes_the_channels_of_the_others():
    sequences = as_sequences([[], np.zeros(0), np.ones((2, 3)), np.empty((0, 3))])
    assert sequences.n_channels == 3
    assert sequences.lengths.tolist() == [0, 0, 2, 0]
    assert [x.shape for x in to_container(sequences)] == [(0, 3), (0, 3), (2, 3), (0, 3)]


@pytest.mark.parametrize(
    ("X", "n_channels"),
    [
        ([[], []], 1),
        ([np.empty((0, 4)), []], 4),
        (np.empty((2, 0, 3)), 3),
        (np.full((2, 2), NAN), 1),
    ],
)
def test_all_sequences_may_be_empty(X, n_channels):
    sequences = as_sequences(X)
    assert len(sequences) == 2
    assert sequences.values.shape == (0, n_channels)
    assert len(to_container(sequences)) == 2


def test_none_in_a_list_is_a_missing_value():
    assert_array_equal(as_sequences([[1.0, None]]).values, [[1], [NAN]])


def test_pandas_objects_may_be_elements_and_use_their_own_missing_mark():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [0.5, 1.5]})
    assert_array_equal(as_sequences([frame]).values, [[1, 0.5], [NAN, 1.5]])
    assert_array_equal(as_sequences(frame).values, [[1], [0.5], [NAN], [1.5]])
    assert_array_equal(as_sequences([pd.Series([1, 2])]).values, [[1], [2]])
    assert_array_equal(as_sequences(pd.Series([[1.0, 2.0], [3.0]])).values, [[1], [2], [3]])


def test_a_frame_keeps_columns_that_are_no_strings():
    X = pd.DataFrame(
        np.ones((1, 2), np.float32), columns=pd.MultiIndex.from_tuples([(0, 1), (0, 2)])
    )
    pd.testing.assert_frame_equal(to_container(as_sequences(X)), X)


def test_an_object_with_dunder_array_is_read_as_its_array():
    class NotAnArray:
        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, 2.0]], dtype=dtype)

    assert as_sequences(NotAnArray()).form == Array2D(2, "float64")


@pytest.mark.parametrize("order", ["C", "F"])
def test_read_only_and_fortran_arrays_are_read_and_never_written_to(order):
    X = np.asarray(np.arange(12.0).reshape(2, 3, 2), dtype=np.float32, order=order)
    X.flags.writeable = False
    sequences = as_sequences(X)
    assert_array_equal(sequences.values, X.reshape(-1, 2))
    to_container(sequences)[:] = 0
    assert X[1, 2, 1] == 11
    with pytest.raises(ValueError, match="read-only"):
        sequences.values[:] = 0


def test_a_memmap_is_read(tmp_path):
    X = np.memmap(tmp_path / "x", dtype=np.float32, mode="w+", shape=(2, 3))
    assert as_sequences(X).lengths.tolist() == [3, 3]


def test_sequences_come_through_the_door_as_they_are():
    sequences = as_sequences([[1.0]])
    assert as_sequences(sequences) is sequences


def test_a_list_given_back_is_writable_and_no_part_of_the_sequences():
    X = [np.ones(3, np.float32)]
    sequences = as_sequences(X)
    to_container(sequences)[0][:] = 5
    assert X[0][0] == sequences.values[0, 0] == 1


def test_an_array_given_back_is_as_wide_as_its_longest_sequence_needs():
    sequences = as_sequences([[1, 2, 3], [4]])
    assert to_container(sequences, Array2D(2)).shape == (2, 3)
    assert to_container(sequences, Array3D(4)).shape == (2, 4, 1)


def test_owners_name_the_sequence_of_each_step():
    assert as_sequences([[1, 2], [], [3]]).owners.tolist() == [0, 0, 2]


def test_with_values_keeps_lengths_and_form():
    sequences = as_sequences([[1, 2], [3]]).with_values(np.zeros((3, 2)))
    assert sequences.lengths.tolist() == [2, 1]
    assert sequences.n_channels == 2
    assert sequences.form == FlatListForm("float64")


DATES = np.array([["2020-01-01"]], dtype="datetime64[D]")


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (None, r"Expected a list of .*; got a NoneType.* x is \[x\]"),
        ({0: [1.0]}, "got a dict"),
        ({1.0}, "got a set"),
        (3.5, "got a float"),
        ("text", "got a str"),
        (np.float64(1), r"got an array of shape \(\)"),
        (np.ones(3), r"an array of shape \(3,\)\. Reshape your data"),
        (np.ones((1, 1, 1, 1)), r"an array of shape \(1, 1, 1, 1\)"),
        (iter([[1.0]]), "got a list_iterator"),
        (sparse.csr_array(np.eye(2)), "Sparse data become dense"),
        ([], r"0 sample\(s\) \(shape=\(0,\)\) while a minimum of 1"),
        (np.empty((0, 3)), r"0 sample\(s\) \(shape=\(0, 3\)\)"),
        (np.empty((0, 3, 1)), r"0 sample\(s\) \(shape=\(0, 3, 1\)\)"),
        (np.empty((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\)"),
        (pd.DataFrame(index=[0]), r"0 feature\(s\)"),
        (np.empty((3, 2, 0)), r"0 channel\(s\) \(shape=\(3, 2, 0\)\)"),
        ([np.empty((3, 0))], r"0 channel\(s\) \(shape=\(3, 0\)\)"),
        ([1.0, 2.0], r"sequence 0 is a float. For one single sequence x pass \[x\]"),
        (["ab", "c"], "sequence 0 is a str"),
        ([[1.0], None], "sequence 1 is a NoneType"),
        ([[1.0], {}], "sequence 1 is a dict"),
        ([np.ones((1, 1, 1))], r"sequence 0 has shape \(1, 1, 1\)"),
        (
            [[], np.ones((2, 2)), np.ones((4, 3))],
            r"mixed channels: sequence 2 has shape \(4, 3\), but sequence 1 has shape \(2, 2\)",
        ),
        (
            [np.ones(2), np.ones((4, 3))],
            r"mixed channels: sequence 1 .* sequence 0 has shape \(2,\)",
        ),
        ([[[1.0], [2.0, 3.0]]], "same number of channels at every step, but sequence 0 is ragged"),
        ([[1.0, "2"]], "sequence 0 holds text"),
        ([np.array([1.0, "2"], dtype=object)], "sequence 0 holds text"),
        ([[1.0, object()]], "sequence 0 holds an object that is no number"),
        ([[1j]], "Complex data not supported, got sequence 0"),
        (np.array([[1j]]), "Complex data not supported"),
        (np.array([["a"]]), "the 2-D array has dtype <U1"),
        (DATES, "the 2-D array has dtype datetime64"),
        (DATES[:, :, None], "the 3-D array has dtype datetime64"),
        (np.array([[{}]]), "argument must be a string or a real number"),
        (np.array([[np.inf]]), "Input X contains infinity or a value too large"),
        (np.array([[[1e300]]]), "Input X contains infinity or a value too large"),
        ([[1.0], [1.0, 1e300]], r"dtype\('float64'\) in channel 0 of sequence 1"),
        ([[1.0], [], [[np.inf]]], r"mixed channels"),
        (pd.DataFrame({"b": ["x"]}), "column 'b' of the DataFrame holds text"),
        (pd.DataFrame({"a": pd.to_datetime(["2020"])}), "'a' .* holds time stamps; make it"),
        ([pd.DataFrame({"a": ["x"]})], "column 'a' of sequence 0 holds text"),
    ],
)
def test_what_is_no_container_of_sequences_is_refused_in_words(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        as_sequences(X)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (Array2D(3), "one channel for the form '2d', got 2 channels; ask for the form"),
        (FlatListForm(), "one channel for the form 'list_1d'"),
    ],
)
def test_several_channels_do_not_fit_a_container_of_one(form, message):
    with pytest.raises(ValueError, match=message):
        to_container(as_sequences(np.ones((1, 3, 2))), form)


def test_a_frame_takes_no_more_steps_than_it_has_columns():
    with pytest.raises(ValueError, match=r"at most 2 steps.* got one of 3; give shorter lengths"):
        to_container(as_sequences([[1, 2, 3]]), WideFrame(("a", "b")))


def test_each_container_has_a_name_of_its_own():
    assert len({form.name for form in FORMS}) == len(FORMS)


@pytest.mark.parametrize(
    ("values", "offsets"),
    [(np.ones(2), [0, 2]), (np.ones((2, 1)), [0, 1]), (np.ones((2, 1)), [0, 3, 2]), ([[1.0]], [])],
)
def test_a_layout_that_does_not_fit_its_values_is_refused(values, offsets):
    with pytest.raises(ValueError, match="offsets that rise from 0 to total_steps, got values of"):
        Sequences(values, offsets)


def test_categories_are_for_all_channels_or_none():
    sequences = as_sequences([["a", "b"]], "from_dtype")
    with pytest.raises(
        ValueError, match="categories, or None, for each of 2 channels, got 1; make"
    ):
        sequences.with_values(np.zeros((2, 2)))


@pytest.mark.parametrize("indices", [[2], [True], np.array([1.5])])
def test_take_refuses_what_numpy_refuses(indices):
    with pytest.raises(IndexError):
        as_sequences([[1.0], [2.0]]).take(indices)


def test_many_short_sequences_are_read_in_one_go():
    # No clock, which would fail on a busy machine: at a call of NumPy per step this never ends.
    X = [np.zeros((3, 2))] * 200_000
    assert len(to_container(as_sequences(X))) == 200_000


@settings(max_examples=20)
@given(lists())
def test_reading_leaves_the_container_unchanged(arrays):
    copies = [array.copy() for array in arrays]
    as_sequences(arrays).take([0])
    assert_same(arrays, copies)


def test_arrays_need_no_pandas():
    program = (
        "import sys; sys.modules['pandas'] = None\n"  # importing it fails
        "from sklearn_seqae.containers.registry import as_sequences, to_container\n"
        "to_container(as_sequences([[1.0]]))\n"
        "categories = as_sequences([['a', None], [float('nan')]], 'from_dtype')\n"
        "assert to_container(categories)[0].tolist() == ['a', None]"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
