"""
All displays
============

How do I plot training, codes, reconstructions, errors and scores? There is a display for each of these. It plots from
an estimator or from precomputed numbers, like scikit-learn's displays.

1. Fit on normal sequences of numbers and categories.
2. Plot the losses.
3. Plot a map of codes.
4. Plot reconstructions.
5. Plot reconstruction errors.
6. Plot the scores.
"""

# %%
# 1. Fit
# ------
# A sequence is a DataFrame with two sines, and the direction of the first one as a category.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_seqae import (
    CodeMapDisplay,
    DetectionDisplay,
    ErrorDisplay,
    LSTMAutoencoderTransformer,
    ReconstructionDisplay,
    TrainingDisplay,
)
from sklearn_seqae.datasets import make_ragged_sines


def make_frames(n_sequences, **kwargs):
    arrays, y = make_ragged_sines(n_sequences, **kwargs)
    columns = ["sine", "sine, ahead"]
    frames = [pd.DataFrame(values, columns=columns) for values in arrays]
    for frame in frames:
        is_up = frame["sine, ahead"] > 0
        frame["direction"] = np.where(is_up, "up", "down")
    return frames, y


X, _ = make_frames(300, random_state=0)
ae = LSTMAutoencoderTransformer(
    learning_rate=0.005, epochs=150, random_state=0
).fit(X)
X_new, y_new = make_frames(500, anomaly_fraction=0.1, random_state=1)
X_new[0].loc[3:6, "sine"] = np.nan
X_new[0].loc[5, "direction"] = None

# %%
# 2. Losses
# ---------

display = TrainingDisplay.from_estimator(ae)

# %%
# 3. A map of codes
# -----------------
# The colour is the reconstruction error; thumbnails show a few of the sequences.

figure, axes = plt.subplots(figsize=(8, 5.5))
display = CodeMapDisplay.from_estimator(
    ae, X_new, color_by="error", thumbnails=9, ax=axes
)

# %%
# 4. Reconstructions
# ------------------
# The line of the first sequence has gaps where values are missing; categories are plotted as steps.

display = ReconstructionDisplay.from_estimator(ae, X_new)

# %%
# 5. Reconstruction errors
# ------------------------
# By channel and step, by sequence and step, and by length.

display = ErrorDisplay.from_estimator(ae, X_new, kind="heatmap")

# %%

display = ErrorDisplay.from_estimator(ae, X_new, kind="sequences")

# %%

display = ErrorDisplay.from_estimator(ae, X_new, kind="length")

# %%
# 6. Scores
# ---------
# The threshold is the score below which two in a hundred normal sequences are. It is computed from unseen sequences, as
# the reconstruction errors of training sequences are smaller.

unseen, _ = make_frames(300, random_state=2)
threshold = np.quantile(ae.score_samples(unseen), 0.02)
scores = ae.score_samples(X_new)
display = DetectionDisplay.from_predictions(
    scores, threshold=threshold, y=y_new
)
plt.show()

# sphinx_gallery_thumbnail_number = 2

# sphinx_gallery_start_ignore
assert (
    np.median(scores[y_new == -1]) < threshold < np.median(scores[y_new == 1])
)
# sphinx_gallery_end_ignore
