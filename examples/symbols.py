"""Do the modes of a thermostat come back beside its temperatures, from one vector for both?"""

import numpy as np
import pandas as pd

from sklearn_seqae import LSTMAutoencoderTransformer


def main(n_sequences=400):
    # A frame a sequence: a column of text, of which a tenth is missing, and one of numbers.
    rng = np.random.default_rng(0)
    X = []
    for n_steps in rng.integers(3, 16, n_sequences):
        mode = pd.Series(np.repeat(rng.choice(["off", "heat", "hold"], n_steps), 3)[:n_steps])
        temperature = 18 + mode.map({"off": -1, "heat": 2, "hold": 0}).cumsum()
        X.append(pd.DataFrame({"mode": mode.mask(rng.random(n_steps) < 0.1), "t": temperature}))
    ae = LSTMAutoencoderTransformer(32, metrics=["accuracy", "mae"], epochs=60, random_state=0)
    true, back = pd.concat(X), pd.concat(ae.fit(X).reconstruct(X))
    right = (true["mode"] == back["mode"])[true["mode"].notna()].mean()
    print(f"modes right {right:.1%}, R2 of modes and temperatures {ae.score(X):.3f}")
    return ae, X, right


if __name__ == "__main__":
    main()
