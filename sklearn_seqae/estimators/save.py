"""Saving of fitted estimators, and the schema of their attributes."""

import copy
import platform
from collections.abc import Mapping
from importlib import metadata
from numbers import Integral, Real
from typing import Any

from numpy import ndarray
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from sklearn_seqae import __version__
from sklearn_seqae.containers.columns import Categories
from sklearn_seqae.containers.registry import FORMS, Form
from sklearn_seqae.network.architecture import Architecture
from sklearn_seqae.network.linear_forecast import LinearForecast
from sklearn_seqae.persistence import archive, versions
from sklearn_seqae.persistence.allowlist import path_of
from sklearn_seqae.persistence.encoder import Encoder
from sklearn_seqae.persistence.schema import Structure, check_types, field_types
from sklearn_seqae.persistence.states import ANYWHERE, check_free, check_values, plain_requests
from sklearn_seqae.preprocessing.categories import MixedScaler
from sklearn_seqae.preprocessing.scaling import SequenceScaler

from .anomaly_score import LogTDistribution, ReferenceDistribution
from .code_density import CodeDensity, Constant, Mixture
from .fitted_model import FittedModel
from .forecasting import Forecaster
from .known_runs import KnownRuns, TrainingWindows
from .network_state import NetworkState
from .series_forecasts import SeriesForecasts

PACKAGE = __name__.partition(".")[0]
_NONE = type(None)

# By their kinds in the file. Any change is one of the format: see `persistence.versions`.
STRUCTURES = {
    **{f"form.{form.name}": Structure(form, field_types(form)) for form in FORMS},
    "categories": Structure(Categories, {"values": ndarray, "dtype": object, "n_joined": Integral}),
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
            "category_widths": tuple,
            "n_linear": Integral,
            "n_frequencies": Integral,
            "soft_step": str,
            "horizon": Integral,
        },
    ),
    "mixed_scaler": Structure(
        MixedScaler,
        {
            "scaler": object,
            "categories": tuple,
            "n_channels": Integral,
            "scaler_": (SequenceScaler, _NONE),
        },
    ),
    "fitted_model": Structure(
        FittedModel,
        {
            "network": NetworkState,
            "scaler": MixedScaler,
            "mean": ndarray,
            "variance": ndarray,
            "_scaled_mean": ndarray,
            "_seed": Integral,
            "_optimizer_state": (dict, _NONE),
            "_density": (CodeDensity, _NONE),
            "_correlation": (ndarray, _NONE),
            "_forecaster": (Forecaster, _NONE),
        },
    ),
    "network": Structure(
        NetworkState,
        {"architecture": Architecture, "_seed": Integral, "_holder": dict},
        fixed={"_runner": None},
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
    "forecaster": Structure(Forecaster, {"linear": tuple, "gains": ndarray, "n_shown": Integral}),
    "linear_forecast": Structure(
        LinearForecast, {"own": ndarray, "joint": ndarray, "constant": ndarray}
    ),
    "reference_distribution": Structure(
        ReferenceDistribution,
        {
            "channel_errors": ndarray,
            "errors": LogTDistribution,
            "distances": LogTDistribution,
            "deviations": ndarray,
            "neighbours": ndarray,
            "shortest": Integral,
            "longest": Integral,
            "length_deviation": Real,
        },
    ),
    "log_t_distribution": Structure(
        LogTDistribution, {"location": Real, "spread": Real, "degrees": Integral}
    ),
    "training_windows": Structure(TrainingWindows, {"runs": KnownRuns, "neighbours": ndarray}),
    "known_runs": Structure(KnownRuns, {"hashes": ndarray, "places": ndarray, "size": Integral}),
    "series_forecasts": Structure(
        SeriesForecasts,
        {
            "size": Integral,
            "location": ndarray,
            "scale": ndarray,
            "forward": LinearForecast,
            "backward": LinearForecast,
            "errors": ndarray,
            "normal": LogTDistribution,
            "causal": LogTDistribution,
        },
    ),
    "constant": Structure(Constant, {"_code": ndarray}),
    "mixture": Structure(Mixture, {"_pca": PCA, "_mixture": GaussianMixture}),
}

# Types of the attributes that `fit` sets on every estimator of this package; a class with others
# adds these in `_fitted_types`. Any change is one of the format, too.
FITTED = {
    "_fitted_model": FittedModel,
    "_form": Form,
    "_made_with": dict,
    "_seed": Integral,
    "_n_features_out": Integral,
    "scaler_": (SequenceScaler, _NONE),
    "categories_": list,
    "infrequent_categories_": list,
    "history_": dict,
    "n_epochs_": Integral,
    "best_epoch_": Integral,
    "n_channels_in_": Integral,
    "n_features_in_": Integral,
}
_OPTIONAL = {"feature_names_in_", *ANYWHERE}


def is_own(kind: type) -> bool:
    """Return whether a class is defined in this package."""
    return kind.__module__.partition(".")[0] == PACKAGE


def check_attributes(kind: Any, attributes: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError unless an estimator has the attributes that `fit` sets.

    Instances of subclasses may have others, unless these hide attributes of the class.
    """
    fields = kind._fitted_types
    others = attributes.keys() - fields.keys() - _OPTIONAL
    if not is_own(kind):
        check_free(kind, sorted(others))
        others = set()
    check_types({k: v for k, v in attributes.items() if k in fields or k in others}, fields)
    check_values(
        kind, {k: v for k, v in attributes.items() if k in _OPTIONAL or k == "n_features_in_"}
    )
    for name, losses in attributes["history_"].items():
        if type(losses) is not list or not all(isinstance(loss, Real) for loss in losses):
            raise TypeError(f"'history_' has {losses!r:.60} for {name!r:.60}")


def save(estimator: Any, target: Any, include_optimizer: bool) -> None:
    """Write a fitted estimator to a file; nothing is written if an error is raised."""
    encoder = Encoder(STRUCTURES)
    write(target, describe(estimator, encoder, include_optimizer), encoder)


def write(target: Any, described: dict[str, Any], encoder: Encoder) -> None:
    """Write the description of an estimator, and the arrays of its encoder, to a file."""
    manifest = {
        "format": versions.FORMAT,
        "format_version": versions.VERSION,
        "versions": _versions(),
        "estimator": described,
    }
    archive.write(target, manifest, encoder.arrays)


def describe(estimator: Any, encoder: Encoder, include_optimizer: bool) -> dict[str, Any]:
    """Return a fitted estimator as JSON, with its arrays in the encoder."""
    parameters = estimator.get_params(deep=False)
    if "checkpoint" in parameters:  # a folder of this machine
        parameters["checkpoint"] = None
    state = estimator.__getstate__()
    attributes = {name: value for name, value in state.items() if name not in parameters}
    if "_metadata_request" in attributes:
        attributes["_metadata_request"] = plain_requests(attributes["_metadata_request"])
    kind = type(estimator)
    try:
        check_attributes(kind, attributes)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Expected a {kind.__name__} with the attributes that fit sets, but {error}: delete "
            "other attributes, or save it by joblib.dump."
        ) from error
    if not include_optimizer:
        attributes["_fitted_model"] = copy.copy(attributes["_fitted_model"])
        attributes["_fitted_model"]._optimizer_state = None
    return {
        "path": f"{PACKAGE}:{kind.__name__}"
        if is_own(kind)
        else path_of(kind, "the estimator's class"),
        "parameters": {name: encoder.encode(value, name) for name, value in parameters.items()},
        "attributes": {name: encoder.encode(value, name) for name, value in attributes.items()},
    }


def _versions() -> dict[str, str]:
    """Return the versions of the packages that the estimator was fitted with, as information."""
    found = {PACKAGE: __version__, "python": platform.python_version()}
    for name in ("numpy", "scikit-learn", "keras", "tensorflow", "jax", "torch", "pandas"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
