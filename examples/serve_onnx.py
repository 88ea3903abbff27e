"""Can codes be served without TensorFlow, or even this package? By one file and onnxruntime."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import timeit

import numpy as np
import onnxruntime

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import load_japanese_vowels


def main(epochs=100):
    X = load_japanese_vowels(subset="test").data
    ae = LSTMAutoencoderTransformer(epochs=epochs, random_state=0)
    ae.fit(load_japanese_vowels(subset="train").data)
    with TemporaryDirectory() as folder:
        ae.export_onnx(Path(folder, "encoder.onnx"))
        session = onnxruntime.InferenceSession(Path(folder, "encoder.onnx"))

    def serve(sequences):
        lengths = np.array([len(x) for x in sequences])
        padded = np.zeros((len(lengths), lengths.max(), 12), dtype=np.float32)
        padded[np.arange(lengths.max()) < lengths[:, None]] = np.concatenate(sequences)
        return session.run(["codes"], {"sequences": padded, "lengths": lengths})[0]

    difference = np.abs(serve(X) - ae.transform(X)).max()
    print(f"The codes of {len(X)} sequences differ by {difference:.0e} at most.")
    for name, encode in [("transform", ae.transform), ("onnxruntime", serve)]:
        one = np.median([timeit(partial(encode, [x]), number=1) for x in X])
        many = np.median([timeit(partial(encode, X), number=1) for _ in range(9)])
        print(f"{name}: {1000 * one:.2f} ms a sequence, or {len(X) / many:.0f} a second at once")
    return difference


if __name__ == "__main__":
    main()
