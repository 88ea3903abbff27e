"""
Japanese vowels: who speaks?
============================

Nine men say the same two vowels, 640 times in all. An utterance is a sequence of 7 to 29 steps, and a
step is 12 numbers that say what the voice sounds like just then. Does the code of an utterance, which
is learned without any speaker's name, tell who speaks?

1. Learn codes from 270 utterances, and see how well utterances come back from them.
2. Tell the speakers of 370 other utterances apart by their codes, beside what one would try first.
3. Find the speakers without a single name, by clustering.
4. Draw a map of the codes, and utterances beside what came back.

``make demo`` runs this example.
"""

# %%
# 1. Codes, and back
# ------------------
# Nothing is padded and nothing is scaled by hand: ``X`` is a list of arrays, as they are.

import time

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import normalized_mutual_info_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

X, y = load_japanese_vowels(return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)

began = time.perf_counter()
ae = LSTMAutoencoderTransformer(random_state=0)
codes = ae.fit_transform(X)
codes_test = ae.transform(X_test)
seconds = time.perf_counter() - began

decoded = ae.inverse_transform(codes_test)
misses = [abs(len(x2) - len(x)) for x, x2 in zip(X_test, decoded, strict=True)]

print(f"Japanese vowels: {len(X)} utterances to train on, {len(X_test)} to test, 9 speakers")
print(f"7 to 29 steps of {ae.n_channels_in_} channels become {codes.shape[1]} numbers")
print(f"R2 of the reconstruction          train {ae.score(X):.3f}, test {ae.score(X_test):.3f}")
print(f"decoded length within one step    test {np.mean(np.array(misses) <= 1):.1%}")
print(f"training and encoding             {seconds:.0f} s, {ae.n_epochs_} epochs")

# %%
# 2. Classification
# -----------------
# First the least that counts: to name always the same speaker. Then what one would try before anything
# is learned: the mean and the deviation of each channel over the steps, and the length. Then the codes.
# The classifier is the same.


def summarise(sequences):
    """Return what is known of a sequence without its order."""
    return [np.r_[x.mean(axis=0), x.std(axis=0), len(x)] for x in sequences]


dummy = DummyClassifier().fit(codes, y)
classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
plain = classifier.fit(summarise(X), y).score(summarise(X_test), y_test)
accuracy = classifier.fit(codes, y).score(codes_test, y_test)
print(f"always the same speaker           test {dummy.score(codes_test, y_test):.3f}")
print(f"speaker from means, logistic      test {plain:.3f}")
print(f"speaker from code, logistic       test {accuracy:.3f}")

# %%
# 3. Clustering
# -------------
# Nobody says who speaks, only that there are nine of them. The normalised mutual information of clusters
# and speakers is 1 where they are the same thing, and 0 where they have nothing to do with each other.

with threadpool_limits(1):  # OpenMP threads that wait for busy cores take long
    scaled = StandardScaler().fit_transform(codes_test)
    found = KMeans(9, n_init=30, random_state=0).fit_predict(scaled)
    scaled_means = StandardScaler().fit_transform(summarise(X_test))
    found_plain = KMeans(9, n_init=30, random_state=0).fit_predict(scaled_means)
nmi = normalized_mutual_info_score(y_test, found)
nmi_plain = normalized_mutual_info_score(y_test, found_plain)
print(f"clusters of means, k-means        NMI {nmi_plain:.3f}")
print(f"clusters of codes, k-means        NMI {nmi:.3f}")

# %%
# 4. A map
# --------
# t-SNE lays the codes of the test utterances out in a plane. It sees no speaker either: the colours are
# put on afterwards. On the right are a short, a middling and a long utterance, and what comes back.

# Paul Tol's "muted": nine colours for nine speakers that colour-blind people tell apart.
SPEAKERS = ["#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE"]
SPEAKERS += ["#882255", "#44AA99", "#999933", "#AA4499"]

with threadpool_limits(1):
    places = TSNE(random_state=0).fit_transform(scaled)

figure = plt.figure("japanese_vowels", figsize=(10, 4.8))
left, right = figure.subfigures(1, 2)
left.suptitle("Codes of unseen utterances, by speaker")
axes = left.add_subplot(xticks=[], yticks=[], xlabel="t-SNE, axis 1", ylabel="t-SNE, axis 2")
for speaker, colour in enumerate(SPEAKERS):
    of_speaker = places[y_test == speaker]
    axes.plot(*of_speaker.T, "o", color=colour, markersize=5, markeredgewidth=0)
    text = {"weight": "bold", "size": 12, "ha": "center", "va": "center"}
    box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour, "alpha": 0.85}
    axes.text(*np.median(of_speaker, axis=0), str(speaker + 1), **text, bbox=box)

order = np.argsort([len(x) for x in X_test], kind="stable")
chosen = order[[len(order) // 10, len(order) // 2, 9 * len(order) // 10]]
right.suptitle("A short, a middling and a long one, and what came back")
panels = right.subplots(3, 1, sharex=True, sharey=True)
for panel, i in zip(panels, chosen, strict=True):
    panel.set_title(f"speaker {y_test[i] + 1}", loc="right", size="medium")
    for channel in range(3):
        panel.plot(X_test[i][:, channel], color=f"C{channel}", alpha=0.35, linewidth=4)
        panel.plot(decoded[i][:, channel], "o-", color=f"C{channel}", markersize=3, linewidth=1)
panels[1].set_ylabel("cepstrum coefficients 1, 2 and 3")
panels[2].set(xlabel="step (frame)", xticks=range(0, 25, 5))
lines = [
    Line2D([], [], color="0.4", alpha=0.35, linewidth=4, label="utterance"),
    Line2D([], [], color="0.4", marker="o", markersize=3, linewidth=1, label="from its code"),
]
panels[0].legend(handles=lines)
plt.show()

# %%
# The codes tell the speakers apart, though they were never told of any. What means and deviations leave
# out is the order of the steps, and the clusters show what that is worth where there are no names to
# learn from.

# sphinx_gallery_start_ignore
assert accuracy >= 0.97
assert nmi > nmi_plain
# sphinx_gallery_end_ignore
