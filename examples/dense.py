"""
Dense: all steps at once
========================

Can all steps be decoded at once, without recurrence: from 50 units to 10 steps of 5 channels? How does that compare
with a recurrent decoder in accuracy, weights and time?
"""

# %%
# 1. Two decoders, the same data
# ------------------------------
# By default a linear autoencoder stands beside either decoder, and on sequences as simple as these it does most of the
# work. Here the decoders are compared alone: ``shortcut=None``.

import time

import matplotlib.pyplot as plt

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines

X, _ = make_ragged_sines(
    1000, n_channels=5, min_steps=10, max_steps=10, noise=0, random_state=0
)
fitted = {}
for decoder in ["dense", "repeat"]:
    ae = LSTMAutoencoderTransformer(
        8,
        decoder=decoder,
        shortcut=None,
        units=50,
        learning_rate=0.01,
        epochs=60,
        random_state=0,
    )
    ae.fit(X[:500])
    began = time.perf_counter()
    ae.inverse_transform(ae.transform(X[500:]))
    milliseconds = 1000 * (time.perf_counter() - began)
    n_weights = ae.decoder_.count_params()
    r2 = ae.score(X[500:])
    print(f"{decoder:7} R2 {r2:.4f}, {n_weights} weights,", end=" ")
    print(f"{milliseconds:.0f} ms to encode and decode")
    fitted[decoder] = ae

# %%
# 2. The decoder
# --------------

fitted["dense"].decoder_.summary()

# %%
# 3. An unseen sequence
# ---------------------

figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, num="dense")
for axes, (decoder, ae) in zip(panels, fitted.items(), strict=True):
    axes.plot(X[500], color="0.8", linewidth=5)
    axes.set_prop_cycle(None)
    axes.plot(ae.reconstruct(X[500:501])[0], "o-", markersize=4)
    axes.set(xlabel="step", title=f'decoder="{decoder}"')
panels[0].set_ylabel("value of each channel")
plt.show()

# %%
# The dense decoder cannot decode sequences longer than those of training, and needs weights for every step: it suits
# short sequences of one length.

# sphinx_gallery_start_ignore
sizes = [layer.output.shape[1:] for layer in fitted["dense"].decoder_.layers]
assert (sizes[1], sizes[-1]) == ((50,), (10, 5))
assert fitted["dense"].score(X[500:]) >= 0.98
# sphinx_gallery_end_ignore
