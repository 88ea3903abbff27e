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


@pytest.fixture
def docs(quality, tmp_path, monkeypatch):
    """Return a folder for the page, with pages of the guide that have no tables yet."""
    (tmp_path / "images").mkdir()
    (tmp_path / "guide").mkdir()
    for page in ("classification", "clustering", "missing", "parameters"):
        text = "before\n<!-- written by make quality -->\nold\n<!-- end -->\nbehind\n"
        (tmp_path / "guide" / f"{page}.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(quality.quality_report, "DOCS", tmp_path)
    return tmp_path


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


def ragged_waves(n_sequences):
    """Return slow waves of two channels of different size, of 12 to 30 steps."""
    rng = np.random.default_rng(n_sequences)
    waves = []
    for n_steps in rng.integers(12, 31, size=n_sequences):
        t = (np.arange(n_steps) + 0.5) / n_steps
        levels = rng.normal(size=(3, 2)) * [1.0, 50.0]
        waves.append((np.cos(np.pi * t[:, None] * np.arange(3)) @ levels).astype(np.float32))
    return waves


@pytest.mark.parametrize("name", ["linear", "DCT"])
def test_cosines_reconstruct_waves_of_few_frequencies_whatever_their_length(quality, name):
    X, X_test = ragged_waves(40), ragged_waves(20)
    baseline = quality.BASELINES[name](0, n_components=6)
    baseline.fit(X)
    assert baseline.encode(X_test).shape == (20, 6)
    assert baseline.score(X_test) > 0.999
    fewer = quality.BASELINES[name](0, n_components=4)
    fewer.fit(X)
    assert 0.3 < fewer.score(X_test) < 0.95


def test_padded_data_have_an_r2_over_real_steps(quality):
    X, X_test = ragged_waves(100), ragged_waves(20)
    full, few = quality.Padded(0), quality.Padded(0, n_components=6)
    for baseline in (full, few):
        baseline.fit(X)
    # Lengths move what padding leaves at its place, so six components do not suffice.
    assert few.score(X_test) < full.score(X_test)
    assert full.score(X) > 0.999
    assert few.score(X_test) < 0.95


def test_components_are_judged_apart_and_the_whole_code_decodes_best(quality, monkeypatch):
    y = np.repeat([0, 1], 20)
    splits = [ragged_waves(40), y, ragged_waves(41)[:40], y]
    monkeypatch.setattr(quality, "load", lambda name: splits)
    found = quality.take_apart("waves", 0, units=4, epochs=2)
    r2 = {label: figures["r2"] for label, figures in found.items() if label != "gain"}
    assert len(r2) == 7
    assert r2["pooled"] is None
    assert r2["linear"] == r2["linear + pooled"]
    assert r2["linear"] > 0.95 > r2["recurrent"]
    assert r2["linear + recurrent"] == r2["linear + recurrent + pooled"] > 0.95
    seconds = {label: found[label]["seconds"] for label in r2}
    whole = seconds["linear"] + seconds["recurrent"] + seconds["pooled"]
    assert seconds["linear + recurrent + pooled"] == pytest.approx(whole)
    assert min(seconds.values()) > 0.0
    assert 0.0 <= found["gain"] <= 1.0


def test_the_page_says_what_was_reached_and_what_was_not(quality, docs):
    def run(part, model="defaults", name="GunPoint", **others):
        figures = dict.fromkeys(("lr", "svc", "cv_lr", "cv_svc", "1nn", "ari"), 0.99)
        figures |= {"nmi": 0.3, "nmi_standardised": 0.2, "r2": 0.9, "seconds": 2.0}
        return {"part": part, "set": name, "seed": 0, "model": model} | figures | others

    rmse = {"rmse_impute": 0.2, "rmse_mean": 1.0, "rmse_linear": 0.3, "blocks": False}
    models = ("defaults", "linear", "DCT", "PCA", "tutorial")
    runs = [run("codes", model) for model in models]
    runs += [run("codes", seed=1, lr=1.0), run("codes", name="ACSF1", lr=0.9, svc=0.8)]
    runs += [run("missing", share=0.0, blocks=False), run("missing", share=0.5, **rmse)]
    runs += [run("ablation"), run("ablation", "units=32")]
    between = {"centers_r2": 0.5, "detour": 1.1, "nearest": 0.7}
    runs += [run("decoding", shortcut=None, samples=0.3, **between)]
    runs += [run("decoding", shortcut="cosine", samples=0.1, **between)]
    runs += [run("sizes", "ours", size=2), run("sizes", "linear", size=2, r2=0.8)]
    runs += [run("sizes", "ours", size=2, seed=1, r2=1.0), run("sizes", "linear", size=256)]
    figures = {"cv_lr": 0.8, "cv_svc": 0.7, "lr": 0.6, "svc": 0.65, "seconds": 3.0}
    apart = {"linear": figures | {"r2": 0.9}, "pooled": figures | {"r2": None}}
    runs += [{"part": "components", "set": "GunPoint", "seed": 0, "gain": 0.0} | apart]
    quality.quality_report.write({"date": "2026-01-01", "runs": runs})
    page = (docs / "quality.md").read_text(encoding="utf-8")
    assert "| GunPoint | **0.995** | 0.993 | reached |" in page
    assert "| ACSF1 | **0.900** | 0.910 | missed |" in page
    assert "| 50% | at random | 0.990 | 0.990 | 0.200 | 1.000 | 0.300 |" in page
    assert "| units=32 | 0.990 | 0.990 | 0.300 | 0.900 | 2.0 |" in page
    assert "| GunPoint | 0.950 | 0.800 | - | - | 0.900 | - |" in page
    assert "| linear | 0.900 | 0.800 | 0.650 | 3.0 |" in page
    assert "| pooled | - | 0.800 | 0.650 | 3.0 |" in page
    assert "In 0 of the fits" in page
    assert "| mean | 0.500 | 0.500 | 1.100 | 1.100 | 0.700 | 0.700 | 0.100 | 0.300 |" in page
    images = {path.name for path in (docs / "images").iterdir()}
    assert images == {"quality.png", "quality_missing.png"}
    guide = {path.stem: path.read_text(encoding="utf-8") for path in (docs / "guide").iterdir()}
    assert "| GunPoint | 0.995 | 0.993 | 0.907 |" in guide["classification"]
    assert "| GunPoint | 0.300 | 0.300 | 0.300 | 0.051 |" in guide["clustering"]
    assert "| 50% | at random | 0.990 | 0.200 | 0.300 | 1.000 |" in guide["missing"]
    assert "| units=32 | 0.990 |" in guide["parameters"]
    for text in guide.values():
        assert "old" not in text
        assert text.startswith("before\n<!--")
        assert text.endswith("<!-- end -->\nbehind\n")


def test_the_page_is_written_from_results_without_the_newer_models_and_parts(quality, docs):
    figures = dict.fromkeys(("lr", "svc", "1nn", "ari", "nmi", "nmi_standardised"), 0.9)
    key = {"part": "codes", "set": "ACSF1", "seed": 0, "seconds": 1.0}
    runs = [key | {"model": model, "r2": None} | figures for model in ("defaults", "PCA")]
    quality.quality_report.write({"date": "2026-01-01", "runs": runs})
    page = (docs / "quality.md").read_text(encoding="utf-8")
    assert "| set | **ours** | goal |  | PCA | T-Loss |" in page
    assert "*PCA*" in page
    assert "*linear*" not in page
    assert "## Sizes" not in page
    assert "components alone" not in page


def test_a_linear_model_decodes_means_and_its_samples_are_judged_by_their_distribution(quality):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 30)
    X = list(rng.normal(size=(60, 10, 1)).cumsum(axis=1) + 20 * y[:, None, None])

    class Flat:
        """Codes are the values themselves."""

        def __init__(self, samples):
            self.samples = samples

        def transform(self, X):
            return np.stack(X).reshape(len(X), -1)

        def inverse_transform(self, codes, lengths):
            return list(codes.reshape(len(codes), -1, 1))

        def sample(self, n_samples, random_state):
            return self.samples[:n_samples]

    others = list(rng.normal(size=(60, 10, 1)).cumsum(axis=1) + 20 * y[:, None, None])
    good, bad = (
        quality.judge_decoding(Flat(samples), X, X, y, seed=0) for samples in (others, X[:1] * 60)
    )
    assert good["centers_r2"] > 0.9
    assert good["detour"] == pytest.approx(1.0, abs=1e-6)
    assert good["samples"] < 0.02
    assert bad["samples"] > 0.5
