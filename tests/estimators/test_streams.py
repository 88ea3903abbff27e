"""Estimators on data that are read part by part."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.preprocessing import RobustScaler

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer
from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.datasets import make_ragged_sines
from sklearn_seqae.distributed import encode_parquet
from sklearn_seqae.estimators import streamed
from sklearn_seqae.estimators.streamed import StreamedData
from sklearn_seqae.streaming import ParquetSequences

SMALL = {"n_components": 8, "units": 8, "epochs": 2, "random_state": 0}


class Parts:
    """Containers that can be read any number of times."""

    def __init__(self, *parts):
        self.parts = parts

    def __iter__(self):
        return iter(self.parts)


@pytest.fixture(scope="module", name="X")
def sines():
    return make_ragged_sines(90, random_state=0)[0]


def write(folder, X, size=13):
    """Write sequences to two files of list columns."""
    for name, first, rows in (("a", 0, X[:50]), ("b", 50, X[50:])):
        columns = {"id": pa.array([f"s{first + i}" for i in range(len(rows))])}
        for j in range(X[0].shape[1]):
            columns[f"c{j}"] = pa.array([x[:, j] for x in rows], pa.list_(pa.float32()))
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", size)
    return ParquetSequences(folder, id="id")


@pytest.fixture(scope="module")
def source(tmp_path_factory, X):
    return write(tmp_path_factory.mktemp("lists"), X)


@pytest.fixture(scope="module")
def fitted(source):
    return LSTMAutoencoderTransformer(**SMALL).fit(source)


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(streamed, "MOST_SAMPLED", 1000)
    monkeypatch.setattr(streamed, "MOST_HELD_OUT", 200)
    monkeypatch.setattr(streamed, "POOL_VALUES", 600)


def test_codes_and_scores_of_a_stream_are_those_of_its_sequences(fitted, source, X):
    codes = fitted.transform(X)
    assert codes.shape == (len(X), 8)
    np.testing.assert_allclose(fitted.transform(source), codes, atol=1e-5)
    np.testing.assert_allclose(fitted.transform(Parts(X[:7], X[7:])), codes, atol=1e-5)
    assert fitted.score(source) == pytest.approx(fitted.score(X), abs=1e-5)
    np.testing.assert_allclose(fitted.score_samples(source), fitted.score_samples(X), rtol=1e-4)


def test_a_frame_of_codes_has_the_ids_of_the_files(fitted, source, X):
    frame = LSTMAutoencoderTransformer(**SMALL).set_output(transform="pandas")
    vars(frame).update({k: v for k, v in vars(fitted).items() if k not in vars(frame)})
    assert frame.transform(source).index.tolist() == [f"s{i}" for i in range(len(X))]


def test_what_is_computed_in_closed_form_is_that_of_all_sequences_of_a_small_stream(fitted, X):
    other = LSTMAutoencoderTransformer(**SMALL).fit(X)
    scalers = fitted.scaler_.scaler_, other.scaler_.scaler_
    np.testing.assert_allclose(scalers[0].mean_, scalers[1].mean_, rtol=1e-5, atol=1e-7)
    assert fitted._fitted_model.architecture == other._fitted_model.architecture
    assert fitted.score(X) == pytest.approx(other.score(X), abs=0.05)
    assert fitted.feature_names_in_.tolist() == ["c0", "c1"]
    assert fitted.n_epochs_ == 2


def test_the_same_seed_gives_the_same_weights_whatever_is_in_memory(little_memory, source, X):
    codes = [LSTMAutoencoderTransformer(**SMALL).fit(source).transform(X) for _ in range(2)]
    np.testing.assert_array_equal(*codes)


def test_a_stream_that_is_sampled_trains_on_all_other_sequences(little_memory, source, X):
    seen = []
    data = StreamedData(source, lambda part: as_sequences(part), 0.1)
    assert not data.is_whole
    assert data.n_sequences == len(X)
    held_out = {data.sample[i].tobytes() for i in data.split[1]}
    assert 1 <= len(held_out) < 0.2 * len(X)
    lengths = data.sample.lengths
    assert lengths.max() == max(map(len, X))
    assert lengths.min() == min(map(len, X))
    for seed in (0, 1):
        stream = data.stream(lambda part: as_sequences(part), lambda part: part)
        pools = list(stream.pools(np.random.default_rng(seed)))
        assert len(pools) > 2
        seen.append([x.tobytes() for pool in pools for x in pool])
        assert held_out.isdisjoint(seen[-1])
        assert len(seen[-1]) == len(set(seen[-1])) == len(X) - len(held_out) == stream.n_sequences
    assert seen[0] != seen[1]
    assert set(seen[0]) == set(seen[1])


def test_the_scale_is_that_of_all_sequences_beyond_the_sample(little_memory, tmp_path, X):
    far = [x + 1000 * (i == 3) for i, x in enumerate(X)]
    parameters = {**SMALL, "epochs": 1}
    for scaler, names in (("standard", ("mean_", "scale_")), ("minmax", ("data_max_",))):
        found, expected = (
            LSTMAutoencoderTransformer(**parameters, scaler=scaler).fit(data).scaler_.scaler_
            for data in (Parts(far[:40], far[40:]), far)
        )
        for name in names:
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-5)
    ae = LSTMAutoencoderTransformer(**parameters, scaler=RobustScaler()).fit(Parts(X[:40], X[40:]))
    assert ae.score(X) > 0


def test_partial_fit_makes_one_pass_over_a_stream(source, X):
    ae = LSTMAutoencoderTransformer(**SMALL).partial_fit(source)
    assert ae.n_epochs_ == 1
    before = ae.transform(X)
    assert ae.partial_fit(source).n_epochs_ == 2
    assert np.abs(ae.transform(X) - before).max() > 0


def test_categories_of_all_parts_are_learned():
    parts = [
        pd.DataFrame(
            {"kind": list(letters) * 4, "x": np.arange(len(letters) * 4.0)},
            index=pd.MultiIndex.from_product([range(i, i + 4), range(len(letters))]),
        )
        for i, letters in ((0, "ba"), (4, "cab"), (8, "dd"))
    ]
    ae = LSTMAutoencoderTransformer(**SMALL).fit(Parts(*parts))
    assert ae.categories_[0].tolist() == ["a", "b", "c", "d"]
    assert ae.categories_[1] is None
    whole = LSTMAutoencoderTransformer(**SMALL).fit(pd.concat(parts))
    assert whole.categories_[0].tolist() == ["a", "b", "c", "d"]
    assert ae.transform(Parts(*parts)).shape == (12, 8)
    with pytest.raises(ValueError, match="channel 0 to hold categories in all parts"):
        ae.fit(Parts(parts[0], parts[1].assign(kind=1.0)))


def test_what_a_stream_cannot_do_is_refused_with_a_remedy(fitted, source, X):
    before = fitted.transform(X[:3])
    for act, words in (
        (lambda: fitted.fit(source, groups=[0] * len(X)), "groups=None"),
        (lambda: LSTMAutoencoderDetector(**SMALL).fit(source, groups=[0] * len(X)), "groups=None"),
        (lambda: fitted.reconstruct(source), "for part in X"),
        (lambda: fitted.fit(Parts()), "at least one sequence"),
        (lambda: fitted.fit(Parts(*X)), "one single sequence"),
        (lambda: fitted.fit(Parts(X[:3], [np.zeros((3, 7))])), "same channels"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            act()
    np.testing.assert_array_equal(fitted.transform(X[:3]), before)


def test_values_that_no_sequence_has_are_refused_by_file_and_row_group(fitted, tmp_path, X):
    for bad, words in (
        ([None], "Expected a list in every row"),
        ([[1.0, np.inf]], "infinity"),
        ([[]], "the same steps"),
    ):
        lists = [[1.0, 2.0]] * 7
        table = pa.table({"c0": [*lists, *bad], "c1": [*lists, [1.0, 2.0]]})
        pq.write_table(table, tmp_path / "bad.parquet", 4)
        source = ParquetSequences(tmp_path / "bad.parquet")
        for act in (
            fitted.fit,
            fitted.transform,
            lambda source: encode_parquet(fitted, source.path, tmp_path / "codes"),
        ):
            with pytest.raises(ValueError, match=f"(?s){words}.*row group 1 of '.*bad.parquet'"):
                act(source)


def test_a_stream_that_grows_longer_during_fit_is_refused(X):
    class Growing:
        n = 0

        def __iter__(self):
            self.n += 1
            return iter([X if self.n < 3 else [*X, np.zeros((500, 2))]])

    with pytest.raises(ValueError, match="do not change X during fit"):
        LSTMAutoencoderTransformer(**SMALL).fit(Growing())


DETECTOR = {"n_components": 40, "units": 8, "epochs": 3, "random_state": 0}


@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_a_detector_of_a_small_stream_is_calibrated_by_all_of_its_sequences(
    contamination, source, X
):
    detector = LSTMAutoencoderDetector(**DETECTOR, contamination=contamination).fit(source)
    held_out = detector.held_out_
    assert held_out.tolist() == sorted({*held_out.tolist()})
    reference = detector._reference
    assert len(reference.neighbours) == len(X)
    assert (reference.shortest, reference.longest) == (min(map(len, X)), max(map(len, X)))
    scores = detector.score_samples(X)
    np.testing.assert_allclose(detector.score_samples(source), scores, atol=1e-4)
    np.testing.assert_array_equal(detector.predict(source), detector.predict(X))
    if contamination == "auto":
        unseen = detector.score_samples([X[i] for i in held_out])
        assert len(unseen) == len(X) // 10
        assert detector.offset_ == pytest.approx(np.log(0.01))
    else:
        assert np.mean(detector.predict(X) < 0) == pytest.approx(0.1, abs=1 / len(X))
    outlier = X[0].copy()
    outlier[5] += 30
    assert detector.predict(Parts([outlier, X[3]])).tolist() == [-1, 1]


def test_the_threshold_of_a_large_stream_is_that_of_held_out_sequences(little_memory, source, X):
    detector = LSTMAutoencoderDetector(**DETECTOR, quantile=0.5).fit(source)
    held_out = detector.held_out_
    assert 1 <= len(held_out) < 0.2 * len(X)
    assert len(detector._reference.neighbours) < len(X)
    assert detector._reference.longest == max(map(len, X))
    scores = detector.score_samples([X[i] for i in held_out])
    below = int((len(held_out) + 1) * 0.5 + 1e-9)
    assert np.sum(scores <= detector.offset_ + 1e-3) >= below  # they are their own neighbours now
    few = LSTMAutoencoderDetector(**DETECTOR, contamination=0.2).fit(source)
    assert np.mean(few.predict(X) < 0) == pytest.approx(0.2, abs=1 / len(X))


def test_ids_that_several_sequences_of_a_stream_have_are_groups_for_a_detector(tmp_path, X):
    twice = [x for x in X[:40] for _ in range(2)]  # each is there again, under the same id
    columns = {f"c{j}": [x[:, j] for x in twice] for j in range(2)}
    table = pa.table({"id": [f"s{i // 2}" for i in range(80)], **columns})
    pq.write_table(table, tmp_path / "twice.parquet", 16)
    data = ParquetSequences(tmp_path / "twice.parquet", id="id")
    detector = LSTMAutoencoderDetector(**DETECTOR).fit(data)
    pairs = detector.held_out_ // 2
    assert sorted(pairs.tolist()) == sorted([*{*pairs.tolist()}] * 2)
    groups = np.arange(80) // 2
    other = LSTMAutoencoderDetector(**DETECTOR).fit(twice, groups=groups)
    found, expected = (one._reference.distances.location for one in (detector, other))
    assert found == pytest.approx(expected, abs=0.2)


MEASURE = """
import resource, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.distributed import encode_parquet
from sklearn_seqae.estimators import streamed
from sklearn_seqae.streaming import ParquetSequences

streamed.MOST_SAMPLED = streamed.MOST_HELD_OUT = streamed.POOL_VALUES = 1 << 18
X = ParquetSequences(sys.argv[1])
small = {"units": 4, "epochs": 1, "batch_size": 512, "random_state": 0, "scaler": None}
# XLA would compile the steps for the larger file only.
ae = LSTMAutoencoderTransformer(4, **small, jit_compile=False).fit(X)
for part in X:
    ae.transform(part)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.long
def test_memory_does_not_grow_with_the_file(tmp_path):
    peaks, sizes = [], []
    rng = np.random.default_rng(0)
    for n_groups in (4, 44):
        path = tmp_path / f"{n_groups}.parquet"
        steps = np.arange(0, 40_001, 40)
        writer = None
        for _ in range(n_groups):
            values = [rng.normal(size=40_000).astype(np.float32) for _ in range(8)]
            lists = [pa.ListArray.from_arrays(steps.astype(np.int32), pa.array(v)) for v in values]
            table = pa.table(dict(zip("abcdefgh", lists, strict=True)))
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
        writer.close()
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout) * 1024)
        sizes.append(path.stat().st_size)
    assert peaks[1] - peaks[0] < 0.5 * (sizes[1] - sizes[0])
