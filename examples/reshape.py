"""
Reshape: a piece of the code for each step
==========================================

Can each step be decoded from its own piece of the code: 20 numbers, cut into 10 steps of 2? The decoder then consists
of ``Reshape((10, 2))`` and ``LSTM(5, return_sequences=True)``.
"""

# %%
# 1. Train on sequences of ten steps
# ----------------------------------
# By default a linear autoencoder stands beside the recurrent one, and reads all of the code for each step. Here the
# LSTM alone is to decode the pieces: ``shortcut=None``.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines

X, _ = make_ragged_sines(
    1000, min_steps=10, max_steps=10, noise=0, random_state=0
)
ae = LSTMAutoencoderTransformer(
    20,
    units=5,
    decoder="reshape",
    shortcut=None,
    learning_rate=0.02,
    epochs=100,
    random_state=0,
)
ae.fit(X[:500])
print(f"R2 of unseen sequences: {ae.score(X[500:]):.4f}")
ae.decoder_.summary()

# %%
# 2. The effect of a piece
# ------------------------
# If the two numbers of one step change, the decoded sequence changes from this step on, but not before, as the decoder
# processes the pieces in order.

code = ae.transform(X[500:501])
changed = code.copy()
changed[0, 10:12] += 1  # the piece of step 5
before, after = ae.inverse_transform(code)[0], ae.inverse_transform(changed)[0]

figure, axes = plt.subplots(figsize=(7, 3.5), num="reshape")
axes.plot(X[500][:, 0], color="0.8", linewidth=6, label="sequence")
axes.plot(before[:, 0], "o-", label="reconstruction")
axes.plot(after[:, 0], "o--", label="with a changed piece of step 5")
axes.axvline(5, color="0.6", linestyle=":")
axes.set(xlabel="step", ylabel="channel 0")
axes.legend()
plt.show()

# sphinx_gallery_start_ignore
sizes = [layer.output.shape[1:] for layer in ae.decoder_.layers]
assert sizes[:3] == [(20,), (10, 2), (10, 5)]
assert ae.score(X[500:]) >= 0.98
assert (
    np.abs(after - before)[:5].max() < 1e-5 < np.abs(after - before)[5:].max()
)
# sphinx_gallery_end_ignore
