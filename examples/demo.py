"""What do vectors of Japanese vowels hold? Train, score, tell speakers apart, draw.

`make demo` runs this, and fails where a classifier tells too few speakers apart by their codes.
The README's picture is its build/demo/japanese_vowels.png, copied to docs/images.
"""

import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from plotting import HALO, draw_loss, draw_model, new_figure, save, tidy
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

LEAST_ACCURACY = 0.97
# Paul Tol's "muted": nine colours for nine speakers that colour-blind people tell apart.
SPEAKER_COLOURS = [
    *("#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE"),
    *("#882255", "#44AA99", "#999933", "#AA4499"),
]
CHANNEL_COLOURS = ["#0072B2", "#D55E00", "#009E73"]


def main(folder="build/demo"):
    began = time.perf_counter()
    X, y = load_japanese_vowels(return_X_y=True)
    X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
    ae = LSTMAutoencoderTransformer(random_state=0)
    codes = ae.fit_transform(X)
    codes_test = ae.transform(X_test)
    fitted = time.perf_counter()

    decoded = ae.inverse_transform(codes_test)
    misses = np.array([len(x2) - len(x) for x, x2 in zip(X_test, decoded, strict=True)])
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    accuracy = classifier.fit(codes, y).score(codes_test, y_test)
    print(f"Japanese vowels: {len(X)} utterances to train on, {len(X_test)} to test, 9 speakers")
    print(f"7 to 29 steps of {ae.n_channels_in_} channels become {codes.shape[1]} numbers")
    print(f"R2 of the reconstruction          train {ae.score(X):.3f}, test {ae.score(X_test):.3f}")
    print(f"decoded length within one step    test {np.mean(abs(misses) <= 1):.1%}")
    print(f"speaker from code, logistic       test {accuracy:.3f}")
    print(f"training and encoding             {fitted - began:.0f} s, {ae.n_epochs_} epochs")

    folder = Path(folder)
    draw_overview(ae, codes_test, X_test, y_test, folder / "japanese_vowels.png")
    draw_loss(ae, folder / "loss.png")
    draw_model(ae.model_, folder / "model.png")
    print(f"pictures in {folder}, all in {time.perf_counter() - began:.0f} s")
    return accuracy


def draw_overview(ae, codes, X, y, path):
    """Draw a map of the codes, and some sequences beside what comes back of them."""
    figure = new_figure(10, 4.8)
    left, right = figure.subfigures(1, 2)
    draw_map(left, codes, y)
    draw_reconstructions(right, ae, X, y)
    save(figure, path)


def draw_map(figure, codes, y):
    """Draw where t-SNE, which sees no speaker, puts the codes."""
    with threadpool_limits(1):  # OpenMP threads that wait for busy cores took a minute
        places = TSNE(random_state=0).fit_transform(StandardScaler().fit_transform(codes))
    figure.suptitle("Codes of unseen utterances, by speaker")
    axes = tidy(
        figure.add_subplot(), xticks=[], yticks=[], xlabel="t-SNE, axis 1", ylabel="t-SNE, axis 2"
    )
    for speaker, colour in enumerate(SPEAKER_COLOURS):
        axes.plot(*places[y == speaker].T, "o", color=colour, markersize=5, markeredgewidth=0)
    for speaker in range(len(SPEAKER_COLOURS)):
        centre = np.median(places[y == speaker], axis=0)
        text = {"weight": "bold", "size": 14, "ha": "center", "va": "center"}
        axes.text(*centre, str(speaker + 1), **text, path_effects=HALO)


def draw_reconstructions(figure, ae, X, y):
    """Draw a short, a middling and a long sequence, and what comes back of them."""
    order = np.argsort([len(x) for x in X], kind="stable")
    chosen = order[[len(X) // 10, len(X) // 2, 9 * len(X) // 10]]
    decoded = ae.inverse_transform(ae.transform([X[i] for i in chosen]))
    figure.suptitle("A short, a middling and a long one, and what came back")
    panels = figure.subplots(len(chosen), 1, sharex=True, sharey=True)
    for axes, i, x2 in zip(panels, chosen, decoded, strict=True):
        tidy(axes)
        axes.set_title(f"speaker {y[i] + 1}", loc="right", size="medium")
        for channel, colour in enumerate(CHANNEL_COLOURS):
            axes.plot(X[i][:, channel], color=colour, alpha=0.35, linewidth=4)
            axes.plot(x2[:, channel], "o-", color=colour, markersize=3, linewidth=1)
    panels[1].set_ylabel("cepstrum coefficients 1, 2 and 3")
    panels[-1].set_xlabel("step (frame)")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    lines = [
        Line2D([], [], color="0.4", alpha=0.35, linewidth=4, label="utterance"),
        Line2D([], [], color="0.4", marker="o", markersize=3, linewidth=1, label="from its code"),
    ]
    panels[0].legend(handles=lines, frameon=False)


if __name__ == "__main__":
    reached = main(*sys.argv[1:])
    if reached < LEAST_ACCURACY:
        sys.exit(f"Expected an accuracy of at least {LEAST_ACCURACY}, got {reached:.3f}.")
