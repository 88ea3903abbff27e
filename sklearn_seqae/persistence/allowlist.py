"""Import paths in saved files: which are allowed, and which need the user's trust.

A path is "module:name". The tables here have the allowed ones: classes that are built from
numbers and text and do nothing else. Any other must be trusted by name before it is imported.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sklearn_seqae._utils.optional_imports import load_keras
from sklearn_seqae.exceptions import FileFormatError, UntrustedError

# The attributes that fit sets on each, beside "n_features_in_" and the parameters; those that end
# in "?" not always. Others are in no file: scikit-learn writes some, as they are, into HTML.
ESTIMATORS = {
    "sklearn.preprocessing:StandardScaler": "n_samples_seen_ mean_ var_ scale_",
    "sklearn.preprocessing:MinMaxScaler": (
        "n_samples_seen_ scale_ min_ data_min_ data_max_ data_range_"
    ),
    "sklearn.preprocessing:MaxAbsScaler": "n_samples_seen_ scale_ max_abs_",
    "sklearn.preprocessing:RobustScaler": "center_ scale_",
    "sklearn.preprocessing:PowerTransformer": "lambdas_ _scaler?",
    "sklearn.preprocessing:QuantileTransformer": "n_quantiles_ references_ quantiles_",
    "sklearn.preprocessing:KBinsDiscretizer": "bin_edges_ n_bins_ _encoder?",
    "sklearn.preprocessing:OneHotEncoder": (
        "categories_ drop_idx_ _drop_idx_after_grouping _n_features_outs _infrequent_enabled "
        "_infrequent_indices? _default_to_infrequent_mappings?"
    ),
    "sklearn.preprocessing:FunctionTransformer": "",
    "sklearn.frozen:FrozenEstimator": "",
    "sklearn.decomposition:PCA": (
        "n_samples_ n_components_ components_ mean_ noise_variance_ singular_values_ "
        "explained_variance_ explained_variance_ratio_ _fit_svd_solver"
    ),
    "sklearn.decomposition:IncrementalPCA": (
        "n_samples_seen_ n_components_ components_ mean_ var_ noise_variance_ singular_values_ "
        "explained_variance_ explained_variance_ratio_ batch_size_?"
    ),
    "sklearn.decomposition:FastICA": "n_iter_ components_ mixing_ _unmixing mean_? whitening_?",
    "sklearn.mixture:GaussianMixture": (
        "converged_ n_iter_ weights_ means_ covariances_ precisions_ precisions_cholesky_ "
        "lower_bound_ lower_bounds_?"
    ),
    "sklearn.pipeline:Pipeline": "n_features_in_?",  # which is its first step's
    "sklearn_seqae:SequenceScaler": (
        "n_channels_in_ scaler_ channel_scale_ statistics_mean_ statistics_scale_ _form"
    ),
}
# Left out are what wraps others (LossScaleOptimizer, MultiOptimizer), metrics whose size is a
# parameter (AUC, MeanIoU), and callbacks that write to files or elsewhere.
KERAS = {
    "keras.losses": (
        "BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy "
        "CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge "
        "CosineSimilarity Dice Hinge Huber KLDivergence LogCosh MeanAbsoluteError "
        "MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson "
        "SparseCategoricalCrossentropy SquaredHinge Tversky "
        "binary_crossentropy binary_focal_crossentropy categorical_crossentropy "
        "categorical_focal_crossentropy categorical_hinge cosine_similarity dice hinge huber "
        "kl_divergence log_cosh mean_absolute_error mean_absolute_percentage_error "
        "mean_squared_error mean_squared_logarithmic_error poisson "
        "sparse_categorical_crossentropy squared_hinge tversky"
    ),
    "keras.metrics": (
        "Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy CategoricalCrossentropy "
        "CategoricalHinge CosineSimilarity Hinge KLDivergence LogCoshError Mean MeanAbsoluteError "
        "MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson R2Score "
        "RootMeanSquaredError SparseCategoricalAccuracy SparseCategoricalCrossentropy "
        "SparseTopKCategoricalAccuracy SquaredHinge Sum TopKCategoricalAccuracy "
        "binary_accuracy categorical_accuracy sparse_categorical_accuracy "
        "sparse_top_k_categorical_accuracy top_k_categorical_accuracy"
    ),
    "keras.optimizers": (
        "Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Muon Nadam RMSprop SGD "
        "ScheduleFreeAdamW"
    ),
    "keras.optimizers.schedules": (
        "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay "
        "PolynomialDecay"
    ),
    "keras.callbacks": "EarlyStopping ReduceLROnPlateau TerminateOnNaN LearningRateScheduler",
}


def _paths(table: dict[str, str]) -> frozenset[str]:
    return frozenset(
        f"{module}:{name}" for module, names in table.items() for name in names.split()
    )


ALLOWED = ESTIMATORS.keys() | _paths(KERAS)
# Where what may be named is public.
_HOMES = (*dict.fromkeys(path.partition(":")[0] for path in ESTIMATORS), *KERAS)


def path_of(thing: Any, where: str) -> str:
    """Return the import path of a function or class, or raise if it can't be imported by one."""
    name = getattr(thing, "__name__", "")
    for module in _HOMES:
        if name and _find(sys.modules.get(module), name) is thing:
            return f"{module}:{name}"
    name = getattr(thing, "__qualname__", name)
    own = getattr(thing, "__module__", None)
    homes = [own] if own else ["numpy", "scipy.special"]  # a ufunc does not know its own
    for home in homes:
        if home != "__main__" and name and _find(sys.modules.get(home), name) is thing:
            return f"{home}:{name}"
    raise TypeError(
        f"Expected {where} to be something that can be imported, as a file has no code, got "
        f"{thing!r}: define a function or class at the top level of a module of yours, and give "
        "that."
    )


class Resolver:
    """Turns import paths of a file into what they name.

    Parameters
    ----------
    trusted : iterable of str
        Paths that may be imported, beside those that always may.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        trusted = [trusted] if isinstance(trusted, str) else list(trusted)
        for path in trusted:
            if not isinstance(path, str) or not all(path.partition(":")):
                raise TypeError(
                    f'Expected trusted to be a list of import paths, "module:name", got {path!r} '
                    "in it: give for example trusted=['my_models:make_encoder']."
                )
        self.trusted = frozenset(trusted)

    def check(self, tree: Any, *paths: str) -> None:
        """Raise if one of these, or a path in a manifest, may not be imported."""
        if unknown := sorted({*paths, *_named(tree)} - ALLOWED - self.trusted):
            raise UntrustedError(unknown)

    def resolve(self, path: str) -> Any:
        """Return what an allowed or trusted path names."""
        if path not in ALLOWED and path not in self.trusted:
            raise UntrustedError([path])
        module, _, name = path.partition(":")
        if module.partition(".")[0] == "keras":
            load_keras()
        try:
            found = _find(importlib.import_module(module), name)
        except Exception as error:  # whatever a module may raise
            raise ImportError(
                f"Expected to import {path!r}, which the file needs, but {error}: install it, or "
                "put its folder on Python's path."
            ) from error
        if found is None:
            raise ImportError(
                f"Expected to find {path!r}, which the file needs, but {module!r} has no such "
                "name: use the version of it that the file was saved with."
            )
        return found


def _find(module: Any, name: str) -> Any:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _named(tree: Any) -> Iterator[str]:
    """Return all import paths in a tree of JSON."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            if "$" in node and "path" in node:
                if not isinstance(node["path"], str):
                    raise FileFormatError(
                        f"Expected an import path in the file, got {node['path']!r}: get the file "
                        "again from where it came, or save it anew."
                    )
                yield node["path"]
