"""How do I bring my own encoder and decoder? As functions that get the sizes and return models."""

from keras import Input, Sequential, layers

from sklearn_seqae import LSTMAutoencoderTransformer, datasets


def encoder(n_steps, n_channels, n_components):
    return Sequential([Input((None, n_channels)), layers.GRU(32), layers.Dense(n_components)])


def decoder(n_steps, n_channels, n_components):
    repeat = [Input((n_components,)), layers.RepeatVector(n_steps)]
    return Sequential([*repeat, layers.GRU(32, return_sequences=True), layers.Dense(n_channels)])


def main(n_sequences=500):
    X, _ = datasets.make_ragged_sines(n_sequences + 200, min_steps=5, max_steps=10, random_state=0)
    ae = LSTMAutoencoderTransformer(8, encoder=encoder, decoder=decoder, random_state=0)
    r2 = ae.fit(X[:n_sequences]).score(X[n_sequences:])
    return ae, r2


if __name__ == "__main__":
    print(f"R2 of sequences that training did not see: {main()[1]:.4f}")
