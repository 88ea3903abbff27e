"""
Serving by ONNX
===============

How does one get codes where there is no Python, or no room for it? Write the encoder to an ONNX file: scaling,
masks, filters and all. Any ONNX runtime reads it. Are its codes those of ``transform``, and how fast is it?

1. Fit, and export.
2. Encode with ONNX Runtime alone.
3. Hold the codes and the times against each other.
"""

# %%
# 1. Fit and export
# -----------------

import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

X = load_japanese_vowels().data
X_test = load_japanese_vowels(subset="test").data
ae = LSTMAutoencoderTransformer(random_state=0).fit(X)

path = Path(tempfile.mkdtemp(), "vowels.onnx")
ae.export_onnx(path)
print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")

# %%
# 2. Encode without this package
# ------------------------------
# The graph takes raw sequences, padded with whatever you like, and their lengths.

session = onnxruntime.InferenceSession(path)


def encode(sequences):
    """Return codes; this needs NumPy and ONNX Runtime, nothing else."""
    lengths = np.array([len(x) for x in sequences])
    padded = np.zeros((len(sequences), lengths.max(), 12), dtype=np.float32)
    for row, x in zip(padded, sequences, strict=True):
        row[: len(x)] = x
    return session.run(["codes"], {"sequences": padded, "lengths": lengths})[0]


codes, expected = encode(X_test), ae.transform(X_test)
largest = np.abs(codes - expected).max()
print(f"largest difference {largest:.1e}, where codes have a deviation of {expected.std():.1f}")

# %%
# 3. Times
# --------


def milliseconds(call, n_sequences):
    """Return the best of some calls."""
    times = []
    for _ in range(10):
        began = time.perf_counter()
        call(X_test[:n_sequences])
        times.append(1000 * (time.perf_counter() - began))
    return min(times)


sizes = [1, 10, 100, 370]
taken = {
    "transform": [milliseconds(ae.transform, n) for n in sizes],
    "ONNX Runtime": [milliseconds(encode, n) for n in sizes],
}

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), num="onnx")
left.plot(expected[:, ::16], codes[:, ::16], ".", color="C0", markersize=3)
left.axline((0, 0), slope=1, color="0.7", linewidth=1, zorder=0)
left.set(xlabel="code by transform", ylabel="code by ONNX Runtime")
left.set_title(f"largest difference {largest:.1e}", size="medium")
for name, times in taken.items():
    right.plot(sizes, times, "o-", label=name)
right.set(xscale="log", yscale="log", xlabel="sequences in a call", ylabel="milliseconds a call")
right.legend()
plt.show()

# %%
# The file has the encoder alone; codes are decoded by ``inverse_transform``. :doc:`../guide/serving` has the other
# ways.

# sphinx_gallery_start_ignore
assert largest < 1e-3
# sphinx_gallery_end_ignore
