"""
Symbols beside numbers
======================

A thermostat has a mode, which is a word, and a temperature. Do both come back from one vector? A tenth of the
modes is missing.
"""

# %%
# 1. A DataFrame for each sequence
# --------------------------------
# A column of text is a channel of symbols; nothing needs to be encoded by hand.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_seqae import LSTMAutoencoderTransformer

rng = np.random.default_rng(0)
X = []
for n_steps in rng.integers(3, 16, 400):
    mode = pd.Series(np.repeat(rng.choice(["off", "heat", "hold"], n_steps), 3)[:n_steps])
    temperature = 18 + mode.map({"off": -1, "heat": 2, "hold": 0}).cumsum()
    X.append(pd.DataFrame({"mode": mode.mask(rng.random(n_steps) < 0.1), "t": temperature}))
X[0]

# %%
# 2. From one vector, both come back
# ----------------------------------
# Of Keras' metrics, "accuracy" looks at the modes and "mae" at the temperatures.

ae = LSTMAutoencoderTransformer(32, metrics=["accuracy", "mae"], random_state=0)
back = ae.fit(X).reconstruct(X)
true, written = pd.concat(X), pd.concat(back)
right = (true["mode"] == written["mode"])[true["mode"].notna()].mean()
print(f"modes right {right:.1%}, R2 of modes and temperatures {ae.score(X):.3f}")
back[0]

# %%
# 3. A picture
# ------------
# The colour of the ground is the mode, above as it was (white where it is missing), below as it came back.

COLOURS = {"off": "#56B4E9", "heat": "#E69F00", "hold": "#BBBBBB"}
longest = sorted(range(len(X)), key=lambda i: len(X[i]))[-3:]
figure, panels = plt.subplots(2, 3, figsize=(10, 4.6), sharex=True, sharey="col", num="symbols")
for column, i in zip(panels.T, longest, strict=True):
    for axes, x in zip(column, [X[i], back[i]], strict=True):
        for step, mode in enumerate(x["mode"]):
            if isinstance(mode, str):
                axes.axvspan(step - 0.5, step + 0.5, color=COLOURS[mode], alpha=0.5, linewidth=0)
        axes.plot(x["t"].to_numpy(), "ko-", markersize=4)
panels[0, 0].set_ylabel("given: temperature")
panels[1, 0].set_ylabel("came back: temperature")
handles = [plt.Rectangle((0, 0), 1, 1, color=c, alpha=0.5, label=m) for m, c in COLOURS.items()]
figure.legend(handles=handles, loc="outside upper center", ncols=3)
figure.supxlabel("step", size="medium")
plt.show()

# sphinx_gallery_start_ignore
assert right >= 0.95
assert ae.score(X) >= 0.93
assert ae.history_["val_accuracy"][ae.best_epoch_] >= 0.9
assert back[0].columns.tolist() == ["mode", "t"]
# sphinx_gallery_end_ignore
