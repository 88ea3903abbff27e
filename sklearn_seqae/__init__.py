"""Sequences of unequal length to fixed-size vectors and back, for scikit-learn."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import containers, datasets, exceptions
    from .detector import LSTMAutoencoderDetector
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
    "LSTMAutoencoderDetector",
    "LSTMAutoencoderTransformer",
    "ReconstructionDisplay",
    "SequenceScaler",
    "TrainingDisplay",
    "containers",
    "datasets",
    "exceptions",
    "load",
]

# The module of each public name. They are imported when they are first used: scikit-learn takes
# seconds, which `seqae --help` and whoever needs only the version should not wait for.
_MODULES = {
    "CodeMapDisplay": "display_codes",
    "DetectionDisplay": "display_detection",
    "ErrorDisplay": "display_errors",
    "LSTMAutoencoderDetector": "detector",
    "LSTMAutoencoderTransformer": "transformer",
    "ReconstructionDisplay": "display_reconstruction",
    "SequenceScaler": "scaling",
    "TrainingDisplay": "display_training",
    "load": "loading",
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
