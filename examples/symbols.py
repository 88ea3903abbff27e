"""
Categories beside numbers
=========================

A thermostat has a mode, which is a category, and a temperature. Are both reconstructed from one code? A tenth of the
modes is missing.
"""

# %%
# 1. A DataFrame for each sequence
# --------------------------------
# A column of text is a categorical channel, which need not be encoded.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_seqae import LSTMAutoencoderTransformer

rng = np.random.default_rng(0)
X = []
for n_steps in rng.integers(3, 16, 400):
    drawn = rng.choice(["off", "heat", "hold"], n_steps)
    mode = pd.Series(np.repeat(drawn, 3)[:n_steps])
    temperature = 18 + mode.map({"off": -1, "heat": 2, "hold": 0}).cumsum()
    observed = mode.mask(rng.random(n_steps) < 0.1)
    X.append(pd.DataFrame({"mode": observed, "t": temperature}))
X[0]

# %%
# 2. Reconstruction of both
# -------------------------
# Of Keras' metrics, "accuracy" is computed from the modes and "mae" from the temperatures.

ae = LSTMAutoencoderTransformer(
    32, metrics=["accuracy", "mae"], random_state=0
)
back = ae.fit(X).reconstruct(X)
true, written = pd.concat(X), pd.concat(back)
is_right = true["mode"] == written["mode"]
right = is_right[true["mode"].notna()].mean()
print(f"modes right {right:.1%},", end=" ")
print(f"R2 of modes and temperatures {ae.score(X):.3f}")
back[0]

# %%
# 3. A picture
# ------------
# The background colour is the mode: above that of the sequence, white if it is missing; below the reconstruction.

COLOURS = {"off": "#56B4E9", "heat": "#E69F00", "hold": "#BBBBBB"}
longest = sorted(range(len(X)), key=lambda i: len(X[i]))[-3:]
figure, panels = plt.subplots(
    2, 3, figsize=(10, 4.6), sharex=True, sharey="col", num="symbols"
)
for column, i in zip(panels.T, longest, strict=True):
    for axes, x in zip(column, [X[i], back[i]], strict=True):
        for step, mode in enumerate(x["mode"]):
            if isinstance(mode, str):
                style = {"color": COLOURS[mode], "alpha": 0.5, "linewidth": 0}
                axes.axvspan(step - 0.5, step + 0.5, **style)
        axes.plot(x["t"].to_numpy(), "ko-", markersize=4)
panels[0, 0].set_ylabel("temperature")
panels[1, 0].set_ylabel("reconstruction")
handles = [
    plt.Rectangle((0, 0), 1, 1, color=colour, alpha=0.5, label=mode)
    for mode, colour in COLOURS.items()
]
figure.legend(handles=handles, loc="outside upper center", ncols=3)
figure.supxlabel("step", size="medium")
plt.show()

# sphinx_gallery_start_ignore
assert right >= 0.95
assert ae.score(X) >= 0.93
assert ae.history_["val_accuracy"][ae.best_epoch_] >= 0.9
assert back[0].columns.tolist() == ["mode", "t"]
# sphinx_gallery_end_ignore
