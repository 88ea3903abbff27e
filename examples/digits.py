"""
Pen digits: decoding between two codes
======================================

An image of a digit, read row by row, is a sequence: 8 steps of 8 values each. The decoder makes a sequence of any
code, including codes of no sequence. Which image does it make half way from a zero to a one?

1. Learn codes of scikit-learn's digits.
2. Classify the digits by their codes.
3. Decode points on the line between two codes.
"""

# %%
# 1. Digits as sequences
# ----------------------
# ``fit`` accepts an array ``(n_sequences, n_steps, n_channels)``. Pooled features are not decoded, so here codes have
# none: ``multiscale=False``.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer

digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.images, digits.target, random_state=0
)
ae = LSTMAutoencoderTransformer(
    n_components=32,
    multiscale=False,
    scaler="minmax",
    learning_rate=0.01,
    random_state=0,
)
codes = ae.fit_transform(X)
# The first and the last column of pixels are nearly always empty. `score`
# gives each column the same weight, so here the R2 is that of all pixels.
r2 = r2_score(X_test.ravel(), ae.reconstruct(X_test).ravel())
print(f"{X.shape} becomes {codes.shape}; R2 of unseen digits {r2:.3f}")

# %%
# 2. Which digit?
# ---------------
# A code has half as many numbers as the image, and yet a linear classifier separates the digits.

classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
accuracy = classifier.fit(codes, y).score(ae.transform(X_test), y_test)
print(f"accuracy on unseen digits: {accuracy:.3f}")

# %%
# 3. Between two digits
# ---------------------
# Each row goes from one test digit to another. The first and the last image are the digits themselves; all between
# them are decoded, from points at equal distances on the line between the two codes.

pairs = [(0, 1), (3, 8), (4, 9), (7, 2)]
way = np.linspace(0, 1, 7)[:, None]
figure, panels = plt.subplots(
    len(pairs), len(way) + 2, figsize=(9, 4.4), num="digits"
)
for row, pair in zip(panels, pairs, strict=True):
    start, end = (X_test[np.flatnonzero(y_test == digit)[0]] for digit in pair)
    ends = ae.transform(np.stack([start, end]))
    between = ae.inverse_transform((1 - way) * ends[0] + way * ends[1])
    for axes, image in zip(row, [start, *between, end], strict=True):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=16)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
for axes in panels[:, [0, -1]].flat:  # originals
    axes.spines[:].set(visible=True, color="C1", linewidth=2)
for column, part in enumerate(way[:, 0], start=1):
    panels[0, column].set_title(f"{part:.0%}", size="medium")
panels[0, 0].set_title("from", size="medium", color="C1")
panels[0, -1].set_title("to", size="medium", color="C1")
figure.suptitle("Decoded along the line between two codes")
plt.show()

# %%
# The images at 0% and 100% are the reconstructions of the digits. In between the strokes move; a mean of two images
# would fade from one to the other instead.

# sphinx_gallery_start_ignore
assert accuracy >= 0.93
assert r2 >= 0.95
# sphinx_gallery_end_ignore
