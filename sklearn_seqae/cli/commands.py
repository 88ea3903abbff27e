"""The commands of `seqae` as functions; `sklearn_seqae.__main__` parses their arguments."""

from __future__ import annotations

import contextlib
import json
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_seqae._utils.optional_imports import load as load_package
from sklearn_seqae._utils.printing import one_line
from sklearn_seqae.containers import convert
from sklearn_seqae.containers.numeric import is_frame
from sklearn_seqae.containers.registry import Sequences, as_sequences
from sklearn_seqae.distributed.parquet import Encoding
from sklearn_seqae.estimators.detector import LSTMAutoencoderDetector
from sklearn_seqae.estimators.transformer import LSTMAutoencoderTransformer
from sklearn_seqae.streaming import ParquetSequences

from . import many_files, series
from .options import (
    channels_of,
    check_folder,
    columns_of,
    data_file,
    is_shown,
    load_model,
    name_of_ids,
    output_file,
    progress,
    report,
    set_parameters,
)
from .summary import summary
from .table_files import STREAM
from .tables import Columns, read_rows, read_sequences, writing

if TYPE_CHECKING:
    import pandas as pd


def fit(options: Namespace) -> None:
    """Fit a model to a table, and write it to a file."""
    if options.horizon is not None:
        if options.detector:
            raise ValueError(
                "Expected --horizon or --detector, got both, but detectors do not forecast: leave "
                "one of them out."
            )
        options.param = options.param | {"horizon": options.horizon}
    if options.window_size is not None:
        _fit_series(options)
        return
    kind = LSTMAutoencoderDetector if options.detector else LSTMAutoencoderTransformer
    model = set_parameters(kind(), options)
    check_folder(options.model)
    if many_files.names_many(options.data):
        many_files.check_options(options)
        channels = None if options.channels is None else list(options.channels)
        source = ParquetSequences(options.data, id=options.id, channels=channels, time=options.time)
        _fit(options, model, source)
        report(
            options,
            f"{len(source)} sequences, {model.n_channels_in_} channels; {model.n_epochs_} epochs; "
            f"wrote {options.model}",
        )
        return
    columns = Columns(options.id, options.time, options.channels, tuple(options.categorical))
    X = _read_whole(options, columns)
    _fit(options, model, X)
    lengths = _read(X).lengths
    skill = f", R2 {model.score(X):.3f}" if hasattr(model, "score") else ""
    report(
        options,
        f"{len(lengths)} sequences of {lengths.min()} to {lengths.max()} steps, "
        f"{model.n_channels_in_} channels; {model.n_epochs_} epochs{skill}; wrote {options.model}",
    )


def _fit_series(options: Namespace) -> None:
    """Fit a model to windows of long series: an autoencoder with a horizon, or a detector."""
    check_folder(options.model)
    X, _ = series.read_series(data_file(options), options)
    if "horizon" in options.param:
        model = set_parameters(LSTMAutoencoderTransformer(), options)
        _fit(options, model, series.cut(X, options))
    else:
        model = series.make_detector(options).fit(X)
        model.save(options.model)
    report(options, f"{series.summary(model, X, options)}; wrote {options.model}")


def _fit(options: Namespace, model: Any, X: Any) -> None:
    """Fit a model, with a progress bar, and save it."""
    if is_shown(options):
        model.set_params(verbose=1)
    with contextlib.redirect_stdout(sys.stderr):  # for the progress bar of Keras
        model.fit(X)
    model.set_params(verbose=options.param.get("verbose", 0))
    model.save(options.model)


def transform(options: Namespace) -> None:
    """Encode sequences."""
    model = load_model(options, "transform")
    if options.workers is not None or many_files.names_many(options.data):
        _encode_files(options, model)
        return

    def codes(X: Any, ids: Any) -> pd.DataFrame:
        frame = load_package("pandas").DataFrame(
            model.transform(X), columns=model.get_feature_names_out()
        )
        frame.insert(0, name_of_ids(model), ids)
        return frame

    _for_chunks(options, model, codes, "codes")


def _encode_files(options: Namespace, model: Any) -> None:
    """Encode Parquet files one by one, each to a file of codes."""
    many_files.check_options(options)
    if options.output == STREAM:
        raise ValueError(
            "Expected the folder to write files of codes to, got none: give it by --output."
        )
    columns = columns_of(options, model)
    channels = None if columns.channels is None else list(columns.channels)
    identity = columns.id or getattr(model._form, "id_name", None)
    if options.trust and options.workers:
        raise ValueError(
            "Expected a model without code of its own for --workers, got --trust: leave one out."
        )
    job = Encoding(
        options.model if options.workers else model,
        options.data,
        options.output,
        id=identity,
        channels=channels,
        time=columns.time,
    )
    with (
        many_files.workers(options.workers) as client,
        progress(options, "files", len(job.paths)) as advance,
    ):
        for _ in job.run(client):
            advance(1)
    report(options, f"{len(job.paths)} files of codes in {options.output}")


def inverse(options: Namespace) -> None:
    """Decode sequences from codes."""
    model = load_model(options, "inverse_transform")
    names = list(model.get_feature_names_out())
    data = data_file(options)
    output = output_file(options, data.form)
    numbers = [*names, *filter(None, [options.lengths])]
    with writing(output, "values") as writer, progress(options) as advance:
        first = 0
        for rows in read_rows(data, numbers):
            if data.form == "npz":
                rows.columns = [*list(rows)[: -len(names)], *names][-rows.shape[1] :]
            missing = [name for name in names if name not in rows]
            if missing:
                raise ValueError(
                    f"Expected the {len(names)} columns that transform writes, got a table without "
                    f"{missing[0]!r}; its columns are {list(rows)[:4]} ...: give what transform "
                    "wrote for this model."
                )
            ids = next((rows[name] for name in (name_of_ids(model), "id") if name in rows), None)
            codes = rows[names].set_axis(
                np.arange(first, first + len(rows)) if ids is None else ids.to_numpy()
            )
            lengths = None if options.lengths is None else _column(rows, options.lengths)
            writer.write(_long(model.inverse_transform(codes, lengths), model, codes.index))
            first += len(rows)
            advance(len(rows))


def forecast(options: Namespace) -> None:
    """Write the steps after the end of sequences, or of long series."""
    model = load_model(options, "forecast")
    if not model.horizon:
        raise ValueError(
            f"Expected a model with a horizon, got one without in {options.model!r}: fit one with "
            "--horizon, the number of steps after the end to learn."
        )
    if series.is_of_windows(model):
        names = model._form.channel_names
        X, name = series.read_series(data_file(options), options, names)
        _write(options, series.forecasts(model, X, name, options.steps))
        return
    # As a whole, since all or none of the sequences have time stamps that go on.
    X = _read_whole(options, columns_of(options, model))
    ids = _ids(X)
    ahead = model.forecast(X, options.steps)
    table = _long(ahead, model, np.arange(len(_read(X))) if ids is None else ids)
    _write(options, table, "values")


def score(options: Namespace) -> None:
    """Write how well sequences are reconstructed, by sequence, step or channel."""
    model = load_model(options, "score_samples")
    if series.is_series_model(model):
        X, name = series.read_series(data_file(options), options, model._names)
        _write(options, series.time_scores(model, X, name))
        return

    def scores(X: Any, ids: Any) -> pd.DataFrame:
        pd = load_package("pandas")
        frame = pd.DataFrame({name_of_ids(model): ids})
        if options.per == "sequence":
            return frame.assign(score=model.score_samples(X))
        errors = model.reconstruction_error(X, per=options.per)
        if options.per == "channel":
            values = np.asarray(errors)
            return pd.concat([frame, pd.DataFrame(values, columns=channels_of(model))], axis=1)
        lengths = [len(error) for error in errors]
        steps = [np.arange(length) for length in lengths]
        return (
            frame.loc[frame.index.repeat(lengths)]
            .reset_index(drop=True)
            .assign(step=np.concatenate(steps), error=np.concatenate(errors))
        )

    _for_chunks(options, model, scores)


def detect(options: Namespace) -> None:
    """Write predictions of outliers or, with --explain, attributions of their scores.

    Of long series these are abnormal intervals.
    """
    if options.window_size is not None:
        X, name = series.read_series(data_file(options), options)
        detector = series.make_detector(options).fit(X)
        report(options, series.summary(detector, X, options))
        _write(options, series.anomalies(detector, X, name, options.explain))
        return
    if options.param:
        raise ValueError(
            "Expected parameters of a detector that is fitted here, got them for a model: give "
            "--window-size and no model, or leave out --param."
        )
    model = load_model(options, "predict")
    if series.is_series_model(model):
        X, name = series.read_series(data_file(options), options, model._names)
        _write(options, series.anomalies(model, X, name, options.explain))
        return

    def predictions(X: Any, ids: Any) -> pd.DataFrame:
        pd = load_package("pandas")
        if options.explain:
            table = model.explain(X)
            if _ids(X) is None:  # positions within this chunk
                table["sequence"] = np.asarray(ids)[table["sequence"]]
            return table.rename(columns={"sequence": name_of_ids(model)})
        decision = model.decision_function(X)
        return pd.DataFrame(
            {
                name_of_ids(model): ids,
                "outlier": np.where(model.predict(X) < 0, 1, 0),
                "decision": decision,
            }
        )

    _for_chunks(options, model, predictions)


def info(options: Namespace) -> None:
    """Print a summary of a model from its manifest, without loading it."""
    found = summary(options.model)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, inner in value.items():
                print(f"  {one_line(key)}: {one_line(inner)}")
        else:
            print(f"{name}: {one_line(value)}")


def export(options: Namespace) -> None:
    """Export the encoder to ONNX."""
    load_model(options, "export_onnx").export_onnx(options.output)
    report(options, f"wrote {options.output}")


def _for_chunks(options: Namespace, model: Any, make: Any, matrix: str = "") -> None:
    """Write the result of `make` for each chunk of the data."""
    data = data_file(options)
    output = output_file(options, data.form)
    with writing(output, matrix) as writer, progress(options) as advance:
        first = 0
        for X in read_sequences(data, columns_of(options, model)):
            n = len(_read(X))
            ids = _ids(X)
            writer.write(make(X, np.arange(first, first + n) if ids is None else ids))
            first += n
            advance(n)


def _write(options: Namespace, table: pd.DataFrame, matrix: str = "") -> None:
    """Write a whole table."""
    with writing(output_file(options, data_file(options).form), matrix) as writer:
        writer.write(table)


def _read_whole(options: Namespace, columns: Columns) -> Any:
    """Return all sequences of the data as one container."""
    chunks = list(read_sequences(data_file(options), columns, is_whole=True))
    return chunks[0] if len(chunks) == 1 else load_package("pandas").concat(chunks)


def _read(X: Any) -> Sequences:
    """Read sequences; channels of text are categorical, as by default of the estimators."""
    return as_sequences(X, "from_dtype")


def _ids(X: Any) -> Any:
    """Return the ids of sequences; None if there are none."""
    index = _read(X).index
    return None if index is None else index.ids


def _long(X: Any, model: Any, ids: Any) -> pd.DataFrame:
    """Return sequences as a table with one row per step."""
    pd = load_package("pandas")
    if is_frame(X) and X.index.nlevels > 1:
        frame = X
    else:
        frame = convert(X, "long")
        lengths = _read(X).lengths
        steps = frame.index.get_level_values(1)
        frame.index = pd.MultiIndex.from_arrays([np.repeat(ids, lengths), steps])
    identity, time = frame.index.names
    frame.index = frame.index.set_names([identity or name_of_ids(model), time or "step"])
    frame.columns = channels_of(model)
    return frame.reset_index()


def _column(rows: Any, name: str) -> Any:
    if name not in rows:
        raise ValueError(
            f"Expected a column {name!r} of lengths, got a table without it: add it, or leave out "
            "--lengths to have them decoded."
        )
    lengths = rows[name].to_numpy()
    is_whole = lengths.dtype.kind == "f" and (lengths % 1 == 0).all()  # as CSV has them
    return lengths.astype(np.int64) if is_whole else lengths
