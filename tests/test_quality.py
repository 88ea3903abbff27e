"""The harness of the quality of codes, on data of no size; `make quality` measures."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def quality(monkeypatch):
    """Return the module that measures; its report is an attribute."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    import benchmarks.quality

    return benchmarks.quality


def test_what_can_be_read_from_separable_codes_is_read(quality):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 12)
    codes = [rng.normal(size=(36, 5)) + 20 * np.eye(5)[y] for _ in range(2)]
    figures = quality.read(codes[0], y, codes[1], y)
    assert set(figures.values()) == {1.0}
    noise = [rng.normal(size=(36, 5)) for _ in range(2)]
    assert quality.read(noise[0], y, noise[1], y)["lr"] < 0.7


def test_a_share_of_values_is_removed_at_random_or_as_one_run_a_channel(quality):
    rng = np.random.default_rng(0)
    X = [np.ones((20, 2), dtype=np.float32)] * 50
    removed = np.isnan(np.concatenate(quality.remove(X, 0.3, False, rng)))
    assert abs(removed.mean() - 0.3) < 0.03
    for x in quality.remove(X, 0.3, True, rng):
        assert np.isnan(x).sum(axis=0).tolist() == [6, 6]
        assert (np.abs(np.diff(np.isnan(x).astype(int), axis=0)).sum(axis=0) <= 2).all()


def test_gaps_are_interpolated_and_empty_channels_get_the_mean(quality):
    x = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    assert quality._interpolate(x, np.array([9.0, 7.0])).tolist() == [[1, 7], [2, 7], [3, 7]]


def test_the_page_says_what_was_reached_and_what_was_not(quality, tmp_path, monkeypatch):
    def run(part, model="defaults", name="GunPoint", **others):
        figures = dict.fromkeys(("lr", "svc", "cv_lr", "cv_svc", "1nn", "ari"), 0.99)
        figures |= {"nmi": 0.3, "nmi_standardised": 0.2, "r2": 0.9, "seconds": 2.0}
        return {"part": part, "set": name, "seed": 0, "model": model} | figures | others

    rmse = {"rmse_impute": 0.2, "rmse_mean": 1.0, "rmse_linear": 0.3, "blocks": False}
    runs = [run("codes", model) for model in ("defaults", "PCA", "tutorial")]
    runs += [run("codes", seed=1, lr=1.0), run("codes", name="ACSF1", lr=0.9, svc=0.8)]
    runs += [run("missing", share=0.0, blocks=False), run("missing", share=0.5, **rmse)]
    runs += [run("ablation"), run("ablation", "units=32")]
    monkeypatch.setattr(quality.quality_report, "DOCS", tmp_path)
    (tmp_path / "images").mkdir()
    quality.quality_report.write({"date": "2026-01-01", "runs": runs})
    page = (tmp_path / "quality.md").read_text(encoding="utf-8")
    assert "| GunPoint | **0.995** | 0.993 | reached |" in page
    assert "| ACSF1 | **0.900** | 0.910 | missed |" in page
    assert "| 50% | at random | 0.990 | 0.990 | 0.200 | 1.000 | 0.300 |" in page
    assert "| units=32 | 0.990 | 0.990 | 0.300 | 0.900 | 2.0 |" in page
    images = {path.name for path in (tmp_path / "images").iterdir()}
    assert images == {"quality.png", "quality_missing.png"}
