"""How do training, codes, reconstructions, errors and scores look, for 3 and for 3000 sequences?

It writes a page, build/displays/index.html: all displays on a light ground and on a dark one, and
the estimator as a notebook shows it.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_seqae import (
    CodeMapDisplay,
    DetectionDisplay,
    ErrorDisplay,
    LSTMAutoencoderTransformer,
    ReconstructionDisplay,
    TrainingDisplay,
)
from sklearn_seqae.datasets import make_ragged_sines

STYLES = {"light": "default", "dark": "dark_background"}
PLACES = [
    ["training", "codes", "detection"],
    ["heatmap", "sequences", "length"],
    ["reconstruction"] * 3,
]


def main(folder="build/displays", n_many=3000, n_training=400, epochs=100):
    X, _ = make_data(n_training, anomaly_fraction=0.0, seed=0)
    ae = LSTMAutoencoderTransformer(epochs=epochs, random_state=0).fit(X)
    threshold = np.quantile(ae.score_samples(X), 0.02)
    X, y = make_data(n_many, anomaly_fraction=0.05, seed=1)
    X[0].loc[3:6, "sine"] = np.nan
    X[0].loc[5, "direction"] = None

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for n in (3, n_many):
        for ground, style in STYLES.items():
            with plt.style.context(style):
                figure = draw_all(ae, X[:n], y[:n], threshold)
                names.append(f"{n}_{ground}.png")
                figure.savefig(folder / names[-1], dpi=100)
                plt.close(figure)
    pictures = "".join(f'<h2>{name}</h2><img width="1400" src="{name}">' for name in names)
    page = f'<!DOCTYPE html><meta charset="utf-8"><title>Displays</title>{pictures}'
    (folder / "index.html").write_text(page + ae._repr_html_(), encoding="utf-8")
    return ae, names


def make_data(n_sequences, anomaly_fraction, seed):
    """Return DataFrames of two sines and of the direction of the first, and what is normal."""
    arrays, y = make_ragged_sines(n_sequences, anomaly_fraction=anomaly_fraction, random_state=seed)
    X = []
    for values in arrays:
        frame = pd.DataFrame(values, columns=["sine", "sine, ahead"])
        frame["direction"] = np.where(values[:, 1] > 0, "up", "down")
        X.append(frame)
    return X, y


def draw_all(ae, X, y, threshold):
    """Return a figure with every display in a place of its own."""
    figure, axes = plt.subplot_mosaic(
        PLACES, figsize=(17, 15), layout="constrained", height_ratios=[1, 0.9, 1.3]
    )
    TrainingDisplay.from_estimator(ae, ax=axes["training"])
    CodeMapDisplay.from_estimator(
        ae, X, color_by="error", thumbnails=9, annotate={0: "the first"}, ax=axes["codes"]
    )
    scores = ae.score_samples(X)
    DetectionDisplay.from_predictions(scores, threshold=threshold, y=y, ax=axes["detection"])
    for kind in ("heatmap", "sequences", "length"):
        ErrorDisplay.from_estimator(ae, X, kind=kind, ax=axes[kind])
    ReconstructionDisplay.from_estimator(ae, X, ax=axes["reconstruction"])
    return figure


if __name__ == "__main__":
    main(*sys.argv[1:])
