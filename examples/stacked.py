"""How are recurrent layers stacked? The encoder has 32, then 16 units; the decoder mirrors it."""

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_ragged_sines


def main(n_sequences=1000):
    X, _ = make_ragged_sines(
        n_sequences + 200, min_steps=10, max_steps=20, noise=0.05, random_state=0
    )
    ae = LSTMAutoencoderTransformer(
        n_components=8, units=(32, 16), learning_rate=0.01, epochs=40, random_state=0
    )
    ae.fit(X[:n_sequences])
    ae.model_.summary(expand_nested=True)
    r2 = ae.score(X[n_sequences:])
    print(f"R2 of sequences that training did not see: {r2:.4f}")
    return ae, r2


if __name__ == "__main__":
    main()
