"""
Centres, lines and samples of codes
===================================

The decoder makes a sequence of any code, including codes of no sequence: cluster centres, points between two codes,
and samples from a density. How do these sequences look?

1. Decode the cluster centres of Japanese vowels.
2. Decode points on the line between a short utterance and a long one: does the length increase along it?
3. Sample new utterances, and compare them with the nearest real ones.
"""

# %%
# 1. Cluster centres
# ------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

X = load_japanese_vowels().data
lengths = np.array([len(x) for x in X])
ae = LSTMAutoencoderTransformer(random_state=0)
codes = ae.fit_transform(X)
with threadpool_limits(1):  # OpenMP threads that wait for busy cores take long
    clusters = KMeans(9, n_init=10, random_state=0).fit(codes)
centres = ae.inverse_transform(clusters.cluster_centers_)
back = clusters.predict(ae.transform(centres))
print(f"{np.sum(back == np.arange(9))} of 9 decoded centres", end=" ")
print("are in their cluster when they are encoded again")

figure, panels = plt.subplots(
    3, 3, figsize=(8, 5.5), sharex=True, sharey=True, num="centres"
)
for axes, centre, label in zip(panels.flat, centres, range(9), strict=True):
    for i in np.flatnonzero(clusters.labels_ == label):
        axes.plot(X[i][:, 0], color="0.85", linewidth=0.8)
    axes.plot(centre[:, 0], "oC0-", markersize=3, linewidth=1)
figure.suptitle("Centres of nine clusters, over their utterances")
figure.supxlabel("step (frame)", size="medium")
figure.supylabel("cepstrum coefficient 1", size="medium")

# %%
# 2. From one utterance to another
# --------------------------------
# No lengths are given: they are decoded from the codes.


def draw(axes, x, other=None):
    """Draw three channels of a sequence, over those of another one."""
    for channel in range(3):
        if other is not None:
            axes.plot(
                other[:, channel], color=f"C{channel}", alpha=0.3, linewidth=4
            )
        axes.plot(x[:, channel], f"oC{channel}-", markersize=2.5, linewidth=1)


short, long = np.argsort(lengths, kind="stable")[[len(X) // 20, -len(X) // 20]]
way = np.linspace(0, 1, 5)[:, None]
between = ae.inverse_transform((1 - way) * codes[short] + way * codes[long])
print(f"steps on the way: {[len(x) for x in between]}")

figure, panels = plt.subplots(
    1, 5, figsize=(10, 3), sharex=True, sharey=True, num="between"
)
ends = [X[short], None, None, None, X[long]]
for axes, x, end, part in zip(panels, between, ends, way[:, 0], strict=True):
    draw(axes, x, end)
    axes.set_title(f"{part:.0%}", size="medium")
figure.supxlabel("step (frame)", size="medium")
panels[0].set_ylabel("coefficients 1, 2 and 3")

# %%
# 3. Samples
# ----------
# ``sample`` draws from a density of the training codes. Each sample is plotted over the training utterance with the
# nearest code: they are similar, but samples are not copies.

samples = ae.sample(9, random_state=0)
nearest = pairwise_distances_argmin(ae.transform(samples), codes)
steps = [len(x) for x in samples]
print(f"samples have {min(steps)} to {max(steps)} steps,", end=" ")
print(f"utterances {lengths.min()} to {lengths.max()}")

figure, panels = plt.subplots(
    3, 3, figsize=(8, 5.5), sharex=True, sharey=True, num="samples"
)
for axes, x, i in zip(panels.flat, samples, nearest, strict=True):
    draw(axes, x, X[i])
figure.suptitle("Samples, over the utterance nearest to each")
figure.supxlabel("step (frame)", size="medium")
figure.supylabel("coefficients 1, 2 and 3", size="medium")
plt.show()

# sphinx_gallery_start_ignore
# A centre, decoded and encoded again, is in the cluster that it is the centre of.
assert back.tolist() == list(range(9))
steps = [len(x) for x in between]
assert steps == sorted(steps)
assert steps[-1] - steps[0] >= 8
assert 7 <= min(map(len, samples)) < max(map(len, samples)) <= 26
# sphinx_gallery_end_ignore
