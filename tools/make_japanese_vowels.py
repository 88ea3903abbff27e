"""Make ``sklearn_seqae/data/japanese_vowels.npz`` from the two ``.ts`` files of the data set.

    python tools/make_japanese_vowels.py JapaneseVowels_TRAIN.ts JapaneseVowels_TEST.ts

Both files are in the archive of the UEA multivariate time series, and in the PyPI package aeon
under ``aeon/datasets/data/JapaneseVowels`` (the ones without ``_eq`` keep the true lengths). The
same input gives the same bytes: the archive carries no time stamp.
"""

import argparse
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).parents[1] / "sklearn_seqae" / "data" / "japanese_vowels.npz"


def read_ts(path):
    """Read the sequences and the labels of a ``.ts`` file.

    A line holds one sequence: channels, then the label, parted by colons; the steps of a channel
    are parted by commas.
    """
    sequences, labels = [], []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.strip() and line[0] not in "#@":
            *channels, label = line.strip().split(":")
            sequences.append(np.array([channel.split(",") for channel in channels], float).T)
            labels.append(int(label))
    return sequences, labels


def main():
    """Read both files, check that no digit is lost, and write the archive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()

    X_train, y_train = read_ts(arguments.train)
    X_test, y_test = read_ts(arguments.test)
    sequences = X_train + X_test
    published = np.concatenate(sequences)
    # Whole millionths hold every published digit and deflate better than floats do.
    millionths = np.rint(published * 1e6).astype(np.int32)
    if not np.array_equal(millionths / 1e6, published):
        raise ValueError("Expected values with at most six decimals; these files have more.")

    np.savez_compressed(
        arguments.output,
        millionths=millionths,
        offsets=np.cumsum([0, *map(len, sequences)], dtype=np.int32),
        target=np.array(y_train + y_test, dtype=np.int8) - 1,
        n_train=np.int32(len(X_train)),
    )


if __name__ == "__main__":
    main()
