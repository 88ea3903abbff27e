"""
The next elements: decoding past the end
========================================

Which symbols follow a sequence? The input of an autoregressive decoder is its own previous output, so it can continue
past the end of a sequence, if more steps are requested than the sequence has. The linear path is left out
(``shortcut=None``): its cosines are those of relative time, so it would stretch a sequence to more steps.
"""

# %%
# 1. Sequences with a rule
# ------------------------
# A sequence has a first symbol, a stride and a length: 1, 4, 7, 2, 5 ... of 8 symbols. The training sequences have 4 to
# 12 steps.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer

N_NEXT = 4
rng = np.random.default_rng(0)
parts = rng.integers([0, 1, 4], [8, 8, 13], size=(1000, 3))
first, stride, n_steps = parts.T
symbols = (first[:, None] + stride[:, None] * np.arange(12 + N_NEXT)) % 8
X = [np.eye(8)[s[:n]] for s, n in zip(symbols, n_steps, strict=True)]

ae = LSTMAutoencoderTransformer(
    decoder="autoregressive",
    cell="gru",
    shortcut=None,
    epochs=60,
    random_state=0,
)
codes = ae.fit(X[:800]).transform(X[800:])

# %%
# 2. Four more steps
# ------------------

longer = ae.inverse_transform(codes, lengths=n_steps[800:] + N_NEXT)
written = [x.argmax(axis=1) for x in longer]
true = [s[: len(x)] for s, x in zip(symbols[800:], longer, strict=True)]
pairs = zip(written, true, strict=True)
right = np.mean([w[-N_NEXT:] == t[-N_NEXT:] for w, t in pairs])
print(f"{right:.1%} of the {N_NEXT} symbols after the end are right")

# %%
# 3. A picture
# ------------
# Six unseen sequences in grey, their reconstructions in blue, and the decoded symbols after the end in orange.

figure, panels = plt.subplots(
    2, 3, figsize=(9, 4.5), sharex=True, sharey=True, num="next_element"
)
shown = zip(panels.flat, written, true, X[800:], strict=False)
for axes, w, t, x in shown:
    axes.plot(t[: len(x)], "o-", color="0.75", markersize=10, linewidth=4)
    axes.plot(w[: len(x)], "oC0-", markersize=4, linewidth=1)
    after = np.arange(len(x), len(t))
    axes.plot(after, t[len(x) :], "o", color="0.9", markersize=11)
    axes.plot(after, w[len(x) :], "DC1-", markersize=4, linewidth=1)
    axes.set(yticks=range(8), xticks=range(0, 16, 3))
figure.supxlabel("step", size="medium")
figure.supylabel("symbol", size="medium")
plt.show()

# sphinx_gallery_start_ignore
assert right >= 0.98
# sphinx_gallery_end_ignore
