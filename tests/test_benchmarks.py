"""The harness of the benchmarks, on data of no size; `make bench` measures."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def benchmarks(monkeypatch):
    """Return the modules that need nothing that is not installed for tests."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    import benchmarks.contenders
    import benchmarks.measure
    import benchmarks.quick
    import benchmarks.report
    import benchmarks.workloads

    return benchmarks


def run(workload, contender, repeat, seconds):
    measured = dict.fromkeys(("fit_cold", "fit_warm", "latency_ms"), seconds)
    losses = {"cold_times": [seconds / 2, seconds], "cold_losses": [1.0, 0.5]}
    names = {"workload": workload, "contender": contender, "repeat": repeat}
    rates = {"encode_steps_per_s": 1e6 / seconds, "peak_rss_mb": 500.0, "flops": 1e9}
    return names | measured | losses | rates | {"load_before": 0.5}


@pytest.fixture
def results():
    """Two rounds in which the library took a quarter of the tutorial's time, then an eighth."""
    pairs = [(0, "tutorial", 8.0), (0, "sklearn_seqae", 2.0)]
    pairs += [(1, "tutorial", 16.0), (1, "sklearn_seqae", 2.0)]
    pairs += [(repeat, "torch padded", 1.5) for repeat in (0, 1)]
    seconds = {"n_sequences": [1.0, 2.0, 3.0], "n_steps": [1.0, 2.0, 3.0], "units": [1.0, 2.0, 3.0]}
    contenders = ("tutorial", "sklearn_seqae")
    machine = {"date": "2026-01-01", "cpu": "a CPU", "cores": 2, "python": "3.11", "minutes": 1.0}
    return {
        "machine": machine | {"versions": {"numpy": "2.4"}},
        "peak": [{"gflops": 100.0}],
        "runs": [run("small", label, repeat, s) for repeat, label, s in pairs],
        "memory": {
            label: {"rss_mb": [500.0, 510.0, 511.0], "in_use_mb": [499.0, 499.0]}
            for label in contenders
        },
        "search": {"programs": {"TrainingProgram": 1}, "mean_fit_times": [2.0, 0.1]},
        "grid": {"wall": 100.0, "fits": 150.0, "scores": 10.0, "median_fit": 1.2},
        "growth": dict.fromkeys(contenders, seconds),
    }


def test_a_ratio_is_the_median_over_rounds_of_both(benchmarks, results):
    figures = benchmarks.report.Figures(results)
    assert figures.ratio("small", "sklearn_seqae", "fit_cold") == pytest.approx(6.0)
    assert figures.ratio("small", "sklearn_seqae", "encode_steps_per_s") == pytest.approx(6.0)
    assert figures.median("small", "tutorial", "to_loss") == pytest.approx(12.0)


def test_what_got_slower_by_more_than_a_fifth_on_the_same_processor_is_listed(benchmarks, results):
    now = results | {"runs": [run("small", "sklearn_seqae", 0, 2.3)]}
    assert benchmarks.quick.compare(now, results)[0].startswith("Nothing got slower")
    now["runs"] = [run("small", "sklearn_seqae", 0, 3.0)]
    *slower, load = benchmarks.quick.compare(now, results)
    assert [line.split(", ")[2] for line in slower] == [
        "cold fit",
        "encoding",
        "one sequence",
        "warm fit",
    ]
    assert all(line.endswith("1.50 times as slow") for line in slower)
    assert load == "Load before a measurement: at most 0.5."
    other = now | {"machine": now["machine"] | {"cpu": "another CPU"}}
    assert (
        "figures are of a CPU, these of another CPU" in benchmarks.quick.compare(other, results)[0]
    )


def test_the_page_and_its_plots_are_written_from_results_alone(
    benchmarks, results, tmp_path, monkeypatch
):
    monkeypatch.setattr(benchmarks.report, "DOCS", tmp_path)
    (tmp_path / "images").mkdir()
    benchmarks.report.write(results)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "| small | fit cold | 3.00x | 6.00x | reached |" in page
    assert "| small | sklearn_seqae | **0.75x** | **0.75x** | **0.75x** | 0.75x |" in page
    assert "24 candidates" in page
    assert "The other 20 s" in page
    for image in ("benchmarks.png", "benchmarks_growth.png"):
        assert f"(images/{image})" in page
        assert (tmp_path / "images" / image).stat().st_size > 1000
    assert "small     tutorial" in benchmarks.report.table(results)


def test_a_comparison_notes_every_epoch_and_judges_the_held_out(benchmarks):
    class Constant(benchmarks.contenders.Contender):
        """Writes the number of epochs that it was trained for."""

        def fit(self, X, workload, seed, note):
            for epoch in range(workload.epochs):
                note(epoch)

        def load(self, weights):
            self.weights = weights

        def encode(self, X):
            return np.zeros((len(X), 1), np.float32)

        def reconstruct(self, X):
            return [np.full_like(x, self.weights) for x in X]

    workload = benchmarks.workloads.Workload("tiny", 20, 6, 2, units=3, epochs=2, ragged=True)
    measured = benchmarks.measure.compare(workload, Constant(), seed=0)
    assert len(measured["cold_times"]) == len(measured["warm_times"]) == 2
    held_out = np.concatenate(workload.data()[1])
    expected = [np.mean((epoch - held_out) ** 2) for epoch in (0, 1)]
    assert measured["cold_losses"] == pytest.approx(expected, rel=1e-5)


def test_the_data_are_the_same_every_time(benchmarks):
    workload = benchmarks.workloads.WORKLOADS["ragged"].shrunk()
    first, second = (np.concatenate(workload.data()[0]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert max(map(len, workload.data()[0])) == workload.n_steps
