"""Sequences of unequal length to fixed-size vectors and back, for scikit-learn."""

from . import containers, datasets
from .detector import LSTMAutoencoderDetector
from .scaling import SequenceScaler
from .transformer import LSTMAutoencoderTransformer

__version__ = "0.1.0"

__all__ = [
    "LSTMAutoencoderDetector",
    "LSTMAutoencoderTransformer",
    "SequenceScaler",
    "containers",
    "datasets",
]
