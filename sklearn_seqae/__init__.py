"""Sequences of unequal length to fixed-size vectors and back, for scikit-learn."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        adapters,
        containers,
        datasets,
        distributed,
        exceptions,
        streaming,
        windows,
    )
    from .estimators.detector import LSTMAutoencoderDetector
    from .estimators.load import load
    from .estimators.series_detector import SlidingWindowDetector
    from .estimators.transformer import LSTMAutoencoderTransformer
    from .plotting.codes import CodeMapDisplay
    from .plotting.detection import DetectionDisplay
    from .plotting.errors import ErrorDisplay
    from .plotting.reconstruction import ReconstructionDisplay
    from .plotting.series import AnomalyDisplay
    from .plotting.training import TrainingDisplay
    from .preprocessing.scaling import SequenceScaler

__version__ = "0.1.0"

__all__ = [
    "AnomalyDisplay",
    "CodeMapDisplay",
    "DetectionDisplay",
    "ErrorDisplay",
    "LSTMAutoencoderDetector",
    "LSTMAutoencoderTransformer",
    "ReconstructionDisplay",
    "SequenceScaler",
    "SlidingWindowDetector",
    "TrainingDisplay",
    "adapters",
    "containers",
    "datasets",
    "distributed",
    "exceptions",
    "load",
    "streaming",
    "windows",
]

# The module of each public name. They are imported when they are first used: scikit-learn takes
# seconds, which `seqae --help` and whoever needs only the version should not wait for.
_MODULES = {
    "AnomalyDisplay": "plotting.series",
    "CodeMapDisplay": "plotting.codes",
    "DetectionDisplay": "plotting.detection",
    "ErrorDisplay": "plotting.errors",
    "LSTMAutoencoderDetector": "estimators.detector",
    "LSTMAutoencoderTransformer": "estimators.transformer",
    "ReconstructionDisplay": "plotting.reconstruction",
    "SequenceScaler": "preprocessing.scaling",
    "SlidingWindowDetector": "estimators.series_detector",
    "TrainingDisplay": "plotting.training",
    "load": "estimators.load",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".{_MODULES.get(name, name)}", __name__)
    value = getattr(module, name) if name in _MODULES else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
