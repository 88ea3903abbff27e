"""What was measured, as a table, as docs/benchmarks.md and as its plots."""

from pathlib import Path
from statistics import median
from typing import Any

from sklearn.model_selection import ParameterGrid

from .contenders import CONTENDERS
from .measure import BASE, GRID, GRID_EPOCHS, SWEEPS
from .workloads import WORKLOADS

DOCS = Path(__file__).parents[1] / "docs"
BASELINE, OURS, TORCH = "tutorial", "sklearn_seqae", "torch padded"
# Ratios against the tutorial that the library is to reach.
GOALS = {
    "ragged": {"fit_cold": 10.0, "fit_warm": 30.0},
    "small": {"fit_cold": 3.0, "fit_warm": 8.0},
    "mid": {"fit_cold": 4.0, "fit_warm": 8.0},
}
# Ratios against PyTorch that they are to reach on every workload.
TORCH_GOALS = {
    OURS: {"fit_cold": 1.0, "fit_warm": 1.0, "encode_steps_per_s": 1.0, "latency_ms": 1 / 1.5},
    "defaults": {"encode_steps_per_s": 1 / 3},
}
# Measure: its heading, its format, and whether more is better.
MEASURES = {
    "fit_cold": ("fit cold, s", "{:.2f}", False),
    "fit_warm": ("fit warm, s", "{:.2f}", False),
    "to_loss": ("to the tutorial's loss, s", "{:.2f}", False),
    "encode_steps_per_s": ("encode, 1000 steps/s", "{:.0f}", True),
    "latency_ms": ("one sequence, ms", "{:.2f}", False),
    "peak_rss_mb": ("peak RSS, MB", "{:.0f}", False),
    "peak_share": ("share of matmul peak", "{:.0%}", True),
    "loss": ("final held-out loss", "{:.3f}", False),
}
BESIDE = ("fit_cold", "fit_warm", "encode_steps_per_s", "latency_ms")
RATIOS = ("fit_cold", "fit_warm", "to_loss", "encode_steps_per_s", "latency_ms")
# Okabe and Ito's colours, which colour-blind readers tell apart.
COLOURS = {
    "tutorial": "#000000",
    "Keras on JAX": "#F0E442",
    "sklearn_seqae": "#0072B2",
    "defaults": "#56B4E9",
    "defaults in NumPy": "#999999",
    "torch padded": "#D55E00",
    "torch packed": "#E69F00",
    "aeon": "#009E73",
    "sequitur": "#CC79A7",
}


class Figures:
    """Every measured run by workload and contender, with what follows from several of them."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.peak = median(peak["gflops"] for peak in results["peak"])
        self._runs: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
        for run in results["runs"]:
            key = run["workload"], run["contender"]
            self._runs.setdefault(key, {})[run["repeat"]] = run
        for (workload, _), runs in self._runs.items():
            for repeat, run in runs.items():
                self._derive(run, self._runs.get((workload, BASELINE), {}).get(repeat))

    @property
    def workloads(self) -> list[str]:
        """Workloads that were measured."""
        return [name for name in WORKLOADS if any(name == key[0] for key in self._runs)]

    def contenders(self, workload: str) -> list[str]:
        """Contenders that were measured on a workload."""
        return [label for label in CONTENDERS if (workload, label) in self._runs]

    def repeats(self, workload: str, contender: str) -> int:
        """How often they were measured."""
        return len(self._runs[workload, contender])

    def median(self, workload: str, contender: str, measure: str) -> float | None:
        """Return the median over the repeats, None where it was not measured or not reached."""
        runs = self._runs[workload, contender]
        if measure == "to_loss":  # which only rounds with the tutorial have
            runs = {i: runs[i] for i in runs.keys() & self._runs.get((workload, BASELINE), {})}
        values = [run[measure] for run in runs.values()] or [None]
        return None if None in values else median(values)

    def ratio(
        self, workload: str, contender: str, measure: str, other: str = BASELINE
    ) -> float | None:
        """Return how many times better than another: the median over rounds of both."""
        base, runs = self._runs.get((workload, other), {}), self._runs[workload, contender]
        pairs = [(base[i][measure], run[measure]) for i, run in runs.items() if i in base]
        if not pairs or any(None in pair for pair in pairs):
            return None
        more_is_better = MEASURES[measure][2]
        return median(b / a if more_is_better else a / b for a, b in pairs)

    def _derive(self, run: dict[str, Any], base: dict[str, Any] | None) -> None:
        losses, flops = run["cold_losses"], run["flops"]
        run["loss"] = losses[-1] if losses else None
        run["peak_share"] = flops and flops / run["fit_warm"] / 1e9 / self.peak
        run["to_loss"] = None
        if base is not None:
            target = base["cold_losses"][-1]
            reached = (t for t, x in zip(run["cold_times"], losses, strict=True) if x <= target)
            run["to_loss"] = next(reached, None)


def table(results: dict[str, Any]) -> str:
    """Return all medians, and below them the ratios, as text."""
    figures = Figures(results)
    head = ["workload", "contender", "n", *(heading for heading, _, _ in MEASURES.values())]
    return "\n\n".join(
        [
            _aligned([head, *_rows(figures)]),
            "Times better than the tutorial:",
            _aligned([["workload", "contender", *map(_heading, RATIOS)], *_ratios(figures)]),
        ]
    )


def write(results: dict[str, Any]) -> None:
    """Write docs/benchmarks.md and its images."""
    figures = Figures(results)
    page = [
        INTRODUCTION.format(**_facts(results, figures)),
        "![How many times better than the tutorial each contender is, by workload: bars for the "
        "cold fit, the warm fit and encoding.](images/benchmarks.png)",
        "## Times faster than PyTorch",
        "Than `torch padded` in the same round. **Bold** is what is slower than it was to be: at "
        "least as fast with the same architecture, at most 1.5 times as slow for one sequence, and "
        "with the defaults at most three times as slow for all.",
        _markdown([["workload", "contender", *map(_heading, BESIDE)], *_beside_torch(figures)]),
        "## Against the figures to reach",
        _markdown([["workload", "measure", "goal", "measured", ""], *_goals(figures)]),
        "## Times better than the tutorial",
        _markdown([["workload", "contender", *map(_heading, RATIOS)], *_ratios(figures)]),
        "## Medians",
        _markdown(
            [
                ["workload", "contender", "n", *(head for head, _, _ in MEASURES.values())],
                *_rows(figures),
            ]
        ),
        METHOD,
    ]
    page += _extras(results)
    (DOCS / "benchmarks.md").write_text("\n\n".join(page) + "\n", encoding="utf-8")
    _draw_ratios(figures)
    if "growth" in results:
        _draw_growth(results["growth"])


INTRODUCTION = """\
# Benchmarks

`make bench` wrote this page, on {date}, in {minutes:.0f} minutes: {cpu}, {cores} cores, no GPU;
Python {python}, {versions}. Nothing else ran (load before a measurement, which lags behind: median
{load:.1f}), but the machine is virtual, so ratios within a round are more reliable than seconds. A
large float32 matrix product reached {peak:.0f} GFLOP/s. A GPU was not tried.

{contenders}

{workloads}"""

METHOD = """\
## How it was measured

- Every measurement runs in a process of its own. It imports, generates the data and fits 16
  sequences of another shape first, so the cost of the first use of a library in a process is not
  included. Then follow the **cold** fit, which includes building, tracing and compiling, and the
  **warm** one: the same data and code again, with another seed. Contenders alternate, round by
  round; `n` is the number of rounds, and ratios are medians of ratios within a round.
- All have the same data, units, epochs and batch size, and their own learning rate: 0.001 by
  default in Keras and PyTorch, and 0.003 with a cosine decay in this library.
- The **loss** is the mean squared error over real values of held-out sequences, after each epoch.
  "To the tutorial's loss" is the time from the start of the cold fit until it is at or below the
  final loss of the tutorial in the same round; "-" if it never is.
- **Encoding** starts from a list of arrays, includes padding, and is measured from the second call
  on. Steps are real steps. One sequence is one of median length; its time is the median of 50.
- **Peak RSS** is that of the process until the end of the warm fit, libraries included.
- The **share of the peak** is that of the warm fit. It counts the products that training needs on
  real steps, three times those of the forward pass, and none on padding.
- sequitur processes one sequence per gradient step, which would take too long: it was given a
  fiftieth of the sequences, and its times are scaled up by the number of steps. It fails without
  `h_dims`, and has two layers in encoder and decoder with them. aeon's network is a bidirectional
  GRU with half the units in each direction. Neither has the architecture of the others; nor have
  this library's defaults, whose row is the result without any choice of parameters.
- All have the threads that they choose by themselves. PyTorch's spin while they wait: with
  `OMP_WAIT_POLICY=passive` it took two to three times as long to encode, and ten times for one
  sequence; without it, another process on the same cores made its fits up to 80 times slower.
- `torch.compile` leaves an `nn.LSTM` as it is: an epoch of mid took 0.28 s with and without it.
  With `torch._dynamo.config.allow_rnn` PyTorch 2.13 raises a TypeError."""


def _facts(results: dict[str, Any], figures: Figures) -> dict[str, Any]:
    """Return what the introduction is filled with."""
    machine = results["machine"]
    used = {c for w in figures.workloads for c in figures.contenders(w)}
    titles = [f"- **{label}**: {CONTENDERS[label].title}." for label in CONTENDERS if label in used]
    workloads = [
        [
            name,
            str(w.n_sequences),
            f"5 to {w.n_steps}, median 25" if w.ragged else str(w.n_steps),
            *map(str, (w.n_channels, w.units, w.epochs, w.batch_size)),
        ]
        for name, w in WORKLOADS.items()
        if name in figures.workloads
    ]
    head = ["workload", "sequences", "steps", "channels", "units", "epochs", "batch"]
    return machine | {
        "versions": ", ".join(f"{k} {v}" for k, v in machine["versions"].items() if v),
        "load": median(run["load_before"] for run in results["runs"]),
        "peak": figures.peak,
        "contenders": "\n".join(titles),
        "workloads": _markdown([head, *workloads]),
    }


def _rows(figures: Figures) -> list[list[str]]:
    rows = []
    for workload in figures.workloads:
        for label in figures.contenders(workload):
            row = [workload, label, str(figures.repeats(workload, label))]
            for measure, (_, form, _) in MEASURES.items():
                value = figures.median(workload, label, measure)
                if value is not None and measure == "encode_steps_per_s":
                    value /= 1000
                row.append("-" if value is None else form.format(value))
            rows.append(row)
    return rows


def _ratios(figures: Figures) -> list[list[str]]:
    rows = []
    for workload in figures.workloads:
        for label in figures.contenders(workload):
            if label != BASELINE:
                ratios = [figures.ratio(workload, label, measure) for measure in RATIOS]
                rows.append([workload, label, *map(_ratio, ratios)])
    return rows


def _goals(figures: Figures) -> list[list[str]]:
    rows = []
    for workload, goals in GOALS.items():
        if workload in figures.workloads and OURS in figures.contenders(workload):
            for measure, goal in goals.items():
                ratio = figures.ratio(workload, OURS, measure) or 0.0
                verdict = "reached" if ratio >= goal else "**missed**"
                rows.append([workload, _heading(measure), _ratio(goal), _ratio(ratio), verdict])
    return rows


def _beside_torch(figures: Figures) -> list[list[str]]:
    rows = []
    for workload in figures.workloads:
        for label in figures.contenders(workload):
            if label == TORCH or TORCH not in figures.contenders(workload):
                continue
            cells = []
            for measure in BESIDE:
                ratio = figures.ratio(workload, label, measure, TORCH)
                goal = TORCH_GOALS.get(label, {}).get(measure, 0.0)
                cell = _ratio(ratio)
                cells.append(f"**{cell}**" if ratio is not None and ratio < goal else cell)
            rows.append([workload, label, *cells])
    return rows


def _extras(results: dict[str, Any]) -> list[str]:
    """Return the sections on memory, searches and growth, as far as they were measured."""
    sections = {"memory": _memory, "search": _programs, "grid": _search, "growth": _growth}
    measured = [(write, results[name]) for name, write in sections.items() if name in results]
    return [part for write, figures in measured for part in write(figures)]


def _memory(memory: dict[str, Any]) -> list[str]:
    rows = [["contender", "fits", "resident, MB a fit", "in use, MB a fit"]]
    for label, measured in memory.items():
        rss, in_use = measured["rss_mb"], measured["in_use_mb"]
        skipped = len(rss) // 8
        n_later = len(rss) - 1 - skipped
        growths = [(rss[-1] - rss[skipped]) / n_later, (in_use[-1] - in_use[0]) / n_later]
        rows.append([label, str(len(rss)), *(f"{growth:.2f}" for growth in growths)])
    return [
        "## Memory over many fits of one shape",
        "Fit and encode, again and again in one process: how much more is resident, and how much "
        "of that is in use, that is, stays when `malloc_trim` gives back what was freed. The goal "
        "is at most 0.1 MB a fit.",
        _markdown(rows),
    ]


def _programs(search: dict[str, Any]) -> list[str]:
    made = ", ".join(f"{count} `{name}`" for name, count in search["programs"].items())
    seconds = ", ".join(f"{t:.2f}" for t in search["mean_fit_times"])
    return [
        "## A search of twelve fits of one shape",
        f"`GridSearchCV` over four learning rates, three folds each, in one process, made {made}. "
        f"A fit took, in the mean over the folds of each candidate, {seconds} s: the first one "
        "includes compilation.",
    ]


def _search(grid: dict[str, float]) -> list[str]:
    """Return what a search consisted of."""
    n_candidates = len(ParameterGrid(GRID))
    rest = grid["wall"] - (grid["fits"] + grid["scores"]) / 2
    return [
        "## A search in two processes",
        f"`GridSearchCV(n_jobs=2)` over {n_candidates} candidates and five folds of the Japanese "
        f"vowels, {GRID_EPOCHS} epochs each ({', '.join(GRID)} vary), took {grid['wall']:.0f} s. "
        f"Fits were {grid['fits']:.0f} s on one core each (a median of {grid['median_fit']:.2f}), "
        f"scores {grid['scores']:.0f} s. The other {rest:.0f} s went by while the processes "
        "started and imported TensorFlow, once each, and while one waited for the other.",
    ]


def _growth(growth: dict[str, dict[str, list[float]]]) -> list[str]:
    return [
        "## How the cost grows",
        "![Seconds of a warm fit against the number of sequences, their length and the units, for "
        "the tutorial and this library.](images/benchmarks_growth.png)",
        f"Seconds of a warm fit of {BASE.epochs} epochs; by default with {BASE.n_sequences} "
        f"sequences of {BASE.n_steps} steps and {BASE.n_channels} channels, {BASE.units} units, "
        f"batches of {BASE.batch_size}.",
        _markdown(
            [
                ["varied", "value", *growth],
                *(
                    [name, str(size), *(f"{s[name][i]:.2f}" for s in growth.values())]
                    for name, sizes in SWEEPS.items()
                    for i, size in enumerate(sizes)
                ),
            ]
        ),
    ]


def _draw_ratios(figures: Figures) -> None:
    from matplotlib.figure import Figure

    measures = ("fit_cold", "fit_warm", "encode_steps_per_s")
    n_bars = sum(len(figures.contenders(w)) - 1 for w in figures.workloads)
    figure = Figure(figsize=(11, 1.6 + 0.24 * n_bars), layout="constrained")
    axes = figure.subplots(1, len(measures), sharey=True)
    for ax, measure in zip(axes, measures, strict=True):
        y, middles = 0.0, []
        for workload in figures.workloads:
            top = y
            for label in figures.contenders(workload):
                ratio = figures.ratio(workload, label, measure)
                if label == BASELINE or ratio is None:
                    continue
                ax.barh(y, ratio - 1, left=1, height=0.85, color=COLOURS[label], label=label)
                side = {"ha": "left"} if ratio >= 1 else {"ha": "right"}
                ax.annotate(
                    f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}",
                    (ratio, y),
                    (4 if ratio >= 1 else -4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                    **side,
                )
                y += 1
            middles.append((top + y - 1) / 2)
            y += 0.8
        ax.axvline(1, color=COLOURS[BASELINE], linewidth=1)
        ax.set_xscale("log")
        low, high = ax.get_xlim()
        ax.set_xlim(low / 2.2, high * 2.2)
        ax.set_title(_heading(measure))
        ax.set_yticks(middles, figures.workloads)
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
    axes[0].invert_yaxis()
    figure.supxlabel("times faster than the tutorial's script (log scale; right of 1 is faster)")
    handles = {}
    for handle, label in zip(*axes[0].get_legend_handles_labels(), strict=True):
        handles.setdefault(label, handle)
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=6, frameon=False)
    figure.savefig(DOCS / "images" / "benchmarks.png", dpi=110)


def _draw_growth(growth: dict[str, dict[str, list[float]]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots(1, len(SWEEPS), sharey=True)
    for ax, (name, sizes) in zip(axes, SWEEPS.items(), strict=True):
        for label, marker in zip(growth, "os", strict=True):
            seconds = growth[label][name]
            ax.loglog(sizes, seconds, marker=marker, color=COLOURS[label], label=label)
        ax.set_xticks(sizes, map(str, sizes))
        ax.minorticks_off()
        ax.grid(alpha=0.3)
        ax.set_xlabel(name)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel(f"warm fit of {BASE.epochs} epochs, s")
    axes[0].legend(frameon=False)
    figure.savefig(DOCS / "images" / "benchmarks_growth.png", dpi=110)


def _heading(measure: str) -> str:
    return MEASURES[measure][0].split(",")[0]


def _ratio(value: float | None) -> str:
    if value is None:
        return "-"
    digits = 3 if value < 0.1 else 2 if value < 10 else 1
    return f"{value:.{digits}f}x"


def _markdown(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
