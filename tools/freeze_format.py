"""Write ``tests/formats/<version>.zip``: an estimator as this version of the format saves it.

    python tools/freeze_format.py

Beside it goes what it was fitted on and the codes of that, which later versions have to give. See
``sklearn_seqae/persistence/versions.py`` for when to run this.
"""

from pathlib import Path

import numpy as np

from sklearn_seqae import LSTMAutoencoderTransformer
from sklearn_seqae.persistence.versions import VERSION

FOLDER = Path(__file__).parents[1] / "tests" / "formats"


def main():
    """Fit a small estimator that has most of what a file can hold, and write both files."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n_steps, 2)).cumsum(axis=0) for n_steps in (5, 3, 9, 8, 7, 4)]
    X[2][4, 1] = np.nan
    estimator = LSTMAutoencoderTransformer(
        n_components=36,  # of which four are the filters'
        units=(3, 2),
        scaler="per_sequence",
        epochs=2,
        random_state=0,
    ).fit(X)
    FOLDER.mkdir(exist_ok=True)
    estimator.save(FOLDER / f"{VERSION}.zip")
    np.savez(FOLDER / f"{VERSION}.npz", *X, codes=estimator.transform(X))


if __name__ == "__main__":
    main()
