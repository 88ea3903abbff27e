"""Do 5000 one-hot sequences, some of them empty, come back from vectors at their right lengths?"""

import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_moving_ones


def main(n_sequences=5000):
    X = make_moving_ones(n_sequences, random_state=0)  # a list of arrays: nothing is padded
    ae = LSTMAutoencoderTransformer(8, units=32, metrics="accuracy", epochs=10, random_state=0)
    Z = ae.fit_transform(X)
    X2 = ae.inverse_transform(Z)
    lengths_right = np.mean([len(x) == len(x2) for x, x2 in zip(X, X2, strict=True)])
    steps, steps2 = np.concatenate(X), np.concatenate(ae.reconstruct(X))
    has_one = steps.any(axis=1)  # a step after the last value is all zero
    ones_right = np.mean((steps.argmax(axis=1) == steps2.argmax(axis=1))[has_one])
    print(f"lengths right {lengths_right:.1%}, ones at the right value {ones_right:.1%}")
    print(f"accuracy of held-out sequences by epoch: {np.round(ae.history_['val_accuracy'], 3)}")
    return ae, lengths_right, ones_right, steps2[~has_one]


if __name__ == "__main__":
    main()
