"""Commands on long series: a table of one series, or of several with ids, as one container."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_seqae._utils.optional_imports import load as load_package
from sklearn_seqae.containers import from_long
from sklearn_seqae.containers.time_index import without_gaps
from sklearn_seqae.containers.windows import WindowArray
from sklearn_seqae.estimators.series_detector import SlidingWindowDetector, stride_of_fit
from sklearn_seqae.windows import Windows, sliding_windows

from .table_csv import read_csv
from .table_files import File
from .table_times import read_times
from .tables import Columns, check_columns, read_rows

if TYPE_CHECKING:
    import pandas as pd

# Names of columns that are time stamps, whatever they hold.
_TIME = re.compile(r"time|time_?stamps?|date|date_?time", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


def make_detector(options: Namespace) -> SlidingWindowDetector:
    """Return a detector with the parameters of a command: its own, and of its autoencoder."""
    own = {name: value for name, value in options.param.items() if name in _OWN}
    others = {name: value for name, value in options.param.items() if name not in _OWN}
    if getattr(options, "checkpoint", None) is not None:  # of `fit` alone
        others["checkpoint"] = options.checkpoint
    inner = None
    if others:
        inner = SlidingWindowDetector()._make_estimator()
        if unknown := [name for name in others if name not in inner.get_params()]:
            raise ValueError(
                f"Expected parameters of SlidingWindowDetector or LSTMAutoencoderDetector, got "
                f"{unknown[0]!r}: give some of {', '.join([*_OWN, *inner.get_params()])}."
            )
        inner.set_params(**others)
    return SlidingWindowDetector(inner, **{"window_size": options.window_size, **own})


def cut(X: Any, options: Namespace) -> Windows:
    """Return the windows of series that an autoencoder is fitted to."""
    return sliding_windows(X, options.window_size, stride_of_fit(len(X), options.window_size))


_OWN = [name for name in SlidingWindowDetector().get_params(deep=False) if name != "estimator"]


def read_series(file: File, options: Namespace, names: Any = None) -> tuple[Any, str | None]:
    """Return the series of a table, and the name of the column of ids, if any.

    Parameters
    ----------
    file : File
    options : Namespace
        With the columns `id`, `time` and `channels`, if they are given.
    names : list of str, default=None
        Names of the channels that a model was fitted on.
    """
    pd = load_package("pandas")
    if file.form == "npz":
        raise ValueError(
            f"Expected a table with a row per time stamp, CSV or Parquet, got {file.path!r}: "
            "convert it."
        )
    channels = options.channels or (None if names is None else tuple(names))
    if file.form == "csv":
        text = {*filter(None, (options.id, options.time))}
        chunks = list(read_csv(file, text, set(), None, None, has_dates=True))
    else:
        chunks = list(read_rows(file, []))
    frame = pd.concat(chunks, ignore_index=True) if chunks else pd.DataFrame()
    check_columns(frame, file, Columns(options.id, options.time, channels))
    if not len(frame):
        raise ValueError(f"Expected rows in {file.path!r}, got none: there is nothing to read.")
    time = options.time or _find_time(frame, {options.id, *(channels or ())})
    if time is not None:
        frame = frame.assign(**{time: read_times(frame[time], time, is_whole=True)})
    if options.id is not None:
        return from_long(frame, id=options.id, time=time, channels=channels), options.id
    series = frame if time is None else frame.set_index(time)
    return series if channels is None else series[list(channels)], None


def summary(model: Any, X: Any, options: Namespace) -> str:
    """Return what a model was fitted to, in words."""
    n = model.n_features_in_ if is_series_model(model) else model.n_channels_in_
    return f"{len(X)} time stamps, {n} channels; windows of {options.window_size}"


def anomalies(detector: Any, X: Any, id_name: str | None, explain: bool) -> pd.DataFrame:
    """Return the abnormal intervals of series, or the values behind them, as a table."""
    table = detector.explain(X) if explain else detector.find_anomalies(X)
    if not explain:
        for name, sign in (("channels", str), ("shares", "{:.3f}".format)):
            table[name] = [";".join(map(sign, items)) for items in table[name]]
    if id_name is None:
        return table.drop(columns="series")
    return table.rename(columns={"series": id_name})


def time_scores(detector: Any, X: Any, id_name: str | None) -> pd.DataFrame:
    """Return the score of each time stamp, as a table."""
    scores = detector.score_samples(X).rename("score")
    table = scores.to_frame().assign(outlier=np.where(scores < detector.offset_, 1, 0))
    names = ["time"] if id_name is None else [id_name, "time"]
    table.index = table.index.set_names(
        [known or name for known, name in zip(table.index.names, names, strict=True)]
    )
    return table.reset_index()


def forecasts(model: Any, X: Any, id_name: str | None, n_steps: int | None) -> pd.DataFrame:
    """Return the time stamps after the end of each series, as a table."""
    pd = load_package("pandas")
    parts = {None: X}
    if id_name is not None:
        groups = X.groupby(level=0, sort=False)
        parts = {key: part.droplevel(0) for key, part in groups}
    frames = []
    for part in parts.values():  # as in `fit`, a gap has missing values
        times, places = without_gaps(part.index)
        frames.append(part.set_axis(times[places]).reindex(times))
    ahead = model.forecast(frames, n_steps)
    table = pd.concat(ahead, keys=parts, names=[id_name, ahead[0].index.name or "time"])
    return table.reset_index() if id_name is not None else table.droplevel(0).reset_index()


def is_of_windows(model: Any) -> bool:
    """Return whether a model was fitted to windows of long series."""
    return isinstance(model._form, WindowArray)


def is_series_model(model: Any) -> bool:
    """Return whether a model scores time stamps of series, rather than sequences."""
    return isinstance(model, SlidingWindowDetector)


def _find_time(frame: pd.DataFrame, others: set[Any]) -> str | None:
    """Return the column of time stamps: by its name, or the only one with dates as text."""
    candidates = [name for name in frame if name not in others]
    named = [name for name in candidates if _TIME.fullmatch(str(name))]
    if named:
        return str(named[0])
    kinds = load_package("pandas").api.types
    dated = [
        name
        for name in candidates
        if kinds.is_datetime64_any_dtype(frame[name])
        or (
            not kinds.is_numeric_dtype(frame[name])
            and all(_DATE.match(str(item)) for item in frame[name].iloc[:100])
        )
    ]
    return str(dated[0]) if len(dated) == 1 else None
