"""Do four series of unequal length come back from two numbers each?"""

import numpy as np
from plotting import draw_codes, draw_loss, draw_model, draw_sequences

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.datasets import make_float_series


def main(folder="build/examples", n_copies=50):
    X, names = make_float_series(), ["0.1 to 0.9", "0.1 to 0.8", "0.2 to 0.8", "0.3 to 1.2"]
    rng = np.random.default_rng(0)  # four are too few to hold some out: train on noisy copies
    copies = [x * rng.uniform(0.9, 1.1) + rng.normal(0, 0.01, x.shape) for x in X * n_copies]
    ae = LSTMAutoencoderTransformer(2, units=16, learning_rate=0.01, random_state=0).fit(copies)
    codes, r2 = ae.transform(X), ae.score(X)
    print(f"R2 {r2:.4f}; steps decoded: {[len(x) for x in ae.inverse_transform(codes)]}")
    draw_loss(ae, f"{folder}/loss.png")
    draw_codes(codes, names, f"{folder}/codes.png", crowd=ae.transform(copies))
    draw_sequences(X, ae.inverse_transform(codes), names, f"{folder}/reconstructions.png")
    draw_model(ae.model_, f"{folder}/model.png")
    return ae, X, r2


if __name__ == "__main__":
    main()
