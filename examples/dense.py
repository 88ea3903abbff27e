"""Can all steps be written at once: 50 units, then 10 steps of 5 channels, without recurrence?"""

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines


def main(n_sequences=500):
    X, _ = make_ragged_sines(
        2 * n_sequences, n_channels=5, min_steps=10, max_steps=10, noise=0, random_state=0
    )
    ae = LSTMAutoencoderTransformer(
        n_components=8, decoder="dense", units=50, learning_rate=0.01, epochs=60, random_state=0
    )
    ae.fit(X[:n_sequences])
    ae.decoder_.summary()
    r2 = ae.score(X[n_sequences:])
    print(f"R2 of sequences that training did not see: {r2:.4f}")
    return ae, r2


if __name__ == "__main__":
    main()
