"""
Missing values: how many are tolerated?
=======================================

Sensors fail. Missing values are NaN, and need not be filled before ``fit``. How do they affect codes and
reconstructions?

1. Remove half of the values of the Japanese vowels, at random.
2. Classify the speakers by the others.
3. Impute the missing values, compared with the mean and linear interpolation.
4. Plot the imputed values.
"""

# %%
# 1. Half of the values
# ---------------------

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

rng = np.random.default_rng(0)


def with_gaps(sequences, share=0.5):
    """Return copies in which a share of the values is NaN."""
    return [
        np.where(rng.random(x.shape) < share, np.nan, x) for x in sequences
    ]


X, y = load_japanese_vowels(return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
X_gaps, X_test_gaps = with_gaps(X), with_gaps(X_test)

# %%
# 2. Classification
# -----------------
# ``fit`` is given the gaps, so the network learns to encode sequences with gaps. Scaling and loss ignore them.

ae = LSTMAutoencoderTransformer(epochs=60, random_state=0)
classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
classifier.fit(ae.fit_transform(X_gaps), y)
accuracy = classifier.score(ae.transform(X_test_gaps), y_test)
print(f"speaker, half of the values missing: {accuracy:.3f}")

# %%
# 3. Imputation
# -------------
# ``impute`` leaves observed values as they are. It combines the reconstruction of the whole sequence with the observed
# values around each gap. The errors are in standard deviations of each channel.


def lines(x):
    """Return a sequence with interpolated gaps; zeros in empty channels."""
    filled = pd.DataFrame(x).interpolate(limit_direction="both")
    return filled.fillna(0).to_numpy()


values = np.concatenate(X)
means, deviations = np.mean(values, axis=0), np.std(values, axis=0)
ways = {
    "mean": [np.where(np.isnan(x), means, x) for x in X_test_gaps],
    "straight lines": [lines(x) for x in X_test_gaps],
    "impute": ae.impute(X_test_gaps),
}
missing = np.isnan(np.concatenate(X_test_gaps))
errors = {}
for name, filled in ways.items():
    misses = (np.concatenate(filled) - np.concatenate(X_test)) / deviations
    errors[name] = np.sqrt(np.mean(misses[missing] ** 2))
    print(f"{name:15} root mean squared error {errors[name]:.3f}")

# %%
# 4. A sequence
# -------------
# Dots are observed values, the grey line is the truth, and crosses are imputed values.

i = int(np.argmax([len(x) for x in X_test]))
figure, panels = plt.subplots(
    2, 2, figsize=(9, 5), sharex=True, num="missing_values"
)
for channel, axes in enumerate(panels.flat):
    gap = np.isnan(X_test_gaps[i][:, channel])
    steps = np.arange(len(gap))
    axes.plot(X_test[i][:, channel], color="0.8", linewidth=4, label="truth")
    for (name, filled), style in zip(
        ways.items(), ["C4_", "C1x", "C0P"], strict=True
    ):
        if name != "mean":
            axes.plot(steps[gap], filled[i][gap, channel], style, label=name)
    observed = X_test[i][~gap, channel]
    axes.plot(steps[~gap], observed, "ko", markersize=4, label="observed")
    axes.set_title(f"coefficient {channel + 1}", loc="left", size="medium")
panels[0, 0].legend(ncols=2, loc="best", fontsize="small")
figure.supxlabel("step (frame)", size="medium")
plt.show()

# %%
# Half of the values are enough to identify the speaker. With many gaps ``impute`` is better than linear interpolation;
# with a tenth of the values missing both are equally good: :doc:`../quality` has the figures.

# sphinx_gallery_start_ignore
assert accuracy >= 0.95
assert errors["impute"] < min(errors["mean"], errors["straight lines"])
# sphinx_gallery_end_ignore
