"""Which symbols come next? A decoder that sees what it wrote before can go on after the end."""

import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer


def main(n_sequences=800, n_next=4):
    # A sequence has a first symbol, a stride and a length: 1, 4, 7, 2, 5 ... of 8 symbols, one-hot.
    rng = np.random.default_rng(0)
    first, stride, n_steps = rng.integers([0, 1, 4], [8, 8, 13], size=(n_sequences + 200, 3)).T
    symbols = (first[:, None] + stride[:, None] * np.arange(12 + n_next)) % 8
    X = [np.eye(8)[s[:n]] for s, n in zip(symbols, n_steps, strict=True)]
    ae = LSTMAutoencoderTransformer(decoder="autoregressive", cell="gru", epochs=60, random_state=0)
    codes = ae.fit(X[:n_sequences]).transform(X[n_sequences:])
    longer = ae.inverse_transform(codes, lengths=n_steps[n_sequences:] + n_next)
    written = [x.argmax(axis=1) for x in longer]
    true = [s[: len(x)] for s, x in zip(symbols[n_sequences:], longer, strict=True)]
    right = np.mean([w[-n_next:] == t[-n_next:] for w, t in zip(written, true, strict=True)])
    print(f"Of the {n_next} symbols after the end of a sequence {right:.1%} are right.")
    return ae, right


if __name__ == "__main__":
    main()
