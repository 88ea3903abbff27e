"""How well outliers are found and explained: `python -m benchmarks.detection --help`.

Everything is fitted on normal sequences. An area under the ROC curve is that of the scores of all
test sequences; no threshold is involved.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from . import detection_report
from .anomalies import Task, injected_tasks, one_class_tasks
from .sweep import sweep
from .workloads import Ragged, pad

RESULTS = Path(__file__).with_name("detection.json")
# PyOD's default, and as many as here.
PYOD_EPOCHS = (10, 100)
Scores = NDArray[np.float64]


def judge(task: Task, seed: int) -> dict[str, Any]:
    """Fit the detector, and measure what it finds, what it costs and whether it is right."""
    from sklearn_seqae import LSTMAutoencoderDetector

    start = time.perf_counter()
    detector = LSTMAutoencoderDetector(random_state=seed).fit(task.train)
    seconds = time.perf_counter() - start
    # Scores are combined of these parts: what each is worth alone.
    scores = detector._anomaly_scores(task.test)
    is_normal = task.kinds == "normal"
    inlier = detector.predict(task.test) == 1
    figures = areas(task, detector.score_samples(task.test)) | {
        "seconds": seconds,
        "auc_values": area(is_normal, -scores[:, 0]),
        "auc_shape": area(is_normal, -scores[:, 1]),
        "auc_error": area(is_normal, -detector.reconstruction_error(task.test)),
        "false_alarms": float(np.mean(~inlier[is_normal])),
        "found": float(np.mean(~inlier[~is_normal])),
    }
    if any(steps is not None for steps in task.steps):
        figures["blamed"] = blamed(task, detector)
    return figures


def blamed(task: Task, detector: Any) -> dict[str, dict[str, float]]:
    """Return how often the value most to blame is in the channel, and in the steps, of an anomaly.

    And how often one drawn at random would be.
    """
    rows = [i for i, steps in enumerate(task.steps) if steps is not None]
    table = detector.explain([task.test[i] for i in rows], top=1)
    table = table[table["part"] == "values"].set_index("sequence")
    hits: dict[str, list[tuple[float, ...]]] = {}
    for place, i in enumerate(rows):
        steps, length = task.steps[i], len(task.test[i])
        inside = steps.start <= table["step"][place] < steps.stop
        channel = table["channel"][place] == task.channels[i]
        chances = (steps.stop - steps.start) / length, 1 / task.test[i].shape[1]
        hits.setdefault(str(task.kinds[i]), []).append((inside, channel, *chances))
    keys = ("step", "channel", "chance_step", "chance_channel")
    return {
        kind: dict(zip(keys, np.mean(found, axis=0).tolist(), strict=True))
        for kind, found in hits.items()
    }


def forest(task: Task, seed: int) -> dict[str, Any]:
    """Measure IsolationForest on catch22, means, deviations and lengths."""
    start = time.perf_counter()
    model = IsolationForest(random_state=seed).fit(statistics(task.train))
    seconds = time.perf_counter() - start
    return areas(task, model.score_samples(statistics(task.test))) | {"seconds": seconds}


def statistics(X: Ragged) -> NDArray[np.float64]:
    """Return the 22 statistics of every channel, its mean and deviation, and the length."""
    from aeon.transformations.collection.feature_based import Catch22

    found = Catch22(catch24=True).fit_transform([x.T.astype(np.float64) for x in X])
    # Those of few steps may be undefined.
    found = np.nan_to_num(np.asarray(found, dtype=np.float64), posinf=0.0, neginf=0.0)
    return np.column_stack([found, [len(x) for x in X]])


def padded(task: Task, seed: int, epochs: int) -> dict[str, Any]:
    """Measure PyOD's autoencoder on sequences scaled, padded with zeros and laid flat."""
    from pyod.models.auto_encoder import AutoEncoder

    scaler = StandardScaler().fit(np.concatenate(task.train))
    n_steps = max(map(len, task.train))

    def flat(X: Ragged) -> NDArray[np.float32]:
        scaled = [scaler.transform(x[:n_steps]).astype(np.float32) for x in X]
        return pad(scaled, n_steps).reshape(len(X), -1)

    start = time.perf_counter()
    # It leaves out what does not fill a batch: with fewer than 32 sequences, all.
    batch_size = min(32, len(task.train))
    model = AutoEncoder(random_state=seed, verbose=0, epoch_num=epochs, batch_size=batch_size)
    model.fit(flat(task.train))
    seconds = time.perf_counter() - start
    return areas(task, -model.decision_function(flat(task.test))) | {"seconds": seconds}


def areas(task: Task, scores: Scores) -> dict[str, Any]:
    """Return the area under the curve of all anomalies, and of each of several kinds."""
    is_normal = task.kinds == "normal"
    figures: dict[str, Any] = {"auc": area(is_normal, scores)}
    kinds = list(dict.fromkeys(task.kinds[~is_normal].tolist()))
    if len(kinds) > 1:
        chosen = {kind: is_normal | (task.kinds == kind) for kind in kinds}
        figures["kinds"] = {k: area(is_normal[rows], scores[rows]) for k, rows in chosen.items()}
    return figures


def area(is_normal: NDArray[np.bool_], scores: Scores) -> float:
    """Return the area under the ROC curve."""
    return float(roc_auc_score(is_normal, scores))


def measurements(arguments: argparse.Namespace) -> Iterator[tuple[dict[str, Any], Callable]]:
    """Yield what identifies each measurement, and what makes it."""
    for seed in arguments.seeds:
        tasks = [*injected_tasks(seed), *one_class_tasks()]
        for task in tasks:
            key = {"family": task.family, "task": task.name, "seed": seed}
            yield key | {"model": "ours"}, lambda t=task, s=seed: judge(t, s)
            yield key | {"model": "forest"}, lambda t=task, s=seed: forest(t, s)
            for epochs in PYOD_EPOCHS:
                label = {"model": f"pyod {epochs}"}
                yield key | label, lambda t=task, s=seed, e=epochs: padded(t, s, e)


def main() -> None:
    """Measure, keep the results, and report them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sweep(parser, RESULTS, measurements, detection_report.write)


if __name__ == "__main__":
    main()
