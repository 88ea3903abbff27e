"""Sequences of unequal length to fixed-size vectors and back, for scikit-learn."""

from . import containers, datasets
from .display_codes import CodeMapDisplay
from .display_detection import DetectionDisplay
from .display_errors import ErrorDisplay
from .display_reconstruction import ReconstructionDisplay
from .display_training import TrainingDisplay
from .loading import load
from .scaling import SequenceScaler
from .transformer import LSTMAutoencoderTransformer

__version__ = "0.1.0"

__all__ = [
    "CodeMapDisplay",
    "DetectionDisplay",
    "ErrorDisplay",
    "LSTMAutoencoderTransformer",
    "ReconstructionDisplay",
    "SequenceScaler",
    "TrainingDisplay",
    "containers",
    "datasets",
    "load",
]
