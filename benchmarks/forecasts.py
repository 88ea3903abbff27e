"""How well the steps after the end are forecast: `python -m benchmarks.forecasts --help`.

The first three quarters of each series are cut into windows at stride 1, from which all models
learn. A forecast is made from each window that ends in the last quarter, and judged by its mean
absolute scaled error (MASE): 1 is the error that repeating the last period has in training.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

RESULTS = Path(__file__).with_name("forecasts.json")
PAGE = Path(__file__).parents[1] / "docs" / "forecasts.md"
TRAINED_ON = 0.75
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A series (n_timestamps, n_channels), and how it is forecast; a period of 1 is none."""

    name: str
    values: Floats
    window_size: int
    horizon: int
    period: int

    @property
    def n_train(self) -> int:
        """Number of its first time stamps, which models learn from."""
        return int(TRAINED_ON * len(self.values))

    @property
    def train(self) -> Floats:
        """What models learn from."""
        return self.values[: self.n_train]

    @property
    def asked(self) -> list[Floats]:
        """The windows to continue, those of the training series apart."""
        return [x[: self.window_size] for x in self._test()]

    @property
    def expected(self) -> Floats:
        """What follows these, (n_windows, horizon, n_channels)."""
        return self._test()[:, self.window_size :]

    def _test(self) -> Floats:
        known = self.values[self.n_train - self.window_size :]
        return windows(known, self.window_size + self.horizon)

    def error(self, ahead: Any) -> float:
        """Return the MASE of forecasts."""
        naive = np.abs(self.train[self.period :] - self.train[: -self.period]).mean(axis=0)
        return float((np.abs(self.expected - np.asarray(ahead)) / naive).mean())


def windows(values: Floats, size: int) -> Floats:
    """Return all windows, (n_windows, size, n_channels)."""
    return sliding_window_view(values, size, axis=0).transpose(0, 2, 1)


def real_series() -> Iterator[Series]:
    """Give series that aeon ships."""
    from aeon.datasets import load_airline, load_solar, load_uschange

    def column(x: Any) -> Floats:
        array = np.asarray(x, dtype=np.float64)
        return array.reshape(array.shape[0], -1) if array.shape[0] > 9 else array.T

    yield Series("airline", column(load_airline()), 48, 12, 12)
    yield Series("solar", column(load_solar()), 96, 24, 48)
    yield Series("uschange", column(load_uschange()), 24, 4, 4)


def made_series(seed: int = 0) -> Iterator[Series]:
    """Give generated series."""
    rng = np.random.default_rng(seed)
    t = np.arange(1200)
    day = 2 * np.pi * t / 24
    values = 10 + 0.01 * t + 2 * np.sin(day) + np.sin(2 * day + 1) + 0.3 * rng.normal(size=1200)
    yield Series("trend and season", values[:, None], 96, 24, 24)
    walks = rng.normal(size=(1200, 3)).cumsum(axis=0)
    yield Series("random walks", walks, 48, 12, 1)
    delayed = np.full(2400, 1.2)
    for i in range(17, 2399):
        late = delayed[i - 17]
        delayed[i + 1] = 0.9 * delayed[i] + 0.2 * late / (1 + late**10)
    yield Series("Mackey-Glass", delayed[400:, None], 96, 24, 1)
    x, speed = np.ones(12_000), 0.0
    for i in range(11_999):
        x[i + 1] = x[i] + 0.02 * speed
        speed += 0.02 * (3 * (1 - x[i] ** 2) * speed - x[i] + rng.normal())
    yield Series("van der Pol", x[::10, None], 96, 24, 1)
    level, pulses = 0.0, np.zeros(1500)
    for i in range(1500):
        level = 0.9 * level + 3 * (i % 74 == 37) + 0.05 * rng.normal()
        pulses[i] = level
    yield Series("pulses", pulses[:, None], 96, 24, 74)


def seasonal_naive(series: Series, seed: int) -> Floats:
    """Repeat the last period."""
    ahead = np.arange(series.horizon) % series.period
    return np.stack([x[series.window_size - series.period + ahead] for x in series.asked])


def autoregression(series: Series, seed: int) -> Floats:
    """Forecast each channel step by step from as many last ones as a window shows in training."""
    n_lags = series.window_size - series.horizon
    learned = windows(series.train, n_lags + 1)
    channels = []
    for j in range(series.values.shape[1]):
        model = RidgeCV(10.0 ** np.arange(-6, 4)).fit(learned[:, :-1, j], learned[:, -1, j])
        known = np.stack([x[:, j] for x in series.asked])
        for _ in range(series.horizon):
            known = np.column_stack([known, model.predict(known[:, -n_lags:])])
        channels.append(known[:, -series.horizon :])
    return np.stack(channels, axis=2)


def ours(series: Series, seed: int) -> dict[str, Floats]:
    """Return forecasts of the defaults, and those of their linear part alone."""
    from sklearn_seqae import LSTMAutoencoderTransformer
    from sklearn_seqae.windows import sliding_windows

    model = LSTMAutoencoderTransformer(horizon=series.horizon, random_state=seed)
    model.fit(sliding_windows(series.train, series.window_size))
    found = {"ours": np.asarray(model.forecast(series.asked))}
    model._fitted_model._forecaster.gains[:] = 0.0
    return found | {"linear": np.asarray(model.forecast(series.asked))}


BASELINES: dict[str, Callable[[Series, int], Floats]] = {
    "seasonal naive": seasonal_naive,
    "autoregression": autoregression,
}


def measure(series: Series, seed: int) -> dict[str, float]:
    """Return the error of each model."""
    ahead = {name: model(series, seed) for name, model in BASELINES.items()} | ours(series, seed)
    return {name: series.error(steps) for name, steps in ahead.items()}


INTRODUCTION = """\
# Forecasts

`make forecasts` wrote this page, last on {date}, with {n_seeds}.
`LSTMAutoencoderTransformer(horizon=...)`, with its defaults, is fitted to windows (stride 1) of the
first three quarters of a series, and `forecast` continues every window that ends in the rest. So do
the two baselines: the last period repeated, or the last value of series without one; and a linear
autoregression of each channel (`RidgeCV`), applied step by step, with as many lags as the windows
have steps without their ends. The figure is the mean absolute scaled error (MASE): 1 is the error
that repeating the last period has in training, one step ahead where there is no period.

Airline passengers (144 months), solar power (six days, by half hours) and five American economic
series (187 quarters) are real, and come with aeon. The others are generated: trend, season and
noise; three random walks, in which nothing can be forecast; the chaotic Mackey-Glass equation; a
van der Pol oscillator with random forces; and pulses each 74 steps, less than once in what a window
shows.
"""

NOTES = """\
*Linear part* is the forecast without the recurrent decoder. They are level with the
autoregression where series are linear. The recurrent decoder counts where held-out windows say so:
in series that are long enough, and that linear forecasts do not exhaust. In the shortest ones one
held-out window is no evidence, so forecasts are linear there.

**Where it is not the best.** Solar power has four and a half days to learn from, one of them dark,
and the last days are nearly equal: repeating the day before is much better than whatever was
learned. Seasonal naive is a forecast to compare with, always. In random walks all that is learned
is noise.
"""


def write(results: dict[str, Any]) -> None:
    """Write docs/forecasts.md."""
    runs = results["runs"]
    names = {"ours": "forecast", "linear": "linear part", **{name: name for name in BASELINES}}
    rows = [
        ["series", "window", "steps ahead", *names.values()],
        ["---"] * (3 + len(names)),
    ]
    for series in dict.fromkeys(run["series"] for run in runs):
        own = [run for run in runs if run["series"] == series]
        cells = [series, str(own[0]["window_size"]), str(own[0]["horizon"])]
        best = min(mean(run["errors"][name] for run in own) for name in names)
        for name in names:
            errors = [run["errors"][name] for run in own]
            shown = f"{mean(errors):.3f}"
            shown = f"**{shown}**" if mean(errors) <= 1.02 * best else shown
            spread = stdev(errors) if len(errors) > 1 else 0.0
            cells.append(shown + (f" ± {spread:.3f}" if spread > 5e-4 else ""))
        rows.append(cells)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    seeds = {run["seed"] for run in runs}
    n_seeds = f"{len(seeds)} seed{'s' * (len(seeds) > 1)}"
    page = INTRODUCTION.format(date=results["date"], n_seeds=n_seeds), f"{table}\n", NOTES
    PAGE.write_text("\n".join(page), encoding="utf-8")


def main() -> None:
    """Measure, keep the figures, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--series", nargs="*", help="names; all by default")
    parser.add_argument("--report", action="store_true", help="write the page again, only")
    arguments = parser.parse_args()
    if not arguments.report:
        runs = []
        for seed in arguments.seeds:
            for series in [*real_series(), *made_series()]:
                if arguments.series and series.name not in arguments.series:
                    continue
                errors = measure(series, seed)
                sizes = {"window_size": series.window_size, "horizon": series.horizon}
                runs.append({"series": series.name, "seed": seed, **sizes, "errors": errors})
                print(runs[-1], flush=True)
        results = {"date": datetime.now(UTC).date().isoformat(), "runs": runs}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write(json.loads(RESULTS.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
