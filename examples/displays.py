"""
All displays
============

What is there to look at: of training, of codes, of reconstructions, of errors and of scores? Each display draws one
of these, from an estimator or from numbers that you have, as scikit-learn's displays do.

1. Fit on normal sequences of numbers and symbols.
2. Draw the losses.
3. Draw a map of codes.
4. Draw what comes back.
5. Draw where the errors are.
6. Draw the scores.
"""

# %%
# 1. Fit
# ------
# A sequence is a DataFrame of two sines, and of the direction of the first.

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
    frames = [pd.DataFrame(values, columns=["sine", "sine, ahead"]) for values in arrays]
    for frame in frames:
        frame["direction"] = np.where(frame["sine, ahead"] > 0, "up", "down")
    return frames, y


X, _ = make_frames(300, random_state=0)
ae = LSTMAutoencoderTransformer(learning_rate=0.005, epochs=150, random_state=0).fit(X)
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
# Coloured by how badly each comes back; small pictures show some of the sequences.

figure, axes = plt.subplots(figsize=(8, 5.5))
display = CodeMapDisplay.from_estimator(ae, X_new, color_by="error", thumbnails=9, ax=axes)

# %%
# 4. What comes back
# ------------------
# The first sequence has missing values, where its line has gaps; symbols are steps.

display = ReconstructionDisplay.from_estimator(ae, X_new)

# %%
# 5. Where the errors are
# -----------------------
# Of channels by step, of sequences by step, and against the length.

display = ErrorDisplay.from_estimator(ae, X_new, kind="heatmap")

# %%

display = ErrorDisplay.from_estimator(ae, X_new, kind="sequences")

# %%

display = ErrorDisplay.from_estimator(ae, X_new, kind="length")

# %%
# 6. Scores
# ---------
# Two in a hundred normal sequences have a score below the line. They are none of training, which come back better
# than others.

unseen, _ = make_frames(300, random_state=2)
threshold = np.quantile(ae.score_samples(unseen), 0.02)
scores = ae.score_samples(X_new)
display = DetectionDisplay.from_predictions(scores, threshold=threshold, y=y_new)
plt.show()

# sphinx_gallery_thumbnail_number = 2

# sphinx_gallery_start_ignore
assert np.median(scores[y_new == -1]) < threshold < np.median(scores[y_new == 1])
# sphinx_gallery_end_ignore
