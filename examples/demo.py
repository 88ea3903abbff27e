"""
Japanese vowels: who speaks?
============================

Nine male speakers utter the same two vowels, 640 times in all. An utterance is a sequence of 7 to 29 steps, and a
step consists of 12 cepstrum coefficients, which describe the sound at that moment. Does the code of an utterance,
which is learned without labels, identify the speaker?

1. Learn codes from 270 utterances, and evaluate the reconstruction.
2. Classify the speakers of 370 other utterances by their codes, compared with simple baselines.
3. Cluster the codes, without labels.
4. Plot a map of the codes, and utterances with their reconstructions.

``make demo`` runs this example.
"""

# %%
# 1. Codes and reconstructions
# ----------------------------
# ``X`` is a list of arrays, which need not be padded or scaled.

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

within_one = np.mean(np.array(misses) <= 1)
r2, r2_test = ae.score(X), ae.score(X_test)
print(f"Japanese vowels: {len(X)} utterances to train on,", end=" ")
print(f"{len(X_test)} to test, 9 speakers")
print(f"7 to 29 steps of {ae.n_channels_in_} channels", end=" ")
print(f"become {codes.shape[1]} numbers")
print(f"R2 of the reconstruction          train {r2:.3f}, test {r2_test:.3f}")
print(f"decoded length within one step    test {within_one:.1%}")
print("training and encoding            ", end=" ")
print(f"{seconds:.0f} s, {ae.n_epochs_} epochs")

# %%
# 2. Classification
# -----------------
# The first baseline always predicts the same speaker. The second one uses the mean and the deviation of each channel
# over the steps, and the length. Its classifier is that of the codes.


def summarise(sequences):
    """Return mean and deviation of each channel, and the length."""
    return [np.r_[x.mean(axis=0), x.std(axis=0), len(x)] for x in sequences]


dummy = DummyClassifier().fit(codes, y)
classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
plain = classifier.fit(summarise(X), y).score(summarise(X_test), y_test)
accuracy = classifier.fit(codes, y).score(codes_test, y_test)
constant = dummy.score(codes_test, y_test)
print(f"always the same speaker           test {constant:.3f}")
print(f"speaker from means, logistic      test {plain:.3f}")
print(f"speaker from code, logistic       test {accuracy:.3f}")

# %%
# 3. Clustering
# -------------
# No labels are used, only the number of speakers. Codes need no scaling, as their components have about the same
# variance. The normalised mutual information of clusters and speakers is 1 if they are the same partition, and 0 if
# they are independent.

with threadpool_limits(1):  # OpenMP threads that wait for busy cores take long
    kmeans = KMeans(9, n_init=30, random_state=0)
    found = kmeans.fit_predict(codes_test)
    scaled_means = StandardScaler().fit_transform(summarise(X_test))
    found_plain = kmeans.fit_predict(scaled_means)
nmi = normalized_mutual_info_score(y_test, found)
nmi_plain = normalized_mutual_info_score(y_test, found_plain)
print(f"clusters of means, k-means        NMI {nmi_plain:.3f}")
print(f"clusters of codes, k-means        NMI {nmi:.3f}")

# %%
# 4. A map
# --------
# t-SNE maps the codes of the test utterances to a plane. It does not use the labels, which are the colours. On the
# right are a short, a medium and a long utterance, and their reconstructions.

# Paul Tol's "muted": nine colours that colour-blind people distinguish.
SPEAKERS = ["#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE"]
SPEAKERS += ["#882255", "#44AA99", "#999933", "#AA4499"]

with threadpool_limits(1):
    places = TSNE(random_state=0).fit_transform(codes_test)

figure = plt.figure("japanese_vowels", figsize=(10, 4.8))
left, right = figure.subfigures(1, 2)
left.suptitle("Codes of unseen utterances, by speaker")
axes = left.add_subplot(xticks=[], yticks=[])
axes.set(xlabel="t-SNE, axis 1", ylabel="t-SNE, axis 2")
for speaker, colour in enumerate(SPEAKERS):
    of_speaker = places[y_test == speaker]
    axes.scatter(*of_speaker.T, s=25, color=colour, linewidths=0)
    text = {"weight": "bold", "size": 12, "ha": "center", "va": "center"}
    box = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": colour}
    place = np.median(of_speaker, axis=0)
    axes.text(*place, str(speaker + 1), **text, bbox={**box, "alpha": 0.85})

order = np.argsort([len(x) for x in X_test], kind="stable")
chosen = order[[len(order) // 10, len(order) // 2, 9 * len(order) // 10]]
right.suptitle("Three utterances and their reconstructions")
panels = right.subplots(3, 1, sharex=True, sharey=True)
for panel, i in zip(panels, chosen, strict=True):
    panel.set_title(f"speaker {y_test[i] + 1}", loc="right", size="medium")
    for channel, colour in enumerate(["C0", "C1", "C2"]):
        x, x2 = X_test[i][:, channel], decoded[i][:, channel]
        panel.plot(x, color=colour, alpha=0.35, linewidth=4)
        panel.plot(x2, "o-", color=colour, markersize=3, linewidth=1)
panels[1].set_ylabel("cepstrum coefficients 1, 2 and 3")
panels[2].set(xlabel="step (frame)", xticks=range(0, 25, 5))
wide = Line2D([], [], color="0.4", alpha=0.35, linewidth=4)
thin = Line2D([], [], color="0.4", marker="o", markersize=3, linewidth=1)
panels[0].legend([wide, thin], ["utterance", "reconstruction"])
plt.show()

# %%
# The codes identify the speakers, though they were learned without labels. Means and deviations ignore the order of
# the steps; the clusters, which use no labels, show how much it contributes.

# sphinx_gallery_start_ignore
assert accuracy >= 0.97
assert nmi > nmi_plain
# sphinx_gallery_end_ignore
