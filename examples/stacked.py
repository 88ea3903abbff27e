"""
Stacked layers: deeper networks
===============================

``units`` may be a tuple, with one entry per layer: ``(32, 16)`` makes an encoder of 32, then 16 units, and a decoder
that mirrors it. Are two layers better than one?
"""

# %%
# 1. One layer, and two
# ---------------------
# By default a linear autoencoder stands beside the layers, and reconstructs sequences as simple as these by itself. Here
# the layers are compared alone: ``shortcut=None``.

import matplotlib.pyplot as plt

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines

X, _ = make_ragged_sines(
    1200, min_steps=10, max_steps=20, noise=0.05, random_state=0
)
fitted = {}
for units in [32, (32, 16)]:
    ae = LSTMAutoencoderTransformer(
        8,
        units=units,
        shortcut=None,
        learning_rate=0.01,
        epochs=80,
        random_state=0,
    )
    fitted[units] = ae.fit(X[:1000])
    r2 = ae.score(X[1000:])
    print(f"units={units!s:8}  R2 of unseen sequences {r2:.4f}")

# %%
# 2. The model
# ------------

fitted[32, 16].model_.summary(expand_nested=True)

# %%
# 3. The loss by epoch
# --------------------

figure, axes = plt.subplots(figsize=(7, 3.8), num="stacked")
for (units, ae), colour in zip(fitted.items(), ["C0", "C1"], strict=True):
    axes.plot(ae.history_["loss"], color=colour, alpha=0.4)
    axes.plot(ae.history_["val_loss"], color=colour, label=f"units={units}")
axes.set(xlabel="epoch", yscale="log")
axes.set_ylabel("loss of held-out sequences (pale: training)")
axes.legend()
plt.show()

# %%
# On sequences as simple as these a second layer gains next to nothing. On eight real data sets two layers of 64 units
# were equal to one in the mean, and took twice as long: see :doc:`../quality`.

# sphinx_gallery_start_ignore
sizes = [layer.output.shape[1:] for layer in fitted[32, 16].encoder_.layers]
assert sizes.index((None, 64)) < sizes.index((None, 32))  # two directions
r2 = {units: ae.score(X[1000:]) for units, ae in fitted.items()}
assert r2[32, 16] >= 0.95
assert r2[32, 16] < r2[32] + 0.005
# sphinx_gallery_end_ignore
