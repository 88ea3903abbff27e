"""Loading of estimators from files, which need not be trusted."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_seqae.exceptions import FileFormatError
from sklearn_seqae.network import layer_specs
from sklearn_seqae.network.linear_forecast import LinearForecast
from sklearn_seqae.persistence import versions
from sklearn_seqae.persistence.allowlist import Resolver
from sklearn_seqae.persistence.archive import Archive
from sklearn_seqae.persistence.decoder import INVALID_FILE_ERRORS, Decoder, invalid
from sklearn_seqae.persistence.states import request_again

from .base import SequenceAutoencoder
from .detector import LSTMAutoencoderDetector
from .fitted_model import FittedModel
from .save import PACKAGE, STRUCTURES, check_attributes
from .series_detector import SERIES_PATH, SlidingWindowDetector, check_series_attributes
from .transformer import LSTMAutoencoderTransformer
from .validation import check_parameters

_ESTIMATORS = {
    f"{PACKAGE}:{kind.__name__}": kind
    for kind in (LSTMAutoencoderTransformer, LSTMAutoencoderDetector)
}
_MANIFEST_KEYS = {"format", "format_version", "versions", "estimator", "members"}
_ESTIMATOR_KEYS = {"path", "parameters", "attributes"}


def load(source: Any, trusted: Iterable[str] = ()) -> Any:
    """Load a fitted estimator from a file written by its method `save`.

    No code in the file is executed, as it contains no pickles. Functions and classes that do not
    belong to this package, scikit-learn or Keras, such as a custom `encoder`, are stored by name,
    and are imported only if they are listed in `trusted`. Checksums detect damaged files; they do
    not authenticate who wrote a file.

    Parameters
    ----------
    source : str, PathLike or binary file object
        The file to load.
    trusted : list of str, default=()
        Import paths, "module:name", of functions and classes that may be imported and called. If
        others are needed, the error lists them.

    Returns
    -------
    LSTMAutoencoderTransformer, LSTMAutoencoderDetector or SlidingWindowDetector
        The fitted estimator, of the class that was saved, with identical parameters and results.

    Raises
    ------
    FileFormatError
        If the file was not written by `save`, is damaged, or has a newer format.
    UntrustedError
        If functions or classes are needed that are not in `trusted`.
    ImportError
        If a package that is needed is not installed.
    FileNotFoundError
        If the file does not exist.

    See Also
    --------
    LSTMAutoencoderTransformer.save : Save an estimator.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> from sklearn_seqae import LSTMAutoencoderTransformer, load
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n_steps, 2)).cumsum(axis=0) for n_steps in (5, 3, 0, 8)]
    >>> ae = LSTMAutoencoderTransformer(n_components=4, units=8, epochs=2, random_state=0).fit(X)
    >>> file = io.BytesIO()  # or a path such as "autoencoder.zip"
    >>> ae.save(file)
    >>> _ = file.seek(0)
    >>> loaded = load(file)
    >>> bool(np.array_equal(loaded.transform(X), ae.transform(X)))
    True
    """
    resolver = Resolver(trusted)
    archive = Archive(source)
    manifest = archive.manifest
    versions.check(manifest)
    arrays = archive.arrays()
    try:
        versions.upgrade(manifest, arrays)
    except INVALID_FILE_ERRORS as error:
        raise invalid("its manifest", str(error)) from error
    _check_keys(manifest, _MANIFEST_KEYS, "its manifest")
    described = manifest["estimator"]
    decoder = Decoder(STRUCTURES, arrays, resolver)
    if isinstance(described, dict) and described.get("path") == SERIES_PATH:
        detector = _make_series_detector(described, decoder, resolver)
        decoder.finish()
        return detector
    estimator = _make(described, decoder, resolver)
    decoder.finish()
    _check_network(estimator._fitted_model, estimator.n_channels_in_)
    return estimator


def _make_series_detector(described: dict[str, Any], decoder: Decoder, resolver: Resolver) -> Any:
    """Return a `SlidingWindowDetector`, and the detector of windows in it, of their description."""
    _check_keys(described, {*_ESTIMATOR_KEYS, "estimator_"}, "the estimator")
    inner = _make(described["estimator_"], decoder, resolver)
    if not isinstance(inner, LSTMAutoencoderDetector):
        raise invalid("the estimator", "its detector of windows is none")
    _check_network(inner._fitted_model, inner.n_channels_in_)
    resolver.check({name: described[name] for name in ("parameters", "attributes")})
    parameters = _decoded(decoder, described, "parameters")
    _check_keys(parameters, set(SlidingWindowDetector._get_param_names()), "the parameters")
    if parameters["estimator"] not in (None, "estimator_"):
        raise invalid("the parameters", "'estimator' is not the detector of windows")
    parameters["estimator"] = clone(inner) if parameters["estimator"] else None
    detector = SlidingWindowDetector(**parameters)
    attributes = _decoded(decoder, described, "attributes")
    try:
        check_parameters(detector)
        check_series_attributes(attributes | {"estimator_": inner})
    except INVALID_FILE_ERRORS as error:
        raise invalid("the estimator", str(error)) from error
    detector.__dict__.update(attributes | {"estimator_": inner})
    try:
        problem = _misfit_of_series(detector)
    except INVALID_FILE_ERRORS as error:
        problem = str(error)
    if problem:
        raise invalid("the forecasts", problem)
    return detector


def _make(described: Any, decoder: Decoder, resolver: Resolver) -> Any:
    """Return a fitted estimator of its description."""
    _check_keys(described, _ESTIMATOR_KEYS, "the estimator")
    path = described["path"]
    if not isinstance(path, str):
        raise invalid("the estimator", f"its path is {path!r}")
    resolver.check(described, *({path} - _ESTIMATORS.keys()))
    kind = _ESTIMATORS[path] if path in _ESTIMATORS else resolver.resolve(path)
    if not isinstance(kind, type) or not issubclass(kind, SequenceAutoencoder):
        raise invalid(
            "the estimator", f"{path} is no estimator of this package, nor derived from one"
        )
    parameters = _decoded(decoder, described, "parameters")
    _check_keys(parameters, set(kind._get_param_names()), "the list of parameters")
    attributes = _decoded(decoder, described, "attributes")
    _check_attributes(kind, attributes)
    if parameters.get("checkpoint") is not None:  # no file says where to write
        raise invalid("the list of parameters", "it has a folder for checkpoints")
    estimator = kind(**parameters)
    try:
        check_parameters(estimator)  # Keras makes objects of what else may be a dict
    except InvalidParameterError as error:
        raise invalid("the list of parameters", str(error)) from error
    requests = attributes.pop("_metadata_request", {})
    estimator.__dict__.update(attributes)
    if requests:
        try:
            request_again(estimator, requests)
        except INVALID_FILE_ERRORS as error:
            raise invalid("the list of attributes", str(error)) from error
    return estimator


def _check_keys(found: Any, expected: set[str], where: str) -> None:
    if not isinstance(found, dict):
        raise invalid(where, "it is no JSON object")
    if different := sorted(found.keys() ^ expected):
        raise invalid(
            where, f"{different[0]!r} is {'unknown' if different[0] in found else 'missing'}"
        )


def _decoded(decoder: Decoder, described: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(described[key], dict) or "$" in described[key]:
        raise invalid(key, "it is no JSON object")
    return {name: decoder.decode(node, name) for name, node in described[key].items()}


def _check_attributes(kind: type, attributes: dict[str, Any]) -> None:
    """Raise unless the attributes are those of a fit, with the scaler of the fitted model."""
    try:
        check_attributes(kind, attributes)
    except INVALID_FILE_ERRORS as error:
        raise invalid("the list of attributes", str(error)) from error
    scaler = attributes["_fitted_model"].scaler.scaler_
    if scaler is not attributes["scaler_"]:
        raise invalid("the list of attributes", "'scaler_' is not that of '_fitted_model'")
    if scaler is not None and not hasattr(scaler, "n_channels_in_"):
        raise invalid("the scaling", "it is not fitted")


def _misfit_of_forecasts(model: FittedModel) -> str | None:
    """Return what is wrong with the forecasts; None if they are those of the architecture."""
    horizon, n_channels = model.architecture.horizon, model.architecture.n_channels
    found = model._forecaster
    if (found is not None) != bool(horizon):
        return f"its horizon is {horizon}, and its forecasts are {found!r:.60}"
    if found is None:
        return None
    if not found.linear or found.n_shown < 1:
        return "its forecasts look back at no steps"
    for part in found.linear:
        if problem := _misfit_of_linear(part, n_channels, horizon):
            return problem
    if found.linear[-1].n_lags != 1:
        return "its forecasts are none of a single step"
    return _misshapen([("gains", found.gains, (n_channels,))])


def _misfit_of_series(detector: SlidingWindowDetector) -> str | None:
    """Return what is wrong with the forecasts of a detector; None if they are of its channels."""
    found = detector._forecasts
    if found is None:
        return None
    n_values = len(detector.estimator_._fitted_model.scaler.channels)
    for part in (found.forward, found.backward):
        if problem := _misfit_of_linear(part, n_values, 1):
            return problem
    names = {"location": (n_values,), "scale": (n_values,), "errors": (2, n_values)}
    return _misshapen([(name, getattr(found, name), shape) for name, shape in names.items()])


def _misfit_of_linear(part: Any, n_channels: int, horizon: int) -> str | None:
    """Return what is wrong with a linear forecast; None if nothing is."""
    if not isinstance(part, LinearForecast):
        return f"a forecast of it is {part!r:.60}"
    n_lags, n_joint = np.shape(part.own)[1], len(part.joint)
    if n_lags < 1 or n_joint not in (0, n_lags * n_channels):
        return f"its forecasts look back at {n_lags} steps, and {n_joint} values of all"
    return _misshapen(
        [
            ("own", part.own, (n_channels, n_lags, horizon)),
            ("joint", part.joint, (n_joint, n_channels, horizon)),
            ("constant", part.constant, (n_channels, horizon)),
        ]
    )


def _misshapen(arrays: list[tuple[str, Any, Any]]) -> str | None:
    """Return which of some arrays has not its shape, or is no float64; None if all are right."""
    for name, array, shape in arrays:
        if array.shape != shape or array.dtype != np.float64:
            return f"expected {name} to be float64 of shape {shape}, found {array.shape}"
    return None


def _check_network(model: FittedModel, n_channels: int) -> None:
    """Raise unless weights and scaling fit the architecture."""
    architecture = model.architecture
    try:
        # Arrays are not larger than the file, but numbers may be, and are therefore checked first.
        if not model.scaler.n_channels == n_channels == len(model.scaler.categories or model.mean):
            raise ValueError(f"its scaling is of {model.scaler.n_channels} channels")
        if not (architecture.encoder is None or callable(architecture.encoder)):
            raise TypeError(f"its encoder is {architecture.encoder!r}")
        n_values = len(model.scaler.channels)
        shapes = {a.shape for a in (model.mean, model.variance, model._scaled_mean)}
        if architecture.n_channels != n_values or shapes != {(n_values,)}:
            raise ValueError(f"it has {architecture.n_channels} channels, its scaling {n_values}")
        problem = None
        if architecture.is_built_in:
            problem = layer_specs.misfit(architecture, model.network.weights)
        problem = problem or _misfit_of_forecasts(model)
    except INVALID_FILE_ERRORS as error:
        problem = str(error)
    if problem:
        raise invalid("the network", problem)
    if architecture.is_built_in:
        return
    # Built now, rather than at first use, so that changed functions raise an error here.
    try:
        model.network.model  # noqa: B018 (which it builds)
    except (TypeError, ValueError) as error:
        raise FileFormatError(
            "Expected the encoder and decoder that the file names to build the network that it has "
            f"the weights of, but {error}: use the version of these that it was saved with."
        ) from error
