"""Codes of collections of Dask, computed by its workers when somebody asks for them."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.optional_imports import load
from sklearn_seqae._utils.threads import at_most
from sklearn_seqae.preprocessing.set_output import chosen_output


def encode_lazily(estimator: Any, X: Any) -> Any:
    """Return a Dask DataFrame of codes for a frame with a sequence a row, an Array for a Bag.

    The estimator as it is now travels to a worker once, and not with each partition.
    """
    names = estimator.get_feature_names_out().tolist()
    if chosen_output(estimator) != "default":
        raise ValueError(
            f"Expected set_output(transform='default') for a {type(X).__name__} of Dask, got "
            f"{chosen_output(estimator)!r}: codes of a DataFrame have names and index as it is."
        )
    dask = load("dask")
    model = dask.delayed(copy.deepcopy(estimator), traverse=False)
    if hasattr(X, "_meta") and hasattr(X, "divisions"):  # a DataFrame or Series
        _refuse_text(estimator, X._meta)
        meta = _framed(np.empty((0, len(names)), np.float32), X._meta.index, names)
        return X.map_partitions(_encode_frame, model, names, meta=meta)
    if type(X).__name__ == "Bag":
        array = load("dask.array")
        shape = np.nan, len(names)
        parts = X.map_partitions(_encode_list, model).to_delayed()
        arrays = [array.from_delayed(part, shape, np.float32) for part in parts]
        return array.concatenate(arrays, allow_unknown_chunksizes=True)
    raise TypeError(
        f"Expected a DataFrame or a Bag of Dask, got {type(X).__name__}: make it one, or compute "
        "it: X.compute()."
    )


def _refuse_text(estimator: Any, meta: Any) -> None:
    pandas = load("pandas")
    columns = pandas.DataFrame(meta).dtypes
    texts = [name for name, dtype in columns.items() if isinstance(dtype, pandas.StringDtype)]
    if texts and not any(found is not None for found in estimator.categories_):
        raise TypeError(
            f"Expected lists of numbers, got text in {texts[0]!r}, which Dask makes of lists that "
            "are objects: give Arrow's lists, as by read_parquet(dtype_backend='pyarrow'), or "
            "call dask.config.set({'dataframe.convert-string': False}) before."
        )


def _encode_frame(part: Any, model: Any, names: list[str]) -> Any:
    return _framed(_encode(model, part), part.index, names)


def _framed(codes: NDArray[np.float32], index: Any, names: list[str]) -> Any:
    return load("pandas").DataFrame(codes, index=index, columns=names, copy=False)


def _encode_list(part: Any, model: Any) -> NDArray[np.float32]:
    return _encode(model, list(part))


def _encode(model: Any, part: Any) -> NDArray[np.float32]:
    """Encode a partition in one thread: workers have as many tasks at once as threads."""
    if not len(part):
        return np.empty((0, len(model.get_feature_names_out())), np.float32)
    with at_most(1):
        return np.asarray(model.transform(part))
