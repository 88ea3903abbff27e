"""How well scores of time stamps find labelled intervals: without a threshold, and at one."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]
Bounds = list[tuple[int, int]]

# The largest buffer around an anomaly is a window of the detector; and the number of thresholds.
MOST_BUFFER = 100
N_THRESHOLDS = 250


def figures(labels: Labels, scores: Floats) -> dict[str, float]:
    """Return the figures of anomaly scores, higher for anomalies: of time stamps, no threshold."""
    return {
        "vus_pr": vus_pr(labels, scores),
        "ap": float(average_precision_score(labels, scores)),
        "roc": float(roc_auc_score(labels, scores)),
    }


def intervals(labels: Labels) -> Bounds:
    """Return the runs of true labels, each as [start, stop)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def vus_pr(
    labels: Labels, scores: Floats, most_buffer: int = MOST_BUFFER, n_thresholds: int = N_THRESHOLDS
) -> float:
    """Return the volume under the surface of range-based precision, recall and buffer size.

    It is defined by Paparrizos et al., Volume Under the Surface (PVLDB 15(11), 2022), and computed
    with the corrections that the package timeeval makes by default (`RangePrVUS`): linear slopes
    beside anomalies, which do not add up, and anomalies that stay apart where slopes overlap.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    places = np.linspace(0, len(scores) - 1, min(n_thresholds, len(scores)), dtype=np.int64)
    thresholds = ranked[places]
    n_found = np.searchsorted(-ranked, -thresholds, side="right")
    bounds = intervals(labels)
    areas = []
    for buffer in range(most_buffer + 1):
        weights, extended = _with_slopes(labels, bounds, buffer)
        hits = np.cumsum(weights[order])[n_found - 1]
        highest = [
            np.max(np.where(weights[a : b + 1] > 0, scores[a : b + 1], -np.inf))
            for a, b in extended
        ]
        reached = np.mean(np.array(highest)[:, None] >= thresholds, axis=0)
        positives = (labels.sum() + weights.sum()) / 2
        recalls = np.concatenate([[0.0], np.minimum(hits / positives, 1.0) * reached])
        precisions = np.concatenate([[1.0], hits / n_found])
        areas.append(np.sum(np.diff(recalls) * (precisions[1:] + precisions[:-1]) / 2))
    return float(np.mean(areas))


def _with_slopes(labels: Labels, bounds: Bounds, buffer: int) -> tuple[Floats, Bounds]:
    """Return labels that fall linearly around anomalies, and the anomalies with these slopes."""
    weights = labels.astype(np.float64)
    if buffer <= 1:
        return weights, bounds
    size = buffer // 2
    slope = np.linspace(1 / np.sqrt(2), 1, size + 1)
    extended = []
    for start, stop in bounds:
        first, last = max(0, start - size), min(len(labels), stop + size)
        before, after = slice(first, start + 1), slice(stop - 1, last)
        weights[before] = np.maximum(slope[first - start - 1 :], weights[before])
        weights[after] = np.maximum(slope[stop - 1 - last :][::-1], weights[after])
        extended.append((first, last))
    return weights, extended


def count_events(labels: Labels, found: Iterable[tuple[int, int]]) -> dict[str, int]:
    """Count anomalies that a found interval overlaps, those that none does, and false intervals.

    Of overlapping segments, as in Orion (Alnegheimish et al., 2022); intervals are [start, stop).
    """
    real, found = intervals(labels), list(found)
    hit = sum(any(a < d and c < b for c, d in found) for a, b in real)
    false = sum(not labels[a:b].any() for a, b in found)
    return {"hit": hit, "missed": len(real) - hit, "false": false}


def f1(counts: list[dict[str, int]]) -> float:
    """Return the F1 of events, summed over series; 1 if there are none and none was found."""
    sums = {key: sum(one[key] for one in counts) for key in ("hit", "missed", "false")}
    total = 2 * sums["hit"] + sums["missed"] + sums["false"]
    return 2 * sums["hit"] / total if total else 1.0
