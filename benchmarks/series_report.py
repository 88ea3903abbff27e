"""What `benchmarks.series` measured, as docs/series.md and its plot."""

from pathlib import Path
from statistics import mean, median
from typing import Any

from .series_metrics import f1
from .series_models import PYOD, QUICK, SLOW

DOCS = Path(__file__).parents[1] / "docs"
OURS = "SlidingWindowDetector"
FIGURES = {"vus_pr": "VUS-PR", "ap": "average precision", "roc": "ROC area"}
# Event-wise F1 on groups of NAB, by Alnegheimish et al., trained on the whole series: of an LSTM
# autoencoder, and of AER, which also predicts the values beside a window.
PUBLISHED = {
    "artificialWithAnomaly": (0.545, 0.750),
    "realAWSCloudwatch": (0.750, 0.702),
    "realAdExchange": (0.720, 0.733),
    "realTraffic": (0.533, 0.611),
    "realTweets": (0.448, 0.606),
}
Run = dict[str, Any]


def write(results: dict[str, Any]) -> None:
    """Write docs/series.md and its plot."""
    runs: list[Run] = results["runs"]
    scored = [run for run in runs if "vus_pr" in run]
    ours = [run for run in runs if run["model"] == OURS]
    collections = list(dict.fromkeys(run["collection"] for run in scored))
    page = [INTRODUCTION.format(date=results["date"])]
    page += ["## Without a threshold", _all(scored, collections, [OURS, *QUICK, *PYOD]), AREAS]
    slow = [{run["name"] for run in scored if run["model"] == model} for model in SLOW]
    few = [run for run in scored if run["name"] in set.intersection(*slow)]
    if few:
        of_few = [name for name in collections if any(run["collection"] == name for run in few)]
        page += ["## Networks of tutorials", NETWORKS, _all(few, of_few, [OURS, *SLOW])]
    page += ["## By group", _groups(scored), GROUPS]
    events = [run for run in ours if run["group"] in PUBLISHED]
    if events:
        page += ["## Events", EVENTS, _events(events)]
    page += ["## The threshold", _alarms(ours), ALARMS]
    page += ["## Seconds", SECONDS, _seconds(runs, collections)]
    _draw(scored, collections)
    (DOCS / "series.md").write_text("\n\n".join(page) + "\n", encoding="utf-8")


INTRODUCTION = """\
# Anomalies in long series

`make series` wrote this page, last on {date}. Every model is fitted with its defaults, the same for
every series, on the first part of a series, and scores the time stamps of the rest. Labels set no
threshold, and points are never adjusted by them. The weights in the detector's score were chosen by
means of such figures over all three collections, so they may be a little optimistic.

- *generated*: nine series of three kinds, two times 3000 time stamps of one to three channels. The
  second half has an anomaly of each kind: spike, frozen values, level shift, burst of noise, double
  tempo, swapped channels, reversed time.
- *NAB*: the Numenta Anomaly Benchmark, 58 series of one channel, each with up to five labelled
  windows, which are much wider than what is abnormal in them: a model is rewarded for high scores
  far around an event. The first 15 % of each series are for training. Six have no label
  in the rest, and only count for the threshold. Values are read in their order, without time
  stamps, some of which are there twice.
- *ASD*: the Application Server Dataset, twelve servers with 19 metrics, 8640 time stamps for
  training, 4320 with exact labels to score.

VUS-PR is the volume under the surface of precision, recall and the size of a buffer around labels,
up to 100 time stamps (Paparrizos et al., PVLDB 15(11), 2022), as timeeval computes it; the others
are those of scikit-learn, over time stamps. Sub-PCA, k-means, nearest neighbours and isolation
forests are fitted to standardised windows of 20 or 100 time stamps, and score a time stamp by the
mean of its windows; "by step" means errors of single time stamps in place of those of windows.
"PyOD" is its TimeSeriesOD over one of its detectors, with the defaults of both."""
AREAS = """\
Means over series, the highest in bold. Figures differ more between series than between models, so
try your own. On many public sets simple detectors win: on the univariate board of TSB-AD sub-PCA
has a VUS-PR of .42, an LSTM forecaster .33.

![VUS-PR of each model on each series, and means.](images/series.png)"""
NETWORKS = """\
An autoencoder of two LSTM layers and RepeatVector, as in many tutorials, and a forecaster of the
next time stamp by an LSTM; both with 64 units and ten epochs. They were measured on every tenth
series only; the figures of the detector are of the same ones."""
GROUPS = "Mean VUS-PR by group of series, and the best other model there."
EVENTS = """\
F1 of events at the detector's threshold: a labelled interval is found if an interval of
`find_anomalies` overlaps it, and an interval that overlaps none is false; summed over the series of
a group. The published figures (Alnegheimish et al., Orion, version 0.7.1) are of models trained
on the whole series, here on its first 15 %."""
ALARMS = """\
False alarms are the time stamps outside of labels that `predict` labels as outliers. Where a series
of NAB has drifted away from its first 15 %, most of the rest is abnormal."""
SECONDS = """\
On two cores that other programs used, too, so that only ratios say something. A fit includes the
start of TensorFlow's graph where a series has another number of channels than those before it."""


def _all(runs: list[Run], collections: list[str], models: list[str]) -> str:
    """Return the mean figures of models, by collection."""
    columns = [(name, key) for name in collections for key in FIGURES]
    rows = [["model", *(f"{name}, {FIGURES[key]}" for name, key in columns)]]
    means = {column: [_mean(runs, model, *column) for model in models] for column in columns}
    for i, model in enumerate(models):
        cells = []
        for values in means.values():
            shown = f"{values[i]:.3f}"
            cells.append(f"**{shown}**" if shown == f"{max(values):.3f}" else shown)
        rows.append([model, *cells])
    return _lines(rows)


def _groups(runs: list[Run]) -> str:
    rows = [["group", "series", OURS, "best other", ""]]
    for group in dict.fromkeys(run["group"] for run in runs):
        of_group = [run for run in runs if run["group"] == group]
        found = {
            model: mean(run["vus_pr"] for run in of_group if run["model"] == model)
            for model in [OURS, *QUICK, *PYOD]
        }
        ours = found.pop(OURS)
        best = max(found, key=lambda model: found[model])
        n = len({run["name"] for run in of_group})
        rows.append([group, str(n), f"{ours:.3f}", f"{found[best]:.3f}", best])
    return _lines(rows)


def _events(runs: list[Run]) -> str:
    rows = [["group", "found", "missed", "false", "F1", "LSTM autoencoder", "AER"]]
    scores = []
    for group, published in PUBLISHED.items():
        counts = [run["events"] for run in runs if run["group"] == group]
        sums = [str(sum(count[key] for count in counts)) for key in ("hit", "missed", "false")]
        scores.append((f1(counts), *published))
        rows.append([group, *sums, *(f"{score:.3f}" for score in scores[-1])])
    rows.append(["mean", "", "", "", *(f"{mean(x):.3f}" for x in zip(*scores, strict=True))])
    return _lines(rows)


def _alarms(ours: list[Run]) -> str:
    rows = [["collection", "false alarms, median of series", "series with more than 5 %"]]
    for name in dict.fromkeys(run["collection"] for run in ours):
        alarms = [run["false_alarms"] for run in ours if run["collection"] == name]
        many = sum(alarm > 0.05 for alarm in alarms)
        rows.append([name, f"{100 * median(alarms):.1f} %", f"{many} of {len(alarms)}"])
    return _lines(rows)


def _seconds(runs: list[Run], collections: list[str]) -> str:
    rows = [["seconds a series, mean", *collections]]
    for model in dict.fromkeys(run["model"] for run in runs):
        cells = []
        for name in collections:
            of_both = [r for r in runs if r["model"] == model and r["collection"] == name]
            times = [run["seconds"] + run.get("score_seconds", 0.0) for run in of_both]
            cells.append(f"{mean(times):.1f}" if times else "")
        rows.append([model, *cells])
    return _lines(rows)


def _mean(runs: list[Run], model: str, collection: str, key: str) -> float:
    return mean(r[key] for r in runs if r["model"] == model and r["collection"] == collection)


def _lines(rows: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def _draw(runs: list[Run], collections: list[str]) -> None:
    from matplotlib.figure import Figure

    models = [OURS, *QUICK, *PYOD]
    figure = Figure(figsize=(9, 0.3 * len(models) + 1), layout="constrained")
    axes = figure.subplots(1, len(collections), sharey=True, squeeze=False)[0]
    for ax, name in zip(axes, collections, strict=True):
        for row, model in enumerate(models):
            colour = "#0072B2" if model == OURS else "0.35"
            of_both = [r for r in runs if r["model"] == model and r["collection"] == name]
            values = [run["vus_pr"] for run in of_both]
            ax.plot(values, [row] * len(values), "|", color=colour, alpha=0.4, markersize=8)
            ax.plot(mean(values), row, "o", color=colour, markersize=7)
        ax.set(title=name, xlabel="VUS-PR", xlim=(0, 1))
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(models)), models)
    axes[0].invert_yaxis()
    figure.savefig(DOCS / "images" / "series.png", dpi=110)
