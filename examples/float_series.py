"""
Four short series: two numbers each
===================================

Four series of unequal length: 0.1 to 0.9, 0.1 to 0.8, 0.2 to 0.8, and 0.3 to 1.2. Do they come back from
codes of two numbers, and what do these two numbers mean?
"""

# %%
# 1. Train on noisy copies
# ------------------------
# Four series are too few to hold some out, so the network learns from fifty noisy copies of each.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_float_series

X, names = make_float_series(), ["0.1 to 0.9", "0.1 to 0.8", "0.2 to 0.8", "0.3 to 1.2"]
rng = np.random.default_rng(0)
copies = [x * rng.uniform(0.9, 1.1) + rng.normal(0, 0.01, x.shape) for x in X * 50]
ae = LSTMAutoencoderTransformer(2, units=16, learning_rate=0.01, random_state=0).fit(copies)
codes = ae.transform(X)
decoded = ae.inverse_transform(codes)
print(f"R2 {ae.score(X):.4f}; steps decoded: {[len(x) for x in decoded]}")

# %%
# 2. The loss
# -----------
# ``history_`` is a dict of lists, one number an epoch. The weights of the best epoch are kept.

figure, axes = plt.subplots(figsize=(6, 3.5), num="loss")
axes.plot(ae.history_["loss"], label="training sequences")
axes.plot(ae.history_["val_loss"], "--", label="held-out sequences")
best = ae.best_epoch_
axes.plot(best, ae.history_["val_loss"][best], "oC1", label="the weights that were kept")
axes.set(xlabel="epoch", ylabel="loss, scaled units", yscale="log")
axes.legend()

# %%
# 3. The codes
# ------------
# The first series has about the same slope as the second and ends later; the last one is steeper.

figure, axes = plt.subplots(figsize=(6, 3.8), num="codes")
axes.plot(*ae.transform(copies).T, ".", color="0.8", label="noisy copies")
for code, name, colour in zip(codes, names, ["C0", "C1", "C2", "C3"], strict=True):
    axes.plot(*code, "o", color=colour)
    axes.annotate(name, code, xytext=(7, 7), textcoords="offset points", color=colour)
axes.set(xlabel="code, component 0", ylabel="code, component 1")
axes.margins(0.15)
axes.legend()

# %%
# 4. The series, and what came back
# ---------------------------------

figure, panels = plt.subplots(1, 4, figsize=(9, 2.8), sharex=True, sharey=True, num="series")
for axes, x, x2, name in zip(panels, X, decoded, names, strict=True):
    axes.plot(x, color="0.75", linewidth=5, label="series")
    axes.plot(x2, "oC0-", markersize=4, label="from its code")
    axes.set(xlabel="step", title=name, xticks=[0, 4, 8])
panels[0].set_ylabel("value")
panels[-1].legend(loc="lower right")
plt.show()

# sphinx_gallery_start_ignore
assert ae.score(X) >= 0.98
assert [len(x) for x in decoded] == [9, 8, 4, 4]
# sphinx_gallery_end_ignore
