"""
Reshape: a piece of the code for each step
==========================================

Can each step be written from a piece of the code of its own: 20 numbers, cut into 10 steps of 2? The
decoder then is ``Reshape((10, 2))`` and ``LSTM(5, return_sequences=True)``.
"""

# %%
# 1. Train on sequences of ten steps
# ----------------------------------

import matplotlib.pyplot as plt
import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines

X, _ = make_ragged_sines(1000, min_steps=10, max_steps=10, noise=0, random_state=0)
ae = LSTMAutoencoderTransformer(
    n_components=20, units=5, decoder="reshape", learning_rate=0.02, random_state=0
)
ae.fit(X[:500])
print(f"R2 of sequences that training did not see: {ae.score(X[500:]):.4f}")
ae.decoder_.summary()

# %%
# 2. What a piece does
# --------------------
# Change the two numbers of one step, and decode: the sequence changes from there on, not before, as the
# decoder reads its pieces in order.

code = ae.transform(X[500:501])
changed = code.copy()
changed[0, 10:12] += 1  # the piece of step 5
before, after = ae.inverse_transform(code)[0], ae.inverse_transform(changed)[0]

figure, axes = plt.subplots(figsize=(7, 3.5), num="reshape")
axes.plot(X[500][:, 0], color="0.8", linewidth=6, label="sequence")
axes.plot(before[:, 0], "o-", label="from its code")
axes.plot(after[:, 0], "o--", label="with the piece of step 5 changed")
axes.axvline(5, color="0.6", linestyle=":")
axes.set(xlabel="step", ylabel="channel 0")
axes.legend()
plt.show()

# sphinx_gallery_start_ignore
sizes = [layer.output.shape[1:] for layer in ae.decoder_.layers]
assert sizes[:2] == [(10, 2), (10, 5)]
assert ae.score(X[500:]) >= 0.98
assert np.abs(after - before)[:5].max() < 1e-5 < np.abs(after - before)[5:].max()
# sphinx_gallery_end_ignore
