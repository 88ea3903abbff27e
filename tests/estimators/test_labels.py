"""Ids, time stamps and names of channels in results."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_seqae import LSTMAutoencoderDetector, LSTMAutoencoderTransformer
from sklearn_seqae.containers import convert
from tests.conftest import TINY


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    X = []
    for n in rng.integers(3, 8, 12):
        index = pd.date_range("2026-01-01", periods=n, freq="D", name="day")
        X.append(pd.DataFrame(rng.normal(size=(n, 2)), columns=["pulse", "load"], index=index))
    return X


@pytest.fixture(scope="module")
def detector(frames):
    return LSTMAutoencoderDetector(**TINY).fit(frames)


@pytest.mark.parametrize("kind", ["frames", "long"])
def test_errors_have_the_labels_of_the_container(detector, frames, kind):
    ids = list("abcdefghijkl")
    X = frames if kind == "frames" else pd.concat(dict(zip(ids, frames, strict=True)))
    plain = [frame.to_numpy() for frame in frames]
    steps = detector.reconstruction_error(X, per="step")
    for own, frame, expected in zip(
        steps, frames, detector.reconstruction_error(plain, per="step"), strict=True
    ):
        assert own.index.get_level_values(-1).tolist() == frame.index.tolist()
        assert_array_equal(own, expected)
    value = detector.reconstruction_error(X, per="value")[3]
    assert value.columns.tolist() == ["pulse", "load"]
    channels = detector.reconstruction_error(X, per="channel")
    assert channels.columns.tolist() == ["pulse", "load"]
    errors = detector.reconstruction_error(X)
    if kind == "long":
        assert errors.index.tolist() == channels.index.tolist() == ids
    else:
        assert isinstance(errors, np.ndarray)
    assert isinstance(detector.reconstruction_error(plain, per="channel"), np.ndarray)


def test_an_explanation_has_the_time_stamp_of_each_step(detector, frames):
    table = detector.explain(frames[:2], top=1)
    values = table[table["part"] == "values"].iloc[0]
    assert values["time"] == frames[0].index[values["step"]]
    assert table.loc[table["part"] == "shape", "time"].isna().all()
    assert "time" not in detector.explain([frames[0].to_numpy()])


def test_scores_are_arrays_whatever_the_container(frames):
    ae = LSTMAutoencoderTransformer(**TINY).fit(frames)
    nested = convert(frames, "nested")
    assert isinstance(ae.score_samples(nested), np.ndarray)
    assert_array_equal(-ae.score_samples(nested), ae.reconstruction_error(nested))
