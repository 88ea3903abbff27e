"""
The next elements: decoding past the end
========================================

Which symbols come next? An autoregressive decoder sees what it wrote before, so it can go on after the end
of a sequence: ask for more steps than there were.
"""

# %%
# 1. Sequences with a rule
# ------------------------
# A sequence has a first symbol, a stride and a length: 1, 4, 7, 2, 5 ... of 8 symbols. Training sees nothing
# but sequences of 4 to 12 steps.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer

N_NEXT = 4
rng = np.random.default_rng(0)
first, stride, n_steps = rng.integers([0, 1, 4], [8, 8, 13], size=(1000, 3)).T
symbols = (first[:, None] + stride[:, None] * np.arange(12 + N_NEXT)) % 8
X = [np.eye(8)[s[:n]] for s, n in zip(symbols, n_steps, strict=True)]

ae = LSTMAutoencoderTransformer(decoder="autoregressive", cell="gru", epochs=60, random_state=0)
codes = ae.fit(X[:800]).transform(X[800:])

# %%
# 2. Four steps more
# ------------------

longer = ae.inverse_transform(codes, lengths=n_steps[800:] + N_NEXT)
written = [x.argmax(axis=1) for x in longer]
true = [s[: len(x)] for s, x in zip(symbols[800:], longer, strict=True)]
right = np.mean([w[-N_NEXT:] == t[-N_NEXT:] for w, t in zip(written, true, strict=True)])
print(f"Of the {N_NEXT} symbols after the end of a sequence {right:.1%} are right.")

# %%
# 3. A picture
# ------------
# Six unseen sequences. Grey is what was encoded, blue what the decoder writes, orange what it writes after
# the end.

figure, panels = plt.subplots(2, 3, figsize=(9, 4.5), sharex=True, sharey=True, num="next_element")
for axes, w, t, x in zip(panels.flat, written, true, X[800:], strict=False):
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
