"""
Tuning with GridSearchCV
========================

Which parameters are worth a search, and by which score? The estimator has a score, so a search needs neither
``scoring`` nor ``y``. But the best reconstructions need not have the best features.

1. Search without labels, by the R2 of the reconstruction.
2. Search with labels, by the accuracy of a pipeline and the R2 at once.
3. Compare both scores.
"""

# %%
# 1. Without labels
# -----------------
# Twenty epochs are too few for a final fit, of which each fit would warn; they are enough for a comparison.

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
shuffled = np.random.default_rng(0).permutation(len(X))  # sorted by speaker
X, y = [X[i] for i in shuffled], y[shuffled]

ae = LSTMAutoencoderTransformer(
    16, multiscale=False, epochs=20, random_state=0
)
search = GridSearchCV(ae, {"learning_rate": [0.001, 0.01]}, cv=2)
search.fit(X)
print(search.best_params_, f"R2 {search.best_score_:.3f}")

# %%
# 2. With labels
# --------------
# In a pipeline the name of the step precedes that of the parameter. A search may have several scores: here the accuracy
# of the pipeline, and the R2 of its first step, the autoencoder. Fits of one architecture share one compiled program,
# so only the first fit of each size takes the time to compile.

who = make_pipeline(ae, StandardScaler(), LogisticRegression(max_iter=1000))
grid = {
    "lstmautoencodertransformer__n_components": [4, 16, 64],
    "lstmautoencodertransformer__learning_rate": [0.001, 0.01],
}
scores = {"accuracy": "accuracy", "r2": lambda who, X, y: who[0].score(X)}
search = GridSearchCV(who, grid, scoring=scores, refit=False, cv=2)
search.fit(X, y)

results = pd.DataFrame(search.cv_results_)
results.columns = results.columns.str.replace(
    "param_lstmautoencodertransformer__", ""
)
measured = ["mean_test_accuracy", "mean_test_r2", "mean_fit_time"]
results = results[["n_components", "learning_rate", *measured]]
results.round(3)

# %%
# 3. Comparison
# -------------

figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.6), sharex=True, num="search"
)
for rate, rows in results.groupby("learning_rate"):
    sizes = rows["n_components"]
    left.plot(sizes, rows["mean_test_r2"], "o-", label=f"{rate:g}")
    right.plot(sizes, rows["mean_test_accuracy"], "o-", label=f"{rate:g}")
left.set(ylabel="R2 of the reconstruction, two folds")
right.set(ylabel="accuracy, two folds")
for axes in [left, right]:
    axes.set(xscale="log", xlabel="n_components")
    axes.set_xticks([4, 16, 64], labels=["4", "16", "64"])
    axes.minorticks_off()
right.legend(title="learning_rate")
plt.show()

# %%
# By both scores 64 components are better than four. The learning rate hardly changes either, as most of a reconstruction
# is that of a linear autoencoder, which is not trained. A better reconstruction need not give a better classifier: search
# by the score of the task that the codes are for; without labels use the R2.

# sphinx_gallery_start_ignore
by_size, by_rate = (
    results.groupby(by)[["mean_test_r2", "mean_test_accuracy"]].mean()
    for by in ["n_components", "learning_rate"]
)
assert by_size["mean_test_r2"][4] < by_size["mean_test_r2"][64]
assert by_size["mean_test_accuracy"][4] < by_size["mean_test_accuracy"][64]
of_size = by_size.max() - by_size.min()
of_rate = by_rate.max() - by_rate.min()
assert of_rate["mean_test_r2"] < of_size["mean_test_r2"] / 3
assert of_rate["mean_test_accuracy"] < of_size["mean_test_accuracy"] / 3
assert results["mean_test_accuracy"].max() >= 0.9
# sphinx_gallery_end_ignore
