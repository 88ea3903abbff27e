"""Tables that would be read in another way than they are meant: refused, or read with a warning."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn import datasets

from sklearn_seqae import LSTMAutoencoderTransformer, SequenceScaler
from sklearn_seqae.containers import from_long
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.exceptions import AmbiguousInputWarning
from tests.conftest import TINY

N = 24
VALUES = np.random.default_rng(0).normal(size=(N, 4))
DAYS = pd.date_range("2020-09-20", periods=N)
TEXT_DAYS = DAYS.astype(str)
# Three sequences of eight steps, a row a step.
IDS, STEPS = np.repeat([3, 5, 9], 8), np.tile(np.arange(8), 3)
FLAT = pd.DataFrame({"id": IDS, "t": STEPS, "x": VALUES[:, 0], "y": VALUES[:, 1]})
COUNTS = np.random.default_rng(1).integers(0, 9, N)
BY_DAY = pd.MultiIndex.from_product([DAYS[:4], ["A", "B"]], names=["day", "ticker"])


def read(X):
    return as_sequences(X, "from_dtype")


def text(ids):
    return [f"p{i}" for i in ids]


def levels(*parts):
    return pd.DataFrame(VALUES, columns=pd.MultiIndex.from_product(parts))


LIBRARIES = {
    "pandas": lambda X: X,
    "polars": pl.from_pandas,
    "pyarrow": lambda X: pa.Table.from_pandas(X, preserve_index=False),
    "batch": lambda X: pa.RecordBatch.from_pandas(X, preserve_index=False),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("X", "error", "remedy"),
    [
        (FLAT, None, r"'id' and 't' look like .*, pass containers.from_long\(X, id='id', time='t'"),
        (FLAT.assign(id=text(IDS)), ValueError, r"text in column 'id'.* id='id', time='t'\) reads"),
        (FLAT.assign(t=DAYS), ValueError, r"time stamps in column 't'.*, id='id', time='t'\)"),
        (FLAT.assign(t=TEXT_DAYS), ValueError, r"time stamps in column 't'.*id='id', time='t'\)"),
        (FLAT.assign(id=text(IDS), t=DAYS)[["id", "t", "x"]], ValueError, "id='id', time='t'"),
        (FLAT.drop(columns="id").assign(t=DAYS), ValueError, r"if all rows are one sequence, pass"),
        (FLAT.drop(columns="id").assign(t=range(N)), None, "'t' rises evenly from row to row"),
        (FLAT.assign(name=text(range(N))), ValueError, "if column 'name' names the sequences"),
        (FLAT.drop(columns=["y"]).assign(x=COUNTS), None, "time='t'"),
        (FLAT.sort_values("t", kind="stable"), None, "time='t'"),
        (FLAT.assign(t=0.1 * STEPS), None, "time='t'"),
        (FLAT[:9:2], None, "id='id', time='t'"),  # few, but called so
        (FLAT.set_axis(["a", "b", "c", "d"], axis=1), None, "id='a', time='b'"),
        (FLAT.set_axis(["c0", "c1", "c2", "c3"], axis=1), None, "id='c0', time='c1'"),
    ],
)
def test_a_flat_table_of_steps_is_not_read_as_a_wide_one(X, error, remedy, library):
    if error is None:
        with pytest.warns(AmbiguousInputWarning, match=remedy):
            assert len(read(LIBRARIES[library](X))) == len(X)
    else:
        for choose in (None, "from_dtype"):
            with pytest.raises(error, match=remedy):
                as_sequences(LIBRARIES[library](X), choose)


def test_a_flat_array_of_steps_is_not_read_as_a_wide_one():
    with pytest.warns(AmbiguousInputWarning, match=r"make a DataFrame of X and .* id=0, time=1\)"):
        read(FLAT.to_numpy())


def test_the_remedies_for_flat_tables_are_read():
    for X in (FLAT, FLAT.assign(id=text(IDS)), FLAT.assign(t=TEXT_DAYS)):
        assert read(from_long(X, id="id", time="t")).lengths.tolist() == [8, 8, 8]
    dated = FLAT.drop(columns="id").assign(t=DAYS)
    assert read([dated.set_index("t")]).lengths.tolist() == [N]
    named = FLAT[["x", "y"]].assign(name=text(range(N)))
    assert read(named.set_index("name")).n_channels == 1


def dated(columns, index=DAYS):
    return pd.DataFrame(VALUES[:, : len(columns)], index, columns)


WORDS = ["open", "high", "low"]


@pytest.mark.parametrize(
    ("X", "remedy"),
    [
        (dated(WORDS), r"pass \[X\] if it is one series of 3 channel.*X.T if each column is a s"),
        (dated(WORDS, DAYS.to_period("D")), r"pass \[X\] if it is one series of 3"),
        (dated(WORDS, DAYS - DAYS[0]), r"pass \[X\] if it is one series of 3"),
        (dated(WORDS, TEXT_DAYS), r"pass \[X\] if it is one series of 3"),
        (dated(WORDS, DAYS.date), r"pass \[X\] if it is one series of 3"),
        (dated(WORDS).rename_axis(columns="ticker"), r"rename_axis\(columns='step'\) if each row"),
        (dated(["x"]), r"1 column\(s\), \['x'\]; pass \[X\]"),
        (dated(["x"]).assign(who=text(IDS)), r"X.reset_index\(\), id='who', time='index'\) reads"),
        (
            dated(["x"], DAYS[STEPS].rename("day")).assign(id=IDS),
            r"\(X.reset_index\(\), id='id', time='day'\)",
        ),
        (dated(["x", "z"], DAYS[STEPS]), r"id=\.\.\., time='index'\)"),
    ],
)
def test_one_long_series_is_not_read_as_a_sequence_a_row(X, remedy):
    with pytest.raises(ValueError, match=remedy):
        read(X)


def test_rows_of_days_with_numbered_columns_are_read_with_a_warning():
    for columns in (range(3), ["s1", "s2", "s3"]):
        with pytest.warns(AmbiguousInputWarning, match=r"pass \[X\] if it is one series of 3"):
            assert len(read(dated(columns))) == N


@pytest.mark.parametrize(
    "X",
    [
        dated(range(3)).rename_axis(columns="hour"),  # as DataFrame.pivot makes them
        dated(WORDS).rename_axis(columns="step"),
        dated(pd.timedelta_range("1h", periods=3)),
        dated(WORDS).T,
        dated(WORDS)[:1],
        [dated(WORDS)],
        [dated(WORDS)[i : i + 10] for i in range(0, N, 10)],
        [pd.DataFrame({"mode": list("aa"), "level": i}) for i in range(3)],
        pd.DataFrame(VALUES, text(range(N))),
        pd.DataFrame(VALUES, columns=["winter", "spring", "summer", "autumn"]),
        pd.DataFrame(VALUES, columns=["2020-01", "2020-02", "2021-01", "2021-02"]),
        pd.DataFrame(VALUES, columns=pd.MultiIndex.from_product([["x"], range(4)])),
        pd.DataFrame(VALUES, columns=pd.MultiIndex.from_product([range(2), range(2)])),
        pd.DataFrame(COUNTS.reshape(6, 4), columns=list("abcd")),
        pd.DataFrame({"a": ["x", "y"], "b": ["y", None], "c": [None, None]}),
        pl.DataFrame(VALUES),
        pa.table({f"t{j}": column for j, column in enumerate(VALUES.T)}),
        np.arange(40.0).reshape(10, 4),
        np.arange(40).reshape(10, 4),
        np.outer(np.arange(10), [0.5, 1, 2]),
        np.column_stack([np.zeros(N), VALUES]),
        np.column_stack([COUNTS, COUNTS[::-1], VALUES]),
        np.ones((5, 3)),
    ],
    ids=str,
)
def test_tables_of_sequences_are_read_without_a_word(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(X)


@pytest.mark.parametrize(
    "name", ["iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud"]
)
@pytest.mark.parametrize("as_frame", [False, True])
def test_tables_of_features_are_read_without_a_word(name, as_frame):
    X = getattr(datasets, f"load_{name}")(as_frame=as_frame).data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read(X)) == len(X)


@pytest.mark.parametrize("seed", range(20))
def test_tables_of_chance_are_read_without_a_word(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, rng.integers(2, 50), size=(rng.integers(4, 60), 12)).astype(float)
    X[:, rng.integers(1, 10) :] += 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(pd.DataFrame(X, columns=list("abcdefghijkl")))
        read(X)


@pytest.mark.parametrize(
    ("X", "remedy"),
    [
        (levels(["x", "y"], DAYS[:2]), r"X.stack\(1, future_stack=True\) has an index of \(id, "),
        (levels(["x", "y"], range(2)), r"X.stack\(1, future_stack=True\) has an index of \(id, "),
        (levels(DAYS[:2], ["x", "y"]), r"X.stack\(0, future_stack=True\) has an index of \(id, "),
        (levels([0, 1], DAYS[:2]), r"X.stack\(1, future_stack=True\) has an index of \(id, time"),
        (
            levels(["Open", "Close"], ["A", "B"]).set_axis(DAYS),
            r"X.stack\(1, future_stack=True\).swaplevel\(\).sort_index\(\) has an index of",
        ),
    ],
)
def test_columns_of_channels_and_steps_are_not_read_as_steps_of_one(X, remedy):
    with pytest.raises(ValueError, match=remedy):
        read(X)
    stacked = X.stack(0 if "stack(0" in remedy.replace("\\", "") else 1, future_stack=True)
    stacked = stacked.swaplevel().sort_index() if "swaplevel" in remedy else stacked
    sequences = read(stacked)
    assert sequences.n_channels == 2
    assert set(sequences.lengths) == {2 if "swaplevel" not in remedy else N}


def test_columns_that_number_the_steps_of_several_channels_are_read_with_a_warning():
    X = pd.DataFrame(VALUES, columns=["x_0", "x_1", "y_0", "y_1"])
    for table in (X, pl.from_pandas(X)):
        with pytest.warns(AmbiguousInputWarning, match=r"x_0 and y_0 .* 2 channels.*wide_to_long"):
            read(table)


def test_an_index_of_time_and_id_is_not_read_as_one_of_id_and_time():
    X = pd.DataFrame({"x": np.arange(8.0)}, BY_DAY)
    with pytest.raises(ValueError, match=r"time stamps in its first level, day, .*X.swaplevel\(\)"):
        read(X)
    assert read(X.swaplevel().sort_index()).lengths.tolist() == [4, 4]
    numbered = X.set_axis(pd.MultiIndex.from_product([DAYS[:4], [7, 8]]))
    by_step = X.set_axis(pd.MultiIndex.from_product([range(4), [7, 8]], names=["time", "id"]))
    for one in (numbered, by_step):
        with pytest.warns(AmbiguousInputWarning, match=r"X.swaplevel\(\).sort_index\(\); if not"):
            assert read(one).lengths.tolist() == [2] * 4
    assert read(numbered.rename_axis(["day", "hour"])).lengths.tolist() == [2] * 4


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"s": ["abc", "de"]}),
        pd.DataFrame({"s": ["a", "b"]}, dtype="category"),
        np.array([["abc"], ["de"]]),
        pl.DataFrame({"s": ["abc", "de"]}),
    ],
    ids=["text", "categories", "array", "polars"],
)
def test_a_column_of_text_is_not_read_as_sequences_of_one_step(X):
    with pytest.raises(ValueError, match=r"pass \[X\]; if each text .* \[list\(text\) for text in"):
        read(X)
    assert read([X]).lengths.tolist() == [2]
    assert read([list(text) for text in ("abc", "de")]).lengths.tolist() == [3, 2]


@pytest.mark.filterwarnings("error::sklearn_seqae.exceptions.AmbiguousInputWarning")
def test_a_fit_on_a_table_of_one_column_warns():
    for X in (VALUES[:, :1], pd.DataFrame({"x": VALUES[:, 0]})):
        with pytest.raises(AmbiguousInputWarning, match=r"24 sequences of one step .*pass \[X\]"):
            LSTMAutoencoderTransformer(**TINY).fit(X)


def test_ids_that_groups_keep_are_read_as_a_channel_with_a_warning():
    for X in (FLAT, FLAT.assign(id=text(IDS))):
        groups = [group for _, group in X.groupby("id")]
        remedy = r"column 'id' looks like .* \[x.drop\(columns='id'\) for x in X\]"
        with pytest.warns(AmbiguousInputWarning, match=remedy):
            assert read(groups).n_channels == 4
    groups = [
        group.drop(columns="id").assign(sex=text([i % 2] * 8)) for i, group in enumerate(groups)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(groups).n_channels == 4


def test_time_stamps_are_no_channel():
    X = [FLAT[["x"]].assign(t=DAYS)]
    with pytest.raises(TypeError, match="column 't' of sequence 0 holds time stamps; make it the"):
        read(X)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_one_sequence_is_not_read_as_a_table_after_a_fit_on_a_list(n_channels):
    X = [VALUES[:n, :n_channels] for n in (4, 6, 5)]
    remedy = r"pass \[X\]" if n_channels == 1 else r"one single sequence x, .*, as \[x\]"
    ae = LSTMAutoencoderTransformer(**TINY).fit(X)
    scaler = SequenceScaler().fit(X)
    for method in (ae.transform, ae.reconstruction_error, ae.partial_fit, scaler.transform):
        for one in (X[1], pd.DataFrame(X[1])):
            with pytest.raises(ValueError, match=remedy):
                method(one)
        assert method([X[1]]) is not None
    table = VALUES[:, :1]
    assert SequenceScaler().fit(table).transform(table).shape == table.shape
    if n_channels == 1:
        assert ae.transform(VALUES).shape == (N, 4)
