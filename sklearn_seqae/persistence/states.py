"""The states of estimators in files: exactly the attributes that their class has.

scikit-learn trusts an estimator's attributes: one that hides a method or a private name of its base
classes decides what runs, or what a notebook shows.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_seqae.containers.sequences import Form

from .allowlist import ESTIMATORS

# Those that any estimator may have, fitted or not.
ANYWHERE = ("_sklearn_version", "_sklearn_output_config", "_metadata_request")


def check_state(path: str, kind: type, state: Mapping[str, Any]) -> None:
    """Raise ValueError unless a state is that of an instance of an estimator's class.

    Parameters
    ----------
    path : str
        Import path of the class. Of one that is not in `allowlist.ESTIMATORS`, and so was trusted,
        the attributes are not known: they hide none of the class.
    kind : type
    state : dict of str to object
    """
    parameters = inspect.signature(kind).parameters
    found = {name: value for name, value in state.items() if name not in parameters}
    if path not in ESTIMATORS:
        check_free(kind, found)
        check_values(kind, {name: found[name] for name in ANYWHERE if name in found})
        return
    if missing := [name for name in parameters if name not in state]:
        raise ValueError(f"{kind.__name__} has no {missing[0]!r}")
    _check_names(kind, found.keys() - ANYWHERE, ESTIMATORS[path])
    check_values(kind, found)
    # A pipeline's memory is a folder that it would write to, and load pickles from.
    if state.get("memory") is not None:
        raise ValueError(f"{kind.__name__} has a memory, which can't be kept in a file")


def plain_requests(request: Any) -> dict[str, dict[str, Any]]:
    """Return which metadata methods request, as `set_fit_request` and the like have it."""
    methods = {name: getattr(method, "requests", None) for name, method in vars(request).items()}
    return {name: dict(requests) for name, requests in methods.items() if requests}


def request_again(estimator: BaseEstimator, requests: dict[str, dict[str, Any]]) -> None:
    """Have an estimator's methods request what `plain_requests` gave, or raise ValueError."""
    request: Any = estimator.get_metadata_routing()
    for name, wanted in requests.items():
        method: Any = getattr(request, name, None)
        known = getattr(method, "requests", {})
        for parameter, alias in wanted.items():
            if parameter not in known:
                raise ValueError(f"{name!r:.60} requests {parameter!r:.60}, which it has not")
            method.add_request(param=parameter, alias=alias)
    estimator._metadata_request = request


def check_free(kind: type, names: Iterable[str]) -> None:
    """Raise ValueError where a name is none of an attribute, or hides one of the class."""
    for name in names:
        if not name.isidentifier() or name.startswith("__") or hasattr(kind, name):
            raise ValueError(f"{kind.__name__} has no attribute {name!r}")


def check_values(kind: type, state: Mapping[str, Any]) -> None:
    """Raise ValueError where an attribute of scikit-learn's is not what fit makes of it."""
    for name, value in state.items():
        if not _IS.get(name, _is_numbers)(value):
            raise ValueError(f"{kind.__name__} has {value!r:.60} for {name!r}")
    n_features = state.get("n_features_in_")
    for name in _BY_FEATURE & state.keys():
        if state[name] is not None and state[name].shape[-1:] != (n_features,):
            shape = state[name].shape
            raise ValueError(f"{kind.__name__} has {name!r} of shape {shape}, not {n_features}")


def _check_names(kind: type, found: Any, expected: str) -> None:
    known = {"n_features_in_": True, "feature_names_in_": False}
    known |= {name.rstrip("?"): not name.endswith("?") for name in expected.split()}
    if unknown := sorted(found - known.keys()):
        raise ValueError(f"{kind.__name__} has no attribute {unknown[0]!r}")
    needed = {name for name, is_needed in known.items() if is_needed}
    if found and (missing := sorted(needed - found)):
        raise ValueError(f"{kind.__name__} is fitted, but has no {missing[0]!r}")


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _list_of(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and all(isinstance(one, kinds) for one in value)


def _is_array(value: Any, kinds: str) -> bool:
    return type(value) is np.ndarray and value.dtype.kind in kinds


def _is_numbers(value: Any) -> bool:
    return value is None or _is_array(value, "biuf")


def _is_index(value: Any) -> bool:
    return value is None or _is_array(value, "iuO")


def _holds_text(value: Any) -> bool:
    return _is_array(value, "O") and value.ndim == 1 and all(type(x) is str for x in value)


def _holds_arrays(value: Any) -> bool:
    return _is_array(value, "O") and value.ndim == 1 and all(map(_is_numbers, value))


def _is_config(value: Any) -> bool:
    choices = (None, "default", "pandas", "polars")
    return type(value) is dict and value.keys() <= {"transform"} and {*value.values()} <= {*choices}


def _are_requests(value: Any) -> bool:
    return type(value) is dict and all(type(requests) is dict for requests in value.values())


# What attributes are, if not arrays of numbers or None.
_IS: dict[str, Callable[[Any], bool]] = {
    "_sklearn_version": _is(str),
    "_sklearn_output_config": _is_config,
    "_metadata_request": _are_requests,
    "feature_names_in_": _holds_text,
    "bin_edges_": _holds_arrays,
    "categories_": _list_of(np.ndarray),
    "drop_idx_": _is_index,
    "_drop_idx_after_grouping": _is_index,
    "_n_features_outs": _list_of(Integral),
    "_infrequent_indices": _list_of(np.ndarray, type(None)),
    "_default_to_infrequent_mappings": _list_of(np.ndarray, type(None)),
    "lower_bounds_": _list_of(Real),
    "n_samples_seen_": lambda value: isinstance(value, Real) or _is_numbers(value),
    "_scaler": _is(StandardScaler),
    "_encoder": _is(OneHotEncoder),
    "scaler_": _is(BaseEstimator, type(None)),
    "_form": _is(Form),
    "_fit_svd_solver": _is(str),
    "converged_": _is(bool, np.bool_),
    "_infrequent_enabled": _is(bool, np.bool_),
    "noise_variance_": _is(Real),
    "lower_bound_": _is(Real),
    "n_features_in_": _is(Integral),
    "n_channels_in_": _is(Integral),
    "n_quantiles_": _is(Integral),
    "n_samples_": _is(Integral),
    "n_components_": _is(Integral),
    "n_iter_": _is(Integral),
    "batch_size_": _is(Integral),
}
# Arrays whose last axis is that of the features.
_BY_FEATURE = {
    *("feature_names_in_", "mean_", "var_", "scale_", "min_", "data_min_", "data_max_"),
    *("data_range_", "max_abs_", "center_", "lambdas_", "quantiles_", "bin_edges_", "n_bins_"),
    *("components_", "whitening_", "means_"),
}
