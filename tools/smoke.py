"""Try an installed package: `make dist` runs this where nothing but its requirements is there."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

import sklearn_seqae
from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels

home = Path(sklearn_seqae.__file__).parent
assert "site-packages" in home.parts, f"imported from {home}, not from an installation"
assert sklearn_seqae.__version__ == version("sklearn-seqae")
assert (home / "py.typed").exists()

X = load_japanese_vowels().data[:40]
ae = LSTMAutoencoderTransformer(n_components=40, units=8, epochs=60, random_state=0).fit(X)
codes = ae.transform(X)
assert codes.shape == (40, 40)
assert np.isfinite(codes).all()
assert [len(x) for x in ae.inverse_transform(codes, lengths=[len(x) for x in X])] == [
    len(x) for x in X
]
ae.save("smoke.seqae")
assert np.array_equal(sklearn_seqae.load("smoke.seqae").transform(X), codes)

command = Path(sys.executable).with_name("seqae")
told = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
assert sklearn_seqae.__version__ in told.stdout
print(f"sklearn_seqae {sklearn_seqae.__version__}: installed, fits, saves, loads, has its command")
