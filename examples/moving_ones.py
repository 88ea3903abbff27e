"""
Moving ones: are lengths decoded?
=================================

Step ``i`` of a sequence has a one in channel ``i``; a ninth or tenth step is all zero. Sequences differ in length only,
and some are empty. Are the lengths of 5000 of them decoded correctly, and are real steps of zeros distinguished from
padding?
"""

# %%
# 1. Train
# --------
# ``X`` is a list of arrays without padding. Keras' metrics are means over real steps, like the loss.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_moving_ones

X = make_moving_ones(n_sequences=5000, random_state=0)
ae = LSTMAutoencoderTransformer(
    8, units=32, metrics="accuracy", epochs=10, random_state=0
)
Z = ae.fit_transform(X)
X2 = ae.inverse_transform(Z)

# %%
# 2. Reconstructions
# ------------------

pairs = zip(X, X2, strict=True)
lengths_right = np.mean([len(x) == len(x2) for x, x2 in pairs])
steps, steps2 = np.concatenate(X), np.concatenate(ae.reconstruct(X))
has_one = steps.any(axis=1)  # the ninth and tenth step are all zero
is_right = steps.argmax(axis=1) == steps2.argmax(axis=1)
ones_right = np.mean(is_right[has_one])
print(f"lengths right {lengths_right:.1%},", end=" ")
print(f"ones in the right channel {ones_right:.1%}")
largest = np.abs(steps2[~has_one]).max()
print(f"largest value in a step of zeros: {largest:.3f}")
print("accuracy of held-out sequences by epoch:")
print(np.round(ae.history_["val_accuracy"], 3))

# %%
# 3. Three models, one set of weights
# -----------------------------------
# ``model_``, ``encoder_`` and ``decoder_`` are plain Keras models.

held = {id(variable) for variable in ae.model_.variables}
parts = [*ae.encoder_.variables, *ae.decoder_.variables]
print(f"all {len(parts)} variables of both are those of model_:", end=" ")
print(all(id(variable) in held for variable in parts))

# %%
# 4. A picture
# ------------
# One sequence of each length, above, and its reconstruction, below. A frame marks the real steps.

figure, panels = plt.subplots(
    2, 11, figsize=(10, 3.2), sharey=True, num="moving_ones"
)
for n_steps, column in enumerate(panels.T):
    i = next(i for i, x in enumerate(X) if len(x) == n_steps)
    for axes, x in zip(column, [X[i], X2[i]], strict=True):
        image = np.pad(x, [(0, 10 - len(x)), (0, 0)]).T
        axes.imshow(image, cmap="Blues", vmin=0, vmax=1)
        frame = {"fill": False, "color": "C1", "linewidth": 2}
        axes.add_patch(plt.Rectangle((-0.5, -0.5), len(x), 8, **frame))
        axes.set(xticks=[], yticks=[], xlim=(-1, 10), ylim=(8, -1))
        axes.spines[:].set_visible(False)
    column[0].set_title(f"{n_steps} steps", size="small")
panels[0, 0].set_ylabel("sequence")
panels[1, 0].set_ylabel("decoded")
plt.show()

# sphinx_gallery_start_ignore
assert lengths_right >= 0.99
assert ones_right >= 0.99
assert np.abs(steps2[~has_one]).max() < 0.1
assert ae.history_["accuracy"][-1] >= 0.97
assert parts
assert all(id(variable) in held for variable in parts)
# sphinx_gallery_end_ignore
