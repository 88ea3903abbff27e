"""Long series on the command line."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from sklearn_seqae import load
from sklearn_seqae.__main__ import main

TINY = ["-p", "n_components=4", "-p", "units=6", "-p", "epochs=2", "-p", "random_state=0"]


@pytest.fixture(scope="module")
def table():
    """A series of two channels with a spike at position 400."""
    rng = np.random.default_rng(0)
    t = np.arange(500)
    time = pd.date_range("2026-01-01", periods=500, freq="5min")
    heat, load_ = np.sin(t / 5), np.cos(t / 9)
    frame = pd.DataFrame({"timestamp": time, "heat": heat, "load": load_})
    frame[["heat", "load"]] += rng.normal(0, 0.1, (500, 2))
    frame.loc[400, "load"] += 8
    return frame


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("series")
    table.to_csv(path / "series.csv", index=False)
    table.iloc[:300].to_parquet(path / "normal.parquet", index=False)
    arguments = ["fit", str(path / "normal.parquet"), str(path / "watch.zip")]
    arguments += ["--window-size", "40", "--checkpoint", str(path / "epochs"), "--quiet"]
    assert main([*arguments, *TINY]) == 0
    return path


def test_a_file_of_one_series_is_searched_by_a_detector_fitted_to_it(run, table):
    out = run("detect", "--window-size", "40", "series.csv", *TINY)
    found = pd.read_csv(io.StringIO(out.out), parse_dates=["start", "end", "peak"])
    assert table["timestamp"][400] in found["peak"].tolist()
    assert found["channels"].tolist() == ["load"]
    assert "500 time stamps, 2 channels; windows of 40" in out.err


def test_a_stream_is_read_once(run, folder):
    data = (folder / "series.csv").read_bytes()
    one = run("detect", "--window-size=40", "-", "--quiet", *TINY, stdin=data)
    other = run("detect", "--window-size=40", "series.csv", "--quiet", *TINY)
    assert one == other
    assert one.err == ""


def test_a_saved_detector_finds_and_explains_anomalies_of_other_series(run, folder, table):
    detector = load(folder / "watch.zip")
    assert len(list((folder / "epochs").glob("epoch-*"))) > 0
    X = table.set_index("timestamp")
    found = pd.read_csv(io.StringIO(run("detect", "watch.zip", "series.csv").out))
    assert found["peak"].tolist() == detector.find_anomalies(X)["peak"].astype(str).tolist()
    run("detect", "watch.zip", "series.csv", "--explain", "-o", "why.parquet")
    why = pd.read_parquet("why.parquet")
    assert table["timestamp"][400] in why["time"].tolist()
    scores = pd.read_csv(io.StringIO(run("score", "watch.zip", "series.csv").out))
    np.testing.assert_allclose(scores["score"], detector.score_samples(X))
    assert list(scores) == ["timestamp", "score", "outlier"]


def test_several_series_have_a_column_of_ids(run, table):
    both = pd.concat([table.assign(machine="007"), table[:100].assign(machine="8")])
    both.to_csv("both.csv", index=False)
    out = run("detect", "watch.zip", "both.csv", "--id", "machine").out
    found = pd.read_csv(io.StringIO(out), dtype={"machine": str})
    assert "007" in found["machine"].tolist()
    scores = pd.read_csv(
        io.StringIO(run("score", "watch.zip", "both.csv", "--id", "machine").out), dtype=str
    )
    assert scores["machine"].value_counts().to_dict() == {"007": 500, "8": 100}


def test_info_names_the_parameters_of_both_detectors(run):
    found = json.loads(run("info", "watch.zip", "--json").out)
    assert found["estimator"] == "SlidingWindowDetector"
    assert found["parameters"]["window_size"] == 40
    assert found["parameters"]["estimator"]["units"] == 6
    assert found["channels"] == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["detect", "--window-size", "40", "series.csv", "-p", "colour=1"], "'colour'"),
        (["detect", "--window-size", "40", "series.csv", "--time", "when"], "a column 'when'"),
        (["detect", "--window-size", "0", "series.csv"], "window_size"),
        (["detect", "watch.zip", "series.csv", "-p", "units=3"], "--param"),
        (["detect", "watch.zip", "series.csv", "--channels", "heat"], "1 features"),
        (["transform", "watch.zip", "series.csv"], "has transform"),
        (["detect", "--window-size", "40", "x.npz"], "CSV or Parquet"),
    ],
)
def test_an_error_is_one_line(run, arguments, text):
    err = run(*arguments, code=1).err
    assert text in err
    assert len(err.splitlines()) == 1
