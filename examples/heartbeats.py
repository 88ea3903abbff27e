"""
Heartbeats: which are outliers, and at which steps?
===================================================

Heartbeats have unequal lengths. A network that was trained on normal beats reconstructs normal beats well, and others
less well. Which beats are outliers, and at which steps?

1. Generate heartbeats: normal ones, and four kinds of anomalies.
2. Fit on normal beats only.
3. Score new beats, compared with a simple baseline.
4. Attribute the scores to steps.
"""

# %%
# 1. Heartbeats
# -------------
# A beat is a sum of bell curves, the waves P, Q, R, S and T, as in the generator of McSharry et al. (IEEE
# Transactions on Biomedical Engineering 50, 2003). Each beat has its own length, strengths and noise.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from sklearn_seqae import DetectionDisplay, LSTMAutoencoderDetector

rng = np.random.default_rng(0)
#         P     Q      R     S      T
PLACE = [0.20, 0.36, 0.40, 0.44, 0.70]  # of the beat
WIDTH = [0.03, 0.012, 0.014, 0.012, 0.05]
SIZE = [0.15, -0.12, 1.00, -0.25, 0.30]  # millivolts
KINDS = ["no P wave", "P after QRS", "early T", "raised ST"]


def beat(kind=None):
    """Return one heartbeat, (n_steps, 1), of 60 to 110 steps."""
    n_steps = rng.integers(60, 111)
    time = np.linspace(0, 1, n_steps)[:, None]
    place = np.array(PLACE) + rng.normal(0, 0.006, 5)
    size = np.array(SIZE) * rng.normal(1, 0.1, 5)
    if kind == "no P wave":
        size[0] = 0
    elif kind == "P after QRS":
        place[0] = rng.uniform(0.52, 0.56)
    elif kind == "early T":
        place[4] -= rng.uniform(0.1, 0.14)
    values = (size * np.exp(-(((time - place) / WIDTH) ** 2) / 2)).sum(axis=1)
    if kind == "raised ST":
        t = time[:, 0]
        values += 0.12 * ((t > place[3] + 0.03) & (t < place[4]))
    return (values + rng.normal(0, 0.02, n_steps))[:, None]


X = [beat() for _ in range(400)]
X_test = [beat() for _ in range(200)]
X_test += [beat(kind) for kind in KINDS for _ in range(15)]
is_odd = np.repeat([False, True], [200, 60])

# %%
# 2. Fit on normal beats
# ----------------------
# A tenth of them is held out from training, and sets the threshold: about one normal beat in a hundred is to be below
# it, which forty beats can only estimate roughly.

detector = LSTMAutoencoderDetector(units=32, epochs=500, random_state=0).fit(X)

# %%
# 3. Scores
# ---------
# The area under the ROC curve is the probability that an anomalous beat has a lower score than a normal one: 0.5 is
# chance. The baseline is an isolation forest on statistics that ignore the order of the steps: quantiles of the
# values, and the length. The others are the reconstruction error, and the detector, which also uses the distance of
# the shapes in a beat to those of all normal ones.


def summarise(beats):
    """Return quantiles of the values of each beat, and its length."""
    levels = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]
    return [np.r_[np.quantile(x, levels), len(x)] for x in beats]


forest = IsolationForest(random_state=0).fit(summarise(X))
ways = {
    "quantiles, forest": forest.score_samples(summarise(X_test)),
    "error of the reconstruction": -detector.reconstruction_error(X_test),
    "detector": detector.score_samples(X_test),
}
auc = {name: roc_auc_score(~is_odd, scores) for name, scores in ways.items()}
for name, area in auc.items():
    print(f"{name:28} area under the ROC curve {area:.3f}")
    for kind, first in zip(KINDS, range(200, 260, 15), strict=True):
        chosen = np.r_[:200, first : first + 15]
        area = roc_auc_score(~is_odd[chosen], ways[name][chosen])
        print(f"    {kind:24} {area:23.3f}")

called_odd = detector.predict(X_test) < 0
print(f"outliers: {called_odd[~is_odd].mean():.1%} of normal beats,", end=" ")
print(f"{called_odd[is_odd].mean():.0%} of anomalous ones")

# %%
# The scores of normal and anomalous beats:

labels = np.where(is_odd, "anomalous", "normal")
DetectionDisplay.from_estimator(detector, X_test, y=labels)

# %%
# 4. Attribution
# --------------
# ``explain`` attributes much of the score of a beat without a P wave to its shape as a whole. Many of the steps with
# the largest shares are where a P wave was expected, a fifth of the beat from its start; others are at the steep slopes
# of the QRS complex. This is the table of the first such beat:

print(detector.explain(X_test[200:201], top=5).round(3).to_string())

# %%
# One beat of each kind in grey, and its reconstruction in blue. Orange is the reconstruction error of each step.

errors = detector.reconstruction_error(X_test, per="step")
back = detector.reconstruct(X_test)
largest = max(errors[i].max() for i in range(200, 260))
figure, panels = plt.subplots(
    1, 5, figsize=(12, 3), sharey=True, num="heartbeats"
)
shown, kinds = [0, 200, 215, 230, 245], ["normal", *KINDS]
for axes, i, kind in zip(panels, shown, kinds, strict=True):
    for step, error in enumerate(errors[i]):
        alpha = min(1.0, error / largest * 3)
        start, end = step - 0.5, step + 0.5
        axes.axvspan(start, end, color="C1", alpha=alpha, linewidth=0)
    axes.plot(X_test[i], color="0.6", linewidth=4)
    axes.plot(back[i], color="C0", linewidth=1.2)
    axes.set(title=kind, xlabel="step")
panels[0].set_ylabel("millivolts")
plt.show()

# sphinx_gallery_thumbnail_number = 2

# sphinx_gallery_start_ignore
assert auc["detector"] > 0.95
assert auc["detector"] > auc["error of the reconstruction"] - 0.02
assert auc["error of the reconstruction"] > auc["quantiles, forest"]
assert called_odd[~is_odd].mean() < 0.2
assert called_odd[is_odd].mean() > 0.5
explained = detector.explain(X_test[200:215], top=5)
shapes = explained[explained["part"] == "shape"]
assert shapes["share"].mean() > 0.4
steps = explained[explained["part"] == "values"]
lengths = np.array([len(X_test[200 + i]) for i in steps["sequence"]])
is_near = np.abs(steps["step"].astype(float) / lengths - PLACE[0]) < 0.1
assert is_near.mean() > 0.35  # of all steps these are a fifth
# sphinx_gallery_end_ignore
