"""Pictures that more than one example draws; each function writes one PNG file."""

import shutil
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

# Okabe and Ito's colours, which colour-blind people tell apart, without their yellow.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
HALO = [withStroke(linewidth=3, foreground="white")]  # keeps text readable over points


def new_figure(width, height):
    """Return a figure of its own, (width, height) in inches; pyplot keeps none of it."""
    return Figure((width, height), layout="constrained")


def tidy(axes, **labels):
    """Take away the frame of axes and label them; return them."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(**labels)
    return axes


def save(figure, path):
    """Write a figure to a file, whose folder is made if need be."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def draw_loss(ae, path):
    """Draw the loss of training and of held-out sequences by epoch."""
    figure = new_figure(6, 4)
    loss, val_loss = ae.history_["loss"], ae.history_["val_loss"]
    axes = tidy(
        figure.add_subplot(), xlabel="epoch", ylabel=f"{ae.loss}, scaled units", yscale="log"
    )
    epochs = np.arange(1, ae.n_epochs_ + 1)
    axes.plot(epochs, loss, color=COLOURS[0], label="training sequences")
    axes.plot(epochs, val_loss, "--", color=COLOURS[1], label="held-out sequences")
    axes.plot(
        ae.best_epoch_ + 1,
        val_loss[ae.best_epoch_],
        "o",
        color=COLOURS[1],
        label="the weights that were kept",
    )
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False)
    save(figure, path)


def draw_codes(codes, names, path, crowd):
    """Draw two-component codes with their names, over a `crowd` of others in grey."""
    figure = new_figure(6, 4)
    axes = tidy(figure.add_subplot(), xlabel="code, component 0", ylabel="code, component 1")
    axes.plot(*crowd.T, ".", color="0.75", zorder=0, label="training sequences")
    for code, name, colour in zip(codes, names, COLOURS, strict=False):
        axes.plot(*code, "o", color=colour)
        axes.annotate(
            name,
            code,
            xytext=(6, 6),
            textcoords="offset points",
            color=colour,
            path_effects=HALO,
        )
    axes.margins(0.15)
    axes.legend(frameon=False)
    save(figure, path)


def draw_sequences(sequences, reconstructions, names, path):
    """Draw the first channel of sequences, and of what came back of them, side by side."""
    figure = new_figure(2 * len(names), 3)
    panels = figure.subplots(1, len(names), sharex=True, sharey=True)
    for axes, x, x2, name in zip(panels, sequences, reconstructions, names, strict=True):
        tidy(axes, xlabel="step", title=name)
        axes.plot(x[:, 0], color="0.7", linewidth=5, label="sequence")
        axes.plot(x2[:, 0], "o-", color=COLOURS[0], markersize=4, label="from its code")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("value")
    panels[-1].legend(frameon=False, loc="lower right")
    save(figure, path)


def draw_model(model, path):
    """Draw a Keras model with Graphviz: the system's, or else the one that the extra `plot` has.

    `keras.utils.plot_model` does the same, but takes the system's only.
    """
    import keras

    program = shutil.which("dot") or str(Path(sys.executable).with_name("graphviz-pure"))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    graph = keras.utils.model_to_dot(model, show_shapes=True, expand_nested=True, dpi=96)
    graph.write(path, prog=program, format="png")
