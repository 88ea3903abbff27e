"""
Your own encoder and decoder
============================

How do I use networks of my own? Pass functions that take the sizes and return Keras models. Padding, masks, scaling,
the loss over real steps and early stopping work as for the built-in networks.

1. Write the two functions.
2. Train them, and the built-in networks for comparison.
3. Plot the reconstructions of both.
"""

# %%
# 1. Two functions
# ----------------
# The encoder maps ``(n_steps, n_channels)`` to ``(n_components,)``. A Keras mask marks the padding, so use layers that
# support masks or pass them on: recurrent layers, ``Dense``, attention. (``Conv1D`` drops the mask, and Keras warns
# of that.) The decoder maps ``(n_components,)`` to ``(n_steps, n_channels)``.

import matplotlib.pyplot as plt
from keras import Input, Sequential, layers
from sklearn.base import clone

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines


def encoder(n_steps, n_channels, n_components):
    return Sequential(
        [
            Input((None, n_channels)),
            layers.Dense(16, activation="relu"),
            layers.GRU(32),
            layers.Dense(n_components),
        ]
    )


def decoder(n_steps, n_channels, n_components):
    return Sequential(
        [
            Input((n_components,)),
            layers.RepeatVector(n_steps),
            layers.GRU(32, return_sequences=True),
            layers.Dense(n_channels),
        ]
    )


# %%
# 2. Train
# --------
# The functions are parameters like any others, in ``clone``, ``set_params`` and searches.

X, _ = make_ragged_sines(700, min_steps=5, max_steps=10, random_state=0)
ours = LSTMAutoencoderTransformer(8, units=32, epochs=100, random_state=0)
own = clone(ours).set_params(encoder=encoder, decoder=decoder)
for name, ae in {"own models": own, "built-in": ours}.items():
    r2 = ae.fit(X[:500]).score(X[500:])
    print(f"{name:10} R2 of unseen sequences {r2:.3f}")
own.model_.summary(expand_nested=True)

# %%
# 3. Unseen sequences
# -------------------
# Decoders of your own write as many steps as the longest training sequence has; reconstructions still have the length of
# their sequence.

figure, panels = plt.subplots(
    1, 4, figsize=(10, 2.8), sharey=True, num="own_models"
)
for axes, x in zip(panels, X[500:504], strict=True):
    axes.plot(x[:, 0], color="0.8", linewidth=5, label="sequence")
    x2, x3 = own.reconstruct([x])[0], ours.reconstruct([x])[0]
    axes.plot(x2[:, 0], "oC1-", markersize=4, label="own models")
    axes.plot(x3[:, 0], "oC0--", markersize=3, label="built-in")
    axes.set(xlabel="step")
panels[0].set_ylabel("channel 0")
panels[0].legend(fontsize="small")
plt.show()

# sphinx_gallery_start_ignore
kinds = {type(layer).__name__ for layer in own.decoder_.layers[-1].layers}
assert kinds == {"RepeatVector", "GRU", "Dense"}
assert own.score(X[500:]) >= 0.95
# sphinx_gallery_end_ignore
