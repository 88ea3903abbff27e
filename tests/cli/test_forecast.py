"""Forecasts on the command line: of sequences, and of long series."""

import io

import numpy as np
import pandas as pd
import pytest

from sklearn_seqae import load
from sklearn_seqae.__main__ import main

TINY = ["-p", "n_components=4", "-p", "units=6", "-p", "epochs=1", "-p", "random_state=0"]
NAMES = ["--id", "patient", "--time", "day"]


@pytest.fixture(scope="module")
def visits():
    """Sequences of one channel and of unequal length, whose ids look like numbers."""
    parts = []
    for i in range(12):
        t = np.arange(12 + i)
        days = pd.date_range("2026-01-01", periods=len(t), freq="2D")
        parts.append(pd.DataFrame({"patient": f"{i:03}", "day": days, "pulse": 60 + i + t}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def load_(visits):
    """A long series of two channels, every hour."""
    t = np.arange(400)
    time = pd.date_range("2026-01-01", periods=400, freq="h")
    day = 2 * np.pi * t / 24
    return pd.DataFrame({"time": time, "heat": np.sin(day), "power": 3 + np.cos(day)})


@pytest.fixture(scope="module")
def folder(visits, load_, tmp_path_factory):
    path = tmp_path_factory.mktemp("forecasts")
    visits.to_csv(path / "visits.csv", index=False)
    load_.to_csv(path / "load.csv", index=False)
    fit = ["fit", str(path / "visits.csv"), *NAMES, *TINY, "--quiet"]
    assert main([*fit, str(path / "visits.zip"), "--horizon", "4"]) == 0
    assert main([*fit, str(path / "plain.zip")]) == 0
    fit = ["fit", str(path / "load.csv"), *TINY, "--quiet", "--window-size", "48"]
    assert main([*fit, str(path / "load.zip"), "--horizon", "12"]) == 0
    assert main([*fit, str(path / "watch.zip")]) == 0
    return path


def read(text, **options):
    return pd.read_csv(io.StringIO(text), **options)


def test_sequences_are_continued_with_their_ids_and_time_stamps(run, folder, visits):
    ahead = read(run("forecast", "visits.zip", "visits.csv").out, dtype={"patient": str})
    model = load(folder / "visits.zip")
    expected = model.forecast(visits.set_index(["patient", "day"]))["pulse"]
    assert list(ahead) == ["patient", "day", "pulse"]
    assert ahead["patient"].tolist() == expected.index.get_level_values(0).tolist()
    days = expected.index.get_level_values(1)
    assert pd.to_datetime(ahead["day"]).tolist() == days.tolist()
    assert (days[4 * 11] - visits["day"].iloc[-1]).days == 2
    np.testing.assert_allclose(ahead["pulse"], expected, rtol=1e-6)


@pytest.mark.parametrize("output", ["next.parquet", "next.npz"])
def test_every_format_is_written(run, visits, output):
    text = read(run("forecast", "visits.zip", "visits.csv", "--steps", "7").out)
    assert text.groupby("patient").size().tolist() == [7] * 12
    run("forecast", "visits.zip", "visits.csv", "--steps", "7", "-o", output)
    if output.endswith("npz"):
        with np.load(output) as arrays:
            assert arrays["ids"].tolist() == visits["patient"].unique().tolist()
            assert arrays["offsets"].tolist() == list(range(0, 85, 7))
            values = arrays["values"][:, 0]
    else:
        values = pd.read_parquet(output)["pulse"]
    np.testing.assert_allclose(values, text["pulse"], rtol=1e-6)


def test_padded_arrays_are_continued_where_they_end(run, folder, visits):
    X = np.full((2, 20, 1), np.nan)
    X[0, :, 0], X[1, :12, 0] = np.arange(20), 60 + np.arange(12)
    np.savez(folder / "x.npz", X=X)
    ahead = read(run("forecast", "visits.zip", "x.npz", "--output-format", "csv").out)
    assert ahead.columns.tolist() == ["patient", "step", "pulse"]
    expected = load(folder / "visits.zip").forecast([X[0], X[1, :12]])
    np.testing.assert_allclose(ahead["pulse"], np.concatenate(expected)[:, 0], rtol=1e-5)


def test_a_long_series_is_continued_by_a_model_of_windows(run, folder, load_):
    ahead = read(run("forecast", "load.zip", "load.csv").out, parse_dates=["time"])
    assert list(ahead) == ["time", "heat", "power"]
    expected = pd.date_range("2026-01-17 16:00", periods=12, freq="h")
    assert ahead["time"].tolist() == expected.tolist()
    day = 2 * np.pi * np.arange(400, 412) / 24
    np.testing.assert_allclose(ahead["heat"], np.sin(day), atol=0.1)
    data = load_.iloc[:300].to_csv(index=False).encode()
    far = read(run("forecast", "load.zip", "-", "--steps", "20", stdin=data).out)
    np.testing.assert_allclose(far["power"][:12], 3 + np.cos(day - 100 * np.pi / 12), atol=0.1)
    assert len(far) == 20


def test_gaps_of_a_long_series_are_missing_values(run, load_):
    whole = read(run("forecast", "load.zip", "load.csv").out)
    data = load_.drop(index=range(350, 360)).to_csv(index=False).encode()
    found = read(run("forecast", "load.zip", "-", stdin=data).out)
    assert found["time"].tolist() == whole["time"].tolist()
    np.testing.assert_allclose(found["heat"], whole["heat"], atol=0.1)


def test_several_long_series_have_a_column_of_ids(run, load_):
    both = pd.concat([load_[:300].assign(machine="007"), load_.assign(machine="8")])
    both.to_csv("both.csv", index=False)
    ahead = read(
        run("forecast", "load.zip", "both.csv", "--id", "machine").out, dtype={"machine": str}
    )
    assert list(ahead) == ["machine", "time", "heat", "power"]
    assert ahead["machine"].tolist() == ["007"] * 12 + ["8"] * 12
    whole = read(run("forecast", "load.zip", "load.csv").out)
    assert ahead["time"][12:].tolist() == whole["time"].tolist()
    np.testing.assert_allclose(ahead["power"][12:], whole["power"], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["forecast", "plain.zip", "visits.csv"], "fit one with --horizon"),
        (["forecast", "watch.zip", "load.csv"], "fit one with --horizon"),
        (["forecast", "visits.zip", "visits.csv", "--steps", "0"], "n_steps must be"),
        (["forecast", "load.zip", "load.csv", "--channels", "heat"], "channels"),
        (["transform", "watch.zip", "load.csv"], "without --window-size"),
        (["fit", "visits.csv", "x.zip", *NAMES, "--detector", "--horizon", "4"], "do not forecast"),
        (["fit", "load.csv", "x.zip", "--window-size", "48", "--horizon", "-1"], "horizon"),
        (
            ["fit", "load.csv", "x.zip", "--window-size", "48", "--horizon", "4", "-p", "unit=3"],
            "got 'unit': give some of",
        ),
    ],
)
def test_an_error_is_one_line(run, folder, arguments, text):
    before = sorted(folder.iterdir())
    err = run(*arguments, code=1).err
    assert text in err
    assert len(err.splitlines()) == 1
    assert sorted(folder.iterdir()) == before
