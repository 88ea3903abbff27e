"""The harness of outlier detection, on data of no size; `make detection` measures."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def detection(monkeypatch):
    """Return the module that measures; its report is an attribute."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    import benchmarks.detection

    return benchmarks.detection


@pytest.fixture
def anomalies(detection):
    import benchmarks.anomalies

    return benchmarks.anomalies


def test_each_anomaly_is_where_it_says_and_nowhere_else(anomalies):
    rng = np.random.default_rng(0)
    X = anomalies.heartbeats(30, rng)
    task = anomalies.injected("hearts", X[:10], X[10:12], X[12:30], rng)
    assert task.kinds[:2].tolist() == ["normal", "normal"]
    assert set(task.kinds[2:]) == set(anomalies.KINDS)
    assert all(x.dtype == np.float32 for x in task.test)
    for i in range(2, 20):
        x, host, steps, channel = task.test[i], X[10 + i], task.steps[i], task.channels[i]
        if steps is not None:
            changed = np.flatnonzero((x != host).any(axis=1))
            assert len(changed) > 0
            assert steps.start <= changed.min() <= changed.max() < steps.stop
            assert np.array_equal(np.delete(x, channel, 1), np.delete(host, channel, 1))
    lengths = {kind: len(task.test[i]) for i, kind in enumerate(task.kinds)}
    assert lengths["too short"] < min(map(len, X[:10]))
    assert lengths["too long"] > max(map(len, X[:10]))
    assert lengths["double tempo"] in set(map(len, X[12:30]))


def test_areas_are_of_all_anomalies_and_of_each_kind(detection, anomalies):
    kinds = np.array(["normal", "normal", "spike", "frozen"])
    task = anomalies.Task("injected", "sines", [], [], kinds)
    figures = detection.areas(task, np.array([1.0, 2.0, 0.0, 1.5]))
    assert figures == {"auc": 0.75, "kinds": {"spike": 1.0, "frozen": 0.5}}


@pytest.mark.long
def test_the_detector_is_measured_and_its_blame_is_checked(detection, anomalies, monkeypatch):
    import sklearn_seqae

    rng = np.random.default_rng(0)
    X = anomalies.heartbeats(40, rng)
    task = anomalies.injected("hearts", X[:16], X[16:22], X[22:40], rng)
    small = {"units": 6, "epochs": 2, "n_components": 40}
    original = sklearn_seqae.LSTMAutoencoderDetector
    monkeypatch.setattr(
        sklearn_seqae,
        "LSTMAutoencoderDetector",
        lambda random_state: original(**small, random_state=random_state),
    )
    figures = detection.judge(task, 0)
    assert 0 <= figures["auc"] <= 1
    assert set(figures["blamed"]) == {"spike", "frozen", "level shift", "noise burst"}
    assert figures["blamed"]["spike"]["chance_channel"] == 0.5


def test_the_page_says_who_is_above_whom(detection, tmp_path, monkeypatch):
    def run(model, auc, name="sines", family="injected", **others):
        figures = {"family": family, "task": name, "seed": 0, "model": model, "auc": auc}
        return figures | {"seconds": 1.0} | others

    parts = {"auc_values": 0.9, "auc_shape": 0.8, "auc_error": 0.7}
    parts |= {"false_alarms": 0.01, "found": 0.5}
    place = {"step": 1.0, "channel": 0.5, "chance_step": 0.1, "chance_channel": 0.5}
    kinds = {"kinds": {"spike": 0.6}}
    rivals = {"forest": 0.8, "pyod 10": 0.95, "pyod 100": 0.99}
    runs = [run("ours", 0.9, **parts, **kinds, blamed={"spike": place})]
    runs += [run(model, auc, **kinds) for model, auc in rivals.items()]
    vowels = {"name": "JapaneseVowels 0", "family": "JapaneseVowels"}
    runs += [run("ours", 0.99, **vowels, **parts)]
    runs += [run(model, auc, **vowels) for model, auc in rivals.items()]
    monkeypatch.setattr(detection.detection_report, "DOCS", tmp_path)
    (tmp_path / "images").mkdir()
    detection.detection_report.write({"date": "2026-01-01", "runs": runs})
    page = (tmp_path / "detection.md").read_text(encoding="utf-8")
    assert "| sines | **0.900 ± 0.000** | 0.800 ± 0.000 | 0.950 ± 0.000 |" in page
    assert "| 0.990 ± 0.000 | PyOD, PyOD, 100 epochs |" in page
    assert "| 0.990 ± 0.000 | none |" in page
    assert "| sines | 1.0 % | 50.0 % |" in page
    assert "| spike | 100% (10%) | 50% (50%) |" in page
    assert (tmp_path / "images" / "detection.png").exists()
