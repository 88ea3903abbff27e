"""
Four short series: two numbers each
===================================

Four series of unequal length: 0.1 to 0.9, 0.1 to 0.8, 0.2 to 0.8, and 0.3 to 1.2. Are codes of two numbers enough to
reconstruct them, and how do the two numbers relate to the series?
"""

# %%
# 1. Train on noisy copies
# ------------------------
# Four series are too few for training and held-out data, so the network learns from fifty noisy copies of each.

import io
import shutil
import sys
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

from sklearn_seqae import (
    CodeMapDisplay,
    LSTMAutoencoderTransformer,
    ReconstructionDisplay,
    TrainingDisplay,
)
from sklearn_seqae.datasets import make_float_series

X = make_float_series()
names = ["0.1 to 0.9", "0.1 to 0.8", "0.2 to 0.8", "0.3 to 1.2"]
rng = np.random.default_rng(0)
copies = [
    x * rng.uniform(0.9, 1.1) + rng.normal(0, 0.01, x.shape) for x in X * 50
]
ae = LSTMAutoencoderTransformer(
    2, units=16, learning_rate=0.01, random_state=0
).fit(copies)
decoded = ae.inverse_transform(ae.transform(X))
print(f"R2 {ae.score(X):.4f}; steps decoded: {[len(x) for x in decoded]}")

# %%
# 2. The loss, and the model
# --------------------------
# The weights of the best epoch are kept. ``model_`` is a Keras model, which Graphviz draws: ``keras.utils.plot_model``
# does the same, to a file. (The extra ``plot`` installs a Graphviz in Python, which is used if there is no other.)

display = TrainingDisplay.from_estimator(ae)

# %%

program = shutil.which("dot") or str(
    Path(sys.executable).with_name("graphviz-pure")
)
graph = keras.utils.model_to_dot(
    ae.model_, show_shapes=True, rankdir="LR", dpi=150
)
picture = plt.imread(io.BytesIO(graph.create(prog=program, format="png")))
figure, axes = plt.subplots(
    figsize=(9, 9 * picture.shape[0] / picture.shape[1]), num="model"
)
axes.imshow(picture)
axes.set_axis_off()

# %%
# 3. The codes
# ------------
# Each series, labelled by its name, lies among its noisy copies. The first has the slope of the second and ends a
# step later; the last one is the steepest.

display = CodeMapDisplay.from_estimator(
    ae, X + copies, y=names * 51, annotate=dict(enumerate(names))
)

# %%
# 4. The series and their reconstructions
# ---------------------------------------

display = ReconstructionDisplay.from_estimator(ae, X, sequences=slice(4))
plt.show()

# sphinx_gallery_start_ignore
assert ae.score(X) >= 0.98
assert max(abs(len(x) - len(z)) for x, z in zip(X, decoded, strict=True)) <= 1
# sphinx_gallery_end_ignore
