"""Sequences of unequal length to fixed-size vectors and back, for scikit-learn."""

from . import datasets
from .loading import load
from .scaling import SequenceScaler
from .transformer import LSTMAutoencoderTransformer

__version__ = "0.1.0"

__all__ = ["LSTMAutoencoderTransformer", "SequenceScaler", "datasets", "load"]
