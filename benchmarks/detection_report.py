"""What `benchmarks.detection` measured, as docs/detection.md and its plot."""

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from .anomalies import UNSEEN

DOCS = Path(__file__).parents[1] / "docs"
OURS = "ours"
MODELS = (OURS, "forest", "pyod 10", "pyod 100")
LABELS = {
    "ours": "LSTMAutoencoderDetector",
    "forest": "IsolationForest on catch22",
    "pyod 10": "PyOD AutoEncoder, padded",
    "pyod 100": "the same, 100 epochs",
}
SHORT = {"forest": "IsolationForest", "pyod 10": "PyOD", "pyod 100": "PyOD, 100 epochs"}
COLOURS = {"ours": "#0072B2", "forest": "#009E73", "pyod 10": "#000000", "pyod 100": "#E69F00"}
Run = dict[str, Any]


def write(results: dict[str, Any]) -> None:
    """Write docs/detection.md and its plot."""
    runs: list[Run] = results["runs"]
    # Injected anomalies are one data set each, one-class sets are of all their classes.
    for run in runs:
        run["set"] = run["task"] if run["family"] == "injected" else run["family"]
    sets = list(dict.fromkeys(run["set"] for run in runs))
    n_seeds = len({run["seed"] for run in runs})
    unseen = " and ".join(UNSEEN)
    page = [INTRODUCTION.format(date=results["date"], n_seeds=n_seeds, unseen=unseen)]
    page += ["## Areas under the ROC curve", _areas(runs, sets), AREAS]
    page += [PLOT]
    vowels = [run for run in runs if run["family"] == "JapaneseVowels"]
    if vowels:
        speakers = list(dict.fromkeys(run["task"] for run in vowels))
        page += ["## One speaker at a time", _table(vowels, "task", speakers), VOWELS]
    kinds = [run for run in runs if "kinds" in run]
    if kinds:
        page += ["## By kind of anomaly", KINDS, _kinds(kinds)]
    ours = [run for run in runs if run["model"] == OURS]
    page += ["## The components of the score", PARTS, _parts(ours, sets)]
    page += ["## The threshold", THRESHOLD, _threshold(ours, sets)]
    blamed = [run for run in ours if "blamed" in run]
    if blamed:
        page += ["## Attribution", BLAMED, _blamed(blamed)]
    page += ["## Seconds", _seconds(runs, sets)]
    _draw(runs, sets)
    (DOCS / "detection.md").write_text("\n\n".join(page) + "\n", encoding="utf-8")


INTRODUCTION = """\
# Detection of outliers

`make detection` wrote this page, last on {date}, with {n_seeds} seeds. Every model is fitted on
normal sequences only, with its defaults, the same for every set, and scores a test set of normal
sequences and others.

- *sines*, *heartbeats*: generated, 200 training sequences of 20 to 60 and of 40 to 160 steps; the
  test set has 100 normal ones, and 20 with an anomaly of each of nine kinds. *vowels*: the Japanese
  vowels of all nine speakers, with anomalies in 180 of the test sequences. *motions*: BasicMotions,
  windows of half to all of its steps, with 40 training windows of four activities.
- The others: one class is normal. Its training sequences are the training set, and the whole test
  split is scored, for each class in turn. A speaker of JapaneseVowels has 30 training sequences, a
  class of the others 5 to 53.

The baselines are scikit-learn's `IsolationForest` on the 22 statistics of catch22 of each channel,
its mean and deviation, and the length (aeon's `Catch22`); and PyOD's `AutoEncoder` on standardised
sequences, padded with zeros to the longest one and flattened, with its default of ten epochs and
with a hundred.

The components of the anomaly score were chosen by these areas, in the mean over sets, so they may
be a little optimistic; {unseen} were not used for that choice."""

PLOT = (
    "![Areas under the ROC curve of the detector, the isolation forest and PyOD's autoencoder, by "
    "set.](images/detection.png)"
)

AREAS = """\
Means, and the standard deviation over seeds and classes."""

VOWELS = """\
Each row has another speaker as the normal class; means over seeds."""

KINDS = """\
Means over the four sets with injected anomalies and the seeds. A spike is of four deviations of its
channel, a level shift of one and a half from a step of the first half on; frozen values and bursts
of noise (of one deviation) take a third of the steps; "too short" is half of the shortest normal
length, "too long" one and a half of the longest."""

PARTS = """\
The score has three components, of which one is the length. The table has the areas of the two
others alone, and of the plain reconstruction error, the negative of the transformer's
`score_samples`."""

THRESHOLD = """\
Predictions with the default `contamination="auto"` and `quantile=0.99`: the share of normal test
sequences that `predict` labels outliers, which should be 1 %, and the share of the others that it
detects. The threshold is a quantile of scores if 99 sequences or more are held out, which none of
these fits does; those of ten to fifteen sequences hold out one, and those of five none."""

BLAMED = """\
How often the first value that `explain` lists for an anomaly is at one of its steps, and in its
channel; in brackets, the same for a value drawn at random. All anomalies are included, whether
they were detected or not."""


def _areas(runs: list[Run], sets: list[str]) -> str:
    rows = [["set", *(LABELS[model] for model in MODELS), "above ours"]]
    means = []
    for name in sets:
        values = [_values(runs, "set", name, model, "auc") for model in MODELS]
        means.append([mean(v) for v in values])
        cells = [f"{mean(v):.3f} ± {_spread(v):.3f}" for v in values]
        rows.append([name, f"**{cells[0]}**", *cells[1:], _above(means[-1])])
    rows.append(["mean of sets", *_ranked([mean(column) for column in zip(*means, strict=True)])])
    return _lines(rows)


def _table(runs: list[Run], key: str, names: list[str]) -> str:
    rows = [["", *(LABELS[model] for model in MODELS), "above ours"]]
    for name in names:
        rows.append([name, *_ranked([mean(_values(runs, key, name, m, "auc")) for m in MODELS])])
    return _lines(rows)


def _kinds(runs: list[Run]) -> str:
    rows = [["kind", *(LABELS[model] for model in MODELS), "above ours"]]
    for kind in runs[0]["kinds"]:
        means = [mean(r["kinds"][kind] for r in runs if r["model"] == m) for m in MODELS]
        rows.append([kind, *_ranked(means)])
    return _lines(rows)


def _ranked(means: list[float]) -> list[str]:
    ours, *others = (f"{figure:.3f}" for figure in means)
    return [f"**{ours}**", *others, _above(means)]


def _above(means: list[float]) -> str:
    """Name the models with a higher figure than ours, which is the first; as they are printed."""
    ours, *others = (round(figure, 3) for figure in means)
    found = zip(MODELS[1:], others, strict=True)
    return ", ".join(SHORT[model] for model, figure in found if figure > ours) or "none"


def _parts(ours: list[Run], sets: list[str]) -> str:
    keys = {"auc": "all", "auc_values": "values", "auc_shape": "shape", "auc_error": "plain error"}
    rows = [["set", *keys.values()]]
    for name in sets:
        rows.append([name, *(f"{mean(_values(ours, 'set', name, OURS, k)):.3f}" for k in keys)])
    return _lines(rows)


def _threshold(ours: list[Run], sets: list[str]) -> str:
    rows = [["set", "normal, labelled outliers", "others, detected"]]
    for name in sets:
        figures = [mean(_values(ours, "set", name, OURS, k)) for k in ("false_alarms", "found")]
        rows.append([name, *(f"{100 * figure:.1f} %" for figure in figures)])
    return _lines(rows)


def _blamed(runs: list[Run]) -> str:
    sets = list(dict.fromkeys(run["set"] for run in runs))
    rows = [["kind", *(f"{name}, {what}" for name in sets for what in ("step", "channel"))]]
    for kind in runs[0]["blamed"]:
        row = [kind]
        for name in sets:
            found = [run["blamed"][kind] for run in runs if run["set"] == name]
            for what in ("step", "channel"):
                hit, chance = (mean(f[k] for f in found) for k in (what, f"chance_{what}"))
                row.append(f"{hit:.0%} ({chance:.0%})")
        rows.append(row)
    return _lines(rows)


def _seconds(runs: list[Run], sets: list[str]) -> str:
    rows = [["set, fits of one seed", *(LABELS[model] for model in MODELS)]]
    for name in sets:
        n_seeds = len({run["seed"] for run in runs if run["set"] == name})
        totals = [sum(_values(runs, "set", name, m, "seconds")) / n_seeds for m in MODELS]
        n_fits = len({run["task"] for run in runs if run["set"] == name})
        rows.append([f"{name}, {n_fits}", *(f"{total:.1f}" for total in totals)])
    return _lines(rows)


def _values(runs: list[Run], key: str, name: str, model: str, figure: str) -> list[float]:
    return [run[figure] for run in runs if run[key] == name and run["model"] == model]


def _spread(values: list[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def _lines(rows: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def _draw(runs: list[Run], sets: list[str]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.45 * len(sets) + 1.2), layout="constrained")
    ax = figure.subplots()
    for row, name in enumerate(sets):
        for i, model in enumerate(MODELS):
            y = row + 0.18 * (i - 1.5)
            values = _values(runs, "set", name, model, "auc")
            style = {"color": COLOURS[model], "alpha": 0.35, "markersize": 3}
            ax.plot(values, [y] * len(values), "o", **style)
            label = LABELS[model] if row == 0 else None
            ax.plot(mean(values), y, "o", color=COLOURS[model], markersize=7, label=label)
        ax.axhline(row + 0.5, color="0.9", linewidth=0.8)
    ax.set_yticks(range(len(sets)), sets)
    ax.invert_yaxis()
    ax.axvline(0.5, color="0.5", linewidth=0.8)
    ax.set_xlabel("area under the ROC curve: means, and each fit")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    figure.savefig(DOCS / "images" / "detection.png", dpi=110)
