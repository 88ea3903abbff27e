"""The harness of anomalies in long series, on data of no size; `make series` measures."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import average_precision_score


@pytest.fixture(autouse=True)
def series(monkeypatch):
    """Return the module that measures; its report is an attribute."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    import benchmarks.series

    return benchmarks.series


def test_the_volume_is_that_of_timeeval():
    from benchmarks.series_metrics import vus_pr

    labels = np.isin(np.arange(12), [3, 4, 10, 11])
    scores = np.array([0, 1, 2, 9, 3, 4, 1, 0, 2, 1, 8, 3.0])
    # RangePrVUS(max_buffer_size).score of timeeval 1.5.0
    for buffer, expected in [(0, 0.8666666666667), (4, 0.9218368365920), (10, 0.9525597454505)]:
        assert_allclose(vus_pr(labels, scores, buffer), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_volume_is_one_for_the_labels_and_small_for_noise(seed):
    from benchmarks.series_metrics import vus_pr

    rng = np.random.default_rng(seed)
    labels = np.zeros(2000, dtype=bool)
    labels[500:560] = labels[1500:1510] = True
    assert vus_pr(labels, labels + 0.0, 0) == 1.0
    assert vus_pr(labels, rng.random(2000)) < 0.2
    # Near an anomaly is better than far away.
    near, far = np.zeros(2000), np.zeros(2000)
    near[565:600] = far[900:935] = 1.0
    assert vus_pr(labels, near) > vus_pr(labels, far) + 0.05


def test_events_are_counted_by_overlap():
    from benchmarks.series_metrics import count_events, f1, intervals

    labels = np.isin(np.arange(30), [3, 4, 5, 10, 20, 21, 29])
    assert intervals(labels) == [(3, 6), (10, 11), (20, 22), (29, 30)]
    found = [(5, 9), (12, 15), (19, 30)]
    counts = count_events(labels, found)
    assert counts == {"hit": 3, "missed": 1, "false": 1}
    assert f1([counts, counts]) == 12 / 16
    assert f1([]) == 1.0


@pytest.mark.parametrize("seed", [0, 1])
def test_generated_series_have_anomalies_where_they_say(seed):
    from benchmarks.series_data import IN_PLACE, generated
    from benchmarks.series_metrics import intervals

    made = list(generated(range(seed, seed + 1)))
    assert [len(one.train) for one in made] == [3000] * 3
    for one in made:
        n_kinds = len(IN_PLACE) - (one.test.shape[1] == 1)
        assert n_kinds - 1 <= len(intervals(one.labels)) <= n_kinds
        assert 0.01 < one.labels.mean() < 0.2


def test_series_of_nab_are_cut_at_fifteen_percent_and_labelled_by_windows(tmp_path):
    from benchmarks.series_data import nab

    rows = [f"2026-01-01 00:{i:02d}:00,{i}" for i in range(40)]
    (tmp_path / "data" / "group").mkdir(parents=True)
    (tmp_path / "labels").mkdir()
    (tmp_path / "data" / "group" / "one.csv").write_text("\n".join(["timestamp,value", *rows]))
    windows = {"group/one.csv": [["2026-01-01 00:10:00", "2026-01-01 00:12:00"]]}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(windows))
    (one,) = nab(tmp_path)
    assert (one.group, one.name, len(one.train)) == ("group", "one", 6)
    assert one.test[one.labels, 0].tolist() == [10, 11, 12]


def test_servers_of_asd_are_read(tmp_path):
    from benchmarks.series_data import asd

    shapes = {"train": (9, 19), "test": (5, 19), "test_label": (5,)}
    arrays = {f"omi-{i}_{key}": np.ones(x) for i in range(1, 13) for key, x in shapes.items()}
    np.savez(tmp_path / "asd.npz", **arrays)
    servers = list(asd(tmp_path))
    assert [one.name for one in servers][-1] == "server 12"
    assert servers[0].labels.all()
    assert servers[0].test.shape == (5, 19)


def test_each_model_finds_what_it_can(series):
    from benchmarks.series_models import QUICK, scores

    rng = np.random.default_rng(0)
    time = np.arange(1200)[:, None]
    values = np.sin(time / [4, 7]) + 0.1 * rng.normal(size=(1200, 2))
    train, test = values[:800], values[800:].copy()
    test[200:240] += 4 * rng.normal(size=(40, 2))
    labels = np.isin(np.arange(400), np.arange(200, 240))
    for name, model in QUICK.items():
        found = scores(model, train, test, 0)
        assert found.shape == (400,)
        assert average_precision_score(labels, found) > 0.4, name
        # Series shorter than a window have shorter ones.
        assert scores(model, train[:15], test[:12], 0).shape == (12,)


@pytest.mark.long
def test_networks_of_tutorials_score_every_time_stamp(monkeypatch):
    from benchmarks import series_models

    monkeypatch.setattr(series_models, "UNITS", 4)
    monkeypatch.setattr(series_models, "EPOCHS", 1)
    values = np.sin(np.arange(300) / 5)[:, None]
    for model in series_models.SLOW.values():
        assert np.isfinite(series_models.scores(model, values[:200], values[200:], 0)).all()


@pytest.mark.long
def test_the_detector_is_measured(series, monkeypatch):
    import sklearn_seqae
    from benchmarks.series_data import LongSeries

    small = sklearn_seqae.LSTMAutoencoderDetector(units=6, epochs=2, random_state=0)
    original = sklearn_seqae.SlidingWindowDetector
    monkeypatch.setattr(
        sklearn_seqae, "SlidingWindowDetector", lambda: original(small, window_size=30)
    )
    values = np.sin(np.arange(900) / 5)[:, None]
    test = values[600:].copy()
    test[100:130] = 5.0
    labels = np.isin(np.arange(300), np.arange(100, 130))
    figures = series.detect(LongSeries("NAB", "group", "one", values[:600], test, labels))
    assert figures["ap"] > 0.9
    assert figures["events"] == {"hit": 1, "missed": 0, "false": 0}


def test_the_page_has_means_groups_events_and_seconds(series, tmp_path, monkeypatch):
    from benchmarks.series_models import PYOD, QUICK

    def run(model, vus, **others):
        key = {"collection": "NAB", "group": "realTweets", "name": "one", "size": "9 + 9 x 1"}
        return key | {"model": model, "vus_pr": vus, "ap": vus, "roc": vus, "seconds": 1.0} | others

    events = {"hit": 1, "missed": 1, "false": 0}
    ours = run(series.OURS, 0.75, score_seconds=1.0, false_alarms=0.06, events=events)
    runs = [ours, *(run(name, 0.5) for name in [*QUICK, *PYOD])]
    runs += [run("LSTM autoencoder (Keras)", 0.25), run("LSTM forecaster (Keras)", 0.25)]
    for group in series.series_report.PUBLISHED:
        runs.append({**ours, "group": group, "name": group})
        runs += [run(name, 0.5, group=group, name=group) for name in [*QUICK, *PYOD]]
    monkeypatch.setattr(series.series_report, "DOCS", tmp_path)
    (tmp_path / "images").mkdir()
    series.series_report.write({"date": "2026-01-01", "runs": runs})
    page = (tmp_path / "series.md").read_text(encoding="utf-8")
    assert "| SlidingWindowDetector | **0.750** | **0.750** | **0.750** |" in page
    assert "| realTraffic | 1 | 0.750 | 0.500 | moving z |" in page
    assert "| realTraffic | 1 | 1 | 0 | 0.667 | 0.533 | 0.611 |" in page
    assert "| NAB | 6.0 % | 6 of 6 |" in page
    assert (tmp_path / "images" / "series.png").exists()
