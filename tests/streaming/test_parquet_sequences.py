import pickle
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklearn_seqae.containers.numeric import is_stream
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.streaming import ParquetSequences, parquet_files
from sklearn_seqae.streaming.parts import parts_of

LENGTHS = [3, 1, 4, 12, 2, 7, 5, 1, 9]


def make(dtype=np.float32):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)).astype(dtype) for n in LENGTHS]


def long_table(X, ids=None):
    ids = range(len(X)) if ids is None else ids
    frames = [pd.DataFrame(x, columns=["a", "b"]).assign(id=i) for x, i in zip(X, ids, strict=True)]
    frame = pd.concat(frames, ignore_index=True)
    frame["time"] = np.arange(len(frame))
    return pa.Table.from_pandas(frame, preserve_index=False)


def list_table(X, first=0):
    names = [f"s{i + first}" for i in range(len(X))]
    kind = pa.list_(pa.float32())
    columns = {name: pa.array([x[:, j] for x in X], kind) for j, name in enumerate("ab")}
    return pa.table({"id": names, **columns})


def write_long(folder, cuts, size, ids=None):
    table = long_table(make(), ids)
    for i, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(table)], strict=True)):
        pq.write_table(table.slice(start, stop - start), folder / f"{i}.parquet", size)


def read_all(X):
    """Return all sequences of a source by their ids."""
    found = {}
    for part in X:
        sequences = as_sequences(part)
        for name, values in zip(sequences.index.ids.tolist(), sequences, strict=True):
            assert name not in found
            found[name] = values
    return found


def refuses(path, *words, error=ValueError, **arguments):
    with pytest.raises(error) as caught:
        read_all(ParquetSequences(path, **arguments))
    for word in words:
        assert str(word) in str(caught.value)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize("cuts", [[], [8], [9, 10, 11], [44]])
def test_long_sequences_are_whole_across_row_groups_and_files(tmp_path, cuts, size):
    write_long(tmp_path, cuts, size)
    X = ParquetSequences(tmp_path, id="id", time="time")
    found = read_all(X)
    assert list(found) == list(range(len(LENGTHS)))
    for values, expected in zip(found.values(), make(), strict=True):
        np.testing.assert_array_equal(values, expected)
    assert len(X) == len(LENGTHS)
    assert list(read_all(X)) == list(found)  # again


def test_a_row_group_is_read_in_pieces_of_few_values(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "VALUES_AT_ONCE", 20)
    write_long(tmp_path, [13], 1000)
    pq.write_table(list_table(make()), tmp_path / "lists")
    for X in (
        ParquetSequences(tmp_path, id="id", channels=["a", "b"]),
        ParquetSequences(tmp_path / "lists", id="id"),
    ):
        assert len(list(X)) > 2
        for values, expected in zip(read_all(X).values(), make(), strict=True):
            np.testing.assert_array_equal(values, expected)


def test_list_columns_of_a_pattern_of_files_are_read_in_order(tmp_path):
    X = make()
    pq.write_table(list_table(X[:4]), tmp_path / "a.parquet", 3)
    pq.write_table(list_table(X[4:], 4), tmp_path / "b.parquet")
    pq.write_table(list_table(X), tmp_path / "_other.parquet")
    for path in (tmp_path, str(tmp_path / "[ab].parquet")):
        source = ParquetSequences(path, id="id")
        found = read_all(source)
        assert list(found) == [f"s{i}" for i in range(len(X))]
        assert len(source) == len(X)
        for values, expected in zip(found.values(), X, strict=True):
            np.testing.assert_array_equal(values, expected)


def test_sequences_without_ids_are_numbered(tmp_path):
    pq.write_table(list_table(make()), tmp_path / "a.parquet", 4)
    source = ParquetSequences(tmp_path, channels=["a", "b"])
    assert list(read_all(source)) == list(range(len(LENGTHS)))
    shuffled = [part.index[0] for part in source._shuffled(np.random.default_rng(1))]
    assert sorted(shuffled) == [0, 4, 8]


def test_a_random_order_of_row_groups_has_the_same_sequences(tmp_path):
    write_long(tmp_path, [8, 20], 5)
    X = ParquetSequences(tmp_path, id="id", channels=["a", "b"])
    expected = read_all(X)
    orders = []
    for seed in range(4):
        found = read_all(X._shuffled(np.random.default_rng(seed)))
        orders.append(tuple(found))
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in found)
    assert len(set(orders)) > 1


def test_ids_need_not_rise_if_their_rows_follow_each_other(tmp_path):
    ids = ["s9", "s10", "s1", "z", "b", "a", "c", "d", "e"]
    write_long(tmp_path, [9], 4, ids)
    assert list(read_all(ParquetSequences(tmp_path, id="id", time="time"))) == ids


def test_keys_of_sequences_do_not_depend_on_the_order_of_reading(tmp_path):
    write_long(tmp_path, [8, 20], 5)
    X = ParquetSequences(tmp_path, id="id", time="time")
    found = [
        {
            name: key
            for sequences, keys in parts_of(X, as_sequences, rng)
            for name, key in zip(sequences.index.ids, keys.tolist(), strict=True)
        }
        for rng in (None, np.random.default_rng(0))
    ]
    assert found[0] == found[1]
    assert len(set(found[0].values())) == len(LENGTHS)


def test_a_pickled_source_reads_the_same(tmp_path):
    write_long(tmp_path, [8], 5)
    X = ParquetSequences(tmp_path, id="id", time="time")
    assert list(read_all(pickle.loads(pickle.dumps(X)))) == list(read_all(X))


def test_files_and_groups_without_rows_are_passed_over(tmp_path):
    write_long(tmp_path, [8], 5)
    empty = long_table(make()).slice(0, 0)
    pq.write_table(empty, tmp_path / "00.parquet")
    assert len(ParquetSequences(tmp_path, id="id", time="time")) == len(LENGTHS)
    pq.write_table(empty, tmp_path / "0.parquet")
    pq.write_table(empty, tmp_path / "1.parquet")
    refuses(tmp_path, "Expected rows", id="id", time="time")


def test_sequences_in_more_than_one_place_are_refused_by_file_and_row_group(tmp_path):
    write_long(tmp_path, [8, 30], 4, [0, 1, 2, 3, 4, 5, 6, 2, 8])
    refuses(tmp_path, "row group 1", "2.parquet", "sort", id="id", time="time")


def test_bad_files_are_refused_by_name(tmp_path):
    X = make()
    pq.write_table(list_table(X), tmp_path / "a.parquet")
    refuses(tmp_path / "none.parquet", "none.parquet", error=FileNotFoundError)
    refuses(3, "got 3", error=TypeError)
    bad = tmp_path / "b.parquet"
    bad.write_bytes(b"")
    refuses(tmp_path, "b.parquet", "whole Parquet file", id="id")
    whole = (tmp_path / "a.parquet").read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    refuses(tmp_path, "b.parquet", "whole Parquet file", id="id")
    table = list_table(X)
    pq.write_table(table.rename_columns(["id", "a", "c"]), bad)
    refuses(tmp_path, "b.parquet", "'b'", id="id")
    other = table.set_column(2, "b", table["b"].cast(pa.list_(pa.float64())))
    pq.write_table(other, bad)
    refuses(tmp_path, "b.parquet", "float", "double", id="id")
    (tmp_path / "empty").mkdir()
    refuses(tmp_path / "empty", "without any", id="id")


def test_a_damaged_page_is_refused_by_file_and_row_group(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(list_table(make() * 50), path, 200, use_dictionary=False)
    content = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(1).column(1).data_page_offset
    content[start : start + 60] = b"\xff" * 60
    path.write_bytes(content)
    refuses(path, "row group 1", "a.parquet", id="id")


def test_bad_columns_are_refused(tmp_path):
    pq.write_table(list_table(make()), tmp_path / "lists.parquet")
    pq.write_table(long_table(make()), tmp_path / "long.parquet")
    refuses(tmp_path / "lists.parquet", "'id'", "lists")
    refuses(tmp_path / "lists.parquet", "'x'", "'a'", id="x")
    refuses(tmp_path / "lists.parquet", "time=None", id="id", channels=["a"], time="b")
    refuses(tmp_path / "long.parquet", "id=None", channels=["a", "b"])
    refuses(tmp_path / "long.parquet", "only those of ids", id="id", channels=[])
    table = long_table(make()).to_pandas()
    table.loc[8, "id"] = np.nan
    table.to_parquet(tmp_path / "long.parquet")
    refuses(tmp_path / "long.parquet", "missing", "row group 0", id="id", time="time")
    table = long_table(make()).to_pandas()
    table.loc[9, "time"] = 0
    table.to_parquet(tmp_path / "long.parquet")
    refuses(tmp_path / "long.parquet", "time", "row group 0", "long.parquet", id="id", time="time")


def test_a_file_that_changes_meanwhile_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(list_table(make()), path)
    X = ParquetSequences(path, id="id")
    pq.write_table(list_table(make()[:4]), path)
    with pytest.raises(ValueError, match=re.escape("as it was when it was first read")):
        list(X)


def test_an_index_that_pandas_wrote_is_no_channel(tmp_path):
    frame = long_table(make()).to_pandas().iloc[3:]
    frame.to_parquet(tmp_path / "a.parquet")
    X = ParquetSequences(tmp_path, id="id", time="time")
    assert next(iter(X)).columns.tolist() == ["a", "b"]


def test_containers_of_sequences_are_no_streams(tmp_path):
    class Parts:
        def __iter__(self):
            return iter([[[1.0]]])

    assert is_stream(Parts())
    pq.write_table(list_table(make()), tmp_path / "a.parquet")
    assert is_stream(ParquetSequences(tmp_path, id="id"))
    x = np.zeros((2, 3))
    containers = ([x], (x,), x, pd.DataFrame(x), pa.table({"a": [[1.0]]}), "text", {"a": x}, {1})
    assert not any(map(is_stream, [*containers, iter([x]), {"a": x}.values(), None, 3]))
