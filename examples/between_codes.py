"""What do codes stand for that no sequence has: cluster centres, points in between, samples?"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from plotting import new_figure, save, tidy
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

CHANNEL_COLOURS = ["#0072B2", "#D55E00", "#009E73"]
PALE = {"alpha": 0.35, "linewidth": 4}
FINE = {"marker": "o", "markersize": 2.5, "linewidth": 1}


def main(folder="build/examples"):
    X = load_japanese_vowels().data
    ae = LSTMAutoencoderTransformer(random_state=0)
    codes = ae.fit_transform(X)

    with threadpool_limits(1):  # OpenMP threads that wait for busy cores take long
        clusters = KMeans(9, n_init=10, random_state=0).fit(codes)
    centres = ae.inverse_transform(clusters.cluster_centers_)
    back = clusters.predict(ae.transform(centres))
    print(f"{np.sum(back == np.arange(9))} of 9 centres, decoded and encoded, are in their cluster")

    lengths = np.array([len(x) for x in X])
    short, long = np.argsort(lengths, kind="stable")[[len(X) // 20, -len(X) // 20]]
    way = np.linspace(0, 1, 5)[:, None]
    between = ae.inverse_transform((1 - way) * codes[short] + way * codes[long])
    print(f"steps on the way from one utterance to another: {[len(x) for x in between]}")

    samples = ae.sample(9, random_state=0)
    nearest = pairwise_distances_argmin(ae.transform(samples), codes)
    print(f"samples have {min(map(len, samples))} to {max(map(len, samples))} steps, ", end="")
    print(f"utterances {lengths.min()} to {lengths.max()}")

    figure = new_figure(13, 5.4)
    left, middle, right = figure.subfigures(1, 3, width_ratios=[1.15, 0.85, 1.15], wspace=0.04)
    left.suptitle("Centres of nine clusters of codes,\nover the utterances of each cluster")
    for axes, centre, label in zip(grid(left), centres, range(9), strict=True):
        for i in np.flatnonzero(clusters.labels_ == label):
            axes.plot(X[i][:, 0], color="0.85", linewidth=0.8)
        axes.plot(centre[:, 0], color=CHANNEL_COLOURS[0], **FINE)
    left.supylabel("cepstrum coefficient 1", size="medium")
    middle.suptitle("From one utterance to another,\nalong the line between their codes")
    panels = middle.subplots(5, 1, sharex=True, sharey=True)
    ends = [X[short], None, None, None, X[long]]
    for axes, x, end, part in zip(panels, between, ends, way[:, 0], strict=True):
        draw(axes, x, end)
        axes.set_title(f"{part:.0%}", loc="right", size="medium", y=0.75)
    middle.supylabel("coefficients 1, 2 and 3", size="medium")
    right.suptitle("Samples from the density of the codes,\nover the utterance nearest to each")
    for axes, x, i in zip(grid(right), samples, nearest, strict=True):
        draw(axes, x, X[i])
    right.supylabel("coefficients 1, 2 and 3", size="medium")
    lines = [
        Line2D([], [], color="0.4", **PALE, label="utterance"),
        Line2D([], [], color="0.4", **FINE, label="decoded from a code"),
    ]
    figure.legend(handles=lines, frameon=False, ncols=2, loc="outside lower center")
    for subfigure in (left, middle, right):
        subfigure.supxlabel("step (frame)", size="medium")
    save(figure, Path(folder) / "between_codes.png")
    return ae, back, between, samples


def grid(figure):
    """Return the nine panels of a grid."""
    panels = figure.subplots(3, 3, sharex=True, sharey=True).flat
    return [tidy(axes) for axes in panels]


def draw(axes, x, other):
    """Draw three channels of a sequence, over those of another one."""
    tidy(axes).xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for channel, colour in enumerate(CHANNEL_COLOURS):
        if other is not None:
            axes.plot(other[:, channel], color=colour, **PALE)
        axes.plot(x[:, channel], color=colour, **FINE)


if __name__ == "__main__":
    main(*sys.argv[1:])
