"""What a file has of a fitted estimator, and writing it."""

import copy
import platform
import sys
from importlib import metadata
from numbers import Integral, Real
from typing import Any

from numpy import ndarray
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from . import archive, formats
from .architecture import Architecture
from .density import CodeDensity, Constant, Mixture
from .elements import Labels
from .encoding import Encoder
from .fitted import Codec
from .layout import Form
from .names import path_of
from .nodes import Structure
from .oddness import Norm, Usual
from .scaling import SequenceScaler
from .symbols import MixedScaler

_NONE = type(None)

# By their kinds in the file. A change here is one of the format: see `formats`.
STRUCTURES = {
    "form": Structure(
        Form,
        {
            "kind": str,
            "width": (Integral, _NONE),
            "columns": (tuple, _NONE),
            "dtypes": tuple,
            "names": tuple,
            "clock": (tuple, _NONE),
            "layout": str,
            "masked": bool,
        },
    ),
    "labels": Structure(Labels, {"values": ndarray, "dtype": object}),
    "architecture": Structure(
        Architecture,
        {
            "n_steps": Integral,
            "n_channels": Integral,
            "n_components": Integral,
            "units": tuple,
            "cell": str,
            "bidirectional": bool,
            "pooling": str,
            "decoder": object,
            "encoder": object,
            "patch_size": Integral,
            "activation": str,
            "indicators": bool,
            "decodes_length": bool,
            "dilations": tuple,
            "n_summary": Integral,
            "symbols": tuple,
        },
    ),
    "mixed_scaler": Structure(
        MixedScaler,
        {
            "scaler": object,
            "labels": tuple,
            "n_channels": Integral,
            "scaler_": (SequenceScaler, _NONE),
        },
    ),
    "codec": Structure(
        Codec,
        {
            "architecture": Architecture,
            "scaler": MixedScaler,
            "mean": ndarray,
            "variance": ndarray,
            "_scaled_mean": ndarray,
            "_seed": Integral,
            "_weights": list,
            "_optimizer_state": (dict, _NONE),
            "_density": (CodeDensity, _NONE),
            "_correlation": (ndarray, _NONE),
        },
        fixed={"_model": None, "_network": None, "_is_shown": False},
    ),
    "density": Structure(
        CodeDensity,
        {
            "length_range": tuple,
            "_seed": Integral,
            "_codes": (ndarray, _NONE),
            "_drawn_from": (Constant, Mixture, _NONE),
        },
        fixed={"sequences": None},
    ),
    "norm": Structure(
        Norm,
        {
            "channel_errors": ndarray,
            "errors": Usual,
            "distances": Usual,
            "deviations": ndarray,
            "neighbours": ndarray,
            "shortest": Integral,
            "longest": Integral,
            "length_deviation": Real,
        },
    ),
    "usual": Structure(Usual, {"location": Real, "spread": Real, "degrees": Integral}),
    "constant": Structure(Constant, {"_code": ndarray}),
    "mixture": Structure(Mixture, {"_pca": PCA, "_mixture": GaussianMixture}),
}


def save(estimator: Any, target: Any, include_optimizer: bool) -> None:
    """Write a fitted estimator to a file, or raise before anything is written."""
    parameters = estimator.get_params(deep=False)
    attributes = {k: v for k, v in estimator.__getstate__().items() if k not in parameters}
    if not include_optimizer:
        attributes["_codec"] = copy.copy(attributes["_codec"])
        attributes["_codec"]._optimizer_state = None
    encoder = Encoder(STRUCTURES)
    kind = type(estimator)
    own = kind.__module__.partition(".")[0] == __package__
    described = {
        "path": f"{__package__}:{kind.__name__}" if own else path_of(kind, "the estimator's class"),
        "parameters": {name: encoder.encode(value, name) for name, value in parameters.items()},
        "attributes": {name: encoder.encode(value, name) for name, value in attributes.items()},
    }
    manifest = {
        "format": formats.FORMAT,
        "format_version": formats.VERSION,
        "versions": _versions(),
        "estimator": described,
    }
    archive.write(target, manifest, encoder.arrays)


def _versions() -> dict[str, str]:
    """Return the versions of what made the estimator: for people, who ask what made it."""
    found = {__package__: sys.modules[__package__].__version__, "python": platform.python_version()}
    for name in ("numpy", "scikit-learn", "keras", "tensorflow", "jax", "torch", "pandas"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
