"""
Serving by ONNX
===============

How do I encode sequences without Python, or without this package? Export the encoder, with scaling, masks and kernels,
to an ONNX file, which any ONNX runtime reads. Are its codes those of ``transform``, and how fast is it?

1. Fit, and export.
2. Encode with ONNX Runtime alone.
3. Compare codes and times.
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
# The inputs of the graph are unscaled sequences, padded with any value, and their lengths.

session = onnxruntime.InferenceSession(path)


def encode(sequences):
    """Return codes, with NumPy and ONNX Runtime only."""
    lengths = np.array([len(x) for x in sequences])
    padded = np.zeros((len(sequences), lengths.max(), 12), dtype=np.float32)
    for row, x in zip(padded, sequences, strict=True):
        row[: len(x)] = x
    inputs = {"sequences": padded, "lengths": lengths}
    return session.run(["codes"], inputs)[0]


codes, expected = encode(X_test), ae.transform(X_test)
largest = np.abs(codes - expected).max()
print(f"largest difference {largest:.1e},", end=" ")
print(f"standard deviation of the codes {expected.std():.1f}")

# %%
# 3. Times
# --------


def milliseconds(call, n_sequences):
    """Return the least time of ten calls."""
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
right.set(xscale="log", xlabel="sequences in a call")
right.set(yscale="log", ylabel="milliseconds a call")
right.legend()
plt.show()

# %%
# The file contains the encoder only; codes are decoded by ``inverse_transform``. :doc:`../guide/serving` describes other
# formats.

# sphinx_gallery_start_ignore
assert largest < 1e-3
# sphinx_gallery_end_ignore
