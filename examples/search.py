"""
Tuning with GridSearchCV
========================

Which parameters are worth a search, and what should it look at? The estimator scores itself, so a search needs
neither ``scoring`` nor ``y``. But what makes good reconstructions need not make good features.

1. Search without labels: the score is the R2 of the reconstruction.
2. Search with labels: score a whole pipeline by what it is for, and by the R2 beside it.
3. See where the two agree.
"""

# %%
# 1. Without labels
# -----------------
# Twenty epochs are too few to end with, which each fit would say; they are enough to compare.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_japanese_vowels(return_X_y=True)
shuffled = np.random.default_rng(0).permutation(len(X))  # they come sorted by speaker
X, y = [X[i] for i in shuffled], y[shuffled]

ae = LSTMAutoencoderTransformer(16, multiscale=False, epochs=20, random_state=0)
search = GridSearchCV(ae, {"learning_rate": [0.001, 0.01]}, cv=2)
search.fit(X)
print(search.best_params_, f"R2 {search.best_score_:.3f}")

# %%
# 2. With labels
# --------------
# In a pipeline parameters have the step's name before them. A search may have several scores; one is the
# accuracy, and one looks at the first step, the autoencoder, alone. Fits of one shape share one compiled
# program: the first fit of a size pays for it, the others do not.

who = make_pipeline(ae, StandardScaler(), LogisticRegression(max_iter=1000))
grid = {
    "lstmautoencodertransformer__n_components": [4, 16, 64],
    "lstmautoencodertransformer__learning_rate": [0.001, 0.01],
}
scores = {"accuracy": "accuracy", "r2": lambda who, X, y: who[0].score(X)}
search = GridSearchCV(who, grid, scoring=scores, refit=False, cv=2).fit(X, y)

results = pd.DataFrame(search.cv_results_)
results.columns = results.columns.str.replace("param_lstmautoencodertransformer__", "")
results = results[
    ["n_components", "learning_rate", "mean_test_accuracy", "mean_test_r2", "mean_fit_time"]
]
results.round(3)

# %%
# 3. Where the two agree
# ----------------------

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True, num="search")
for rate, rows in results.groupby("learning_rate"):
    left.plot(rows["n_components"], rows["mean_test_r2"], "o-", label=f"{rate:g}")
    right.plot(rows["n_components"], rows["mean_test_accuracy"], "o-", label=f"{rate:g}")
for axes, label in zip([left, right], ["R2 of the reconstruction", "accuracy"], strict=True):
    axes.set(xscale="log", xlabel="n_components", ylabel=f"{label}, two folds")
    axes.set_xticks([4, 16, 64], labels=["4", "16", "64"])
    axes.minorticks_off()
right.legend(title="learning_rate")
plt.show()

# %%
# More components help both. The learning rate moves the R2 by as much as many components more do, and the
# accuracy hardly at all: what reconstructs better need not classify better. Search by what the codes are for,
# if you can; the R2 is what there is without labels.

# sphinx_gallery_start_ignore
assert results["mean_test_r2"].idxmax() > 1  # more than four components
assert results["mean_test_accuracy"].max() >= 0.9
# sphinx_gallery_end_ignore
