"""What users' type checkers see of the public names: `make types` checks this, nothing runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import sklearn_seqae
from sklearn_seqae import (
    LSTMAutoencoderDetector,
    LSTMAutoencoderTransformer,
    SequenceScaler,
    TrainingDisplay,
    containers,
    datasets,
)


def use(X: list[NDArray[np.float64]]) -> None:
    """Call each public name as its docstring says."""
    ae = LSTMAutoencoderTransformer(n_components=8, units=(16, 8), random_state=0)
    assert_type(ae.fit(X), LSTMAutoencoderTransformer)
    assert_type(ae.partial_fit(X), LSTMAutoencoderTransformer)
    assert_type(ae.transform(X), NDArray[np.float32])
    assert_type(ae.score(X), float)
    assert_type(ae.score_samples(X), NDArray[np.float64])
    assert_type(ae.history_, dict[str, list[float]])
    assert_type(ae.n_epochs_, int)
    ae.save(Path("model.zip"), include_optimizer=True)
    ae.export_onnx("encoder.onnx")
    again: LSTMAutoencoderTransformer = sklearn_seqae.load("model.zip", trusted=["mine:encoder"])
    again.inverse_transform(ae.transform(X), lengths=[1, 2])
    detector = LSTMAutoencoderDetector(quantile=0.95)
    assert_type(detector.fit(X).predict(X), NDArray[np.int64])
    assert_type(detector.offset_, float)
    assert_type(TrainingDisplay.from_estimator(ae), TrainingDisplay)
    SequenceScaler("per_sequence").fit(X)
    containers.from_long(X, id="patient", time="day")
    load: Callable[..., Any] = datasets.load_japanese_vowels
    load(subset="test")
